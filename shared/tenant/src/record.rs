//! A tenant's row and its pure transitions.
//!
//! A transition takes the row as it was and gives the row as it will be, with the one history entry that says why.
//! The ledger writes both in one transaction, conditional on the version that the transition started from: whoever
//! comes second starts anew from what the first one wrote.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

pub use self::adoption::Adopted;
pub use self::drift::{Noticed, SECOND_LOOK};
pub use self::moving::{Holder, Named};
pub use self::removal::{Approval, Readdressing, Removal};
pub use self::run::{Failed, Versions, Waiting};
use crate::{AccountId, Deviation, Mode, Name, Numbers, TenantSpec, Ticket, tenant_id};

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
    pub fn readdressed(&self, email: String, author: &str, now: Timestamp) -> Transition {
        let event = format!("the account's e-mail address is {email} now");
        self.to(now, author, event, |tenant| {
            if let Some(names) = &mut tenant.names {
                names.email = email;
            }
            let removal = tenant.removal.as_mut();
            if let Some(known) = removal.and_then(|removal| removal.readdressing.as_mut()) {
                known.ended = true;
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

mod adoption;
mod drift;
mod moving;
mod removal;
mod run;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
