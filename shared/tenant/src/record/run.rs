//! How runs of a tenant become due, begin and end, and when the next one comes.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Phase, Refused, Removal, Tenant, Transition};
use crate::access::first_end;
use crate::{Failure, FailureName, Mode};

/// How long a run may go unnoticed before start-due asks whether it is still alive.
const CHECK: SignedDuration = SignedDuration::from_mins(5);
/// How often a tenant is replicated when nothing happens: with a quarter more at the most, within seven days. The
/// survey looks at all accounts more often than that.
const RECONCILE: SignedDuration = SignedDuration::from_hours(134);
/// When a tenant that waits is looked at again at the earliest.
pub(super) const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(10);
const DAY: SignedDuration = SignedDuration::from_hours(24);

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

/// Which landing zone and platform a run begins with: the version that last changed anything for tenants, of each.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The landing zone's.
    pub landing_zone: u64,
    /// The platform's.
    pub platform: u64,
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

/// When a failed run is tried again: soon after passing failures, daily where a person must act first.
#[must_use]
pub(super) fn retry_after(name: FailureName, attempts: u32) -> Option<SignedDuration> {
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
fn look_again_after(waited: SignedDuration) -> SignedDuration {
    (waited / 4).clamp(LOOK_AGAIN, DAY)
}

impl Tenant {
    /// Whether this execution is the run under way.
    #[must_use]
    pub fn is_running(&self, execution: &str) -> bool {
        self.running.as_deref() == Some(execution)
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
    pub(super) fn once_more(&mut self, now: Timestamp) {
        self.asked = self.running.is_some();
        self.due(now);
    }

    pub(super) fn due(&mut self, now: Timestamp) {
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
}

/// Up to a quarter longer, so that tenants wished for together do not come back together.
fn spread(pause: SignedDuration, jitter: f64) -> SignedDuration {
    pause
        + SignedDuration::try_from_secs_f64(pause.as_secs_f64() * jitter.clamp(0.0, 1.0) / 4.0)
            .unwrap_or_default()
}
