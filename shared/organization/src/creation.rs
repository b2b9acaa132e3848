//! Asking for accounts. There is no client token, so nothing here is tried again by itself.

use std::collections::BTreeMap;

use aws_sdk_organizations::{
    config::retry::RetryConfig,
    error::SdkError,
    operation::create_account::CreateAccountError,
    types::{CreateAccountState, CreateAccountStatus, Tag},
};
use jiff::Timestamp;
use refusal::Refusal;
use tenant::{AccountId, Failure};

use crate::{Organization, TABLE, with_reason};

/// An account to ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted<'a> {
    /// Its e-mail address.
    pub email: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The access role that Organizations makes in it.
    pub role: &'a str,
    /// Its tags from birth.
    pub tags: BTreeMap<String, String>,
}

/// How a request for an account stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Creation {
    /// AWS works on it.
    InProgress,
    /// The account is there.
    Succeeded(AccountId),
    /// There is no account, and why.
    Failed(String),
}

/// A request for an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id, `car-…`.
    pub id: String,
    /// The account's name.
    pub account_name: String,
    /// When it was made.
    pub requested: Option<Timestamp>,
    /// How it stands.
    pub creation: Creation,
}

impl Request {
    fn of(status: CreateAccountStatus) -> Result<Self, Failure> {
        let creation = match (status.state, status.account_id) {
            (Some(CreateAccountState::Succeeded), Some(account)) => {
                Creation::Succeeded(AccountId::try_from(account).map_err(Failure::defect)?)
            }
            (Some(CreateAccountState::Failed), _) => Creation::Failed(
                status.failure_reason.map_or_else(String::new, |reason| reason.as_str().to_owned()),
            ),
            _ => Creation::InProgress,
        };
        Ok(Self {
            id: status.id.ok_or_else(|| {
                Failure::transient("a request for an account came without its id")
            })?,
            account_name: status.account_name.unwrap_or_default(),
            requested: status
                .requested_timestamp
                .and_then(|at| Timestamp::from_nanosecond(at.as_nanos()).ok()),
            creation,
        })
    }
}

impl Organization {
    /// Asks for an account, once: an answer that gets lost is found again by looking, never by asking twice.
    pub async fn create_account(&self, wanted: Wanted<'_>) -> Result<Request, Refused> {
        let tags = wanted
            .tags
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Refused::Other(Failure::defect(error.to_string())))?;
        let once =
            aws_sdk_organizations::config::Config::builder().retry_config(RetryConfig::disabled());
        let answer = self
            .client
            .create_account()
            .email(wanted.email)
            .account_name(wanted.name)
            .role_name(wanted.role)
            .set_tags(Some(tags))
            .customize()
            .config_override(once)
            .send()
            .await;
        match answer {
            Ok(answer) => answer
                .create_account_status
                .ok_or_else(|| Failure::transient("organizations:CreateAccount gave no request"))
                .and_then(Request::of)
                .map_err(Refused::Unanswered),
            Err(error) => Err(Refused::of(&error)),
        }
    }

    /// How a request for an account stands.
    pub async fn creation(&self, id: &str) -> Result<Request, Failure> {
        let answer = self
            .client
            .describe_create_account_status()
            .create_account_request_id(id)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("organizations:DescribeCreateAccountStatus", &error).failure(TABLE)
            })?;
        answer
            .create_account_status
            .ok_or_else(|| {
                Failure::transient("organizations:DescribeCreateAccountStatus gave no request")
            })
            .and_then(Request::of)
    }

    /// All requests in progress.
    pub async fn requests_in_progress(&self) -> Result<Vec<Request>, Failure> {
        let mut pages = self
            .client
            .list_create_account_status()
            .states(CreateAccountState::InProgress)
            .into_paginator()
            .send();
        let mut requests = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                Refusal::of("organizations:ListCreateAccountStatus", &error).failure(TABLE)
            })?;
            for status in page.create_account_statuses.unwrap_or_default() {
                requests.push(Request::of(status)?);
            }
        }
        Ok(requests)
    }
}

/// Why there is no request for an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// AWS wants us to come later; nothing was made.
    Throttled(Failure),
    /// Nobody knows whether AWS took the request.
    Unanswered(Failure),
    /// AWS refused; nothing was made.
    Other(Failure),
}

impl Refused {
    fn of(
        error: &SdkError<CreateAccountError, aws_sdk_organizations::config::http::HttpResponse>,
    ) -> Self {
        let reason = match error.as_service_error() {
            Some(CreateAccountError::ConstraintViolationException(violation)) => {
                violation.reason().map(|reason| reason.as_str().to_owned())
            }
            Some(CreateAccountError::InvalidInputException(invalid)) => {
                invalid.reason().map(|reason| reason.as_str().to_owned())
            }
            _ => None,
        };
        let refusal =
            with_reason(Refusal::of("organizations:CreateAccount", error), reason.as_deref());
        let failure = refusal.failure(TABLE);
        match failure.name {
            tenant::FailureName::Throttled => Self::Throttled(failure),
            tenant::FailureName::Transient => Self::Unanswered(failure),
            _ => Self::Other(failure),
        }
    }
}
