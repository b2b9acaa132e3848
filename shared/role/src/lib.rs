//! Talks to IAM about the roles of a member account, and its alias.

mod alias;

use aws_config::SdkConfig;
use aws_sdk_iam::{Client, error::ProvideErrorMetadata};
use percent_encoding::percent_decode_str;
use refusal::{Refusal, Row};
use serde_json::Value;
use tenant::{Failure, FailureName};

pub use alias::{Alias, Taken};

/// What IAM answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "ConcurrentModification",
        "",
        FailureName::Throttled,
        "AWS is busy with the role; it is tried again.",
    ),
    (
        "ConcurrentModificationException",
        "",
        FailureName::Throttled,
        "AWS is busy with the role; it is tried again.",
    ),
    (
        "ServiceFailure",
        "",
        FailureName::Transient,
        "AWS did not answer as expected; it is tried again.",
    ),
    (
        "NoSuchEntity",
        "",
        FailureName::Transient,
        "AWS does not know the role yet; it is tried again.",
    ),
    (
        "MalformedPolicyDocument",
        "Invalid principal",
        FailureName::Transient,
        "AWS does not know a role of the foundation yet; it is tried again.",
    ),
    (
        "MalformedPolicyDocument",
        "",
        FailureName::Defect,
        "AWS does not accept a policy of Landfall's. Its operators have been told.",
    ),
    (
        "LimitExceeded",
        "",
        FailureName::Blocked,
        "The account has reached a limit of AWS for roles and policies. Ask Landfall's operators to have it raised.",
    ),
    (
        "UnmodifiableEntity",
        "",
        FailureName::Blocked,
        "The access role belongs to AWS and can't be changed. Ask Landfall's operators to name another role in the platform.",
    ),
    (
        "AccessDenied",
        "",
        FailureName::Blocked,
        "Landfall may no longer change this role. Ask Landfall's operators to widen what it may do in the account.",
    ),
];

/// An open conversation with the IAM of one account.
#[derive(Clone, Debug)]
pub struct Roles {
    client: Client,
}

/// A role as IAM describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Who may assume it.
    pub trust: Value,
    /// Its permissions boundary.
    pub boundary: Option<String>,
}

/// A managed policy attached to a role.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Attached {
    /// The policy's name.
    pub name: String,
    /// The policy's ARN.
    pub arn: String,
}

