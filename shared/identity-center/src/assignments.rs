//! Which group is assigned which permission set in an account.

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use aws_sdk_ssoadmin::{
    Client,
    types::{
        AccountAssignmentOperationStatus, ListAccountAssignmentsFilter, PrincipalType,
        StatusValues, TargetType,
    },
};
use refusal::{Refusal, Row};
use tenant::{AccountId, Failure, FailureName, IdentityCenter, Platform};

use crate::at_home;

/// What the instance answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "ConflictException",
        "",
        FailureName::Throttled,
        "AWS Identity Center is at work on the same account; it is tried again.",
    ),
    (
        "ServiceQuotaExceededException",
        "",
        FailureName::Throttled,
        "AWS Identity Center has no room at present; it is tried again.",
    ),
    (
        "ResourceNotFoundException",
        "ermission",
        FailureName::Blocked,
        "A permission set of the role does not exist. Ask Landfall's operators to mend what the role may do.",
    ),
    (
        "ResourceNotFoundException",
        "",
        FailureName::NotReady,
        "AWS Identity Center does not know the account or the group yet; it is tried again.",
    ),
    (
        "ValidationException",
        "",
        FailureName::Blocked,
        "AWS Identity Center does not accept the platform's settings. Ask Landfall's operators to mend them.",
    ),
];

/// A group and what it is assigned, in one account.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Assignment {
    /// The group's id.
    pub group: String,
    /// The permission set's ARN.
    pub permission_set: String,
}

/// What AWS works on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// An assignment is made.
    Assign,
    /// An assignment is taken away.
    Unassign,
}

/// How far AWS came with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It works on it.
    Running,
    /// It is done.
    Succeeded(Assignment),
    /// It gave up, and why.
    Failed(Assignment, String),
    /// It does not know the request, or no longer.
    Unknown,
}

/// An open conversation with an instance of Identity Center.
#[derive(Clone, Debug)]
pub struct Assignments {
    client: Client,
    instance: String,
}

impl Assignments {
    /// A conversation in this session of the management account.
    #[must_use]
    pub fn new(session: &SdkConfig, platform: &Platform, center: &IdentityCenter) -> Self {
        let client = Client::new(&at_home(session, platform, center));
        Self { client, instance: center.instance_arn.clone() }
    }

    /// The id of the instance's identity store, if there is such an instance.
    pub async fn identity_store(&self) -> Result<Option<String>, Failure> {
        let mut pages = self.client.list_instances().into_paginator().items().send();
        while let Some(found) = pages.next().await {
            let found =
                found.map_err(|error| Refusal::of("sso:ListInstances", &error).failure(TABLE))?;
            if found.instance_arn.as_ref() == Some(&self.instance) {
                return Ok(found.identity_store_id);
            }
        }
        Ok(None)
    }

