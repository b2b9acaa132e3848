//! What holds creations back on a platform, as operators see and set it.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Breaker, BreakerEntry, BreakerLimits, BreakerState, FailedCreation, Limits, Pace, Problem,
    nearest,
};

/// The kind of what is awaited where the day's number of new accounts is reached; its id is when the next day begins.
pub const TOMORROW: &str = "daily-creations";
/// The most characters of a comment.
const LONGEST_COMMENT: usize = 255;

/// What a person wants of a breaker: what may begin on its platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BreakerWish {
    /// What may begin.
    pub state: BreakerState,
    /// Why, for the history.
    #[schemars(length(min = 1, max = 255))]
    pub comment: String,
}

/// What is wrong with what a person sent who wants one of these states of something, and says why.
pub(crate) fn stated(value: &Value, states: &[&str], rule: &str, remedy: &str) -> Vec<Problem> {
    let Value::Object(fields) = value else {
        let example = states.first().copied().unwrap_or_default();
        let remedy = format!("Send `{{\"state\": \"{example}\", \"comment\": \"…\"}}`.");
        return vec![Problem::new("(document)", value, "is no object", remedy)];
    };
    let mut problems = Vec::new();
    for key in fields.keys().filter(|key| !["state", "comment"].contains(&key.as_str())) {
        let remedy = match nearest(key, ["state", "comment"]) {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => "Write state and comment only.".to_owned(),
        };
        problems.push(Problem::new(key, &fields[key], crate::UNKNOWN_FIELD, remedy));
    }
    let written = |name: &str| fields.get(name).map_or_else(|| "(missing)".into(), plain);
    if value["state"].as_str().is_none_or(|state| !states.contains(&state)) {
        problems.push(Problem::new("state", written("state"), rule, remedy));
    }
    let length = value["comment"].as_str().map_or(0, |text| text.trim().chars().count());
    if !(1..=LONGEST_COMMENT).contains(&length) {
        problems.push(Problem::new(
            "comment",
            written("comment"),
            format!("must be a text of 1 to {LONGEST_COMMENT} characters"),
            "Write what was found and done, for whoever reads the history.",
        ));
    }
    problems
}

impl BreakerWish {
    /// Reads what a person sent, or says everything that is wrong with it.
    pub fn read(value: Value) -> Result<Self, Vec<Problem>> {
        let problems = stated(
            &value,
            &BreakerState::ALL.map(BreakerState::as_str),
            "must be closed, open or paused",
            "Write `closed` to have accounts created, `open` to stop that, or `paused` to have nothing begin.",
        );
        if problems.is_empty() {
            serde_json::from_value(value).map_err(|error| {
                vec![Problem::new("(document)", "", error.to_string(), "Send state and comment.")]
            })
        } else {
            Err(problems)
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A platform's breaker as operators see it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerView {
    /// What may begin.
    pub state: BreakerState,
    /// What it was before the platform was paused, which it is again once somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_pause: Option<BreakerState>,
    /// Why it is open, or what the person who set it last wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Since when it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Creations that failed in a row, within the time that counts.
    pub failures: Vec<FailedCreation>,
    /// What opens it.
    pub opens_after: BreakerLimits,
    /// What happened to it, latest first.
    pub history: Vec<BreakerEntry>,
    /// Grows with every change; the ETag.
    pub version: u64,
}

/// How many accounts may be created in a day.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DailyView {
    /// The day, in UTC.
    pub day: Date,
    /// How many tenants may get their account on one day.
    pub limit: u32,
    /// How many have had their turn today.
    pub used: u32,
    /// When the next day begins.
    pub renews_at: Timestamp,
}

/// How many stand in the queue for new accounts.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaceView {
    /// How many have a slot that is still to come.
    pub waiting: u32,
    /// When the next one who comes would have its turn.
    pub next_slot: Timestamp,
}

/// What holds creations back on a platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    /// The platform's name.
    pub platform: String,
    /// Whether accounts are created at all.
    pub breaker: BreakerView,
    /// How many may be created today.
    pub daily: DailyView,
    /// How fast they are.
    pub queue: PaceView,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

impl LimitsView {
    /// A platform's limits as they stand; `arrival` is the pace's, as [`Pace::reserve`] keeps it.
    #[must_use]
    pub fn of(
        platform: &str,
        limits: &Limits,
        breaker: Breaker,
        history: Vec<BreakerEntry>,
        used: u32,
        arrival: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let Breaker { state, before_pause, reason, author, since, failures, version } = breaker;
        let past = now - SignedDuration::from_mins(i64::from(limits.breaker.within_minutes));
        let failures = failures.into_iter().filter(|failure| failure.at > past).collect();
        let pace = Pace::CREATE_ACCOUNT;
        let (_, next_slot) = pace.reserve(arrival, now);
        let ahead = next_slot.duration_since(now).as_millis().max(0);
        let waiting = ahead / pace.interval.as_millis().max(1);
        Self {
            platform: platform.to_owned(),
            breaker: BreakerView {
                state,
                before_pause,
                reason,
                author,
                since,
                failures,
                opens_after: limits.breaker.clone(),
                history,
                version,
            },
            daily: DailyView {
                day: day(now),
                limit: limits.daily_creations,
                used,
                renews_at: next_day(now),
            },
            queue: PaceView { waiting: u32::try_from(waiting).unwrap_or(u32::MAX), next_slot },
            as_of: now,
        }
    }
}

/// The day of an instant, in UTC.
#[must_use]
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// When the day after an instant's begins, in UTC.
#[must_use]
pub fn next_day(at: Timestamp) -> Timestamp {
    let next = day(at).tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
    next.map_or(Timestamp::MAX, |day| day.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_day_begins_at_midnight() {
        let at: Timestamp = "2026-12-31T23:59:59Z".parse().expect("a timestamp");
        assert_eq!(day(at).to_string(), "2026-12-31");
        assert_eq!(next_day(at).to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(next_day(next_day(at)).to_string(), "2027-01-02T00:00:00Z");
    }

    #[test]
    fn a_breaker_is_set_with_a_word_and_a_reason() {
        let wish = BreakerWish::read(json!({"state": "closed", "comment": "mended"}));
        assert_eq!(wish.map(|wish| wish.state), Ok(BreakerState::Closed));
        let problems = BreakerWish::read(json!({"stat": "closed", "state": "shut"}));
        let lines: Vec<String> =
            problems.expect_err("wrong").iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "stat: `\"closed\"` is an unknown field. Did you mean `state`?",
                "state: `shut` must be closed, open or paused. \
                 Write `closed` to have accounts created, `open` to stop that, or `paused` to have nothing begin.",
                "comment: `(missing)` must be a text of 1 to 255 characters. \
                 Write what was found and done, for whoever reads the history.",
            ]
        );
        for wrong in
            [json!(null), json!("closed"), json!({"state": "closed", "comment": "a".repeat(256)})]
        {
            assert!(BreakerWish::read(wrong).is_err());
        }
    }

    #[test]
    fn the_view_counts_who_waits_for_a_slot() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a timestamp");
        let view = |arrival| {
            LimitsView::of("aws", &Limits::default(), Breaker::default(), vec![], 3, arrival, now)
        };
        assert_eq!((view(None).queue.waiting, view(None).queue.next_slot), (0, now));
        let pace = Pace::CREATE_ACCOUNT;
        let busy = now + pace.interval * 6;
        assert_eq!(view(Some(busy)).queue.waiting, 4);
        assert_eq!(view(None).daily.used, 3);
    }
}
