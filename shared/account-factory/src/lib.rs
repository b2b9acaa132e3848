//! Talks to Service Catalog about Control Tower's Account Factory.
//!
//! Account Factory is a product: whoever provisions it with the address of an account that is there enrols that
//! account. The provisioned product stays, and what failed once is repaired by updating it; its end has Control Tower
//! let go of the account, which stays open. All three calls carry a token, so that asking twice is one request.

use aws_config::{Region, SdkConfig};
use aws_sdk_servicecatalog::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        AccessLevelFilter, AccessLevelFilterKey, ListRecordHistorySearchFilter,
        ProvisionedProductStatus, ProvisionedProductViewFilterBy, ProvisioningArtifactGuidance,
        ProvisioningParameter, RecordDetail, RecordStatus, UpdateProvisioningParameter,
    },
};
use jiff::{SignedDuration, Timestamp};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName, SsoUser, Uuid};

/// What Service Catalog answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "ResourceNotFoundException",
        "",
        FailureName::Blocked,
        "Landfall has no way to Control Tower's Account Factory. Ask Landfall's operators to open one.",
    ),
    (
        "InvalidParametersException",
        "",
        FailureName::Blocked,
        "Account Factory does not accept the account's name, address or unit. Ask Landfall's operators to correct the platform or the landing zone.",
    ),
];

/// What keeps Account Factory from taking a request now; it is asked again later.
const BUSY: &[&str] =
    &["ResourceInUseException", "InvalidStateException", "DuplicateResourceException"];
/// The same in the messages of errors and of failed records.
const IN_PROGRESS: &[&str] = &["another execution is in progress", "operation is in progress"];

/// Why Control Tower failed, by a part of what it says. What is none of these may pass, and is tried a few times.
const REASONS: &[Row] = &[
    ("", "service control polic", FailureName::Blocked, FORBIDDEN),
    ("", "explicit deny", FailureName::Blocked, FORBIDDEN),
    (
        "",
        "AWSControlTowerExecution",
        FailureName::Blocked,
        "Control Tower can't enter the account: its own role there is missing or does not let it in. Ask Landfall's operators to restore the role.",
    ),
    ("", "drift", FailureName::Blocked, OUT_OF_ORDER),
    ("", "landing zone", FailureName::Blocked, OUT_OF_ORDER),
    ("", "quota", FailureName::Blocked, LIMIT),
    ("", "limit", FailureName::Blocked, LIMIT),
    ("", "maximum number", FailureName::Blocked, LIMIT),
    (
        "",
        "email",
        FailureName::Blocked,
        "Account Factory does not accept the account's e-mail address. Ask Landfall's operators to change the platform's pattern for addresses.",
    ),
];
const FORBIDDEN: &str = "A service control policy keeps Control Tower out of the account. Ask Landfall's operators to except Control Tower's role.";
const OUT_OF_ORDER: &str = "Control Tower is not in order. Ask Landfall's operators to repair it.";
const LIMIT: &str =
    "Control Tower has reached a limit. Ask Landfall's operators to have it raised.";

/// How far AWS's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// Requests about one account before a person is asked: the first one and two more.
const ATTEMPTS: usize = 3;
/// What the record of a request is called that ends a provisioned product.
const TERMINATION: &str = "TERMINATE_PROVISIONED_PRODUCT";

/// An open conversation about one Account Factory, in Control Tower's home Region.
#[derive(Clone, Debug)]
pub struct AccountFactory {
    client: Client,
    product: String,
}

/// An account as a provisioned product.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provisioned {
    /// The provisioned product's id, `pp-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether Service Catalog works on it.
    pub under_change: bool,
    /// The last request about it.
    pub record: Option<String>,
}

/// One request and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The record's id, `rec-…`.
    pub id: String,
    /// Whether it was to end the provisioned product.
    pub terminates: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last heard of.
    pub updated: Option<Timestamp>,
    /// How far it came.
    pub progress: Progress,
}

/// How far a request came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Account Factory works on it.
    Running,
    /// It is done.
    Succeeded,
    /// It failed, and why.
    Failed(String),
}

/// What an account is enrolled with.
#[derive(Clone, Debug, PartialEq)]
pub struct Order<'a> {
    /// The account's e-mail address.
    pub email: &'a str,
    /// The account's name.
    pub name: &'a str,
    /// Its unit, as `Name (ou-…)`: names alone are not unique.
    pub unit: &'a str,
    /// Whom Account Factory lets in.
    pub user: &'a SsoUser,
    /// What makes asking twice one request.
    pub token: &'a str,
}

