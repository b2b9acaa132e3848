//! Has AWS Control Tower govern the account.
//!
//! What it does: where the landing zone enrols, moves the account into its unit when Control Tower has room for it
//! (auto-enrolment), or orders it from Account Factory, and waits until Control Tower's baseline is enabled on it.
//! What it leaves on the record: the turn that it waits for, then the account whose events wake it; Control Tower and
//! Service Catalog hold the rest.
//! Why repeating is safe: it looks first, an account can't be moved where it stands, and an order carries a token that
//! the same turn computes again.
//! Whether it can be undone: by a person, who moves the account out of Control Tower's units.

use std::fmt;

use account_factory::{
    AccountFactory, Asked, Order, Progress, Provisioned, explained, provisioned_name,
};
use control_tower::{ControlTower, Enabled, Governance};
use entry::Means;
use jiff::SignedDuration;
use organization::{Account, Organization};
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{AccountId, Enrolment, Failure, FailureName, Seat, Seats, Uuid};

/// Has AWS Control Tower govern the account.
#[derive(Debug)]
pub struct EnrolAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The ledger, where the turns with Control Tower are given out.
    pub means: Means,
}

/// What can be seen of the account's enrolment.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The landing zone does not enrol its accounts.
    NotWished,
    /// There is no account yet.
    NotYet,
    /// Control Tower governs the account.
    Governed {
        /// Whether the account still takes the room of another.
        seated: bool,
    },
    /// The account stands outside its unit: being moved in is what enrols it.
    Outside {
        /// Where it stands.
        parent: String,
    },
    /// The account is in its place, and Control Tower has not begun.
    Unnoticed,
    /// Control Tower works on it.
    UnderWay,
    /// Account Factory was never asked for it.
    Unordered,
    /// Account Factory failed at it, or lost it.
    Broken(Broken),
    /// A person must act first, and why.
    Stuck(Failure),
}

/// An account that Account Factory failed at, or lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The provisioned product.
    pub id: String,
    /// Whether Landfall made it.
    pub is_ours: bool,
    /// The last request about it, which a repair follows.
    pub record: String,
}

/// What has an account governed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Move it where Control Tower enrols it.
    Move {
        /// Where it stands; none before it is born.
        from: Option<String>,
        /// Its unit.
        to: String,
    },
    /// Order it from Account Factory.
    Order,
    /// Let Account Factory repair it.
    Repair(Broken),
    /// Wait for Control Tower.
    Await,
    /// Make room for the next.
    Settle,
    /// Say what a person must do.
    Report(Failure),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move { to, .. } => {
                write!(formatter, "move the account to {to}, where Control Tower enrols it")
            }
            Self::Order => {
                formatter.write_str("enrol the account in Control Tower by Account Factory")
            }
            Self::Repair(Broken { id, .. }) => {
                write!(
                    formatter,
                    "let Account Factory repair {id}, the account's provisioned product"
                )
            }
            Self::Await => formatter.write_str("wait for Control Tower to enrol the account"),
            Self::Settle => formatter.write_str("the account is enrolled in Control Tower"),
            Self::Report(failure) => formatter.write_str(&failure.user_remark),
        }
    }
}

/// The kind of operation that is awaited, by the account that events name.
const ENROLMENT: &str = "control-tower";
/// The kind of turn that is awaited.
const TURN: &str = "control-tower-turn";
/// Seconds between looks if no event comes.
const LOOK: u32 = 120;
/// Seconds between asking for a turn if nobody calls.
const ASK: u32 = 240;
/// How long Control Tower may take to begin with an account that was moved: hours, by AWS.
const UNNOTICED: SignedDuration = SignedDuration::from_hours(6);
/// How long Control Tower may take to show what Account Factory says is done.
const SHOWN: SignedDuration = SignedDuration::from_mins(10);

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const UNITS: &str = "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*";
const ROOTS: &str = "arn:${Partition}:organizations::${Management}:root/o-*/r-*";
const LANDING_ZONES: &str = "arn:${Partition}:controltower:*:${Management}:landingzone/*";
const PRODUCTS: &str = "arn:${Partition}:catalog:*:${Management}:product/*";

