//! What the API answers and the command line prints.
//!
//! A requester reads remarks that are safe and plain; operation, code and request id are for operators alone. Which of
//! the two reads is decided in one place, [`Reader::remark`], through which every view is made.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccountId, Breaker, ConfigurationEntry, DriftView, Entry, Failed, FailureName, Kind, Names,
    Phase, Problem, Removal, RollOutRules, SignIn, Tenant, TenantSpec, Waiting,
};

/// Who reads a view.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// Whoever may read the tenant's workspace.
    Requester,
    /// Whoever runs the foundation.
    Operator,
}

impl Reader {
    /// The system remark, if this reader may see it and there is one.
    #[must_use]
    pub fn remark(self, system_remark: &str) -> Option<String> {
        (self == Self::Operator && !system_remark.is_empty()).then(|| system_remark.to_owned())
    }
}

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
    fn of(failed: &Failed, retry_at: Option<Timestamp>, reader: Reader) -> Self {
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

/// One line of a tenant's history.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// When.
    pub at: Timestamp,
    /// The run that it belongs to.
    pub run: u64,
    /// Who caused it.
    pub author: String,
    /// What happened.
    pub event: String,
    /// The phase before; none for the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Phase>,
    /// The phase after.
    pub to: Phase,
    /// What only operators may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_remark: Option<String>,
}

impl EntryView {
    fn of(entry: Entry, reader: Reader) -> Self {
        Self {
            system_remark: reader.remark(&entry.system_remark),
            at: entry.at,
            run: entry.run,
            author: entry.author,
            event: entry.event,
            from: entry.from,
            to: entry.to,
        }
    }
}

/// A tenant's history, oldest first.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// The tenant's name.
    pub name: String,
    /// The tenant's id.
    pub id: Uuid,
    /// Its entries.
    pub entries: Vec<EntryView>,
}

impl HistoryView {
    /// A tenant's history as this reader may see it.
    #[must_use]
    pub fn of(tenant: &Tenant, entries: Vec<Entry>, reader: Reader) -> Self {
        let entries = entries.into_iter().map(|entry| EntryView::of(entry, reader)).collect();
        Self { name: tenant.name.to_string(), id: tenant.id, entries }
    }
}

/// One line of the history of everything, which tells by itself of what.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum HistoryLine {
    /// Of a tenant.
    Tenant(TenantLine),
    /// Of a landing zone or platform.
    Configuration(ConfigurationEntry),
}

/// One line of the history of all tenants.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantLine {
    /// The tenant's id.
    pub id: Uuid,
    /// The tenant's name.
    pub name: String,
    /// The version of the tenant that this led to: with the id it tells the line from all others.
    pub version: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: EntryView,
}

impl HistoryLine {
    /// A tenant's entry as this reader may see it.
    #[must_use]
    pub fn of(tenant: &Tenant, entry: Entry, reader: Reader) -> Self {
        Self::Tenant(TenantLine {
            id: tenant.id,
            name: tenant.name.to_string(),
            version: entry.version,
            entry: EntryView::of(entry, reader),
        })
    }
}

/// A part of the history of everything.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPage {
    /// The lines: tenant after tenant, then landing zones and platforms by name; the oldest of each first.
    pub items: Vec<HistoryLine>,
    /// What to ask for to get the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The time of this answer, by Landfall's clock.
    pub as_of: Timestamp,
}

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

/// A part of a list.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The part's items.
    pub items: Vec<T>,
    /// What to ask for to get the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An error as RFC 9457 wants it: `application/problem+json`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problems {
    /// The class of the error: a URI that never changes.
    pub r#type: String,
    /// The class in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Everything that has to be mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Problems {
    /// An error of a class that is named in kebab-case.
    pub fn new(class: &str, title: &str, status: u16, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:landfall:problem:{class}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            problems: Vec::new(),
        }
    }

    /// The same with everything that has to be mended.
    #[must_use]
    pub fn with(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, Name, Versions};

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a timestamp")
    }

    fn failed() -> (Tenant, Entry) {
        let wish = serde_json::from_value(serde_json::json!({"landingZone": "production"}))
            .expect("a wish");
        let tenant = Tenant::requested(Name::new("a", "b", "aws"), 1, wish, "ada", now()).tenant;
        let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
        let execution = running.running.clone().expect("a run");
        let failure = Failure::blocked(
            "The foundation's team has been told.",
            "sts:AssumeRole AccessDenied SECRET",
        );
        let ended =
            running.failed(&execution, "place-account", failure, 0.0, now()).expect("it ran");
        (ended.tenant, ended.entry)
    }

    fn steps() -> Vec<StepView> {
        vec![StepView {
            state: StepState::Failed,
            remark: Some("The foundation's team has been told.".to_owned()),
            system_remark: Some("sts:AssumeRole AccessDenied SECRET".to_owned()),
            ..StepView::pending("place-account")
        }]
    }

    fn all(reader: Reader) -> String {
        let (tenant, entry) = failed();
        let plan = PlanView::of(
            tenant.id,
            tenant.name.to_string(),
            PlanState::Failed,
            steps(),
            tenant.failed.as_ref(),
            reader,
            now(),
        );
        [
            serde_json::to_string(&TenantView::of(&tenant, steps(), reader, now())),
            serde_json::to_string(&HistoryView::of(&tenant, vec![entry.clone()], reader)),
            serde_json::to_string(&HistoryLine::of(&tenant, entry, reader)),
            serde_json::to_string(&plan),
        ]
        .map(|json| json.expect("JSON"))
        .concat()
    }

    #[test]
    fn no_view_of_a_requester_holds_a_system_remark() {
        assert!(!all(Reader::Requester).contains("SECRET"));
        assert!(!all(Reader::Requester).contains("systemRemark"));
    }

    #[test]
    fn an_operator_reads_every_system_remark() {
        assert_eq!(all(Reader::Operator).matches("SECRET").count(), 6);
    }

    #[test]
    fn a_failed_tenant_says_when_it_is_tried_again() {
        let (tenant, _) = failed();
        let view = TenantView::of(&tenant, vec![], Reader::Requester, now());
        let failed = view.failed.as_ref().expect("it failed");
        assert_eq!(failed.retry_at, tenant.next_run);
        assert!(view.is_settled());
    }

    #[test]
    fn what_is_answered_is_read_back() {
        let (tenant, _) = failed();
        let view = TenantView::of(&tenant, steps(), Reader::Operator, now());
        let json = serde_json::to_value(&view).expect("JSON");
        assert_eq!(json["failed"]["name"], "Blocked");
        assert_eq!(json["steps"][0]["state"], "failed");
        assert_eq!(serde_json::from_value::<TenantView>(json).expect("a view"), view);
    }
}
