//! What tenants wait for, all over, as operators see it: since when, and whether that is longer than usual.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Phase, Tenant};

/// One thing that a tenant waits for.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedView {
    /// The tenant's name.
    pub name: String,
    /// Its phase.
    pub phase: Phase,
    /// The step that waits.
    pub step: String,
    /// Which of several alike parts of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What it waits for.
    pub r#for: String,
    /// Since when.
    pub since: Timestamp,
    /// When it comes, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether it should have come by now.
    pub overdue: bool,
}

impl AwaitedView {
    /// What a step of a tenant waits for.
    #[must_use]
    pub fn of(
        tenant: &Tenant,
        step: &str,
        part: Option<&str>,
        r#for: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Self {
        let known = tenant.waiting.as_ref().filter(|waiting| waiting.step == step);
        let until = known.and_then(|waiting| waiting.until);
        let late = until.unwrap_or(since + usual(step)) + SignedDuration::from_mins(10);
        Self {
            name: tenant.name.to_string(),
            phase: tenant.phase,
            step: step.to_owned(),
            part: part.map(ToOwned::to_owned),
            r#for: r#for.to_owned(),
            since,
            until,
            overdue: now > late,
        }
    }
}

/// How long a step usually waits at the most. What AWS does by itself takes minutes, seldom an hour; what waits for people
/// takes days.
fn usual(step: &str) -> SignedDuration {
    let hours = match step {
        "enrol-account" => 2,
        "admit" | "baseline-regions" | "verify-baseline" | "call-hooks" => 24,
        "name-account" => 3 * 24,
        "raise-quotas" | "close-account" => 7 * 24,
        _ => 1,
    };
    SignedDuration::from_hours(hours)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Name, Waiting};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn tenant() -> Tenant {
        let spec = serde_json::from_value(json!({"landingZone": "sandbox"})).expect("a wish");
        let now = at("2026-01-01T00:00:00Z");
        Tenant::requested(Name::new("a", "b", "aws"), 1, spec, "ada", now).tenant
    }

    #[test]
    fn what_takes_longer_than_usual_is_overdue() {
        let since = at("2026-01-01T00:00:00Z");
        let overdue = |step: &str, now: &str| {
            AwaitedView::of(&tenant(), step, None, "it", since, at(now)).overdue
        };
        assert!(!overdue("roll-out-stacks", "2026-01-01T01:05:00Z"));
        assert!(overdue("roll-out-stacks", "2026-01-01T01:15:00Z"));
        assert!(!overdue("raise-quotas", "2026-01-07T00:00:00Z"));
        assert!(overdue("raise-quotas", "2026-01-09T00:00:00Z"));
    }

    #[test]
    fn what_comes_at_a_known_time_is_overdue_after_it() {
        let mut tenant = tenant();
        tenant.waiting = Some(Waiting {
            step: "admit".to_owned(),
            r#for: "tomorrow".to_owned(),
            since: at("2026-01-01T00:00:00Z"),
            until: Some(at("2026-01-04T00:00:00Z")),
            asks: None,
        });
        let view = |now: &str| {
            AwaitedView::of(&tenant, "admit", None, "it", at("2026-01-01T00:00:00Z"), at(now))
        };
        assert!(!view("2026-01-03T00:00:00Z").overdue);
        assert!(view("2026-01-04T01:00:00Z").overdue);
    }
}
