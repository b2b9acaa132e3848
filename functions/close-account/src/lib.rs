//! Closes the account of a tenant that is to be deleted, once that is approved.
//!
//! What it does: waits for an approver; sees that the account administers no service for the organization, since AWS
//! closes none that does; changes its e-mail address, where the landing zone says so and somebody gives AWS's code in
//! time; has Control Tower let go of it; gives the account's alias up; closes the account in its turn, or waits for the
//! person who does where the landing zone says so; and looks until AWS says that the account is closed.
//! What it leaves on the record: the other address, or that there is none; that the alias is given up; and since when
//! there is no account any more that could be used.
//! Why repeating is safe: it looks first, and an account that Control Tower is letting go of, or that is being closed
//! already, is only waited for. Whose account it is, the account's own tag has to say too.
//! Whether it can be undone: for ninety days, by AWS's support. The address and the account's number never come back.

mod address;
mod release;

use std::fmt;

use entry::Means;
use jiff::{SignedDuration, Timestamp};
use organization::{Account, Closure, Organization, Standing};
use role::Alias;
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{AccountId, Failure, FailureName, Pace, Seat, Seats, TOMORROW, Tenant, next_day};

pub use address::Address;
pub use release::{Hold, Product};

/// Closes the account of a tenant that is to be deleted.
#[derive(Debug)]
pub struct CloseAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The clock, and the ledger where turns are taken and the end is written down.
    pub means: Means,
}

/// How the account stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Nobody has agreed to the deletion yet.
    Unapproved,
    /// There never was an account.
    Never,
    /// It can be used, and administers these services for the organization.
    Administers(Vec<String>),
    /// It can be used.
    Open {
        /// What is known of its e-mail address, while another one is to come first.
        address: Option<Address>,
        /// How Control Tower holds it, if it does.
        hold: Option<Hold>,
        /// Whether it still takes the room of another with Control Tower.
        seated: bool,
    },
    /// AWS is closing it.
    Closing,
    /// It is closed.
    Closed,
    /// The organization does not know it any more.
    Departed,
}

/// What brings the account to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Somebody has to agree.
    AwaitApproval,
    /// Say what a person must do.
    Report(Failure),
    /// Write down what the account's e-mail address is changed to, and until when there is time for it.
    Aim {
        /// The new address.
        email: String,
        /// Until when.
        until: Timestamp,
    },
    /// Change the account's e-mail address.
    Readdress(readdressing::Change),
    /// Go on with the address that the account has, and why.
    KeepAddress(String),
    /// Have Control Tower let go of the account.
    Release(AccountId, Hold),
    /// Control Tower has to finish.
    AwaitRelease(AccountId),
    /// Make room for the next with Control Tower.
    Settle(AccountId),
    /// Give the alias up.
    GiveUpAlias(String),
    /// Close the account.
    Close(AccountId),
    /// A person has to close it.
    AwaitPerson(AccountId),
    /// AWS has to finish.
    AwaitClosure(AccountId),
    /// Write down that there is none any more, and why.
    Leave(String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwaitApproval => formatter.write_str("wait for an approver"),
            Self::Report(failure) => formatter.write_str(&failure.user_remark),
            Self::Aim { email, until } => {
                write!(formatter, "have the e-mail address be {email} before, until {until}")
            }
            Self::Readdress(change) => change.fmt(formatter),
            Self::KeepAddress(why) => {
                write!(formatter, "go on with the e-mail address that the account has: {why}")
            }
            Self::Release(account, hold) => {
                write!(formatter, "let Control Tower let go of account {account}")?;
                match hold {
                    Hold::Product(Product { id, .. }) => {
                        write!(formatter, " by the end of its provisioned product {id}")
                    }
                    Hold::Unit { from, to } => write!(formatter, " by a move from {from} to {to}"),
                    _ => Ok(()),
                }
            }
            Self::AwaitRelease(account) => {
                write!(formatter, "wait for Control Tower to let go of account {account}")
            }
            Self::Settle(account) => {
                write!(formatter, "Control Tower has let go of account {account}")
            }
            Self::GiveUpAlias(alias) => write!(formatter, "give up the alias {alias}"),
            Self::Close(account) => write!(formatter, "close account {account}"),
            Self::AwaitPerson(account) => {
                write!(formatter, "wait for somebody to close account {account}")
            }
            Self::AwaitClosure(account) => {
                write!(formatter, "wait for AWS to close account {account}")
            }
            Self::Leave(why) => write!(formatter, "note that {why}"),
        }
    }
}

