//! A tenant's row and its pure transitions.
//!
//! A transition takes the row as it was and gives the row as it will be, with the one history entry that says why.
//! The ledger writes both in one transaction, conditional on the version that the transition started from: whoever
//! comes second starts anew from what the first one wrote.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

pub use self::adoption::Adopted;
pub use self::drift::{Noticed, SECOND_LOOK};
pub use self::moving::{Holder, Named};
pub use self::removal::{Approval, Removal};
use crate::access::first_end;
use crate::{
    AccountId, Deviation, Failure, FailureName, Mode, Name, Numbers, TenantSpec, Ticket, tenant_id,
};

/// Where a tenant stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Phase {
    /// Wished for; no run has begun.
    Requested,
    /// A run is under way.
    Replicating,
    /// AWS is as wished.
    Ready,
    /// A run ended without something that is still awaited.
    Waiting,
    /// A run ended with a failure.
    Failed,
    /// Somebody wished it away: its access is gone, its account goes once that is approved.
    MarkedForDeletion,
    /// It is no more.
    Deleted,
}

impl Phase {
    /// The phase as users read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Replicating => "Replicating",
            Self::Ready => "Ready",
            Self::Waiting => "Waiting",
            Self::Failed => "Failed",
            Self::MarkedForDeletion => "MarkedForDeletion",
            Self::Deleted => "Deleted",
        }
    }
}

/// Names that are rendered once and kept for ever.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    /// The account's e-mail address.
    pub email: String,
    /// The account's name.
    pub account_name: String,
    /// The account's alias, from when AWS took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The tenant's number on its platform; 0 where no pattern asked for one and nobody is told it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u64,
    /// The project's number; 0 where no pattern asked for one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub project_number: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Names {
    /// The numbers that were drawn for them.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        Numbers { tenant: self.number, project: self.project_number }
    }
}

/// What a run ended without.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The step that waits.
    pub step: String,
    /// What it waits for.
    pub r#for: String,
    /// Since when.
    pub since: Timestamp,
    /// When what it waits for comes, if that is known; the next run is not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What only a person can do, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

/// What a run failed on.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The step that failed.
    pub step: String,
    /// The failure with its remarks.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
    /// How many runs in a row have failed.
    pub attempts: u32,
}

/// What became of the default VPC of one Region.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VpcFate {
    /// There is none: it was deleted, or never was. One that somebody makes later is theirs.
    Gone,
    /// It is in use and stays.
    Kept,
    /// It is empty, but the access role may delete no VPC any more.
    NeedsWidening,
}

/// What became of the default VPC of one Region, and since when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcRecord {
    /// What became of it.
    pub fate: VpcFate,
    /// Since when that is known.
    pub since: Timestamp,
}

/// Which landing zone and platform a run begins with: the version that last changed anything for tenants, of each.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The landing zone's.
    pub landing_zone: u64,
    /// The platform's.
    pub platform: u64,
}

/// A tenant's row.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: Name,
    /// How often the name has been used, this tenant included.
    pub incarnation: u32,
    /// What the user wrote.
    pub wish: TenantSpec,
    /// Versions of the wish.
    pub generation: u64,
    /// The version that the run under way works on.
    pub admitted_generation: u64,
    /// The version that the last finished run saw.
    pub observed_generation: u64,
    /// Runs so far.
    pub run: u64,
    /// What that run, or the last one, began with.
    #[serde(default)]
    pub versions: Versions,
    /// What that run, or the last one, is for.
    #[serde(default, skip_serializing_if = "Mode::is_replicate")]
    pub mode: Mode,
    /// The execution of the run under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// Another run was asked for while this one is under way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// When start-due looks at the tenant next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Timestamp>,
    /// Where the tenant stands.
    pub phase: Phase,
    /// What the last run ended without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// What the last run failed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// What looks at the organization found other than wished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Deviation>,
    /// Whether the last run left all as wished and nothing that is wished has changed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Names rendered for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Names>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Since when the account is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_since: Option<Timestamp>,
    /// What became of the default VPCs, by Region; a Region that is not named has not been looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub default_vpcs: BTreeMap<String, VpcRecord>,
    /// When the first of the grants runs out that the last run saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_until: Option<Timestamp>,
    /// When the tenant was wished for first.
    pub created_on: Timestamp,
    /// The wish that it be no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_on: Option<Timestamp>,
    /// Grows with every write.
    pub version: u64,
}