    /// Whether there is such a permission set.
    pub async fn has_permission_set(&self, arn: &str) -> Result<bool, Failure> {
        let answer = self
            .client
            .describe_permission_set()
            .instance_arn(&self.instance)
            .permission_set_arn(arn)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) => {
                let refusal = Refusal::of("sso:DescribePermissionSet", &error);
                let missing = refusal.is(&["ResourceNotFoundException"]);
                if missing { Ok(false) } else { Err(refusal.failure(TABLE)) }
            }
        }
    }

    /// The permission sets that a group is assigned in an account.
    pub async fn of_group(
        &self,
        account: &AccountId,
        group: &str,
    ) -> Result<BTreeSet<String>, Failure> {
        let filter = ListAccountAssignmentsFilter::builder().account_id(account.as_str()).build();
        let mut pages = self
            .client
            .list_account_assignments_for_principal()
            .instance_arn(&self.instance)
            .principal_type(PrincipalType::Group)
            .principal_id(group)
            .filter(filter)
            .into_paginator()
            .items()
            .send();
        let mut found = BTreeSet::new();
        while let Some(one) = pages.next().await {
            match one {
                Ok(one) => found.extend(one.permission_set_arn),
                Err(error) => {
                    let refusal = Refusal::of("sso:ListAccountAssignmentsForPrincipal", &error);
                    // A group that is just made has no assignments that could be known.
                    if refusal.is(&["ResourceNotFoundException"]) {
                        return Ok(found);
                    }
                    return Err(refusal.failure(TABLE));
                }
            }
        }
        Ok(found)
    }

    /// Asks for an assignment; the answer is the request's id.
    pub async fn assign(
        &self,
        account: &AccountId,
        assignment: &Assignment,
    ) -> Result<String, Failure> {
        let answer = self
            .client
            .create_account_assignment()
            .instance_arn(&self.instance)
            .target_type(TargetType::AwsAccount)
            .target_id(account.as_str())
            .permission_set_arn(&assignment.permission_set)
            .principal_type(PrincipalType::Group)
            .principal_id(&assignment.group)
            .send()
            .await
            .map_err(|error| Refusal::of("sso:CreateAccountAssignment", &error).failure(TABLE))?;
        request(answer.account_assignment_creation_status, "sso:CreateAccountAssignment")
    }

    /// Asks for an assignment to be taken away; the answer is the request's id, or none if there is no such assignment.
    pub async fn unassign(
        &self,
        account: &AccountId,
        assignment: &Assignment,
    ) -> Result<Option<String>, Failure> {
        let answer = self
            .client
            .delete_account_assignment()
            .instance_arn(&self.instance)
            .target_type(TargetType::AwsAccount)
            .target_id(account.as_str())
            .permission_set_arn(&assignment.permission_set)
            .principal_type(PrincipalType::Group)
            .principal_id(&assignment.group)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                request(answer.account_assignment_deletion_status, "sso:DeleteAccountAssignment")
                    .map(Some)
            }
            Err(error) => {
                let refusal = Refusal::of("sso:DeleteAccountAssignment", &error);
                let missing = refusal.is(&["ResourceNotFoundException"]);
                if missing { Ok(None) } else { Err(refusal.failure(TABLE)) }
            }
        }
    }

    /// How far AWS came with a request.
    pub async fn progress(&self, operation: Operation, id: &str) -> Result<Progress, Failure> {
        let (client, instance) = (&self.client, &self.instance);
        let status = match operation {
            Operation::Assign => {
                let answer = client
                    .describe_account_assignment_creation_status()
                    .instance_arn(instance)
                    .account_assignment_creation_request_id(id)
                    .send()
                    .await;
                answer.map(|answer| answer.account_assignment_creation_status).map_err(|error| {
                    Refusal::of("sso:DescribeAccountAssignmentCreationStatus", &error)
                })
            }
            Operation::Unassign => {
                let answer = client
                    .describe_account_assignment_deletion_status()
                    .instance_arn(instance)
                    .account_assignment_deletion_request_id(id)
                    .send()
                    .await;
                answer.map(|answer| answer.account_assignment_deletion_status).map_err(|error| {
                    Refusal::of("sso:DescribeAccountAssignmentDeletionStatus", &error)
                })
            }
        };
        match status {
            Ok(status) => Ok(status.map_or(Progress::Unknown, progress)),
            Err(refusal) if refusal.is(&["ResourceNotFoundException"]) => Ok(Progress::Unknown),
            Err(refusal) => Err(refusal.failure(TABLE)),
        }
    }
}

fn progress(status: AccountAssignmentOperationStatus) -> Progress {
    let (Some(group), Some(permission_set)) = (status.principal_id, status.permission_set_arn)
    else {
        return Progress::Unknown;
    };
    let assignment = Assignment { group, permission_set };
    match status.status {
        Some(StatusValues::Succeeded) => Progress::Succeeded(assignment),
        Some(StatusValues::Failed) => {
            let reason = status.failure_reason.unwrap_or_else(|| "no reason was given".to_owned());
            Progress::Failed(assignment, reason)
        }
        _ => Progress::Running,
    }
}

fn request(
    status: Option<AccountAssignmentOperationStatus>,
    operation: &str,
) -> Result<String, Failure> {
    let id = status.and_then(|status| status.request_id);
    id.ok_or_else(|| Failure::transient(format!("{operation} gave no request id")))
}
