//! Closing accounts, which takes AWS minutes and comes in its numbers.

use aws_sdk_organizations::{
    error::ProvideErrorMetadata, operation::close_account::CloseAccountError,
};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName};

use crate::{Organization, TABLE, with_reason};

/// What came of asking for an account to be closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closure {
    /// AWS closes it, or has done so.
    Begun,
    /// AWS closes as many as it does at once.
    Crowded,
    /// AWS closes no more of the organization's accounts within these thirty days.
    Exhausted,
}

const NEVER: &str = "AWS does not close this account, perhaps since it is a delegated administrator of a service. Ask Landfall's operators to deregister it (`aws organizations deregister-delegated-administrator`).";

/// What only a closure is refused with.
const OWN: &[Row] = &[
    (
        "ConstraintViolationException",
        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
        FailureName::Defect,
        "The organization's management account is never closed. Its operators have been told.",
    ),
    ("ConstraintViolationException", "", FailureName::Blocked, NEVER),
    (
        "AccessDeniedException",
        "",
        FailureName::Blocked,
        "Landfall may not close this account: the role LandfallClose closes only accounts with one of its tags. Ask Landfall's operators to set the tag, or to close the account by hand.",
    ),
];

impl Organization {
    /// Has an account closed.
    pub async fn close(&self, account: &AccountId) -> Result<Closure, Failure> {
        let asked = self.client.close_account().account_id(account.as_str()).send().await;
        let Err(error) = asked else { return Ok(Closure::Begun) };
        let reason = match error.as_service_error() {
            Some(CloseAccountError::ConstraintViolationException(violation)) => {
                violation.reason().map(|reason| reason.as_str().to_owned())
            }
            _ => None,
        };
        match (error.code(), reason.as_deref()) {
            // An answer that got lost may have been a yes; one that left meanwhile is seen by the next look.
            (
                Some(
                    "AccountAlreadyClosedException"
                    | "ConflictException"
                    | "AccountNotFoundException",
                ),
                _,
            ) => Ok(Closure::Begun),
            (_, Some("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED")) => Ok(Closure::Crowded),
            (_, Some("CLOSE_ACCOUNT_QUOTA_EXCEEDED")) => Ok(Closure::Exhausted),
            (_, reason) => {
                let refusal = Refusal::of("organizations:CloseAccount", &error);
                let table = [OWN, TABLE].concat();
                Err(with_reason(refusal, reason).failure(&table))
            }
        }
    }
}
