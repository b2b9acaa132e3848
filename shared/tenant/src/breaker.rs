//! The breaker: whether accounts are created on a platform at present, and whether anything begins there at all.
//!
//! It opens by itself when AWS says that the organization is full, or when creations fail one after another: asking
//! on would use up AWS's patience and help nobody. Only a person closes it, and only a person pauses a platform. Each transition is a function from a value
//! to a value with the one history entry that says why, as a tenant's are.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{BreakerLimits, Name};

/// What may begin on a platform, from everything to nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BreakerState {
    /// Accounts are created.
    #[default]
    Closed,
    /// No more accounts are asked for until a person closes the breaker.
    Open,
    /// No run begins until a person resumes the platform; runs that are under way end.
    Paused,
}

impl BreakerState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::Paused];

    /// The word for it, which is the one that is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Paused => "paused",
        }
    }
}

/// A creation that failed, though nothing was wrong with its wish.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedCreation {
    /// The tenant's id.
    pub tenant: Uuid,
    /// The tenant's name.
    pub name: String,
    /// The run that failed; each counts once.
    pub run: u64,
    /// What AWS said.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl FailedCreation {
    /// A failed creation of a tenant's run.
    pub fn new(
        tenant: Uuid,
        name: &Name,
        run: u64,
        reason: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self { tenant, name: name.to_string(), run, reason: reason.into(), at }
    }

    /// Whether AWS said that the organization may have no more accounts: nobody's creation can succeed.
    #[must_use]
    pub fn means_full(&self) -> bool {
        ["ACCOUNT_LIMIT_EXCEEDED", "ACCOUNT_NUMBER_LIMIT_EXCEEDED"].contains(&&*self.reason)
    }
}

/// A platform's breaker.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Breaker {
    /// What may begin.
    pub state: BreakerState,
    /// What it was before the platform was paused, which it is again afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_pause: Option<BreakerState>,
    /// Why it is open, or what the person who set it last wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who opened or closed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Since when it is as it is; none if it never was otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Creations that failed since the last one that succeeded.
    pub failures: Vec<FailedCreation>,
    /// Grows with every write.
    pub version: u64,
}

/// One line of a breaker's history.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerEntry {
    /// When.
    pub at: Timestamp,
    /// The breaker's version after it.
    pub version: u64,
    /// Who caused it: a caller's ARN, or the part of Landfall that did.
    pub author: String,
    /// What happened.
    pub event: String,
    /// What may begin after it.
    pub to: BreakerState,
}

/// A breaker as it will be, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerTransition {
    /// The breaker as it will be.
    pub breaker: Breaker,
    /// The entry that says why.
    pub entry: BreakerEntry,
}

