//! Talks to CloudFormation about StackSets, their instances and operations.
//!
//! Two steps bring stacks into an account: the access policy before the downgrade, everything else after it. What
//! they have in common stands in [`stacks`].

pub mod census;
pub mod stacks;

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        AccountFilterType, CallAs, DeploymentTargets, Parameter, RegionConcurrencyType,
        StackInstanceDetailedStatus, StackSetOperationPreferences, StackSetOperationResultStatus,
        StackSetOperationStatus,
    },
};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName, PermissionModel, Platform, StackSet};

/// What CloudFormation answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "OperationInProgressException",
        "",
        FailureName::Throttled,
        "Other accounts get the same stacks at present; it is tried again after them.",
    ),
    (
        "StaleRequestException",
        "",
        FailureName::Throttled,
        "Other accounts get the same stacks at present; it is tried again.",
    ),
    (
        "StackSetNotFoundException",
        "",
        FailureName::Blocked,
        "The landing zone names stacks that Landfall does not have. Ask Landfall's operators to deploy them or to correct the landing zone.",
    ),
    (
        "LimitExceededException",
        "",
        FailureName::Blocked,
        "The organization has reached a limit of AWS for stacks. Ask Landfall's operators to have it raised.",
    ),
    (
        "InvalidOperationException",
        "",
        FailureName::Blocked,
        "AWS can't roll the landing zone's stacks out as they are set up. Ask Landfall's operators to correct them.",
    ),
    (
        "ValidationError",
        "delegated",
        FailureName::Blocked,
        "Landfall may not roll stacks out for the organization. Ask the foundation's operators.",
    ),
    (
        "ValidationError",
        "organizations access",
        FailureName::Blocked,
        "The organization does not let stacks be rolled out into its accounts. Ask the foundation's operators.",
    ),
    (
        "ValidationError",
        "",
        FailureName::Blocked,
        "AWS does not accept the parameters of the landing zone's stacks. Ask Landfall's operators to correct the landing zone.",
    ),
];

/// An open conversation with CloudFormation in the StackSets' administration account.
#[derive(Clone, Debug)]
pub struct StackSets {
    client: Client,
    call_as: Option<CallAs>,
}

/// An instance of a StackSet in one account and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Whether the stack is as the StackSet says.
    pub is_current: bool,
    /// The operation that works on the stack at present.
    pub under_way: Option<String>,
    /// The parameters that differ from the StackSet's own.
    pub parameters: BTreeMap<String, String>,
    /// Why it is not current, or what went wrong.
    pub reason: String,
}

/// How an operation on a StackSet stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// CloudFormation does not know it.
    Unknown,
    /// It waits or works.
    Running,
    /// It ended well for the account.
    Succeeded,
    /// It ended without doing its work in the account, and why.
    Failed(String),
}

/// What to do with instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout<'a> {
    /// The StackSet.
    pub set: &'a str,
    /// The account.
    pub account: &'a AccountId,
    /// The organizational unit that the account is reached by, if the StackSet is service-managed.
    pub unit: Option<&'a str>,
    /// The Regions.
    pub regions: &'a [String],
    /// Parameter overrides.
    pub parameters: &'a BTreeMap<String, String>,
    /// The operation's id, which makes asking twice harmless.
    pub operation: &'a str,
}

impl Rollout<'_> {
    fn accounts(&self) -> Option<Vec<String>> {
        self.unit.is_none().then(|| vec![self.account.to_string()])
    }

    /// The one account within its unit: a service-managed StackSet takes no bare accounts.
    fn targets(&self) -> Option<DeploymentTargets> {
        self.unit.map(|unit| {
            DeploymentTargets::builder()
                .organizational_unit_ids(unit)
                .accounts(self.account.as_str())
                .account_filter_type(AccountFilterType::Intersection)
                .build()
        })
    }
}

