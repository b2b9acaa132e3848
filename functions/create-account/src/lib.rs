//! Makes exactly one account for a tenant, whatever fails; for one that is to be deleted it only finds what was asked
//! for before.
//!
//! What it does: asks Organizations for an account and waits until it is there.
//! What it leaves on the record: that it is about to ask (on the address's row, before it asks), the request's id, the
//! account.
//! Why repeating is safe: there is no client token, so an answer that got lost is looked for before anybody asks
//! again: requests in progress, what events said, and last a walk over all accounts, by the address that is ours alone
//! and by our tag.
//! Whether it can be undone: no. An account can only be closed.

use std::fmt;

use entry::Means;
use jiff::{SignedDuration, Timestamp};
use ledger::Error;
use organization::{Account, Creation, Organization, Refused, Wanted};
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{
    AccountId, BIRTH_ROLE, Breaker, BreakerTransition, FailedCreation, Failure, FailureName, Mode,
    Names, Numbers, Pace, Platform, Tenant, account_tags, render_names,
};

/// Makes exactly one account for a tenant.
#[derive(Debug)]
pub struct CreateAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The clock, and the ledger where addresses are reserved and accounts kept.
    pub means: Means,
}

/// What can be seen of the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The account is known.
    Known,
    /// Nobody has asked for an account yet.
    Absent,
    /// AWS works on the request.
    InProgress(String),
    /// The account is there.
    Made(AccountId),
    /// AWS made no account, and why.
    Refused(String),
    /// An answer got lost; whether there is an account is not certain before then.
    Unsure(Timestamp),
}

/// What brings a tenant its account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Ask for an account.
    Create(Names),
    /// Wait for the request.
    Await(String),
    /// Look again then.
    LookAgain(Timestamp),
    /// Write the account down.
    Land(AccountId),
    /// Say why there is none.
    Report(String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(names) => {
                write!(formatter, "create account {} <{}>", names.account_name, names.email)
            }
            Self::Await(request) => write!(formatter, "wait for request {request}"),
            Self::LookAgain(_) => formatter.write_str("look for an account whose request got lost"),
            Self::Land(account) => write!(formatter, "account {account} is the tenant's"),
            Self::Report(reason) => write!(formatter, "no account was made: {reason}"),
        }
    }
}

/// The kind of operation that is awaited.
const REQUEST: &str = "create-account";
/// How long after asking an account may still be unknown to every reading.
const CERTAINTY: SignedDuration = SignedDuration::from_mins(3);
/// The kind of slot that is awaited.
const SLOT: &str = "create-account-slot";
/// How long a slot that was not met in time is good for.
const GRACE: SignedDuration = SignedDuration::from_secs(5);
/// Seconds between looks if no event comes.
const LOOK: u32 = 60;

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";