impl Breaker {
    /// Whether no accounts are asked for at present.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != BreakerState::Closed
    }

    /// Whether nothing begins at present.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state == BreakerState::Paused
    }

    /// A creation failed; none if this run's failure is counted already.
    #[must_use]
    pub fn failed(
        &self,
        failure: FailedCreation,
        limits: &BreakerLimits,
        author: &str,
    ) -> Option<BreakerTransition> {
        let same = |known: &FailedCreation| {
            (known.tenant, known.run) == (failure.tenant, failure.run)
                && known.reason == failure.reason
        };
        if self.failures.iter().any(same) {
            return None;
        }
        let (now, full) = (failure.at, failure.means_full());
        let past = now - SignedDuration::from_mins(i64::from(limits.within_minutes));
        let mut failures = self.failures.clone();
        failures.retain(|known| known.at > past);
        failures.push(failure.clone());
        let count = failures.len();
        let many = u32::try_from(count).unwrap_or(u32::MAX) >= limits.failures;
        let FailedCreation { name, reason, .. } = failure;
        if self.is_open() || !(full || many) {
            let event = format!("the creation of {name} failed ({reason}): {count} in a row");
            let breaker = Self { failures, ..self.clone() };
            return Some(breaker.after(author, event, now));
        }
        let why = if full {
            format!("AWS allows the organization no more accounts ({reason})")
        } else {
            format!("{count} creations in a row failed, the last with {reason}")
        };
        let opened = Self { failures, ..self.turned(BreakerState::Open, &why, author, now) };
        Some(opened.after(author, format!("opened: {why}"), now))
    }

    /// A creation succeeded: failures before it were not in a row. None if there were none.
    #[must_use]
    pub fn succeeded(
        &self,
        name: &Name,
        author: &str,
        now: Timestamp,
    ) -> Option<BreakerTransition> {
        if self.failures.is_empty() {
            return None;
        }
        let event = format!("the creation of {name} succeeded: failures are counted anew");
        Some(Self { failures: Vec::new(), ..self.clone() }.after(author, event, now))
    }

    /// A person opens or closes it, or pauses the platform; none if it is so already.
    #[must_use]
    pub fn set(
        &self,
        state: BreakerState,
        comment: &str,
        author: &str,
        now: Timestamp,
    ) -> Option<BreakerTransition> {
        if self.state == state {
            return None;
        }
        let turned = Self { failures: Vec::new(), ..self.turned(state, comment, author, now) };
        let word = match state {
            _ if self.before_pause == Some(state) => "resumed",
            BreakerState::Open => "opened",
            BreakerState::Closed => "closed",
            BreakerState::Paused => "paused",
        };
        Some(turned.after(author, format!("{word}: {comment}"), now))
    }

    fn turned(&self, state: BreakerState, why: &str, author: &str, now: Timestamp) -> Self {
        Self {
            state,
            before_pause: (state == BreakerState::Paused).then_some(self.state),
            reason: Some(why.to_owned()),
            author: Some(author.to_owned()),
            since: Some(now),
            ..self.clone()
        }
    }

    fn after(mut self, author: &str, event: String, now: Timestamp) -> BreakerTransition {
        self.version += 1;
        let entry = BreakerEntry {
            at: now,
            version: self.version,
            author: author.to_owned(),
            event,
            to: self.state,
        };
        BreakerTransition { breaker: self, entry }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: BreakerLimits = BreakerLimits { failures: 3, within_minutes: 60 };

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        start + SignedDuration::from_mins(minute)
    }

    fn name(tenant: u128) -> Name {
        Name::new("a", format!("t{tenant}"), "aws")
    }

    fn failure(tenant: u128, minute: i64, reason: &str) -> FailedCreation {
        FailedCreation::new(Uuid::from_u128(tenant), &name(tenant), 1, reason, at(minute))
    }

    fn after(breaker: &Breaker, failure: FailedCreation) -> Breaker {
        let transition = breaker.failed(failure, &LIMITS, "create-account");
        transition.map_or_else(|| breaker.clone(), |transition| transition.breaker)
    }

    #[test]
    fn three_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for tenant in 1..=3 {
            assert!(!breaker.is_open());
            breaker = after(&breaker, failure(tenant, 10, "INVALID_EMAIL"));
        }
        assert!(breaker.is_open());
        assert_eq!(
            breaker.reason.as_deref(),
            Some("3 creations in a row failed, the last with INVALID_EMAIL")
        );
    }

    #[test]
    fn a_success_between_them_counts_them_anew() {
        let mut breaker = Breaker::default();
        for tenant in 1..=2 {
            breaker = after(&breaker, failure(tenant, 10, "INVALID_EMAIL"));
        }
        let reset = breaker.succeeded(&name(9), "create-account", at(11)).expect("failures");
        breaker = after(&reset.breaker, failure(3, 12, "INVALID_EMAIL"));
        assert!(!breaker.is_open());
        assert_eq!(Breaker::default().succeeded(&name(9), "create-account", at(0)), None);
    }

    #[test]
    fn failures_that_lie_far_apart_do_not_open_it() {
        let mut breaker = Breaker::default();
        for (tenant, minute) in (1..=9).zip((31..).step_by(31)) {
            breaker = after(&breaker, failure(tenant, minute, "X"));
            assert!(!breaker.is_open());
            assert!(breaker.failures.len() <= 2);
        }
    }

    #[test]
    fn a_full_organization_opens_it_at_once() {
        let breaker = after(&Breaker::default(), failure(1, 0, "ACCOUNT_LIMIT_EXCEEDED"));
        assert!(breaker.is_open());
    }

    #[test]
    fn one_runs_failure_counts_once() {
        let breaker = after(&Breaker::default(), failure(1, 0, "INVALID_EMAIL"));
        assert_eq!(breaker.failed(failure(1, 1, "INVALID_EMAIL"), &LIMITS, "create-account"), None);
    }

    #[test]
    fn a_person_closes_it_and_history_says_who_and_why() {
        let open = after(&Breaker::default(), failure(1, 0, "ACCOUNT_LIMIT_EXCEEDED"));
        let closed = open.set(BreakerState::Closed, "AWS raised the limit", "ada", at(5));
        let closed = closed.expect("it was open");
        assert_eq!(closed.entry.event, "closed: AWS raised the limit");
        assert_eq!(closed.entry.author, "ada");
        assert!(closed.breaker.failures.is_empty());
        assert_eq!(closed.breaker.set(BreakerState::Closed, "again", "ada", at(6)), None);
    }

    #[test]
    fn a_pause_ends_in_what_it_interrupted() {
        let open = Breaker::default().set(BreakerState::Open, "odd", "ada", at(0)).expect("opened");
        let paused = open.breaker.set(BreakerState::Paused, "odder", "ada", at(1)).expect("paused");
        assert!(paused.breaker.is_paused() && paused.breaker.is_open());
        assert_eq!(paused.breaker.before_pause, Some(BreakerState::Open));
        let resumed = paused.breaker.set(BreakerState::Open, "less odd", "ada", at(2));
        let resumed = resumed.expect("it was paused");
        assert_eq!(resumed.entry.event, "resumed: less odd");
        assert_eq!(resumed.breaker.before_pause, None);
        let failed = paused.breaker.failed(failure(1, 3, "ACCOUNT_LIMIT_EXCEEDED"), &LIMITS, "x");
        assert!(failed.expect("a failure").breaker.is_paused(), "a failure does not resume it");
    }

    proptest! {
        /// Whatever happens, only a person closes it, and versions leave no gaps.
        #[test]
        fn nobody_but_a_person_closes_it(events in prop::collection::vec((0..4_u8, 0..6_u128), 0..40)) {
            let mut breaker = Breaker::default();
            for (minute, (event, tenant)) in (0..).zip(events) {
                let transition = match event {
                    0 => breaker.succeeded(&name(tenant), "create-account", at(minute)),
                    1 => breaker.failed(failure(tenant, minute, "ACCOUNT_LIMIT_EXCEEDED"), &LIMITS, "create-account"),
                    _ => breaker.failed(failure(tenant, minute, "INVALID_EMAIL"), &LIMITS, "create-account"),
                };
                let Some(transition) = transition else { continue };
                prop_assert!(!breaker.is_open() || transition.breaker.is_open());
                prop_assert_eq!(transition.breaker.version, breaker.version + 1);
                prop_assert_eq!(transition.entry.version, transition.breaker.version);
                prop_assert_eq!(transition.entry.to, transition.breaker.state);
                breaker = transition.breaker;
            }
        }
    }
}