/// One line of a tenant's history.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The version of the row that this entry led to.
    pub version: u64,
    /// The run that it belongs to.
    pub run: u64,
    /// Who caused it: a caller's ARN, or the part of Landfall that did.
    pub author: String,
    /// What happened, in a sentence that a requester may read.
    pub event: String,
    /// The phase before; none for the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Phase>,
    /// The phase after.
    pub to: Phase,
    /// What only operators may read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system_remark: String,
}

/// A row as it will be, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The row as it will be.
    pub tenant: Tenant,
    /// The entry that says why.
    pub entry: Entry,
}

impl Waiting {
    /// How long to wait before the next run. Where many wait for one instant, who has waited longest comes first.
    fn pause(&self, jitter: f64, now: Timestamp) -> SignedDuration {
        let Some(until) = self.until.filter(|until| *until > now) else {
            return spread(look_again_after(now.duration_since(self.since)), jitter);
        };
        let waited = until.duration_since(self.since).as_secs_f64().max(0.0) / DAY.as_secs_f64();
        let behind = LOOK_AGAIN.as_secs_f64() / (1.0 + waited);
        until.duration_since(now) + SignedDuration::try_from_secs_f64(behind).unwrap_or_default()
    }
}

/// Why a transition is not allowed.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub enum Refused {
    /// Another run is under way.
    #[error("another run is under way")]
    Running,
    /// This run is not the one under way.
    #[error("this run is no longer the one under way")]
    NotRunning,
    /// It is to be deleted.
    #[error(
        "the tenant is marked for deletion: decline that first, or wish for it again once it is deleted"
    )]
    Marked,
    /// It is not to be deleted.
    #[error("the tenant is not marked for deletion: delete it first")]
    NotMarked,
    /// Somebody approved it before.
    #[error("the deletion is approved already, and goes on")]
    Approved,
    /// Whoever asks for a deletion does not approve it.
    #[error("whoever asked for the deletion can't approve it: ask another approver")]
    OwnRequest,
    /// It is deleted.
    #[error("the tenant is deleted already")]
    Deleted,
    /// The roll-out is over.
    #[error(
        "the roll-out is over: `landfall replicate` lets single tenants run, and a changed document begins another one"
    )]
    RolledOut,
}

/// How long a run may go unnoticed before start-due asks whether it is still alive.
const CHECK: SignedDuration = SignedDuration::from_mins(5);
/// How often a tenant is replicated when nothing happens: with a quarter more at the most, within seven days. The
/// survey looks at all accounts more often than that.
const RECONCILE: SignedDuration = SignedDuration::from_hours(134);
/// When a tenant that waits is looked at again at the earliest.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(10);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// When a failed run is tried again: soon after passing failures, daily where a person must act first.
#[must_use]
pub fn retry_after(name: FailureName, attempts: u32) -> Option<SignedDuration> {
    match name {
        FailureName::Throttled | FailureName::Transient | FailureName::NotReady => {
            let doublings = attempts.saturating_sub(1).min(4);
            Some(SignedDuration::from_mins(5 << doublings).min(SignedDuration::from_hours(1)))
        }
        FailureName::Blocked | FailureName::Defect => Some(DAY),
        FailureName::Rejected => None,
    }
}

/// When a tenant that waits is looked at again: what has taken long may take as long again.
#[must_use]
pub fn look_again_after(waited: SignedDuration) -> SignedDuration {
    (waited / 4).clamp(LOOK_AGAIN, DAY)
}

