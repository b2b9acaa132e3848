//! What a survey of the organization comes to, and the accounts in it that are no tenant's.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AccountId;

/// An account of the organization that is no tenant's.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmanaged {
    /// The platform whose organization it is in.
    pub platform: String,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// The units that it stands in, the root first.
    pub units: Vec<String>,
    /// Its state: `ACTIVE`, `SUSPENDED`, `CLOSED`, …
    pub state: String,
    /// How it came into the organization: `CREATED` or `INVITED`.
    pub joined_method: String,
    /// When it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// When a survey saw it first.
    pub first_seen: Timestamp,
    /// When a survey saw it last, to the half day.
    pub last_seen: Timestamp,
}

impl Unmanaged {
    /// How long an account that no survey sees any more stays on the list.
    const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
    /// How old the last sighting may be before it is written anew.
    const FRESH: SignedDuration = SignedDuration::from_hours(12);

    /// Whether the account was seen too long ago to be there still.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_seen) > Self::KEPT
    }

    /// The row after another sighting; none if it says all that already.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Option<Self> {
        let Some(before) = before else { return Some(self) };
        let now = self.last_seen;
        let next = Self { first_seen: before.first_seen, ..self };
        let same = Self { last_seen: before.last_seen, ..next.clone() } == *before;
        let fresh = now.duration_since(before.last_seen) < Self::FRESH;
        (!(same && fresh)).then_some(next)
    }
}

/// How many calls a survey made.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Calls {
    /// Those that list accounts, twenty a call.
    pub accounts: u32,
    /// Those that list stacks, a hundred a call.
    pub stacks: u32,
    /// Those that look a second time at what differs, one for each account or stack.
    pub second_looks: u32,
}

/// What a survey found.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurveySummary {
    /// When it began.
    pub since: Timestamp,
    /// When it ended; none while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who asked for it: a caller's ARN, or `schedule`.
    pub asked_by: String,
    /// Accounts in the organization.
    pub accounts: u32,
    /// Tenants with an account.
    pub tenants: u32,
    /// Tenants of which something differed at the first look.
    pub differing: u32,
    /// Tenants of which a second look found the same: they have drifted.
    pub drifted: u32,
    /// Tenants whose account is not in the organization.
    pub missing: u32,
    /// Tenants whose account is there and can't be used: suspended or closed by somebody else.
    pub suspended: u32,
    /// Accounts that are no tenant's.
    pub unmanaged: u32,
    /// Stacks of all StackSets; none if this survey did not look at stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacks: Option<u32>,
    /// What it cost.
    pub calls: Calls,
}

impl SurveySummary {
    /// A survey that begins.
    #[must_use]
    pub fn begun(asked_by: &str, now: Timestamp) -> Self {
        Self {
            since: now,
            until: None,
            asked_by: asked_by.to_owned(),
            accounts: 0,
            tenants: 0,
            differing: 0,
            drifted: 0,
            missing: 0,
            suspended: 0,
            unmanaged: 0,
            stacks: None,
            calls: Calls::default(),
        }
    }
}

/// A platform's surveys.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurveyView {
    /// The platform.
    pub platform: String,
    /// The one under way, as far as it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<SurveySummary>,
    /// When the next one begins.
    pub next: Timestamp,
    /// Those that have ended, the latest first.
    pub ended: Vec<SurveySummary>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        let noon: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a timestamp");
        noon + SignedDuration::from_hours(hours)
    }

    fn seen(hours: i64) -> Unmanaged {
        serde_json::from_value(serde_json::json!({
            "platform": "aws", "account": "444455556666", "name": "old", "email": "old@e.io",
            "units": ["r-1"], "state": "ACTIVE", "joinedMethod": "INVITED",
            "firstSeen": at(hours), "lastSeen": at(hours)
        }))
        .expect("an account")
    }

    #[test]
    fn a_sighting_is_written_when_it_is_new_or_says_something_new() {
        let first = seen(0);
        assert_eq!(seen(0).after(None), Some(seen(0)));
        assert_eq!(seen(6).after(Some(&first)), None);
        let renamed = Unmanaged { name: "new".to_owned(), ..seen(6) }.after(Some(&first));
        let renamed = renamed.expect("it is called otherwise");
        assert_eq!((renamed.first_seen, renamed.last_seen), (at(0), at(6)));
        assert_eq!(seen(12).after(Some(&first)).map(|row| row.last_seen), Some(at(12)));
    }

    #[test]
    fn what_nobody_sees_for_three_days_is_forgotten() {
        assert!(!seen(0).is_forgotten(at(72)));
        assert!(seen(0).is_forgotten(at(73)));
    }
}