/// What came of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Account Factory works on it, under this record.
    Taken(String),
    /// Not now, and why.
    Busy(String),
}

/// The active version of the product, and the way on which our role may launch it.
struct Launch {
    artifact: String,
    path: String,
}

impl AccountFactory {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig, home_region: &str, product: &str) -> Self {
        let session = session.to_builder().region(Region::new(home_region.to_owned())).build();
        Self { client: Client::new(&session), product: product.to_owned() }
    }

    /// The provisioned product of an account, whoever provisioned it; else the one of this name, which may have failed
    /// before it knew its account.
    pub async fn find(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Provisioned>, Failure> {
        let answer = self
            .client
            .search_provisioned_products()
            .access_level_filter(everybodys())
            .filters(
                ProvisionedProductViewFilterBy::SearchQuery,
                vec![format!("physicalId:{account}")],
            )
            .send()
            .await
            .map_err(|error| {
                Refusal::of("servicecatalog:SearchProvisionedProducts", &error).failure(TABLE)
            })?;
        let of_account = answer.provisioned_products.unwrap_or_default().into_iter().find(|one| {
            one.physical_id() == Some(account.as_str())
                && one.product_id() == Some(self.product.as_str())
        });
        if let Some(found) = of_account {
            return Ok(Some(Provisioned {
                id: found.id.unwrap_or_default(),
                name: found.name.unwrap_or_default(),
                under_change: under_change(found.status.as_ref()),
                record: found.last_record_id,
            }));
        }
        match self.client.describe_provisioned_product().name(name).send().await {
            Ok(answer) => Ok(answer.provisioned_product_detail.map(|found| Provisioned {
                id: found.id.unwrap_or_default(),
                name: found.name.unwrap_or_default(),
                under_change: under_change(found.status.as_ref()),
                record: found.last_record_id,
            })),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => {
                Err(Refusal::of("servicecatalog:DescribeProvisionedProduct", &error).failure(TABLE))
            }
        }
    }

    /// A request and what became of it.
    pub async fn record(&self, id: &str) -> Result<Option<Record>, Failure> {
        match self.client.describe_record().id(id).send().await {
            Ok(answer) => Ok(answer.record_detail.map(Record::of)),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(Refusal::of("servicecatalog:DescribeRecord", &error).failure(TABLE)),
        }
    }

    /// How many requests were made about a provisioned product since then.
    async fn attempts(&self, provisioned: &str, since: Timestamp) -> Result<usize, Failure> {
        let filter = ListRecordHistorySearchFilter::builder()
            .key("provisionedproduct")
            .value(provisioned)
            .build();
        let answer = self
            .client
            .list_record_history()
            .access_level_filter(everybodys())
            .search_filter(filter)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("servicecatalog:ListRecordHistory", &error).failure(TABLE)
            })?;
        let records = answer.record_details.unwrap_or_default().into_iter().map(Record::of);
        Ok(records.filter(|record| record.created.is_some_and(|made| made >= since)).count())
    }

    /// Why only a person can help with a provisioned product that failed so; none if it may be tried again. What failed
    /// before `begun` does not count: a person who asks for another run has mended the cause.
    pub async fn stuck(
        &self,
        provisioned: &str,
        reason: &str,
        begun: Option<Timestamp>,
    ) -> Result<Option<Failure>, Failure> {
        let Some(begun) = begun.filter(|_| !was_busy(reason)) else { return Ok(None) };
        let attempts = self.attempts(provisioned, begun - SKEW).await?;
        let known = explained(reason).filter(|_| attempts > 0);
        Ok(known.or_else(|| {
            (attempts >= ATTEMPTS).then(|| {
                Failure::blocked(
                    "Account Factory failed at the account again and again. Ask Landfall's operators to look into it.",
                    format!("Control Tower: {reason}"),
                )
            })
        }))
    }

    /// Has Control Tower let go of an account by the end of its provisioned product. The account stays open, outside
    /// every unit that Control Tower governs.
    pub async fn terminate(&self, provisioned: &str, token: &str) -> Result<Asked, Failure> {
        let answer = self
            .client
            .terminate_provisioned_product()
            .provisioned_product_id(provisioned)
            .terminate_token(token)
            .send()
            .await;
        match answer {
            Ok(answer) => taken("servicecatalog:TerminateProvisionedProduct", answer.record_detail),
            // It has just gone, and a look sees that.
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                Err(Failure::transient(format!(
                    "servicecatalog:TerminateProvisionedProduct does not know {provisioned} any more"
                )))
            }
            Err(error) => {
                refused(&Refusal::of("servicecatalog:TerminateProvisionedProduct", &error))
            }
        }
    }

    /// Enrols an account.
    pub async fn provision(&self, name: &str, order: &Order<'_>) -> Result<Asked, Failure> {
        let Launch { artifact, path } = self.launch().await?;
        let parameters = parameters(order)
            .map(|(key, value)| ProvisioningParameter::builder().key(key).value(value).build());
        let answer = self
            .client
            .provision_product()
            .product_id(&self.product)
            .provisioning_artifact_id(artifact)
            .path_id(path)
            .provisioned_product_name(name)
            .set_provisioning_parameters(Some(parameters.to_vec()))
            .provision_token(order.token)
            .send()
            .await;
        match answer {
            Ok(answer) => taken("servicecatalog:ProvisionProduct", answer.record_detail),
            Err(error) => refused(&Refusal::of("servicecatalog:ProvisionProduct", &error)),
        }
    }

    /// Repairs what failed. What others provisioned keeps their parameters, but for the unit.
    pub async fn repair(
        &self,
        provisioned: &str,
        is_ours: bool,
        order: &Order<'_>,
    ) -> Result<Asked, Failure> {
        let Launch { artifact, path } = self.launch().await?;
        let parameters = parameters(order).map(|(key, value)| {
            let parameter = UpdateProvisioningParameter::builder().key(key);
            if is_ours || key == UNIT {
                parameter.value(value).build()
            } else {
                parameter.use_previous_value(true).build()
            }
        });
        let answer = self
            .client
            .update_provisioned_product()
            .provisioned_product_id(provisioned)
            .product_id(&self.product)
            .provisioning_artifact_id(artifact)
            .path_id(path)
            .set_provisioning_parameters(Some(parameters.to_vec()))
            .update_token(order.token)
            .send()
            .await;
        match answer {
            Ok(answer) => taken("servicecatalog:UpdateProvisionedProduct", answer.record_detail),
            Err(error) => refused(&Refusal::of("servicecatalog:UpdateProvisionedProduct", &error)),
        }
    }

    /// The newest active version of the product, and the way on which our role may launch it.
    async fn launch(&self) -> Result<Launch, Failure> {
        let artifacts =
            self.client.list_provisioning_artifacts().product_id(&self.product).send().await;
        let artifacts = artifacts.map_err(|error| {
            Refusal::of("servicecatalog:ListProvisioningArtifacts", &error).failure(TABLE)
        })?;
        let mut active: Vec<_> = artifacts
            .provisioning_artifact_details
            .unwrap_or_default()
            .into_iter()
            .filter(|artifact| artifact.active == Some(true))
            .collect();
        active.sort_by_key(|artifact| {
            let deprecated = artifact.guidance == Some(ProvisioningArtifactGuidance::Deprecated);
            (!deprecated, artifact.created_time.map(|created| created.as_nanos()))
        });
        let artifact = active.pop().and_then(|artifact| artifact.id).ok_or_else(|| {
            Failure::blocked(
                "Account Factory has no active version. Ask Landfall's operators to activate one.",
                format!("{} has no active version", self.product),
            )
        })?;
        let paths = self.client.list_launch_paths().product_id(&self.product).send().await;
        let paths = paths.map_err(|error| {
            Refusal::of("servicecatalog:ListLaunchPaths", &error).failure(TABLE)
        })?;
        let path = paths
            .launch_path_summaries
            .unwrap_or_default()
            .into_iter()
            .find_map(|path| path.id)
            .ok_or_else(|| {
                Failure::blocked(
                    "Landfall may not launch Account Factory. Ask Landfall's operators to let it.",
                    format!("LandfallVend has no launch path to {}", self.product),
                )
            })?;
        Ok(Launch { artifact, path })
    }
}

