//! Control Tower lets go of an account before it is closed.
//!
//! An account that is closed while it is enrolled stays enrolled for Control Tower, and its unit can't be registered
//! anew for ninety days: <https://docs.aws.amazon.com/controltower/latest/userguide/delete-account.html>.

use account_factory::{AccountFactory, Asked, Progress, provisioned_name};
use control_tower::{ControlTower, Enabled};
use jiff::SignedDuration;
use organization::{Account, Organization};
use session::Sessions;
use step::{Act, Awaited, Site, Task};
use tenant::{AccountId, Enrolment, Failure, Seats, Uuid};

use crate::{Change, awaited};

/// How Control Tower holds an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    /// By a provisioned product of Account Factory's: its end lets the account go.
    Product(Product),
    /// By the unit that the account stands in: being moved out lets it go.
    Unit {
        /// Where it stands.
        from: String,
        /// Where it goes: the organization's root.
        to: String,
    },
    /// It has been moved out, and Control Tower has not begun.
    Unnoticed,
    /// Control Tower works on it.
    UnderWay,
    /// A person must act first, and why.
    Stuck(Failure),
}

/// A provisioned product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// The last request about it, which the next one follows.
    pub record: String,
}

/// The kind of operation that is awaited, by the account that events name.
pub(crate) const RELEASE: &str = "control-tower";
/// The kind of turn that is awaited.
pub(crate) const TURN: &str = "control-tower-turn";
/// Seconds between looks if no event comes.
const LOOK: u32 = 120;
/// Seconds between asking for a turn if nobody calls.
const ASK: u32 = 240;
/// How long Control Tower may take to begin with an account that was moved: hours, by AWS.
const UNNOTICED: SignedDuration = SignedDuration::from_hours(6);

/// What must be free, in the order in which it is taken.
pub(crate) fn seats() -> [Seats; 2] {
    [Seats::releases(), Seats::control_tower()]
}

/// How Control Tower holds the account, if it does.
pub(crate) async fn look(
    sessions: &Sessions,
    task: &Task,
    found: &Account,
) -> Result<Option<Hold>, Failure> {
    let Some(wished) = &task.platform.control_tower else { return Ok(None) };
    let session = sessions.look(Site::Management).await?;
    let tower = ControlTower::new(&session, &wished.home_region);
    let enrolled = tower.holds(&found.arn).await?;
    if let Enrolment::AccountFactory(factory) = &wished.enrolment {
        let factory = AccountFactory::new(&session, &wished.home_region, &factory.product_id);
        if let Some(hold) = look_at_product(&factory, task, found, &enrolled).await? {
            return Ok(Some(hold));
        }
    }
    match enrolled {
        Enabled::Absent => return Ok(None),
        Enabled::UnderChange => return Ok(Some(Hold::UnderWay)),
        Enabled::Succeeded | Enabled::Failed(_) => {}
    }
    let zone = tower.landing_zone().await?;
    if !zone.as_ref().is_some_and(|zone| zone.enrols_what_is_moved) {
        let version = zone.map_or_else(|| "none".to_owned(), |zone| zone.version);
        return Ok(Some(Hold::Stuck(not_automatic(task, &found.id, &version))));
    }
    look_at_unit(&Organization::new(&session), found).await.map(Some)
}

/// What became of the account's provisioned product, if there is one that is in the way.
async fn look_at_product(
    factory: &AccountFactory,
    task: &Task,
    found: &Account,
    enrolled: &Enabled,
) -> Result<Option<Hold>, Failure> {
    let name = provisioned_name(task.tenant.id);
    let Some(found) = factory.find(&found.id, &name).await? else { return Ok(None) };
    if found.under_change {
        return Ok(Some(Hold::UnderWay));
    }
    // What failed before it held an account, or lost it, is in nobody's way.
    if *enrolled == Enabled::Absent {
        return Ok(None);
    }
    let last = match &found.record {
        Some(record) => factory.record(record).await?,
        None => None,
    };
    let product = Product { id: found.id, record: found.record.unwrap_or_default() };
    let reason = match last.filter(|last| last.terminates).map(|last| last.progress) {
        None => return Ok(Some(Hold::Product(product))),
        Some(Progress::Failed(reason)) => reason,
        Some(Progress::Running | Progress::Succeeded) => return Ok(Some(Hold::UnderWay)),
    };
    let begun = task.awaited.as_ref().filter(|awaited| awaited.kind == RELEASE);
    let begun = begun.map(|awaited| awaited.since);
    let stuck = factory.stuck(&product.id, &reason, begun).await?;
    Ok(Some(stuck.map_or(Hold::Product(product), Hold::Stuck)))
}

