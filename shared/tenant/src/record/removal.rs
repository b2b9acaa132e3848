//! How a tenant ends: marked, approved or declined, its account closed, deleted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Phase, Refused, Tenant, Transition};
use crate::Mode;

/// The wish that a tenant be no more.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// Who wished it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who agreed; until then the account stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What the account's e-mail address is changed to before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readdressing: Option<Readdressing>,
    /// Since when there is no account any more that could be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
}

/// A change of an account's e-mail address before the account is closed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readdressing {
    /// The new address.
    pub email: String,
    /// Until when somebody may give the code that AWS mails there.
    pub until: Timestamp,
    /// Whether that has ended, the one way or the other.
    #[serde(default)]
    pub ended: bool,
}

/// That somebody agreed to a removal.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl Removal {
    /// Whether nothing is left to be done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.approval.is_some() && self.gone_since.is_some()
    }
}

/// A comment as history has it.
fn said(comment: &str) -> String {
    if comment.is_empty() { String::new() } else { format!(": {comment}") }
}

impl Tenant {
    /// What the next run is for.
    #[must_use]
    pub fn wished_mode(&self) -> Mode {
        if self.removal.is_some() { Mode::Remove } else { Mode::Replicate }
    }

    /// Refuses what is done only to a tenant that is to stay.
    pub(super) fn stays(&self) -> Result<(), Refused> {
        match (self.phase, &self.removal) {
            (Phase::Deleted, _) => Err(Refused::Deleted),
            (_, Some(_)) => Err(Refused::Marked),
            (_, None) => Ok(()),
        }
    }

    /// The removal that still awaits approval.
    fn unapproved(&self) -> Result<&Removal, Refused> {
        match (self.phase, &self.removal) {
            (Phase::Deleted, _) => Err(Refused::Deleted),
            (_, None) => Err(Refused::NotMarked),
            (_, Some(Removal { approval: Some(_), .. })) => Err(Refused::Approved),
            (_, Some(removal)) => Ok(removal),
        }
    }

    /// Somebody wishes that the tenant be no more; `approved_by` is the landing zone that asks nobody.
    pub fn marked(
        &self,
        author: &str,
        approved_by: Option<&str>,
        now: Timestamp,
    ) -> Result<Transition, Refused> {
        self.stays()?;
        let event = match approved_by {
            None => "marked for deletion; an approver has to agree".to_owned(),
            Some(by) => format!("marked for deletion; {by} asks nobody"),
        };
        Ok(self.to(now, author, event, |tenant| {
            let approval = approved_by.map(|by| Approval {
                by: by.to_owned(),
                at: now,
                comment: String::new(),
            });
            tenant.removal = Some(Removal {
                by: author.to_owned(),
                at: now,
                approval,
                readdressing: None,
                gone_since: None,
            });
            tenant.turned(Phase::MarkedForDeletion, now);
        }))
    }