/// The name of a tenant's provisioned product.
#[must_use]
pub fn provisioned_name(tenant: Uuid) -> String {
    format!("landfall-{tenant}")
}

/// Whether a failed record says that Account Factory had no time: then it is no attempt that failed.
fn was_busy(reason: &str) -> bool {
    IN_PROGRESS.iter().any(|part| reason.contains(part))
}

/// The failure of a record, or of an operation of Control Tower's, that only a person can help with; none if it may
/// pass.
#[must_use]
pub fn explained(reason: &str) -> Option<Failure> {
    let known = REASONS.iter().find(|(_, part, ..)| reason.contains(part));
    known.map(|(_, _, name, remark)| {
        Failure::new(*name, *remark, format!("Control Tower: {reason}"))
    })
}

impl Record {
    fn of(record: RecordDetail) -> Self {
        let time = |at: Option<aws_sdk_servicecatalog::primitives::DateTime>| {
            at.and_then(|at| Timestamp::from_nanosecond(at.as_nanos()).ok())
        };
        let progress = match record.status {
            Some(RecordStatus::Succeeded) => Progress::Succeeded,
            Some(RecordStatus::Failed) => {
                let reasons: Vec<String> = record
                    .record_errors
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|error| error.description)
                    .collect();
                Progress::Failed(if reasons.is_empty() {
                    "no reason was given".to_owned()
                } else {
                    reasons.join("; ")
                })
            }
            _ => Progress::Running,
        };
        Self {
            id: record.record_id.unwrap_or_default(),
            terminates: record.record_type.as_deref() == Some(TERMINATION),
            created: time(record.created_time),
            updated: time(record.updated_time),
            progress,
        }
    }
}