/// Where an account stands that Control Tower still governs.
async fn look_at_unit(organization: &Organization, found: &Account) -> Result<Hold, Failure> {
    let parent = match &found.parent {
        Some(parent) => Some(parent.clone()),
        None => organization.parent(&found.id).await?,
    };
    let from = parent.ok_or_else(|| {
        Failure::transient(format!(
            "organizations:ListParents does not say where account {} stands",
            found.id
        ))
    })?;
    Ok(match organization.above(&from).await?.pop() {
        Some(to) => Hold::Unit { from, to },
        None => Hold::Unnoticed,
    })
}

/// What brings Control Tower to let go of the account.
pub(crate) fn plan(task: &Task, account: &AccountId, hold: &Hold) -> Change {
    let since = task.awaited.as_ref().filter(|awaited| awaited.kind == RELEASE);
    let waited = since.map(|awaited| task.now.duration_since(awaited.since));
    match hold {
        Hold::Product(_) | Hold::Unit { .. } => Change::Release(account.clone(), hold.clone()),
        Hold::Unnoticed if waited.is_some_and(|waited| waited > UNNOTICED) => {
            Change::Report(unnoticed(task, account))
        }
        Hold::Unnoticed | Hold::UnderWay => Change::AwaitRelease(account.clone()),
        Hold::Stuck(failure) => Change::Report(failure.clone()),
    }
}

/// Has Control Tower begin, in the account's turn that has come.
pub(crate) async fn begin(
    sessions: &Sessions,
    task: &Task,
    account: &AccountId,
    hold: &Hold,
) -> Result<Act, Failure> {
    let session = sessions.act(Site::Management).await?;
    match hold {
        Hold::Product(product) => {
            let wished = task.platform.control_tower.as_ref();
            let factory = wished.and_then(|wished| match &wished.enrolment {
                Enrolment::AccountFactory(factory) => {
                    Some(AccountFactory::new(&session, &wished.home_region, &factory.product_id))
                }
                Enrolment::Auto => None,
            });
            let factory = factory.ok_or_else(|| Failure::defect("there is no Account Factory"))?;
            match factory.terminate(&product.id, &token(task, product)).await? {
                Asked::Taken(record) => tracing::info!(record, "Account Factory works on it"),
                Asked::Busy(why) => {
                    tracing::info!(why, "Account Factory is busy");
                    return Ok(turn(task, "Control Tower, which is busy with something else"));
                }
            }
        }
        Hold::Unit { from, to } => {
            Organization::new(&session).move_account(account, from, to).await?;
        }
        Hold::Unnoticed | Hold::UnderWay | Hold::Stuck(_) => {}
    }
    Ok(Act::Started { awaited: released(task, account), seconds: LOOK })
}

/// Waits for Control Tower to let go.
pub(crate) fn wait(task: &Task, account: &AccountId) -> Act {
    Act::Pending { awaited: released(task, account), seconds: LOOK }
}

/// Waits for a turn; the run goes on without it after a while.
pub(crate) fn turn(task: &Task, what: &str) -> Act {
    let id = task.tenant.id.to_string();
    Act::Pending { awaited: awaited(task, TURN, id, what.to_owned()), seconds: ASK }
}

fn released(task: &Task, account: &AccountId) -> Awaited {
    let r#for = "Control Tower to let go of the account".to_owned();
    awaited(task, RELEASE, account.to_string(), r#for)
}

/// The token of a request: the same when a turn is repeated, and another one for what follows a failure.
pub(crate) fn token(task: &Task, product: &Product) -> String {
    let attempt = format!("release/{}/{}", product.id, product.record);
    Uuid::new_v5(&task.tenant.id, attempt.as_bytes()).to_string()
}

fn not_automatic(task: &Task, account: &AccountId, version: &str) -> Failure {
    Failure::blocked(
        format!(
            "Control Tower governs account {account} and does not let go of accounts that are moved. Ask Landfall's operators to unmanage it in Control Tower, then `landfall replicate {}`.",
            task.tenant.name
        ),
        format!(
            "landing zone {version}: unmanage account {account} in Control Tower's Organization page, or turn on auto-enrollment"
        ),
    )
}

fn unnoticed(task: &Task, account: &AccountId) -> Failure {
    Failure::blocked(
        format!(
            "Control Tower has not begun to let go of account {account}. Ask Landfall's operators to unmanage it in Control Tower, then `landfall replicate {}`.",
            task.tenant.name
        ),
        format!(
            "account {account} stands outside Control Tower's units: unmanage it in Control Tower's Organization page"
        ),
    )
}
