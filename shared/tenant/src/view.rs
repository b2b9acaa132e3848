//! What the API answers and the command line prints.
//!
//! A requester reads remarks that are safe and plain; operation, code and request id are for operators alone. Which of
//! the two reads is decided in one place, [`Reader::remark`], through which every view is made.

mod history;
mod plan;
mod run;
mod tenant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Problem;

pub use history::{EntryView, HistoryLine, HistoryPage, HistoryView, TenantLine};
pub use plan::{ConfigurationPlanView, PlanState, PlanView};
pub use run::{FailedView, StepState, StepView};
pub use tenant::{PauseView, QueueView, RemovalStage, RemovalView, TenantView};

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
    use jiff::Timestamp;

    use super::*;
    use crate::{Entry, Failure, Name, Tenant, Versions};

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