impl StackSets {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        Self { client: Client::new(session), call_as: None }
    }

    /// A conversation about a StackSet of a platform: with the automation account about its own, and as the delegated
    /// administrator about one of the management account.
    #[must_use]
    pub fn of(session: &SdkConfig, platform: &Platform, set: &StackSet) -> Self {
        let is_apart = platform.automation_account != platform.management_account;
        let delegated = set.permission_model == PermissionModel::ServiceManaged && is_apart;
        Self { call_as: delegated.then_some(CallAs::DelegatedAdmin), ..Self::new(session) }
    }

    /// The names of a StackSet's parameters, or none if there is no such StackSet.
    pub async fn parameters(&self, set: &str) -> Result<Option<BTreeSet<String>>, Failure> {
        match self
            .client
            .describe_stack_set()
            .set_call_as(self.call_as.clone())
            .stack_set_name(set)
            .send()
            .await
        {
            Ok(answer) => Ok(answer.stack_set.map(|set| {
                set.parameters
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|one| one.parameter_key)
                    .collect()
            })),
            Err(error) if error.code() == Some("StackSetNotFoundException") => Ok(None),
            Err(error) => {
                Err(Refusal::of("cloudformation:DescribeStackSet", &error).failure(TABLE))
            }
        }
    }

    /// The instance of a StackSet in an account and Region, or none.
    pub async fn instance(
        &self,
        set: &str,
        account: &AccountId,
        region: &str,
    ) -> Result<Option<Instance>, Failure> {
        let answer = self
            .client
            .describe_stack_instance()
            .set_call_as(self.call_as.clone())
            .stack_set_name(set)
            .stack_instance_account(account.as_str())
            .stack_instance_region(region)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.stack_instance.map(|instance| Instance {
                under_way: instance
                    .stack_instance_status
                    .and_then(|status| status.detailed_status)
                    .filter(|status| {
                        matches!(
                            status,
                            StackInstanceDetailedStatus::Pending
                                | StackInstanceDetailedStatus::Running
                        )
                    })
                    .and(instance.last_operation_id),
                is_current: instance
                    .status
                    .as_ref()
                    .is_some_and(|status| status.as_str() == "CURRENT"),
                parameters: instance
                    .parameter_overrides
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|one| Some((one.parameter_key?, one.parameter_value?)))
                    .collect(),
                reason: instance.status_reason.unwrap_or_default(),
            })),
            Err(error) if error.code() == Some("StackInstanceNotFoundException") => Ok(None),
            Err(error) => {
                Err(Refusal::of("cloudformation:DescribeStackInstance", &error).failure(TABLE))
            }
        }
    }

    /// How an operation stands for one account. An operation can succeed as a whole and fail in our account, so the
    /// results are what counts.
    pub async fn operation(
        &self,
        set: &str,
        id: &str,
        account: &AccountId,
    ) -> Result<Operation, Failure> {
        let described = self
            .client
            .describe_stack_set_operation()
            .set_call_as(self.call_as.clone())
            .stack_set_name(set)
            .operation_id(id)
            .send()
            .await;
        let operation = match described {
            Ok(answer) => answer.stack_set_operation,
            Err(error) if error.code() == Some("OperationNotFoundException") => None,
            Err(error) => {
                return Err(
                    Refusal::of("cloudformation:DescribeStackSetOperation", &error).failure(TABLE)
                );
            }
        };
        let Some(operation) = operation else { return Ok(Operation::Unknown) };
        let reason = operation.status_reason.unwrap_or_default();
        match operation.status {
            Some(StackSetOperationStatus::Succeeded | StackSetOperationStatus::Failed) => {
                let failed = self.failed_result(set, id, account).await?;
                let as_a_whole = operation.status == Some(StackSetOperationStatus::Failed);
                Ok(match failed {
                    Some(reason) => Operation::Failed(reason),
                    None if as_a_whole => Operation::Failed(reason),
                    None => Operation::Succeeded,
                })
            }
            Some(StackSetOperationStatus::Stopped | StackSetOperationStatus::Stopping) => {
                Ok(Operation::Failed("a person stopped the operation".to_owned()))
            }
            _ => Ok(Operation::Running),
        }
    }

    async fn failed_result(
        &self,
        set: &str,
        id: &str,
        account: &AccountId,
    ) -> Result<Option<String>, Failure> {
        let mut results = self
            .client
            .list_stack_set_operation_results()
            .set_call_as(self.call_as.clone())
            .stack_set_name(set)
            .operation_id(id)
            .into_paginator()
            .items()
            .send();
        while let Some(result) = results.next().await {
            let result = result.map_err(|error| {
                Refusal::of("cloudformation:ListStackSetOperationResults", &error).failure(TABLE)
            })?;
            let ours = result.account.as_deref() == Some(account.as_str());
            if ours && result.status != Some(StackSetOperationResultStatus::Succeeded) {
                let region = result.region.unwrap_or_default();
                let reason =
                    result.status_reason.unwrap_or_else(|| "no reason was given".to_owned());
                return Ok(Some(format!("{region}: {reason}")));
            }
        }
        Ok(None)
    }

    /// Makes instances. An operation of this id that is there already counts as started.
    pub async fn create(&self, rollout: &Rollout<'_>) -> Result<(), Failure> {
        let answer = self
            .client
            .create_stack_instances()
            .set_call_as(self.call_as.clone())
            .stack_set_name(rollout.set)
            .set_accounts(rollout.accounts())
            .set_deployment_targets(rollout.targets())
            .set_regions(Some(rollout.regions.to_vec()))
            .set_parameter_overrides(Some(overrides(rollout.parameters)))
            .operation_preferences(preferences())
            .operation_id(rollout.operation)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if is_known(&error) => Ok(()),
            Err(error) => {
                Err(Refusal::of("cloudformation:CreateStackInstances", &error).failure(TABLE))
            }
        }
    }

    /// Updates instances. An operation of this id that is there already counts as started.
    pub async fn update(&self, rollout: &Rollout<'_>) -> Result<(), Failure> {
        let answer = self
            .client
            .update_stack_instances()
            .set_call_as(self.call_as.clone())
            .stack_set_name(rollout.set)
            .set_accounts(rollout.accounts())
            .set_deployment_targets(rollout.targets())
            .set_regions(Some(rollout.regions.to_vec()))
            .set_parameter_overrides(Some(overrides(rollout.parameters)))
            .operation_preferences(preferences())
            .operation_id(rollout.operation)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if is_known(&error) => Ok(()),
            Err(error) => {
                Err(Refusal::of("cloudformation:UpdateStackInstances", &error).failure(TABLE))
            }
        }
    }
}

fn is_known(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("OperationIdAlreadyExistsException")
}

/// One account, all its Regions at once.
fn preferences() -> StackSetOperationPreferences {
    StackSetOperationPreferences::builder()
        .region_concurrency_type(RegionConcurrencyType::Parallel)
        .failure_tolerance_count(0)
        .max_concurrent_count(1)
        .build()
}

fn overrides(parameters: &BTreeMap<String, String>) -> Vec<Parameter> {
    parameters
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
        .collect()
}