impl Step for CreateAccount {
    const NAME: &'static str = "create-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:DescribeCreateAccountStatus", "*"),
        Permission::look(Site::Management, "organizations:ListCreateAccountStatus", "*"),
        Permission::look(Site::Management, "organizations:ListAccounts", "*"),
        Permission::look(Site::Management, "organizations:DescribeAccount", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
        Permission::act(Site::Management, "organizations:CreateAccount", "*"),
        Permission::act(Site::Management, "organizations:TagResource", ACCOUNTS),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        if task.account().is_some() {
            return Ok(Seen::Known);
        }
        let Some(names) = &task.tenant.names else { return Ok(Seen::Absent) };
        let row = self.means.ledger.email(&names.email).await?;
        let Some(asked) = row.filter(|row| row.tenant == task.tenant.id).and_then(|row| row.asked)
        else {
            return Ok(Seen::Absent);
        };
        let organization = Organization::new(&self.sessions.look(Site::Management).await?);
        let Some(request) = task.awaited.as_ref().filter(|awaited| awaited.kind == REQUEST) else {
            return self.recover(&organization, task, names, asked, None).await;
        };
        match organization.creation(&request.id).await?.creation {
            Creation::InProgress => Ok(Seen::InProgress(request.id.clone())),
            Creation::Succeeded(account) => Ok(Seen::Made(account)),
            Creation::Failed(reason) => match reason.as_str() {
                // Somebody asked for this address before: it may have been us.
                "EMAIL_ALREADY_EXISTS" | "CONCURRENT_ACCOUNT_MODIFICATION" => {
                    self.recover(&organization, task, names, asked, Some(reason)).await
                }
                _ => Ok(Seen::Refused(reason)),
            },
        }
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::Create(names) => self.create(task, &names).await,
            Change::Await(request) => {
                let known = task.awaited.clone().filter(|awaited| awaited.id == request);
                let awaited = known.unwrap_or_else(|| awaited(task, request));
                Ok(Act::Pending { awaited, seconds: LOOK })
            }
            Change::LookAgain(then) => {
                let seconds = then.duration_since(task.now).as_secs().clamp(5, 120);
                let awaited = unsure(task);
                Ok(Act::Pending { awaited, seconds: u32::try_from(seconds).unwrap_or(LOOK) })
            }
            Change::Land(account) => self.land(task, account).await,
            Change::Report(reason) => {
                let failure = refused(&reason);
                self.count(task, &failure, &reason).await?;
                if let Some(names) = &task.tenant.names {
                    self.means.ledger.unask(&names.email, task.tenant.id).await?;
                }
                Err(failure)
            }
        }
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    match seen {
        Seen::Known => vec![],
        Seen::Absent | Seen::Refused(_) if task.mode == Mode::Remove => vec![],
        Seen::Absent => {
            let names = task.tenant.names.clone().or_else(|| {
                let Task { tenant, landing_zone, platform, .. } = task;
                render_names(tenant, landing_zone, platform, Numbers::default()).ok()
            });
            names.map(Change::Create).into_iter().collect()
        }
        Seen::InProgress(request) => vec![Change::Await(request.clone())],
        Seen::Made(account) => vec![Change::Land(account.clone())],
        Seen::Refused(reason) => vec![Change::Report(reason.clone())],
        Seen::Unsure(until) => vec![Change::LookAgain(*until)],
    }
}

/// The role that Organizations is to make. It makes none with a path, so one that has a path comes from elsewhere, and
/// must not find its name taken.
fn birth_role(platform: &Platform) -> &str {
    if platform.access_role_path().is_empty() { platform.access_role_name() } else { BIRTH_ROLE }
}

/// The slot that an earlier turn reserved, unless it has passed.
fn slot(task: &Task) -> Option<Timestamp> {
    let reserved = task.awaited.as_ref().filter(|awaited| awaited.kind == SLOT)?;
    let slot: Timestamp = reserved.id.parse().ok()?;
    (task.now.duration_since(slot) < GRACE).then_some(slot)
}

/// Waits for a slot; the state machine counts whole seconds, the turn after it passes the rest.
fn pending(task: &Task, slot: Timestamp, ahead: SignedDuration) -> Act {
    let earlier = task.awaited.as_ref().filter(|awaited| awaited.kind == SLOT);
    let awaited = Awaited {
        kind: SLOT.to_owned(),
        id: slot.to_string(),
        r#for: "its turn to be created".to_owned(),
        since: earlier.map_or(task.now, |awaited| awaited.since),
    };
    Act::Pending { awaited, seconds: u32::try_from(ahead.as_secs()).unwrap_or(LOOK).max(1) }
}