impl Step for EnrolAccount {
    const NAME: &'static str = "enrol-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:DescribeAccount", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListParents", UNITS),
        Permission::look(Site::Management, "controltower:ListEnabledBaselines", "*"),
        Permission::look(Site::Management, "controltower:GetBaselineOperation", "*"),
        Permission::look(Site::Management, "controltower:ListLandingZones", "*"),
        Permission::look(Site::Management, "controltower:GetLandingZone", LANDING_ZONES),
        Permission::look(Site::Management, "servicecatalog:SearchProvisionedProducts", "*"),
        Permission::look(Site::Management, "servicecatalog:DescribeProvisionedProduct", "*"),
        Permission::look(Site::Management, "servicecatalog:DescribeRecord", "*"),
        Permission::look(Site::Management, "servicecatalog:ListRecordHistory", "*"),
        Permission::act(Site::Management, "organizations:DescribeOrganizationalUnit", UNITS),
        Permission::act(Site::Management, "organizations:MoveAccount", ACCOUNTS),
        Permission::act(Site::Management, "organizations:MoveAccount", UNITS),
        Permission::act(Site::Management, "organizations:MoveAccount", ROOTS),
        Permission::act(Site::Management, "servicecatalog:ListProvisioningArtifacts", PRODUCTS),
        Permission::act(Site::Management, "servicecatalog:ListLaunchPaths", PRODUCTS),
        Permission::act(Site::Management, "servicecatalog:ProvisionProduct", PRODUCTS),
        Permission::act(Site::Management, "servicecatalog:UpdateProvisionedProduct", "*"),
        // Account Factory works with its caller's rights.
        Permission::act(Site::Management, "controltower:CreateManagedAccount", "*"),
        Permission::act(Site::Management, "controltower:DescribeManagedAccount", "*"),
        Permission::act(Site::Management, "organizations:DescribeOrganization", "*"),
    ];
    /// As long as an enrolment takes as a rule; one that takes longer is looked at by the next run.
    const PATIENCE: SignedDuration = SignedDuration::from_mins(20);
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        if !task.landing_zone.enrol {
            return Ok(Seen::NotWished);
        }
        let Some(account) = task.account() else { return Ok(Seen::NotYet) };
        let Some(wished) = &task.platform.control_tower else { return Ok(Seen::Stuck(no_tower())) };
        let session = self.sessions.look(Site::Management).await?;
        let unit = &task.landing_zone.organizational_unit;
        let tower = ControlTower::new(&session, &wished.home_region);
        // Where an order enrols it, place-account alone cares where the account stands: Organizations is not asked.
        if let Enrolment::AccountFactory(_) = wished.enrolment
            && let Some(arn) = account_arn(task, account)
            && let Ok(Governance { account: Enabled::Succeeded, .. }) =
                tower.governance(&arn, &unit_arn(&arn, unit)).await
        {
            return Ok(Seen::Governed { seated: self.is_seated(task).await? });
        }
        let organization = Organization::new(&session);
        let found = organization.account(account.as_str()).await?;
        let mut found = found.ok_or_else(|| {
            Failure::transient(format!(
                "organizations:DescribeAccount does not know account {account} yet"
            ))
        })?;
        if task.platform.allow_hierarchical_organizational_unit_assignment
            && let Some(parent) = found.parent.as_ref().filter(|parent| *parent != unit)
            && organization.above(parent).await?.contains(unit)
        {
            // Beneath its unit it is as good as in it.
            found.parent = None;
        }
        let governance = tower.governance(&found.arn, &unit_arn(&found.arn, unit)).await?;
        let seen = match &wished.enrolment {
            Enrolment::Auto => look_at_move(&tower, task, &found, governance).await?,
            Enrolment::AccountFactory(factory) => {
                let product = &factory.product_id;
                let factory = AccountFactory::new(&session, &wished.home_region, product);
                look_at_order(&factory, task, governance).await?
            }
        };
        match seen {
            // The turn that waited for it may have died with its seat.
            Seen::Governed { .. } => Ok(Seen::Governed { seated: self.is_seated(task).await? }),
            seen => Ok(seen),
        }
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::Await => {
                // A seat that is still needed is not to be forgotten.
                self.take_seats(task).await?;
                let known = task.awaited.clone().filter(|awaited| awaited.kind == ENROLMENT);
                let awaited = known.map_or_else(|| enrolment(task), Ok)?;
                return Ok(Act::Pending { awaited, seconds: LOOK });
            }
            Change::Settle => {
                self.leave_seats(task).await?;
                return Ok(Act::Done);
            }
            Change::Report(failure) => {
                self.leave_seats(task).await?;
                return Err(failure);
            }
            Change::Move { .. } | Change::Order | Change::Repair(_) => {}
        }
        if let Seat::Ahead(ahead) = self.take_seats(task).await? {
            return Ok(turn(task, &format!("its turn with Control Tower, after {ahead} others")));
        }
        let acted = match &change {
            Change::Move { from, to } => self.relocate(task, from.as_deref(), to).await,
            Change::Repair(broken) => self.order(task, Some(broken)).await,
            _ => self.order(task, None).await,
        };
        match &acted {
            // What a person has to mend keeps nobody else waiting.
            Err(failure) if needs_a_person(failure) => self.leave_seats(task).await?,
            _ => {}
        }
        acted
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let unit = &task.landing_zone.organizational_unit;
    let awaited = task.awaited.as_ref();
    let since = awaited.filter(|awaited| awaited.kind == ENROLMENT).map(|awaited| awaited.since);
    match seen {
        Seen::NotYet if task.landing_zone.enrols_by_move(&task.platform) => {
            vec![Change::Move { from: None, to: unit.clone() }]
        }
        Seen::NotYet | Seen::Unordered => vec![Change::Order],
        Seen::Governed { seated } if *seated || awaited.is_some() => vec![Change::Settle],
        Seen::NotWished | Seen::Governed { .. } => vec![],
        Seen::Outside { parent } => {
            vec![Change::Move { from: Some(parent.clone()), to: unit.clone() }]
        }
        Seen::Unnoticed
            if since.is_some_and(|since| task.now.duration_since(since) > UNNOTICED) =>
        {
            vec![Change::Report(unnoticed(unit))]
        }
        Seen::Unnoticed | Seen::UnderWay => vec![Change::Await],
        Seen::Broken(broken) => vec![Change::Repair(broken.clone())],
        Seen::Stuck(failure) => vec![Change::Report(failure.clone())],
    }
}

