//! What can go wrong, named for who acts next.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who acts next after a failure; the name is what Step Functions matches and what the runbook explains.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum FailureName {
    /// AWS asked for a slower pace: the state machine tries again.
    Throttled,
    /// Something between us and AWS broke: the state machine tries again.
    Transient,
    /// A young account is not usable yet: the state machine tries again, within patience.
    NotReady,
    /// The wish can't be met: the requester changes it.
    Rejected,
    /// The foundation's set-up is in the way: the operator acts.
    Blocked,
    /// Landfall is at fault.
    Defect,
}

impl FailureName {
    /// All names, as the state machine must know them.
    pub const ALL: [Self; 6] = [
        Self::Throttled,
        Self::Transient,
        Self::NotReady,
        Self::Rejected,
        Self::Blocked,
        Self::Defect,
    ];

    /// The name as Step Functions, the ledger and the runbook spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::Transient => "Transient",
            Self::NotReady => "NotReady",
            Self::Rejected => "Rejected",
            Self::Blocked => "Blocked",
            Self::Defect => "Defect",
        }
    }

    /// Reads a name as Step Functions hands it over; AWS's own names for a lost or refused function are `Transient`.
    #[must_use]
    pub fn of_error(error: &str) -> Self {
        Self::ALL.into_iter().find(|name| name.as_str() == error).unwrap_or_else(|| {
            let passing =
                ["Lambda.", "Sandbox.", "Runtime.ExitError", "States.Timeout", "DynamoDb."];
            if passing.iter().any(|prefix| error.starts_with(prefix)) {
                Self::Transient
            } else {
                Self::Defect
            }
        })
    }
}

impl fmt::Display for FailureName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One failure: its name, what the requester may read, and what only operators may.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Who acts next.
    pub name: FailureName,
    /// Safe and plain, with the remedy.
    pub user_remark: String,
    /// Operation, code, message, request id; never shown to requesters.
    pub system_remark: String,
}

impl Failure {
    /// A failure with both of its remarks.
    pub fn new(
        name: FailureName,
        user_remark: impl Into<String>,
        system_remark: impl Into<String>,
    ) -> Self {
        Self { name, user_remark: user_remark.into(), system_remark: system_remark.into() }
    }

    /// The requester must change the wish.
    pub fn rejected(user_remark: impl Into<String>) -> Self {
        Self::new(FailureName::Rejected, user_remark, "")
    }

    /// The operator must act.
    pub fn blocked(user_remark: impl Into<String>, system_remark: impl Into<String>) -> Self {
        Self::new(FailureName::Blocked, user_remark, system_remark)
    }

    /// Landfall is at fault.
    pub fn defect(system_remark: impl Into<String>) -> Self {
        Self::new(
            FailureName::Defect,
            "Landfall met a situation that it does not understand. Its operators have been told.",
            system_remark,
        )
    }

    /// A conversation broke off.
    pub fn transient(system_remark: impl Into<String>) -> Self {
        Self::new(
            FailureName::Transient,
            "AWS did not answer as expected; it is tried again.",
            system_remark,
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.user_remark)?;
        if self.system_remark.is_empty() {
            Ok(())
        } else {
            write!(formatter, " [{}]", self.system_remark)
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in FailureName::ALL {
            assert_eq!(FailureName::of_error(name.as_str()), name);
        }
    }

    #[test]
    fn a_lost_function_is_transient_and_an_unknown_error_is_ours() {
        assert_eq!(
            FailureName::of_error("Lambda.TooManyRequestsException"),
            FailureName::Transient
        );
        assert_eq!(FailureName::of_error("States.Timeout"), FailureName::Transient);
        assert_eq!(FailureName::of_error("States.Runtime"), FailureName::Defect);
    }
}