impl CreateAccount {
    async fn create(&self, task: &Task, names: &Names) -> Result<Act, Failure> {
        let organization = Organization::new(&self.sessions.act(Site::Management).await?);
        self.means.ledger.ask(&names.email, task.tenant.id, task.now).await.map_err(|error| {
            match error {
                Error::Conflict => Failure::rejected(format!(
                    "The e-mail address {} belongs to another tenant. Change the workspace's or project's identifier.",
                    names.email
                )),
                Error::Failure(failure) => failure,
            }
        })?;
        // Last of all, so that AWS sees the calls as far apart as their slots are.
        let slot = match slot(task) {
            Some(slot) => slot,
            None => self.reserve().await?,
        };
        let ahead = slot.duration_since(self.means.now());
        if ahead.as_secs() > 0 {
            self.means.ledger.unask(&names.email, task.tenant.id).await?;
            return Ok(pending(task, slot, ahead));
        }
        let wanted = Wanted {
            email: &names.email,
            name: &names.account_name,
            role: birth_role(&task.platform),
            tags: account_tags(&task.tenant, &task.landing_zone, &task.platform),
        };
        self.means.pause(slot.duration_since(self.means.now())).await;
        match organization.create_account(wanted).await {
            Ok(request) => Ok(Act::Started { awaited: awaited(task, request.id), seconds: LOOK }),
            Err(Refused::Throttled(failure)) => {
                tracing::info!(failure = %failure, "another slot is needed");
                self.means.ledger.unask(&names.email, task.tenant.id).await?;
                let slot = self.reserve().await?;
                Ok(pending(task, slot, slot.duration_since(self.means.now())))
            }
            // Whether AWS took the request is looked for in the next turn.
            Err(Refused::Unanswered(failure)) => Err(failure),
            Err(Refused::Other(failure)) => {
                let full = "ACCOUNT_NUMBER_LIMIT_EXCEEDED";
                let is_full = failure.system_remark.contains(full);
                let reason = if is_full { full } else { failure.name.as_str() };
                self.count(task, &failure, reason).await?;
                self.means.ledger.unask(&names.email, task.tenant.id).await?;
                Err(failure)
            }
        }
    }

    /// The next slot by the calls that have gone out: those of a cold start come later than Admit reckoned.
    async fn reserve(&self) -> Result<Timestamp, Failure> {
        Ok(self.means.ledger.reserve(&Pace::CREATE_ACCOUNT_CALL, self.means.now()).await?)
    }

    /// Counts a failed creation towards the breaker, unless only this wish is at fault.
    async fn count(&self, task: &Task, failure: &Failure, reason: &str) -> Result<(), Failure> {
        if failure.name == FailureName::Rejected {
            return Ok(());
        }
        let Tenant { id, name, .. } = &task.tenant;
        let failed = FailedCreation::new(*id, name, task.run, reason, task.now);
        let limits = &task.platform.limits.breaker;
        self.turn(task, |breaker| breaker.failed(failed.clone(), limits, Self::NAME)).await
    }

    /// Turns the platform's breaker, if there is anything to turn.
    async fn turn(
        &self,
        task: &Task,
        transition: impl Fn(&Breaker) -> Option<BreakerTransition>,
    ) -> Result<(), Failure> {
        let (ledger, platform) = (&self.means.ledger, &task.tenant.name.platform);
        loop {
            let Some(transition) = transition(&ledger.breaker(platform).await?) else {
                return Ok(());
            };
            match ledger.turn_breaker(platform, &transition).await {
                Ok(()) => return Ok(()),
                Err(Error::Conflict) => {}
                Err(Error::Failure(failure)) => return Err(failure),
            }
        }
    }

    async fn land(&self, task: &Task, account: AccountId) -> Result<Act, Failure> {
        let transition = task.tenant.landed(account.clone(), Self::NAME, task.now);
        match self.means.ledger.land(&task.tenant, &transition, &account).await {
            Ok(()) => {
                self.turn(task, |breaker| {
                    breaker.succeeded(&task.tenant.name, Self::NAME, task.now)
                })
                .await?;
                Ok(Act::Done)
            }
            Err(Error::Failure(failure)) => Err(failure),
            Err(Error::Conflict) => match self.means.ledger.owner(account.as_str()).await? {
                Some(owner) if owner != task.tenant.id => Err(Failure::blocked(
                    "The account that AWS made belongs to another tenant. Ask Landfall's operators whose it is.",
                    format!("account {account} is tenant {owner}'s"),
                )),
                _ => Err(Failure::transient("the tenant changed while its account landed")),
            },
        }
    }