/// What became of an account that is enrolled by being moved.
async fn look_at_move(
    tower: &ControlTower,
    task: &Task,
    found: &Account,
    governance: Governance,
) -> Result<Seen, Failure> {
    let unit = &task.landing_zone.organizational_unit;
    let parent = found.parent.as_ref().filter(|parent| *parent != unit);
    match (parent, governance.account) {
        (_, Enabled::UnderChange) => return Ok(Seen::UnderWay),
        (None, Enabled::Succeeded) => return Ok(Seen::Governed { seated: false }),
        (None, Enabled::Failed(operation)) => {
            let reason = match operation {
                Some(operation) => tower.reason(&operation).await?,
                None => "no operation is named".to_owned(),
            };
            return Ok(Seen::Stuck(explained(&reason).unwrap_or_else(|| failed(unit, &reason))));
        }
        (Some(_), _) | (None, Enabled::Absent) => {}
    }
    if governance.unit == Enabled::Absent {
        return Ok(Seen::Stuck(unregistered(unit)));
    }
    match tower.landing_zone().await? {
        None => Ok(Seen::Stuck(no_tower())),
        Some(zone) if !zone.enrols_what_is_moved => Ok(Seen::Stuck(not_automatic(&zone.version))),
        Some(_) => {
            Ok(parent.map_or(Seen::Unnoticed, |parent| Seen::Outside { parent: parent.clone() }))
        }
    }
}