/// What the whole account provisioned, and not only our role.
fn everybodys() -> AccessLevelFilter {
    AccessLevelFilter::builder().key(AccessLevelFilterKey::Account).value("self").build()
}

fn under_change(status: Option<&ProvisionedProductStatus>) -> bool {
    matches!(
        status,
        Some(ProvisionedProductStatus::UnderChange | ProvisionedProductStatus::PlanInProgress)
    )
}

const UNIT: &str = "ManagedOrganizationalUnit";

fn parameters<'a>(order: &Order<'a>) -> [(&'static str, &'a str); 6] {
    [
        ("AccountEmail", order.email),
        ("AccountName", order.name),
        (UNIT, order.unit),
        ("SSOUserEmail", &order.user.email),
        ("SSOUserFirstName", &order.user.first_name),
        ("SSOUserLastName", &order.user.last_name),
    ]
}

fn taken(operation: &str, record: Option<RecordDetail>) -> Result<Asked, Failure> {
    record
        .and_then(|record| record.record_id)
        .map(Asked::Taken)
        .ok_or_else(|| Failure::transient(format!("{operation} gave no record")))
}

/// The model knows three errors; Account Factory answers others too, so that codes and words decide.
fn refused(refusal: &Refusal) -> Result<Asked, Failure> {
    if refusal.is(BUSY) || was_busy(&refusal.message) {
        return Ok(Asked::Busy(refusal.system_remark()));
    }
    Err(refusal.failure(TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, message: &str) -> Refusal {
        Refusal {
            operation: "servicecatalog:ProvisionProduct",
            code: code.to_owned(),
            message: message.to_owned(),
            status: 400,
            request_id: "r-1".to_owned(),
        }
    }

    #[test]
    fn a_busy_account_factory_is_asked_again() {
        let unmodelled = "Account Factory cannot create this enrolled account right now, because another execution is in progress";
        for busy in [
            refusal("ResourceInUseException", unmodelled),
            refusal(
                "InvalidParametersException",
                "another AWS Control Tower operation is in progress. Try again later.",
            ),
            refusal("DuplicateResourceException", "A provisioned product named x exists"),
        ] {
            assert!(matches!(refused(&busy), Ok(Asked::Busy(_))), "{busy:?}");
        }
        let missing = refused(&refusal("ResourceNotFoundException", "No launch paths found"));
        assert_eq!(missing.expect_err("a refusal").name, FailureName::Blocked);
        let unknown = refused(&refusal("ThrottlingException", "Rate exceeded"));
        assert_eq!(unknown.expect_err("a refusal").name, FailureName::Throttled);
    }

    #[test]
    fn what_a_person_must_mend_is_told_apart_from_what_may_pass() {
        let scp = explained("AccessDenied: with an explicit deny in a service control policy");
        assert!(scp.is_some_and(|failure| failure.user_remark.contains("service control policy")));
        assert!(explained("AWSControlTowerExecution role can't be assumed").is_some());
        assert!(explained("The landing zone has drifted").is_some());
        assert_eq!(explained("An internal error occurred"), None);
    }
}