    /// Somebody else agrees that the account goes.
    pub fn approved(
        &self,
        author: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Transition, Refused> {
        if self.unapproved()?.by == author {
            return Err(Refused::OwnRequest);
        }
        let event = format!("the deletion was approved{}", said(comment));
        Ok(self.to(now, author, event, |tenant| {
            let approval = Approval { by: author.to_owned(), at: now, comment: comment.to_owned() };
            if let Some(removal) = &mut tenant.removal {
                removal.approval = Some(approval);
            }
            tenant.once_more(now);
        }))
    }

    /// The tenant stays: its access comes back with the next run.
    pub fn declined(
        &self,
        author: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Transition, Refused> {
        self.unapproved()?;
        let event = format!("the deletion was declined{}", said(comment));
        Ok(self.to(now, author, event, |tenant| {
            tenant.removal = None;
            tenant.turned(Phase::Requested, now);
        }))
    }

    /// The account is to have another e-mail address before it is closed, if somebody gives AWS's code in time.
    #[must_use]
    pub fn readdressing(
        &self,
        email: &str,
        until: Timestamp,
        author: &str,
        now: Timestamp,
    ) -> Transition {
        let event = format!(
            "the account's e-mail address is to be {email} before it is closed, if the code is given until {until}"
        );
        self.to(now, author, event, |tenant| {
            if let Some(removal) = &mut tenant.removal {
                removal.readdressing =
                    Some(Readdressing { email: email.to_owned(), until, ended: false });
            }
        })
    }

    /// The account is closed with the e-mail address that it has, and `why`.
    #[must_use]
    pub fn keeps_address(&self, why: &str, author: &str, now: Timestamp) -> Transition {
        let email = self.names.as_ref().map_or("that it has", |names| names.email.as_str());
        let event = format!("the account is closed with the e-mail address {email}: {why}");
        self.to(now, author, event, |tenant| {
            if let Some(removal) = &mut tenant.removal {
                let known = removal.readdressing.take();
                let known =
                    known.unwrap_or(Readdressing { email: String::new(), until: now, ended: true });
                removal.readdressing = Some(Readdressing { ended: true, ..known });
            }
        })
    }

    /// There is no account any more that could be used, and `event` says why.
    #[must_use]
    pub fn left(&self, event: String, author: &str, now: Timestamp) -> Transition {
        self.to(now, author, event, |tenant| {
            if let Some(removal) = &mut tenant.removal {
                removal.gone_since = Some(now);
            }
        })
    }

    /// The account's alias was given up, for anybody to take.
    #[must_use]
    pub fn unaliased(&self, author: &str, now: Timestamp) -> Transition {
        let alias = self.names.as_ref().and_then(|names| names.alias.clone()).unwrap_or_default();
        self.to(now, author, format!("the account's alias {alias} was given up"), |tenant| {
            if let Some(names) = &mut tenant.names {
                names.alias = None;
            }
        })
    }

    /// Landfall forgets the tenant and leaves AWS as it is. A run under way ends with the step that it is at.
    pub fn purged(&self, author: &str, now: Timestamp) -> Result<Transition, Refused> {
        if self.phase == Phase::Deleted {
            return Err(Refused::Deleted);
        }
        let event = "purged: Landfall forgets it, and its account stays as it is".to_owned();
        Ok(self.to(now, author, event, |tenant| tenant.buried(now)))
    }

    /// The run that took the account away has ended.
    pub(super) fn deleted(&self, now: Timestamp) -> Transition {
        self.to(now, "complete", "deleted".to_owned(), |tenant| tenant.buried(now))
    }

    /// The tenant is wished to be otherwise altogether: what the last run said does not matter any more.
    fn turned(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.waiting = None;
        self.failed = None;
        self.generation += 1;
        self.due(now);
    }

    fn buried(&mut self, now: Timestamp) {
        self.phase = Phase::Deleted;
        self.deleted_on = Some(now);
        self.observed_generation = self.generation;
        self.running = None;
        self.asked = false;
        self.next_run = None;
        self.waiting = None;
        self.failed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, TenantSpec, Versions};

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a timestamp")
    }

    fn wish() -> TenantSpec {
        serde_json::from_value(serde_json::json!({ "landingZone": "production" })).expect("a wish")
    }

    fn tenant() -> Tenant {
        Tenant::requested(Name::new("a", "b", "aws"), 1, wish(), "ada", now()).tenant
    }

    fn marked() -> Tenant {
        tenant().marked("ada", None, now()).expect("it stays").tenant
    }

    fn run(tenant: &Tenant) -> (Tenant, String) {
        let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
        let execution = running.running.clone().expect("a run");
        (running, execution)
    }

    #[test]
    fn a_deletion_goes_from_its_request_over_somebody_elses_approval_to_the_accounts_end() {
        let (removing, execution) = run(&marked());
        assert_eq!((removing.phase, removing.mode), (Phase::MarkedForDeletion, Mode::Remove));
        let waiting = removing.completed(&execution, None, 0.0, now()).expect("it ran").tenant;
        assert_eq!(waiting.phase, Phase::MarkedForDeletion);
        assert_eq!(waiting.approved("ada", "", now()), Err(Refused::OwnRequest));
        let approved = waiting.approved("bob", "the project has ended", now()).expect("bob may");
        assert_eq!(approved.entry.event, "the deletion was approved: the project has ended");
        let (closing, execution) = run(&approved.tenant);
        let gone = closing.left("account 1 is closed".to_owned(), "close-account", now()).tenant;
        let deleted = gone.completed(&execution, None, 0.0, now()).expect("it ran").tenant;
        assert_eq!((deleted.phase, deleted.next_run), (Phase::Deleted, None));
        assert_eq!(deleted.deleted_on, Some(now()));
    }

    #[test]
    fn a_declined_deletion_is_a_wish_anew() {
        let (removing, execution) = run(&marked());
        let declined = removing.declined("bob", "", now()).expect("bob may").tenant;
        assert_eq!((declined.phase, declined.wished_mode()), (Phase::Requested, Mode::Replicate));
        let ended = declined.completed(&execution, None, 0.0, now()).expect("it ran").tenant;
        assert_eq!((ended.phase, ended.next_run), (Phase::Requested, Some(now())));
        let (replicating, execution) = run(&ended);
        assert_eq!(replicating.phase, Phase::Replicating);
        let ready = replicating.completed(&execution, None, 0.0, now()).expect("it ran").tenant;
        assert_eq!(ready.phase, Phase::Ready);
    }

    #[test]
    fn a_failure_on_the_way_out_leaves_the_tenant_marked() {
        let (removing, execution) = run(&marked());
        let failure = crate::Failure::transient("something broke");
        let failed = removing.failed(&execution, "close-account", failure, 0.0, now());
        let failed = failed.expect("it ran").tenant;
        assert_eq!(failed.phase, Phase::MarkedForDeletion);
        assert!(failed.failed.is_some() && failed.next_run.is_some());
    }

    #[test]
    fn what_a_phase_does_not_allow_is_refused_with_its_reason() {
        let deleted = tenant().purged("root", now()).expect("it is there").tenant;
        let approved = marked().approved("bob", "", now()).expect("bob may").tenant;
        assert_eq!(tenant().approved("bob", "", now()), Err(Refused::NotMarked));
        assert_eq!(tenant().declined("bob", "", now()), Err(Refused::NotMarked));
        assert_eq!(marked().marked("ada", None, now()), Err(Refused::Marked));
        assert_eq!(marked().wished(wish(), "ada", now()), Err(Refused::Marked));
        assert_eq!(approved.declined("bob", "", now()), Err(Refused::Approved));
        assert_eq!(approved.approved("bob", "", now()), Err(Refused::Approved));
        assert_eq!(deleted.marked("ada", None, now()), Err(Refused::Deleted));
        assert_eq!(deleted.wished(wish(), "ada", now()), Err(Refused::Deleted));
        assert_eq!(deleted.approved("bob", "", now()), Err(Refused::Deleted));
        assert_eq!(deleted.declined("bob", "", now()), Err(Refused::Deleted));
        assert_eq!(deleted.purged("root", now()), Err(Refused::Deleted));
        assert_eq!(deleted.started(Versions::default(), now()), Err(Refused::Deleted));
    }

    #[test]
    fn nothing_makes_a_deleted_tenant_due() {
        let deleted = tenant().purged("root", now()).expect("it is there").tenant;
        assert_eq!(deleted.asked("ada", now()).tenant.next_run, None);
        assert_eq!(deleted.concerned("platform aws", "ada", now()).tenant.next_run, None);
        assert_eq!(deleted.heard("account 1 was closed", now()), None);
    }
}