/// The kind of operation that is awaited, which an event names too.
const CLOSURE: &str = "close-account";
/// What is awaited while others have all places.
const PLACE: &str = "close-account-place";
/// What is awaited between two calls.
const SLOT: &str = "close-account-slot";
const APPROVAL: &str = "approval";
/// Seconds between looks if no event comes.
const LOOK: u32 = 60;
/// The same while others have all places: whoever leaves one calls the next.
const CROWDED: u32 = 600;
/// How long a slot that was not met in time is good for.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const UNITS: &str = "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*";
const ROOTS: &str = "arn:${Partition}:organizations::${Management}:root/o-*/r-*";
/// An account as Account Management names it.
const DETAILS: &str = "arn:${Partition}:account::${Management}:account/o-*/*";
const LANDING_ZONES: &str = "arn:${Partition}:controltower:*:${Management}:landingzone/*";

impl Step for CloseAccount {
    const NAME: &'static str = "close-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
        Permission::look(
            Site::Management,
            "organizations:ListDelegatedServicesForAccount",
            ACCOUNTS,
        ),
        Permission::look(Site::Management, "organizations:ListParents", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListParents", UNITS),
        Permission::look(Site::Management, "controltower:ListEnabledBaselines", "*"),
        Permission::look(Site::Management, "controltower:ListLandingZones", "*"),
        Permission::look(Site::Management, "controltower:GetLandingZone", LANDING_ZONES),
        Permission::look(Site::Management, "servicecatalog:SearchProvisionedProducts", "*"),
        Permission::look(Site::Management, "servicecatalog:DescribeProvisionedProduct", "*"),
        Permission::look(Site::Management, "servicecatalog:DescribeRecord", "*"),
        Permission::look(Site::Management, "servicecatalog:ListRecordHistory", "*"),
        Permission::look(Site::Management, "account:GetPrimaryEmail", DETAILS),
        Permission::act(Site::Management, "account:StartPrimaryEmailUpdate", DETAILS),
        Permission::act(Site::Management, "account:AcceptPrimaryEmailUpdate", DETAILS),
        Permission::act(Site::Management, "organizations:MoveAccount", ACCOUNTS),
        Permission::act(Site::Management, "organizations:MoveAccount", UNITS),
        Permission::act(Site::Management, "organizations:MoveAccount", ROOTS),
        Permission::act(Site::Management, "servicecatalog:TerminateProvisionedProduct", "*"),
        // Account Factory works with its caller's rights.
        Permission::act(Site::Management, "controltower:DescribeManagedAccount", "*"),
        Permission::act(Site::Management, "controltower:DeregisterManagedAccount", "*"),
        Permission::look(Site::Closing, "organizations:DescribeAccount", ACCOUNTS),
        Permission::act(Site::Closing, "organizations:CloseAccount", ACCOUNTS),
        Permission::act(Site::Member, "iam:DeleteAccountAlias", "*"),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        if task.tenant.removal.as_ref().is_none_or(|removal| removal.approval.is_none()) {
            return Ok(Seen::Unapproved);
        }
        let Some(account) = task.account() else { return Ok(Seen::Never) };
        let organization = Organization::new(&self.sessions.look(Site::Closing).await?);
        let Some(found) = organization.account(account.as_str()).await? else {
            return Ok(Seen::Departed);
        };
        match found.standing {
            Standing::Open => self.look_at_open(task, &found).await,
            Standing::Closing => Ok(Seen::Closing),
            Standing::Closed => Ok(Seen::Closed),
        }
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::AwaitApproval => {
                let r#for = format!(
                    "an approver: `landfall approve {name}` or `landfall decline {name}`",
                    name = task.tenant.name
                );
                let id = task.tenant.id.to_string();
                Ok(Act::Later { awaited: awaited(task, APPROVAL, id, r#for) })
            }
            Change::Report(failure) => {
                self.leave_seats(task).await?;
                Err(failure)
            }
            Change::Aim { email, until } => {
                let event = |tenant: &Tenant, now: Timestamp| {
                    tenant.readdressing(&email, until, Self::NAME, now)
                };
                self.means.change(&task.tenant, event).await?;
                Ok(Act::Done)
            }
            Change::Readdress(change) => self.readdress(task, &change).await,
            Change::KeepAddress(why) => self.keep_address(task, &why).await,
            Change::Release(account, hold) => self.release(task, &account, &hold).await,
            Change::AwaitRelease(account) => {
                // A seat that is still needed is not to be forgotten.
                self.take_seats(task).await?;
                Ok(release::wait(task, &account))
            }
            Change::Settle(_) => {
                self.leave_seats(task).await?;
                Ok(Act::Done)
            }
            Change::GiveUpAlias(alias) => self.give_up_alias(task, &alias).await,
            Change::Close(account) => self.close(task, &account).await,
            Change::AwaitPerson(account) => {
                let r#for = format!("somebody to close account {account}");
                let awaited = awaited(task, CLOSURE, account.to_string(), r#for);
                Ok(Act::AskPerson { awaited })
            }
            Change::AwaitClosure(account) => {
                Ok(Act::Pending { awaited: closing(task, &account), seconds: LOOK })
            }
            Change::Leave(why) => {
                let event =
                    |tenant: &Tenant, now: Timestamp| tenant.left(why.clone(), Self::NAME, now);
                self.means.change(&task.tenant, event).await?;
                self.means.leave_seat(&Seats::closures(), task.tenant.id, PLACE).await?;
                Ok(Act::Done)
            }
        }
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let gone = |why: &str| {
        let known = task.tenant.removal.as_ref().and_then(|removal| removal.gone_since);
        if known.is_some() { vec![] } else { vec![Change::Leave(why.to_owned())] }
    };
    let Some(account) = task.account().cloned() else {
        return match seen {
            Seen::Unapproved => vec![Change::AwaitApproval],
            _ => gone("there never was an account"),
        };
    };
    match seen {
        Seen::Unapproved => vec![Change::AwaitApproval],
        Seen::Never => vec![],
        Seen::Administers(services) => {
            vec![Change::Report(administers(task, &account, services))]
        }
        Seen::Open { address, hold, seated } => {
            let readdressed =
                address.as_ref().map_or_else(Vec::new, |address| address::plan(task, address));
            if let Some(hold) = hold {
                let released = release::plan(task, &account, hold);
                return readdressed.into_iter().chain([released]).collect();
            }
            let waited = task.awaited.as_ref().is_some_and(|awaited| {
                [release::RELEASE, release::TURN].contains(&awaited.kind.as_str())
            });
            let settled = (*seated || waited).then(|| Change::Settle(account.clone()));
            let alias = task.tenant.names.as_ref().and_then(|names| names.alias.clone());
            let ending = if task.landing_zone.automate_deletion_replication {
                Change::Close(account)
            } else {
                Change::AwaitPerson(account)
            };
            let before = readdressed.into_iter().chain(settled);
            before.chain(alias.map(Change::GiveUpAlias)).chain([ending]).collect()
        }
        Seen::Closing => vec![Change::AwaitClosure(account)],
        Seen::Closed => gone(&format!("account {account} is closed")),
        Seen::Departed => gone(&format!("account {account} has left the organization")),
    }
}

/// What is awaited, since the first turn that said so.
fn awaited(task: &Task, kind: &str, id: String, r#for: String) -> Awaited {
    let known = task.awaited.as_ref().filter(|awaited| awaited.kind == kind);
    let since = known.map_or(task.now, |awaited| awaited.since);
    Awaited { kind: kind.to_owned(), id, r#for, since }
}

fn closing(task: &Task, account: &AccountId) -> Awaited {
    awaited(task, CLOSURE, account.to_string(), "AWS to close the account".to_owned())
}

/// The slot that an earlier turn reserved, unless it has passed.
fn slot(task: &Task) -> Option<Timestamp> {
    let reserved = task.awaited.as_ref().filter(|awaited| awaited.kind == SLOT)?;
    let slot: Timestamp = reserved.id.parse().ok()?;
    (task.now.duration_since(slot) < GRACE).then_some(slot)
}

/// AWS closes no account that administers a service, and only a person can say who is to do that instead.
fn administers(task: &Task, account: &AccountId, services: &[String]) -> Failure {
    let calls = services.iter().map(|service| {
        format!("`aws organizations deregister-delegated-administrator --account-id {account} --service-principal {service}`")
    });
    let calls: Vec<String> = calls.collect();
    Failure::blocked(
        format!(
            "Account {account} administers {} for the organization, and AWS does not close an account that does. Ask Landfall's operators to deregister it ({}), then `landfall replicate {}`.",
            services.join(", "),
            calls.join(", "),
            task.tenant.name
        ),
        format!("organizations:ListDelegatedServicesForAccount: {}", services.join(", ")),
    )
}

impl CloseAccount {
    /// What stands in the way of an account that can be used.
    async fn look_at_open(&self, task: &Task, found: &Account) -> Result<Seen, Failure> {
        let organization = Organization::new(&self.sessions.look(Site::Management).await?);
        let services = organization.administers(&found.id).await?;
        if !services.is_empty() {
            return Ok(Seen::Administers(services));
        }
        let address = address::look(&self.sessions, &self.means, task, &found.id).await?;
        let hold = release::look(&self.sessions, task, found).await?;
        // The turn that took the seats may have died with them.
        let mut seated = false;
        if hold.is_none() && task.platform.control_tower.is_some() {
            for seats in release::seats() {
                let who = task.tenant.id.to_string();
                seated |= self.means.ledger.holds_seat(&seats, &who).await?;
            }
        }
        Ok(Seen::Open { address, hold, seated })
    }

    /// Goes on towards another address. Where AWS refuses it, the account keeps the one that it has.
    async fn readdress(&self, task: &Task, change: &readdressing::Change) -> Result<Act, Failure> {
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to close"))?;
        self.is_ours(task, account).await?;
        let session = self.sessions.act(Site::Management).await?;
        let details = account::Account::new(&session, account);
        match readdressing::act(&self.means, &details, task, change).await {
            Ok(Some(act)) => Ok(act),
            Ok(None) => {
                let email = change.email();
                let event = |tenant: &Tenant, now: Timestamp| {
                    tenant.readdressed(email.to_owned(), Self::NAME, now)
                };
                self.means.change(&task.tenant, event).await?;
                Ok(Act::Done)
            }
            Err(failure) => match address::refused(change.email(), &failure) {
                Some(why) => {
                    tracing::warn!(failure = %failure, "the address stays the closed account's");
                    self.keep_address(task, &why).await
                }
                None => Err(failure),
            },
        }
    }

    async fn keep_address(&self, task: &Task, why: &str) -> Result<Act, Failure> {
        let event = |tenant: &Tenant, now: Timestamp| tenant.keeps_address(why, Self::NAME, now);
        self.means.change(&task.tenant, event).await?;
        Ok(Act::Done)
    }

    /// Has Control Tower let go of the account, in its turn.
    async fn release(&self, task: &Task, account: &AccountId, hold: &Hold) -> Result<Act, Failure> {
        self.is_ours(task, account).await?;
        if let Seat::Ahead(ahead) = self.take_seats(task).await? {
            let what = format!("its turn with Control Tower, after {ahead} others");
            return Ok(release::turn(task, &what));
        }
        let begun = release::begin(&self.sessions, task, account, hold).await;
        if begun.as_ref().is_err_and(|failure| failure.name == FailureName::Blocked) {
            // What a person has to mend keeps nobody else waiting.
            self.leave_seats(task).await?;
        }
        begun
    }

    /// Takes the account's turn with Control Tower. Whoever waits to be let go of holds no place among those that
    /// Control Tower works on at once.
    async fn take_seats(&self, task: &Task) -> Result<Seat, Failure> {
        let who = task.tenant.id.to_string();
        for seats in release::seats() {
            let seat = self.means.ledger.take_seat(&seats, &who, self.means.now()).await?;
            if seat != Seat::Taken {
                return Ok(seat);
            }
        }
        Ok(Seat::Taken)
    }

    async fn leave_seats(&self, task: &Task) -> Result<(), Failure> {
        for seats in release::seats() {
            self.means.leave_seat(&seats, task.tenant.id, release::TURN).await?;
        }
        Ok(())
    }

    async fn close(&self, task: &Task, account: &AccountId) -> Result<Act, Failure> {
        let place = || awaited(task, PLACE, task.tenant.id.to_string(), turn());
        let who = task.tenant.id.to_string();
        let seats = Seats::closures();
        if self.means.ledger.take_seat(&seats, &who, task.now).await? != Seat::Taken {
            return Ok(Act::Pending { awaited: place(), seconds: CROWDED });
        }
        let slot = match slot(task) {
            Some(slot) => slot,
            None => self.means.ledger.reserve(&Pace::CLOSE_ACCOUNT, self.means.now()).await?,
        };
        let ahead = slot.duration_since(self.means.now());
        if ahead.as_secs() > 0 {
            let seconds = u32::try_from(ahead.as_secs()).unwrap_or(LOOK);
            let awaited = awaited(task, SLOT, slot.to_string(), turn());
            return Ok(Act::Pending { awaited, seconds });
        }
        self.is_ours(task, account).await?;
        self.means.pause(slot.duration_since(self.means.now())).await;
        let organization = Organization::new(&self.sessions.act(Site::Closing).await?);
        match organization.close(account).await? {
            Closure::Begun => Ok(Act::Started { awaited: closing(task, account), seconds: LOOK }),
            Closure::Crowded => Ok(Act::Pending { awaited: place(), seconds: CROWDED }),
            Closure::Exhausted => {
                self.means.leave_seat(&seats, task.tenant.id, PLACE).await?;
                let day = next_day(task.now);
                let r#for =
                    "AWS to let more accounts be closed: its number for thirty days is reached";
                let awaited = awaited(task, TOMORROW, day.to_string(), r#for.to_owned());
                Ok(Act::Later { awaited })
            }
        }
    }

    /// What can't be taken back is done only to an account whose own tag says whose it is.
    async fn is_ours(&self, task: &Task, account: &AccountId) -> Result<(), Failure> {
        let organization = Organization::new(&self.sessions.look(Site::Management).await?);
        let tags = organization.tags(account.as_str()).await?;
        let key = task.tag("tenant");
        let (wanted, found) = (task.tenant.id.to_string(), tags.get(&key));
        if found == Some(&wanted) {
            return Ok(());
        }
        Err(Failure::blocked(
            format!(
                "Account {account} is not closed, since its tag `{key}` does not say that it is this tenant's. Ask Landfall's operators to see whose it is, and to set the tag to {wanted} or to close it by hand."
            ),
            format!("tag {key} of account {account} is {found:?}, not {wanted}"),
        ))
    }

    /// An account that can't be entered any more keeps its alias: that is no reason to keep the account.
    async fn give_up_alias(&self, task: &Task, alias: &str) -> Result<Act, Failure> {
        let given_up = match self.sessions.act(Site::Member).await {
            Ok(session) => Alias::new(&session).give_up(alias).await,
            Err(failure) => Err(failure),
        };
        match given_up {
            Ok(()) => {}
            Err(failure)
                if matches!(failure.name, FailureName::Throttled | FailureName::Transient) =>
            {
                return Err(failure);
            }
            Err(failure) => {
                tracing::warn!(failure = %failure, "the alias stays the closed account's");
                return Ok(Act::Done);
            }
        }
        self.means.change(&task.tenant, |tenant, now| tenant.unaliased(Self::NAME, now)).await?;
        Ok(Act::Done)
    }
}

fn turn() -> String {
    "its turn to be closed".to_owned()
}

#[cfg(test)]
mod tests;
