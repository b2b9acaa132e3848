//! What a run would change: of one tenant, or of those that a platform or landing zone concerns.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{FailedView, Reader, StepView};
use crate::{Failed, Kind, RollOutRules};

/// Where a plan stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanState {
    /// Its run is under way.
    Planning,
    /// It says what a run would change.
    Done,
    /// It could not be made.
    Failed,
}

/// What a run would change.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The plan's id.
    pub id: Uuid,
    /// The tenant's name.
    pub name: String,
    /// Where the plan stands.
    pub state: PlanState,
    /// The steps with their changes.
    #[serde(default)]
    pub steps: Vec<StepView>,
    /// Why it could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<FailedView>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

impl PlanView {
    /// A plan as this reader may see it; a step that could not look fails the plan.
    #[must_use]
    pub fn of(
        id: Uuid,
        name: String,
        state: PlanState,
        steps: Vec<StepView>,
        failed: Option<&Failed>,
        reader: Reader,
        as_of: Timestamp,
    ) -> Self {
        Self {
            id,
            name,
            state,
            steps: steps.into_iter().map(|step| step.seen_by(reader)).collect(),
            failed: failed.map(|failed| FailedView::of(failed, None, reader)),
            as_of,
        }
    }

    /// How many changes a run would make.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.steps.iter().map(|step| step.changes.len()).sum()
    }
}

/// Which tenants a configuration would touch, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationPlanView {
    /// The plan's id.
    pub id: Uuid,
    /// The kind of configuration.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it is new or differs from what is applied.
    pub differs: bool,
    /// How many tenants it concerns: each would be run.
    pub concerned: u32,
    /// In which waves it would come to them.
    #[serde(default)]
    pub roll_out: RollOutRules,
    /// What a run of the first of them would change.
    pub plans: Vec<PlanView>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

impl ConfigurationPlanView {
    /// Whether all its plans have ended.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.plans.iter().all(|plan| plan.state != PlanState::Planning)
    }

    /// How many tenants are concerned that were not planned.
    #[must_use]
    pub fn left_off(&self) -> usize {
        usize::try_from(self.concerned).unwrap_or(usize::MAX).saturating_sub(self.plans.len())
    }
}