    /// Looks for an account whose request got lost, in the order of what it costs.
    async fn recover(
        &self,
        organization: &Organization,
        task: &Task,
        names: &Names,
        asked: Timestamp,
        refused: Option<String>,
    ) -> Result<Seen, Failure> {
        let since = asked - SignedDuration::from_mins(1);
        let requests = organization.requests_in_progress().await?;
        let ours = requests.into_iter().find(|request| {
            request.account_name == names.account_name
                && request.requested.is_none_or(|requested| requested >= since)
        });
        if let Some(request) = ours {
            return Ok(Seen::InProgress(request.id));
        }
        for result in self.means.ledger.kept(since).await? {
            let Some(account) = result.account else { continue };
            if self.means.ledger.owner(&account).await?.is_some() {
                continue;
            }
            if let Some(found) = organization.account(&account).await?
                && self.is_ours(organization, task, names, &found).await?
            {
                return Ok(Seen::Made(found.id));
            }
        }
        let slot = self.means.ledger.reserve(&Pace::WALK, task.now).await?;
        if slot > task.now {
            return Ok(Seen::Unsure(slot));
        }
        match organization.account_with_email(&names.email).await? {
            Some(found) if self.is_ours(organization, task, names, &found).await? => {
                Ok(Seen::Made(found.id))
            }
            Some(_) => Ok(Seen::Refused("EMAIL_ALREADY_EXISTS".to_owned())),
            None if task.now.duration_since(asked) < CERTAINTY => {
                Ok(Seen::Unsure(asked + CERTAINTY))
            }
            None => Ok(refused.map_or(Seen::Absent, Seen::Refused)),
        }
    }

    async fn is_ours(
        &self,
        organization: &Organization,
        task: &Task,
        names: &Names,
        account: &Account,
    ) -> Result<bool, Failure> {
        if !account.email.eq_ignore_ascii_case(&names.email) {
            return Ok(false);
        }
        let tags = organization.tags(account.id.as_str()).await?;
        Ok(tags.get(&task.tag("tenant")) == Some(&task.tenant.id.to_string()))
    }
}

/// What is awaited until it is certain whether there is an account. A request whose refusal is doubted stays known:
/// without it the next look would take it for one that was never made, and ask again.
fn unsure(task: &Task) -> Awaited {
    let request = task.awaited.clone().filter(|awaited| awaited.kind == REQUEST);
    request.unwrap_or_else(|| Awaited {
        kind: "lost-request".to_owned(),
        id: task.tenant.id.to_string(),
        r#for: "certainty whether an account was made".to_owned(),
        since: task.awaited.as_ref().map_or(task.now, |awaited| awaited.since),
    })
}

fn awaited(task: &Task, request: String) -> Awaited {
    Awaited {
        kind: REQUEST.to_owned(),
        id: request,
        r#for: "AWS to make the account".to_owned(),
        since: task.now,
    }
}

/// Who acts next when AWS made no account.
fn refused(reason: &str) -> Failure {
    let (name, remark) = match reason {
        "EMAIL_ALREADY_EXISTS" => (
            FailureName::Rejected,
            "The account's e-mail address is used by another AWS account. Choose another project identifier.",
        ),
        "INVALID_EMAIL" | "INVALID_ADDRESS" => (
            FailureName::Blocked,
            "AWS does not accept the account's e-mail address. Ask Landfall's operators to change the platform's pattern for addresses.",
        ),
        "ACCOUNT_LIMIT_EXCEEDED" => (
            FailureName::Blocked,
            "The organization has as many accounts as AWS allows. Ask Landfall's operators to have the limit raised.",
        ),
        "INTERNAL_FAILURE" | "CONCURRENT_ACCOUNT_MODIFICATION" => {
            (FailureName::Transient, "AWS could not make the account; it is tried again.")
        }
        _ => (
            FailureName::Blocked,
            "AWS makes no accounts for this organization at present. Ask Landfall's operators to settle it with AWS.",
        ),
    };
    Failure::new(name, remark, format!("organizations:CreateAccount: {reason}"))
}

#[cfg(test)]
mod tests;
