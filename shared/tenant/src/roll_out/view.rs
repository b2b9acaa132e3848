//! Roll-outs as people read and set them.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Member, RollOut, RollOutEntry, RollOutState};
use crate::limits::stated;
use crate::{Kind, Problem, Tenant};

/// What a person wants of a roll-out.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RollOutWish {
    /// `rolling` resumes it, `stopped` stops it, `abandoned` gives it up.
    pub state: RollOutState,
    /// Why, for the history.
    #[schemars(length(min = 1, max = 255))]
    pub comment: String,
}

impl RollOutWish {
    /// Reads what a person sent, or says everything that is wrong with it.
    pub fn read(value: Value) -> Result<Self, Vec<Problem>> {
        let problems = stated(
            &value,
            &RollOutState::WISHED.map(RollOutState::as_str),
            "must be rolling, stopped or abandoned",
            "Write `rolling` to resume it, `stopped` to begin no further wave, or `abandoned` to give it up.",
        );
        if !problems.is_empty() {
            return Err(problems);
        }
        serde_json::from_value(value).map_err(|error| {
            vec![Problem::new("(document)", "", error.to_string(), "Send state and comment.")]
        })
    }
}

/// How far a change of a landing zone or platform has come.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollOutView {
    /// What changed: a landing zone or a platform.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The version that it changed to.
    pub brings: u64,
    /// Who changed it.
    pub author: String,
    /// When.
    pub since: Timestamp,
    /// Where the roll-out stands.
    pub state: RollOutState,
    /// Why it stopped or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many tenants it concerned when it began; none while they are being counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u32>,
    /// Waves so far.
    pub waves: u32,
    /// Tenants that have had their turn and are well.
    pub done: u32,
    /// Names of the tenants of the present wave whose run has not ended.
    pub under_way: Vec<String>,
    /// Names of the tenants that failed and have not run well since.
    pub failed: Vec<String>,
    /// Tenants whose turn has not come.
    pub waiting: u32,
    /// What happened, the latest first.
    pub history: Vec<RollOutEntry>,
    /// Grows with every write.
    pub version: u64,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

impl RollOutView {
    /// A roll-out as it stands; `members` are the tenants of its wave and the failed.
    #[must_use]
    pub fn of(
        roll_out: &RollOut,
        members: &HashMap<Uuid, Tenant>,
        history: Vec<RollOutEntry>,
        now: Timestamp,
    ) -> Self {
        let seen = roll_out.looked_at(members);
        let names = |members: &[Member]| members.iter().map(|one| one.name.clone()).collect();
        let met = seen.wave.len() + seen.failed.len();
        let met = u32::try_from(met).unwrap_or(u32::MAX).saturating_add(seen.done);
        let is_over = seen.state == RollOutState::Done;
        let waiting = seen.tenants.filter(|_| !is_over).map_or(0, |all| all.saturating_sub(met));
        Self {
            kind: seen.kind,
            brings: seen.brings,
            author: seen.author.clone(),
            since: seen.since,
            state: seen.state,
            reason: seen.reason.clone(),
            tenants: seen.tenants,
            waves: seen.waves,
            done: seen.done,
            under_way: names(&seen.wave),
            failed: names(&seen.failed),
            waiting,
            history,
            version: seen.version,
            as_of: now,
            name: seen.name,
        }
    }
}
