//! What AWS says when it says no, and who acts next.
//!
//! Each crate that talks to AWS holds one table for its API; what is the same everywhere stands here. Codes are
//! compared as text, since services answer codes that their models do not know.

use std::error::Error;

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tenant::{Failure, FailureName};

/// One answer that is no.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What was asked, such as `organizations:MoveAccount`.
    pub operation: &'static str,
    /// The error's code; empty when nothing came back.
    pub code: String,
    /// The error's message.
    pub message: String,
    /// The HTTP status; 0 when nothing came back.
    pub status: u16,
    /// The request's id.
    pub request_id: String,
}

/// A row of an API's table: code, a part of the message or reason (empty: any), who acts next, what users read.
pub type Row = (&'static str, &'static str, FailureName, &'static str);

impl Refusal {
    /// Reads an SDK's error.
    pub fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let metadata = error.as_service_error();
        let response = error.raw_response();
        let header =
            |name| response.and_then(|response| response.headers().get(name)).unwrap_or_default();
        let request_id = [header("x-amzn-requestid"), header("x-amz-request-id")].concat();
        Self {
            operation,
            code: metadata.and_then(|metadata| metadata.code()).unwrap_or_default().to_owned(),
            message: metadata
                .and_then(|metadata| metadata.message())
                .map_or_else(|| chain(error), ToOwned::to_owned),
            status: response.map_or(0, |response| response.status().as_u16()),
            request_id,
        }
    }

    /// Whether the code is one of these.
    #[must_use]
    pub fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether AWS said that the caller may not do this.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.is(&[
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "AccessDeniedForDependencyException",
        ])
    }

    /// The failure, by the API's table first and by what holds everywhere after it.
    #[must_use]
    pub fn failure(&self, table: &[Row]) -> Failure {
        let own = table.iter().find(|(code, part, ..)| {
            *code == self.code && (part.is_empty() || self.message.contains(part))
        });
        let (name, remark) =
            own.map_or_else(|| self.everywhere(), |(_, _, name, remark)| (*name, *remark));
        Failure::new(name, remark, self.system_remark())
    }

    fn everywhere(&self) -> (FailureName, &'static str) {
        let throttles = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "ProvisionedThroughputExceededException",
            "SlowDown",
        ];
        let not_ready = ["SubscriptionRequiredException", "OptInRequired", "PendingVerification"];
        if self.is(&throttles) || self.status == 429 {
            (FailureName::Throttled, "AWS asked for a slower pace; it is tried again.")
        } else if self.is(&not_ready) {
            (
                FailureName::NotReady,
                "AWS has not finished setting the account up; it is tried again.",
            )
        } else if self.code.is_empty()
            || self.status >= 500
            || self.is(&["ExpiredToken", "ExpiredTokenException"])
        {
            (FailureName::Transient, "AWS did not answer as expected; it is tried again.")
        } else if self.is_denied() {
            (
                FailureName::Blocked,
                "Landfall lacks a permission for this. Ask Landfall's operators to restore it.",
            )
        } else {
            (
                FailureName::Defect,
                "AWS refused what Landfall asked for. Its operators have been told.",
            )
        }
    }

    /// What operators read.
    #[must_use]
    pub fn system_remark(&self) -> String {
        let code = if self.code.is_empty() { "no answer" } else { &self.code };
        format!(
            "{}: {code} ({}): {} [request {}]",
            self.operation, self.status, self.message, self.request_id
        )
    }
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, message: &str, status: u16) -> Refusal {
        Refusal {
            operation: "organizations:CreateAccount",
            code: code.to_owned(),
            message: message.to_owned(),
            status,
            request_id: "r-1".to_owned(),
        }
    }

    #[test]
    fn the_table_of_an_api_comes_before_what_holds_everywhere() {
        const TABLE: &[Row] = &[
            ("ConstraintViolationException", "RATE_LIMIT", FailureName::Throttled, "slower"),
            ("ConstraintViolationException", "", FailureName::Blocked, "a limit"),
        ];
        let rate =
            refusal("ConstraintViolationException", "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", 400);
        assert_eq!(rate.failure(TABLE).name, FailureName::Throttled);
        let number = refusal("ConstraintViolationException", "ACCOUNT_NUMBER_LIMIT_EXCEEDED", 400);
        assert_eq!(number.failure(TABLE).name, FailureName::Blocked);
    }

    #[test]
    fn what_never_arrived_is_transient_and_what_nobody_knows_is_ours() {
        assert_eq!(refusal("", "connection reset", 0).failure(&[]).name, FailureName::Transient);
        assert_eq!(refusal("InternalFailure", "", 500).failure(&[]).name, FailureName::Transient);
        assert_eq!(refusal("Throttling", "", 400).failure(&[]).name, FailureName::Throttled);
        assert_eq!(refusal("SurpriseException", "", 400).failure(&[]).name, FailureName::Defect);
    }
}