impl Roles {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig) -> Self {
        Self { client: Client::new(session) }
    }

    /// A role, or none if there is none of this name.
    pub async fn role(&self, name: &str) -> Result<Option<Role>, Failure> {
        match self.client.get_role().role_name(name).send().await {
            Ok(answer) => {
                let Some(role) = answer.role else { return Ok(None) };
                Ok(Some(Role {
                    trust: read(role.assume_role_policy_document.as_deref().unwrap_or("{}"))?,
                    boundary: role
                        .permissions_boundary
                        .and_then(|boundary| boundary.permissions_boundary_arn),
                }))
            }
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Refusal::of("iam:GetRole", &error).failure(TABLE)),
        }
    }

    /// The managed policies of a role.
    pub async fn attached(&self, role: &str) -> Result<Vec<Attached>, Failure> {
        let mut pages = self
            .client
            .list_attached_role_policies()
            .role_name(role)
            .into_paginator()
            .items()
            .send();
        let mut attached = Vec::new();
        while let Some(policy) = pages.next().await {
            let policy = policy.map_err(|error| {
                Refusal::of("iam:ListAttachedRolePolicies", &error).failure(TABLE)
            })?;
            attached.push(Attached {
                name: policy.policy_name.unwrap_or_default(),
                arn: policy.policy_arn.unwrap_or_default(),
            });
        }
        attached.sort();
        Ok(attached)
    }

    /// The names of a role's inline policies.
    pub async fn inline(&self, role: &str) -> Result<Vec<String>, Failure> {
        let mut pages =
            self.client.list_role_policies().role_name(role).into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(name) = pages.next().await {
            names.push(
                name.map_err(|error| Refusal::of("iam:ListRolePolicies", &error).failure(TABLE))?,
            );
        }
        names.sort();
        Ok(names)
    }

    /// An inline policy's document, or none if the role has none of this name.
    pub async fn inline_document(
        &self,
        role: &str,
        policy: &str,
    ) -> Result<Option<Value>, Failure> {
        match self.client.get_role_policy().role_name(role).policy_name(policy).send().await {
            Ok(answer) => read(&answer.policy_document).map(Some),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Refusal::of("iam:GetRolePolicy", &error).failure(TABLE)),
        }
    }

    /// Makes a role. That it is there already counts as done: the next look says whether it is as wished.
    pub async fn create(
        &self,
        name: &str,
        description: &str,
        trust: &Value,
    ) -> Result<(), Failure> {
        let answer = self
            .client
            .create_role()
            .role_name(name)
            .description(description)
            .assume_role_policy_document(trust.to_string())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("EntityAlreadyExists") => Ok(()),
            Err(error) => Err(Refusal::of("iam:CreateRole", &error).failure(TABLE)),
        }
    }

    /// Says who may assume a role.
    pub async fn trust(&self, name: &str, trust: &Value) -> Result<(), Failure> {
        self.client
            .update_assume_role_policy()
            .role_name(name)
            .policy_document(trust.to_string())
            .send()
            .await
            .map_err(|error| Refusal::of("iam:UpdateAssumeRolePolicy", &error).failure(TABLE))?;
        Ok(())
    }

    /// Writes an inline policy.
    pub async fn write_inline(
        &self,
        role: &str,
        policy: &str,
        document: &Value,
    ) -> Result<(), Failure> {
        self.client
            .put_role_policy()
            .role_name(role)
            .policy_name(policy)
            .policy_document(document.to_string())
            .send()
            .await
            .map_err(|error| Refusal::of("iam:PutRolePolicy", &error).failure(TABLE))?;
        Ok(())
    }

    /// Deletes an inline policy. That it is gone already counts as done.
    pub async fn delete_inline(&self, role: &str, policy: &str) -> Result<(), Failure> {
        match self.client.delete_role_policy().role_name(role).policy_name(policy).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(Refusal::of("iam:DeleteRolePolicy", &error).failure(TABLE)),
        }
    }

    /// Attaches a managed policy. That it is attached already counts as done.
    pub async fn attach(&self, role: &str, policy: &str) -> Result<(), Failure> {
        self.client
            .attach_role_policy()
            .role_name(role)
            .policy_arn(policy)
            .send()
            .await
            .map_err(|error| Refusal::of("iam:AttachRolePolicy", &error).failure(TABLE))?;
        Ok(())
    }

    /// Detaches a managed policy. That it is gone already counts as done.
    pub async fn detach(&self, role: &str, policy_arn: &str) -> Result<(), Failure> {
        match self.client.detach_role_policy().role_name(role).policy_arn(policy_arn).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(Refusal::of("iam:DetachRolePolicy", &error).failure(TABLE)),
        }
    }

    /// Sets a role's permissions boundary.
    pub async fn bound(&self, role: &str, policy_arn: &str) -> Result<(), Failure> {
        self.client
            .put_role_permissions_boundary()
            .role_name(role)
            .permissions_boundary(policy_arn)
            .send()
            .await
            .map_err(|error| {
                Refusal::of("iam:PutRolePermissionsBoundary", &error).failure(TABLE)
            })?;
        Ok(())
    }
}

fn is_missing(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("NoSuchEntity" | "NoSuchEntityException"))
}

/// A policy document as IAM gives it: JSON, percent-encoded.
fn read(document: &str) -> Result<Value, Failure> {
    let decoded = percent_decode_str(document).decode_utf8_lossy();
    serde_json::from_str(&decoded)
        .map_err(|error| Failure::defect(format!("a policy can't be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_encoded_or_plain() {
        let plain = serde_json::json!({"Statement": [{"Resource": "arn:aws:iam::*:role/a b"}]});
        assert_eq!(read(&plain.to_string()), Ok(plain.clone()));
        let encoded = plain.to_string().replace('{', "%7B").replace(' ', "%20").replace('"', "%22");
        assert_eq!(read(&encoded), Ok(plain));
    }
}