/// What became of an account that Account Factory enrols.
async fn look_at_order(
    factory: &AccountFactory,
    task: &Task,
    governance: Governance,
) -> Result<Seen, Failure> {
    match (&governance.account, &governance.unit) {
        (Enabled::Succeeded, _) => return Ok(Seen::Governed { seated: false }),
        (Enabled::UnderChange, _) => return Ok(Seen::UnderWay),
        (_, Enabled::Absent) => {
            return Ok(Seen::Stuck(unregistered(&task.landing_zone.organizational_unit)));
        }
        _ => {}
    }
    let account = task.account().ok_or_else(|| Failure::defect("there is no account to enrol"))?;
    let name = provisioned_name(task.tenant.id);
    let Some(found) = factory.find(account, &name).await? else { return Ok(Seen::Unordered) };
    let Provisioned { id, record, .. } = found;
    if found.under_change {
        return Ok(Seen::UnderWay);
    }
    let is_ours = found.name == name;
    let last = match &record {
        Some(record) => factory.record(record).await?,
        None => None,
    };
    let broken = Broken { id, is_ours, record: record.unwrap_or_default() };
    let Some(last) = last else { return Ok(Seen::Broken(broken)) };
    let reason = match last.progress {
        Progress::Running => return Ok(Seen::UnderWay),
        Progress::Succeeded => {
            let shown = last.updated.is_none_or(|at| task.now.duration_since(at) > SHOWN);
            if !shown {
                return Ok(Seen::UnderWay);
            }
            "the provisioned product is there, and Control Tower does not govern its account"
                .to_owned()
        }
        Progress::Failed(reason) => reason,
    };
    let begun = task.awaited.as_ref().map(|awaited| awaited.since);
    if let Some(failure) = factory.stuck(&broken.id, &reason, begun).await? {
        return Ok(Seen::Stuck(failure));
    }
    Ok(Seen::Broken(broken))
}

impl EnrolAccount {
    async fn relocate(&self, task: &Task, from: Option<&str>, to: &str) -> Result<Act, Failure> {
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to move"))?;
        let from =
            from.ok_or_else(|| Failure::defect("an account that is there stands somewhere"))?;
        let organization = Organization::new(&self.sessions.act(Site::Management).await?);
        organization.move_account(account, from, to).await?;
        Ok(Act::Started { awaited: enrolment(task)?, seconds: LOOK })
    }

    async fn order(&self, task: &Task, broken: Option<&Broken>) -> Result<Act, Failure> {
        let session = self.sessions.act(Site::Management).await?;
        let wished = task.platform.control_tower.as_ref().ok_or_else(no_tower)?;
        let factory = task.landing_zone.account_factory(&task.platform).ok_or_else(no_tower)?;
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to enrol"))?;
        let organization = Organization::new(&session);
        let found = organization.account(account.as_str()).await?.ok_or_else(|| {
            Failure::transient(format!(
                "organizations:DescribeAccount does not know account {account} yet"
            ))
        })?;
        let unit = &task.landing_zone.organizational_unit;
        let known = organization.unit(unit).await?.ok_or_else(|| {
            Failure::blocked(
                "The landing zone's organizational unit does not exist. Ask Landfall's operators to correct the landing zone.",
                unit.as_str(),
            )
        })?;
        let token = token(task, broken);
        let order = Order {
            email: &found.email,
            name: &found.name,
            unit: &format!("{} ({unit})", known.name),
            user: &factory.sso_user,
            token: &token,
        };
        let conversation = AccountFactory::new(&session, &wished.home_region, &factory.product_id);
        let asked = match broken {
            None => conversation.provision(&provisioned_name(task.tenant.id), &order).await?,
            Some(broken) => conversation.repair(&broken.id, broken.is_ours, &order).await?,
        };
        match asked {
            Asked::Taken(record) => {
                tracing::info!(record, "Account Factory works on it");
                let mut awaited = enrolment(task)?;
                if broken.is_some()
                    && let Some(earlier) = &task.awaited
                {
                    // A repair goes on with the same wait: patience is for all of them.
                    awaited.since = earlier.since;
                }
                Ok(Act::Started { awaited, seconds: LOOK })
            }
            Asked::Busy(why) => {
                tracing::info!(why, "Account Factory is busy");
                Ok(turn(task, "Control Tower, which is busy with something else"))
            }
        }
    }

    /// Takes the account's turn with Control Tower. Into one unit goes one account at a time; whoever waits for that
    /// holds no place among those that Control Tower works on at once.
    async fn take_seats(&self, task: &Task) -> Result<Seat, Failure> {
        let who = task.tenant.id.to_string();
        for seats in seats(task) {
            let seat = self.means.ledger.take_seat(&seats, &who, self.means.now()).await?;
            if seat != Seat::Taken {
                return Ok(seat);
            }
        }
        Ok(Seat::Taken)
    }

