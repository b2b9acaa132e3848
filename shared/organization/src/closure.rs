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

const ADMINISTERS: &str = "AWS does not close an account that administers a service for the organization. Ask Landfall's operators to deregister it (`aws organizations deregister-delegated-administrator`).";

/// What only a closure is refused with.
const OWN: &[Row] = &[
    (
        "ConstraintViolationException",
        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
        FailureName::Defect,
        "The organization's management account is never closed. Its operators have been told.",
    ),
    (
        "ConstraintViolationException",
        "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        FailureName::Blocked,
        ADMINISTERS,
    ),
    (
        "ConstraintViolationException",
        "",
        FailureName::Blocked,
        "AWS does not close this account as it is. Ask Landfall's operators to see what AWS says.",
    ),
    (
        "AccessDeniedException",
        "",
        FailureName::Blocked,
        "Landfall may not close this account: the role LandfallClose closes only accounts with one of its tags. Ask Landfall's operators to set the tag, or to close the account by hand.",
    ),
];

impl Organization {
    /// The services that an account administers for the organization: while there is one, AWS does not close it.
    pub async fn administers(&self, account: &AccountId) -> Result<Vec<String>, Failure> {
        let mut pages = self
            .client
            .list_delegated_services_for_account()
            .account_id(account.as_str())
            .into_paginator()
            .items()
            .send();
        let mut services = Vec::new();
        while let Some(service) = pages.next().await {
            match service {
                Ok(service) => services.extend(service.service_principal),
                Err(error) if error.code() == Some("AccountNotRegisteredException") => break,
                Err(error) => {
                    let operation = "organizations:ListDelegatedServicesForAccount";
                    return Err(Refusal::of(operation, &error).failure(TABLE));
                }
            }
        }
        Ok(services)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_an_account_is_not_closed_is_told_apart() {
        let said = |reason: &str| {
            let refusal = Refusal {
                operation: "organizations:CloseAccount",
                code: "ConstraintViolationException".to_owned(),
                message: "You can't.".to_owned(),
                status: 400,
                request_id: "r-1".to_owned(),
            };
            with_reason(refusal, Some(reason)).failure(OWN)
        };
        let administers = said("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG");
        assert_eq!(administers.name, FailureName::Blocked);
        assert!(administers.user_remark.contains("deregister-delegated-administrator"));
        assert_eq!(said("CANNOT_CLOSE_MANAGEMENT_ACCOUNT").name, FailureName::Defect);
        let other = said("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
        assert_eq!(other.name, FailureName::Blocked);
        assert!(!other.user_remark.contains("deregister"), "{other}");
    }
}
