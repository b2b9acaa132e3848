//! Talks to Service Quotas about the quotas of an account.

use aws_config::SdkConfig;
use aws_sdk_servicequotas::{
    Client,
    error::ProvideErrorMetadata,
    types::{RequestStatus, RequestedServiceQuotaChange},
};
use jiff::Timestamp;
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName};

/// What Service Quotas answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "NoSuchResourceException",
        "",
        FailureName::Blocked,
        "AWS knows no such quota in this Region. Change its codes or Regions in the landing zone.",
    ),
    (
        "IllegalArgumentException",
        "",
        FailureName::Blocked,
        "AWS does not take this value for the quota. Change it in the landing zone.",
    ),
    (
        "DependencyAccessDeniedException",
        "",
        FailureName::Blocked,
        "AWS does not let the account ask for quotas. Ask AWS Support which plan or policy forbids it.",
    ),
    (
        "InvalidResourceStateException",
        "",
        FailureName::Transient,
        "AWS is busy with the quota; it is tried again.",
    ),
    (
        "ServiceException",
        "",
        FailureName::Transient,
        "Service Quotas did not answer as expected; it is tried again.",
    ),
    (
        "InvalidClientTokenId",
        "",
        FailureName::NotReady,
        "AWS has not finished setting the account up in a Region; it is tried again.",
    ),
    (
        "UnrecognizedClientException",
        "",
        FailureName::NotReady,
        "AWS has not finished setting the account up in a Region; it is tried again.",
    ),
];

/// How far a request for more came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// AWS has not decided.
    Open,
    /// AWS has granted it; the quota follows soon.
    Granted,
    /// AWS has refused it, or closed the case without granting it.
    Refused,
}

/// A request for more.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// The support case, where there is one.
    pub case: Option<String>,
    /// The value asked for.
    pub value: f64,
    /// How far it came.
    pub progress: Progress,
    /// When it was asked.
    pub since: Timestamp,
}

/// What became of asking for more.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// AWS has taken the request.
    Taken(Request),
    /// A request for this quota is open already, or the value is reached already: the next look says which.
    Already,
    /// Too many requests are open in the Region or account: ask when one of them is answered.
    Full,
}

/// An open conversation with the Service Quotas of one Region.
#[derive(Clone, Debug)]
pub struct Quotas {
    client: Client,
}

impl Quotas {
    /// A conversation in this session, in this Region.
    #[must_use]
    pub fn new(session: &SdkConfig, region: &str) -> Self {
        let region = aws_config::Region::new(region.to_owned());
        Self { client: Client::new(&session.to_builder().region(region).build()) }
    }

    /// The value that applies to the account, or AWS's default where none was ever applied.
    pub async fn value(&self, service: &str, code: &str) -> Result<f64, Failure> {
        let applied =
            self.client.get_service_quota().service_code(service).quota_code(code).send().await;
        let quota = match applied {
            Ok(answer) => answer.quota,
            Err(error) if error.code() == Some("NoSuchResourceException") => {
                let default = self
                    .client
                    .get_aws_default_service_quota()
                    .service_code(service)
                    .quota_code(code)
                    .send()
                    .await;
                default
                    .map_err(|error| {
                        Refusal::of("servicequotas:GetAWSDefaultServiceQuota", &error)
                            .failure(TABLE)
                    })?
                    .quota
            }
            Err(error) => {
                return Err(Refusal::of("servicequotas:GetServiceQuota", &error).failure(TABLE));
            }
        };
        quota.and_then(|quota| quota.value).ok_or_else(|| {
            Failure::transient(format!("servicequotas:GetServiceQuota has no value for {code}"))
        })
    }

    /// The account's last request for more of this quota.
    pub async fn last_request(
        &self,
        service: &str,
        code: &str,
    ) -> Result<Option<Request>, Failure> {
        let mut pages = self
            .client
            .list_requested_service_quota_change_history_by_quota()
            .service_code(service)
            .quota_code(code)
            .into_paginator()
            .items()
            .send();
        let mut last: Option<Request> = None;
        while let Some(change) = pages.next().await {
            let change = change.map_err(|error| {
                Refusal::of("servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota", &error)
                    .failure(TABLE)
            })?;
            let request = request(change);
            if last.as_ref().is_none_or(|last| last.since <= request.since) {
                last = Some(request);
            }
        }
        Ok(last)
    }

    /// Asks for more.
    pub async fn ask(&self, service: &str, code: &str, value: f64) -> Result<Asked, Failure> {
        let answer = self
            .client
            .request_service_quota_increase()
            .service_code(service)
            .quota_code(code)
            .desired_value(value)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .requested_quota
                .map_or(Asked::Already, |change| Asked::Taken(request(change)))),
            Err(error) => {
                match error.code() {
                    Some("ResourceAlreadyExistsException") => Ok(Asked::Already),
                    Some("QuotaExceededException") => Ok(Asked::Full),
                    _ => Err(Refusal::of("servicequotas:RequestServiceQuotaIncrease", &error)
                        .failure(TABLE)),
                }
            }
        }
    }
}

fn request(change: RequestedServiceQuotaChange) -> Request {
    let since = change.created.and_then(|created| created.to_millis().ok());
    Request {
        id: change.id.unwrap_or_default(),
        case: change.case_id.filter(|case| !case.is_empty()),
        value: change.desired_value.unwrap_or_default(),
        progress: match change.status {
            Some(RequestStatus::Pending | RequestStatus::CaseOpened) => Progress::Open,
            Some(RequestStatus::Approved) => Progress::Granted,
            _ => Progress::Refused,
        },
        since: since
            .and_then(|since| Timestamp::from_millisecond(since).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH),
    }
}