    async fn leave_seats(&self, task: &Task) -> Result<(), Failure> {
        for seats in seats(task) {
            self.means.leave_seat(&seats, task.tenant.id, TURN).await?;
        }
        Ok(())
    }

    async fn is_seated(&self, task: &Task) -> Result<bool, Failure> {
        for seats in seats(task) {
            if self.means.ledger.holds_seat(&seats, &task.tenant.id.to_string()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What must be free, in the order in which it is taken.
fn seats(task: &Task) -> Vec<Seats> {
    let into_unit = task
        .landing_zone
        .enrols_by_move(&task.platform)
        .then(|| Seats::moves_into(&task.landing_zone.organizational_unit));
    into_unit.into_iter().chain([Seats::control_tower()]).collect()
}

/// Waits for a turn; the run goes on without it after a while.
fn turn(task: &Task, what: &str) -> Act {
    let awaited = Awaited {
        kind: TURN.to_owned(),
        id: task.tenant.id.to_string(),
        r#for: what.to_owned(),
        since: task.awaited.as_ref().map_or(task.now, |awaited| awaited.since),
    };
    Act::Pending { awaited, seconds: ASK }
}

fn enrolment(task: &Task) -> Result<Awaited, Failure> {
    let account = task.account().ok_or_else(|| Failure::defect("there is no account to enrol"))?;
    Ok(Awaited {
        kind: ENROLMENT.to_owned(),
        id: account.to_string(),
        r#for: "Control Tower to enrol the account".to_owned(),
        since: task.now,
    })
}

/// The token of an order: the same when a turn is repeated, and another one for what follows a failure.
fn token(task: &Task, broken: Option<&Broken>) -> String {
    let attempt = match broken {
        None => format!("enrol/{}", task.run),
        Some(broken) => format!("repair/{}", broken.record),
    };
    Uuid::new_v5(&task.tenant.id, attempt.as_bytes()).to_string()
}

/// The account's ARN, where the platform says which organization it is in.
fn account_arn(task: &Task, account: &AccountId) -> Option<String> {
    let organization = task.platform.organization.as_ref()?;
    let start = task.place().fill("arn:${Partition}:organizations::${Management}:account");
    Some(format!("{start}/{organization}/{account}"))
}

/// The ARN of a unit of the account's organization.
fn unit_arn(account: &str, unit: &str) -> String {
    let organization = account.rsplit_once('/').map_or(account, |(organization, _)| organization);
    format!("{}/{unit}", organization.replacen(":account/", ":ou/", 1))
}

fn needs_a_person(failure: &Failure) -> bool {
    matches!(failure.name, FailureName::Blocked | FailureName::Rejected | FailureName::Defect)
}

fn no_tower() -> Failure {
    Failure::blocked(
        "The landing zone enrols its accounts, but Control Tower is not where the platform says. Ask Landfall's operators to correct the platform.",
        "set controlTower.homeRegion of the platform to the Region with the landing zone, or set Control Tower up",
    )
}

fn unregistered(unit: &str) -> Failure {
    Failure::blocked(
        "The landing zone's organizational unit is not registered with Control Tower. Ask Landfall's operators to register it.",
        format!("register {unit} with Control Tower, then ask for another run"),
    )
}

fn not_automatic(version: &str) -> Failure {
    Failure::blocked(
        "Control Tower does not enrol accounts by itself. Ask Landfall's operators to turn that on.",
        format!(
            "landing zone {version}: turn on auto-enrollment (remediation type Inheritance Drift, from version 3.1), or \
             name an accountFactory in the platform's controlTower.enrolment"
        ),
    )
}

fn failed(unit: &str, reason: &str) -> Failure {
    Failure::blocked(
        "Control Tower could not enrol the account. Ask Landfall's operators to look into it.",
        format!(
            "{reason}; mend the cause and re-register {unit}, or move the account out and in again"
        ),
    )
}

fn unnoticed(unit: &str) -> Failure {
    Failure::blocked(
        "Control Tower has not begun to enrol the account. Ask Landfall's operators to look into it.",
        format!(
            "re-register {unit} with Control Tower, or move the account out of it and ask for another run"
        ),
    )
}

#[cfg(test)]
mod tests;
