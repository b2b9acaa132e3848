//! How a run went, or would go: step by step, and what it failed on.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reader;
use crate::{Failed, FailureName};

/// Where a step stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not reached yet.
    Pending,
    /// At work.
    Running,
    /// Waits for something outside Landfall.
    Waiting,
    /// As wished.
    Done,
    /// Ended with a failure.
    Failed,
    /// Planned: its changes are what a run would do.
    Planned,
}

/// One step of a tenant's last run, or of a plan.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// The step's name.
    pub step: String,
    /// Which of several alike parts: the name of a StackSet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Where it stands.
    pub state: StepState,
    /// What it waits for or failed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What only operators may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_remark: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it changed or would change, one line each.
    #[serde(default)]
    pub changes: Vec<String>,
    /// What is not as wished for though nothing has failed, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl StepView {
    /// A step that the run has not reached.
    pub fn pending(step: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            part: None,
            state: StepState::Pending,
            remark: None,
            system_remark: None,
            since: None,
            until: None,
            changes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The step as this reader may see it.
    #[must_use]
    pub fn seen_by(mut self, reader: Reader) -> Self {
        self.system_remark = self.system_remark.and_then(|remark| reader.remark(&remark));
        self
    }
}

/// What a run failed on.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedView {
    /// The step that failed.
    pub step: String,
    /// Who acts next.
    pub name: FailureName,
    /// What happened and what to do.
    pub remark: String,
    /// What only operators may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_remark: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How many runs in a row have failed.
    pub attempts: u32,
    /// When it is tried again; none if only a changed wish helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

impl FailedView {
    pub(super) fn of(failed: &Failed, retry_at: Option<Timestamp>, reader: Reader) -> Self {
        Self {
            step: failed.step.clone(),
            name: failed.failure.name,
            remark: failed.failure.user_remark.clone(),
            system_remark: reader.remark(&failed.failure.system_remark),
            at: failed.at,
            attempts: failed.attempts,
            retry_at,
        }
    }
}