impl Tenant {
    /// A new tenant, as its first wish makes it.
    #[must_use]
    pub fn requested(
        name: Name,
        incarnation: u32,
        wish: TenantSpec,
        author: &str,
        now: Timestamp,
    ) -> Transition {
        let tenant = Self {
            id: tenant_id(&name, incarnation),
            name,
            incarnation,
            wish,
            generation: 1,
            admitted_generation: 0,
            observed_generation: 0,
            run: 0,
            versions: Versions::default(),
            mode: Mode::Replicate,
            running: None,
            asked: false,
            next_run: Some(now),
            phase: Phase::Requested,
            waiting: None,
            failed: None,
            drift: Vec::new(),
            settled: false,
            names: None,
            account: None,
            account_since: None,
            default_vpcs: BTreeMap::new(),
            access_until: None,
            created_on: now,
            removal: None,
            deleted_on: None,
            version: 1,
        };
        let event = format!("requested in landing zone {}", tenant.wish.landing_zone);
        let entry = Entry {
            at: now,
            version: 1,
            run: 0,
            author: author.to_owned(),
            event,
            from: None,
            to: Phase::Requested,
            system_remark: String::new(),
        };
        Transition { tenant, entry }
    }

    /// The ticket of the run under way, or of the last one.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket { tenant: self.id, run: self.run, mode: self.mode, part: None }
    }

    /// Whether this execution is the run under way.
    #[must_use]
    pub fn is_running(&self, execution: &str) -> bool {
        self.running.as_deref() == Some(execution)
    }

    /// A changed wish; none if nothing changes. A change during a run starts the next one when that ends.
    pub fn wished(
        &self,
        wish: TenantSpec,
        author: &str,
        now: Timestamp,
    ) -> Result<Option<Transition>, Refused> {
        self.stays()?;
        if self.wish == wish {
            return Ok(None);
        }
        let event = if self.wish.landing_zone == wish.landing_zone {
            "the wish changed".to_owned()
        } else {
            format!(
                "the wish changed: landing zone {} instead of {}",
                wish.landing_zone, self.wish.landing_zone
            )
        };
        Ok(Some(self.to(now, author, event, |tenant| {
            if tenant.wish.landing_zone != wish.landing_zone {
                tenant.versions.landing_zone = 0;
            }
            tenant.wish = wish;
            tenant.generation += 1;
            tenant.settled = false;
            tenant.due(now);
        })))
    }

    /// A run that somebody asked for.
    #[must_use]
    pub fn asked(&self, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, "a replication was asked for".to_owned(), |tenant| {
            tenant.once_more(now);
        })
    }

    /// A run that a change of what the tenant's wish names makes necessary, such as `landing zone production`.
    #[must_use]
    pub fn concerned(&self, by: &str, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, format!("{by} changed"), |tenant| {
            tenant.settled = false;
            tenant.once_more(now);
        })
    }

    /// A change of what the tenant's wish names has come to this tenant, in its turn; none if the run that is to see it is
    /// about to begin anyway.
    #[must_use]
    pub fn rolled_out(&self, change: &str, author: &str, now: Timestamp) -> Option<Transition> {
        let follows = match self.running {
            Some(_) => self.asked || self.generation > self.admitted_generation,
            None => self.next_run.is_some_and(|next| next <= now),
        };
        (!follows).then(|| self.concerned(change, author, now))
    }

    /// Something happened in AWS that a run has to look at; none for a tenant that is no more.
    #[must_use]
    pub fn heard(&self, event: &str, now: Timestamp) -> Option<Transition> {
        let listens = self.phase != Phase::Deleted;
        listens.then(|| self.to(now, "hear-events", event.to_owned(), |it| it.once_more(now)))
    }

    /// What held creations back does so no more.
    #[must_use]
    pub fn released(&self, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, "accounts are created again".to_owned(), |tenant| {
            tenant.once_more(now);
        })
    }

    /// The tenant's turn has come for what it waits for; none if a run is due anyway.
    #[must_use]
    pub fn called(&self, now: Timestamp) -> Option<Transition> {
        let sleeps = self.running.is_none() && self.next_run.is_none_or(|next| next > now);
        let what = self.waiting.as_ref().map_or("its turn", |waiting| &waiting.r#for);
        let event = format!("{what}: it has come");
        sleeps.then(|| self.to(now, "landfall", event, |tenant| tenant.due(now)))
    }

    /// A run begins: the row names its execution before it is started, so that a start that gets lost is found.
    pub fn started(&self, with: Versions, now: Timestamp) -> Result<Transition, Refused> {
        if self.running.is_some() {
            return Err(Refused::Running);
        }
        if self.phase == Phase::Deleted {
            return Err(Refused::Deleted);
        }
        let run = self.run + 1;
        Ok(self.to(now, "start-due", format!("run {run} began"), |tenant| {
            tenant.run = run;
            tenant.mode = tenant.wished_mode();
            // What is changed for it is no drift.
            tenant.settled &= tenant.versions == with;
            tenant.versions = with;
            tenant.running = Some(tenant.ticket().execution());
            tenant.admitted_generation = tenant.generation;
            // What has run out since is to be taken away.
            tenant.settled &= tenant.access_until.is_none_or(|until| until > now);
            tenant.access_until = first_end(&tenant.wish, now);
            tenant.next_run = Some(now + CHECK);
            if tenant.removal.is_none() {
                tenant.phase = Phase::Replicating;
            }
        }))
    }

    /// The run under way was seen alive; it is asked again later. No history: nothing happened.
    #[must_use]
    pub fn checked(&self, now: Timestamp) -> Self {
        Self { next_run: Some(now + CHECK), version: self.version + 1, ..self.clone() }
    }

    /// The names that the account is asked for with.
    #[must_use]
    pub fn named(&self, names: Names, now: Timestamp) -> Transition {
        let event = format!("the account's e-mail address is {}", names.email);
        self.to(now, "admit", event, |tenant| tenant.names = Some(names))
    }

    /// Numbers that a pattern asks for which came after the names; nothing is called otherwise by it.
    #[must_use]
    pub fn numbered(&self, numbers: Numbers, now: Timestamp) -> Transition {
        let event = "the numbers of the tenant and its project were drawn".to_owned();
        self.to(now, "admit", event, |tenant| {
            if let Some(names) = &mut tenant.names {
                names.number = numbers.tenant;
                names.project_number = numbers.project;
            }
        })
    }

    /// AWS took the account's alias, for ever.
    #[must_use]
    pub fn aliased(&self, alias: String, event: String, now: Timestamp) -> Transition {
        self.to(now, "name-account", event, |tenant| {
            if let Some(names) = &mut tenant.names {
                names.alias = Some(alias);
            }
        })
    }

    /// The account has another e-mail address.
    #[must_use]
    pub fn readdressed(&self, email: String, now: Timestamp) -> Transition {
        let event = format!("the account's e-mail address is {email} now");
        self.to(now, "name-account", event, |tenant| {
            if let Some(names) = &mut tenant.names {
                names.email = email;
            }
        })
    }

    /// Somebody answered what a step waits for; the next run, or the one under way, goes on from it.
    #[must_use]
    pub fn answered(&self, what: &str, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, what.to_owned(), |tenant| {
            tenant.settled = false;
            tenant.once_more(now);
        })
    }

    /// The address that the account is wished to have and has not yet.
    #[must_use]
    pub fn new_email(&self) -> Option<&str> {
        let has = self.names.as_ref().map(|names| names.email.as_str());
        let wished = self.wish.email.as_deref()?;
        has.is_some_and(|has| !has.eq_ignore_ascii_case(wished)).then_some(wished)
    }

    /// The account is known. Creation counts as done from here on.
    #[must_use]
    pub fn landed(&self, account: AccountId, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, format!("the account is {account}"), |tenant| {
            tenant.account = Some(account);
            tenant.account_since = Some(now);
        })
    }

    /// What became of default VPCs is known; `event` says it in a sentence.
    #[must_use]
    pub fn cleared(
        &self,
        fates: impl IntoIterator<Item = (String, VpcFate)>,
        event: String,
        now: Timestamp,
    ) -> Transition {
        self.to(now, "prepare-account", event, |tenant| {
            for (region, fate) in fates {
                match tenant.default_vpcs.get(&region) {
                    Some(known) if known.fate == fate => {}
                    _ => {
                        tenant.default_vpcs.insert(region, VpcRecord { fate, since: now });
                    }
                }
            }
        })
    }

    /// The run ended well, or without something that is still awaited. `jitter` in 0..1 spreads weekly runs.
    pub fn completed(
        &self,
        execution: &str,
        waiting: Option<Waiting>,
        jitter: f64,
        now: Timestamp,
    ) -> Result<Transition, Refused> {
        if !self.is_running(execution) {
            return Err(Refused::NotRunning);
        }
        if self.mode == Mode::Remove && self.removal.as_ref().is_some_and(Removal::is_over) {
            return Ok(self.deleted(now));
        }
        let event = match &waiting {
            None => format!("run {} ended: all is as wished", self.run),
            Some(waiting) => format!("run {} ended without {}", self.run, waiting.r#for),
        };
        Ok(self.to(now, "complete", event, |tenant| {
            let pause = match &waiting {
                None => spread(RECONCILE, jitter),
                Some(waiting) => waiting.pause(jitter, now),
            };
            tenant.settled = waiting.is_none() && tenant.mode == Mode::Replicate;
            if tenant.removal.is_none() && tenant.mode == Mode::Replicate {
                tenant.phase = if waiting.is_some() { Phase::Waiting } else { Phase::Ready };
                tenant.undrift();
            }
            tenant.waiting = waiting;
            tenant.failed = None;
            tenant.end(Some(pause), now);
        }))
    }

    /// The run failed.
    pub fn failed(
        &self,
        execution: &str,
        step: &str,
        failure: Failure,
        jitter: f64,
        now: Timestamp,
    ) -> Result<Transition, Refused> {
        if !self.is_running(execution) {
            return Err(Refused::NotRunning);
        }
        let attempts = self.failed.as_ref().map_or(1, |failed| failed.attempts + 1);
        let event =
            format!("run {} failed at {step}: {}: {}", self.run, failure.name, failure.user_remark);
        let remark = failure.system_remark.clone();
        let mut transition = self.to(now, "record-failure", event, |tenant| {
            let pause = retry_after(failure.name, attempts);
            if tenant.removal.is_none() {
                tenant.phase = Phase::Failed;
            }
            tenant.waiting = None;
            tenant.failed = Some(Failed { step: step.to_owned(), failure, at: now, attempts });
            tenant.settled = false;
            tenant.end(pause.map(|pause| spread(pause, jitter)), now);
        });
        transition.entry.system_remark = remark;
        Ok(transition)
    }

    /// A run at once, or after the one under way, which may have passed what is to be looked at.
    fn once_more(&mut self, now: Timestamp) {
        self.asked = self.running.is_some();
        self.due(now);
    }

    fn due(&mut self, now: Timestamp) {
        if self.running.is_none() && self.phase != Phase::Deleted {
            self.next_run = Some(now);
        }
    }

    fn end(&mut self, pause: Option<SignedDuration>, now: Timestamp) {
        self.running = None;
        self.observed_generation = self.admitted_generation;
        let overtaken = self.generation > self.observed_generation;
        let asked = std::mem::take(&mut self.asked);
        let later = [pause.map(|pause| now + pause), self.access_until].into_iter().flatten().min();
        // What changed during the run is for the next one, which will find it different.
        self.settled &= !overtaken && !asked;
        self.next_run = if overtaken || asked { Some(now) } else { later };
    }

    fn to(
        &self,
        now: Timestamp,
        author: &str,
        event: String,
        change: impl FnOnce(&mut Self),
    ) -> Transition {
        let mut tenant = self.clone();
        change(&mut tenant);
        tenant.version += 1;
        let entry = Entry {
            at: now,
            version: tenant.version,
            run: tenant.run,
            author: author.to_owned(),
            event,
            from: Some(self.phase),
            to: tenant.phase,
            system_remark: String::new(),
        };
        Transition { tenant, entry }
    }
}

/// Up to a quarter longer, so that tenants wished for together do not come back together.
fn spread(pause: SignedDuration, jitter: f64) -> SignedDuration {
    pause
        + SignedDuration::try_from_secs_f64(pause.as_secs_f64() * jitter.clamp(0.0, 1.0) / 4.0)
            .unwrap_or_default()
}

mod adoption;
mod drift;
mod moving;
mod removal;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
