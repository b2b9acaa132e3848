//! A tenant as it stands, with its last run, and how far its end has come.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{FailedView, Reader, StepView};
use crate::{
    AccountId, Breaker, DriftView, Names, Phase, Removal, SignIn, Tenant, TenantSpec, Waiting,
};

/// That a platform is paused.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseView {
    /// Since when.
    pub since: Timestamp,
    /// What the operator wrote who paused it.
    pub comment: String,
}

impl PauseView {
    /// The pause of a platform; none while it is not paused.
    #[must_use]
    pub fn of(breaker: Breaker) -> Option<Self> {
        let paused = breaker.is_paused();
        let view = Self { since: breaker.since?, comment: breaker.reason.unwrap_or_default() };
        paused.then_some(view)
    }
}

/// Where a tenant stands in the queue for new accounts.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    /// How many come first, itself included.
    pub position: u32,
    /// When its account is asked for.
    pub starts_at: Timestamp,
}

/// How far a deletion has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum RemovalStage {
    /// An approver has to agree, or to decline.
    RequiresApproval,
    /// It is approved; the account is on its way out.
    PendingDeletion,
    /// It is done.
    Deleted,
}

impl RemovalStage {
    /// The stage as users read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresApproval => "RequiresApproval",
            Self::PendingDeletion => "PendingDeletion",
            Self::Deleted => "Deleted",
        }
    }
}

/// The deletion of a tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalView {
    /// How far it has come.
    pub stage: RemovalStage,
    /// Who asked for it.
    pub requested_by: String,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl RemovalView {
    fn of(tenant: &Tenant, removal: &Removal) -> Self {
        let approval = removal.approval.as_ref();
        let stage = match approval {
            _ if tenant.phase == Phase::Deleted => RemovalStage::Deleted,
            Some(_) => RemovalStage::PendingDeletion,
            None => RemovalStage::RequiresApproval,
        };
        Self {
            stage,
            requested_by: removal.by.clone(),
            approved_by: approval.map(|approval| approval.by.clone()),
            comment: approval.map(|it| it.comment.clone()).filter(|it| !it.is_empty()),
        }
    }
}

/// A tenant as the API answers it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    /// The name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// The workspace's identifier.
    pub workspace: String,
    /// The project's identifier.
    pub project: String,
    /// The platform's name.
    pub platform: String,
    /// The id.
    pub id: Uuid,
    /// Where the tenant stands.
    pub phase: Phase,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The account's name and e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Names>,
    /// The landing zone that it gets.
    pub landing_zone: String,
    /// What the user wrote.
    pub spec: TenantSpec,
    /// Versions of the wish; the ETag.
    pub generation: u64,
    /// The version that the last finished run saw.
    pub observed_generation: u64,
    /// Runs so far.
    pub run: u64,
    /// Whether a run is under way.
    pub running: bool,
    /// What the last run ended without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// What the last run failed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<FailedView>,
    /// Whether looks at the organization found it other than wished, and how.
    #[serde(default)]
    pub drift: DriftView,
    /// The steps of the run under way, or of the last one, in order.
    #[serde(default)]
    pub steps: Vec<StepView>,
    /// When the tenant was wished for first.
    pub created_on: Timestamp,
    /// Its deletion, if somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<RemovalView>,
    /// When its deletion was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked_for_deletion_on: Option<Timestamp>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_on: Option<Timestamp>,
    /// When the next run is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Timestamp>,
    /// Where it stands in the queue for new accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueView>,
    /// Why it does not begin although it is due: its platform is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseView>,
    /// Where its people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

impl TenantView {
    /// A tenant's row and steps as this reader may see them.
    #[must_use]
    pub fn of(tenant: &Tenant, steps: Vec<StepView>, reader: Reader, as_of: Timestamp) -> Self {
        let running = tenant.running.is_some();
        let next_run = tenant.next_run.filter(|_| !running);
        let leaves = tenant.phase == Phase::MarkedForDeletion;
        let failed = tenant.failed.as_ref().filter(|_| leaves || tenant.phase == Phase::Failed);
        let waiting = tenant.waiting.clone();
        Self {
            name: tenant.name.to_string(),
            workspace: tenant.name.workspace.clone(),
            project: tenant.name.project.clone(),
            platform: tenant.name.platform.clone(),
            id: tenant.id,
            phase: tenant.phase,
            account: tenant.account.clone(),
            names: tenant.names.clone(),
            landing_zone: tenant.wish.landing_zone.clone(),
            spec: tenant.wish.clone(),
            generation: tenant.generation,
            observed_generation: tenant.observed_generation,
            run: tenant.run,
            running,
            waiting: waiting.filter(|_| leaves || tenant.phase == Phase::Waiting),
            failed: failed.map(|failed| FailedView::of(failed, next_run, reader)),
            drift: DriftView::of(tenant),
            steps: steps.into_iter().map(|step| step.seen_by(reader)).collect(),
            created_on: tenant.created_on,
            removal: tenant.removal.as_ref().map(|removal| RemovalView::of(tenant, removal)),
            marked_for_deletion_on: tenant.removal.as_ref().map(|removal| removal.at),
            deleted_on: tenant.deleted_on,
            next_run,
            queue: None,
            paused: None,
            sign_in: None,
            as_of,
        }
    }

    /// Whether the wish is met and nothing is under way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let under_way = matches!(self.phase, Phase::Requested | Phase::Replicating);
        !under_way && !self.running && self.observed_generation == self.generation
    }
}
