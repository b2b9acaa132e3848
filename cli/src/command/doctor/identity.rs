//! Roles and control policies as they are, ready to be asked.

use aws_config::SdkConfig;
use aws_sdk_iam::error::ProvideErrorMetadata as _;
use aws_sdk_organizations::types::PolicyType;
use percent_encoding::percent_decode_str;
use policy::{Caller, Context, Decision, Document, Layers, Request, decide};
use refusal::Refusal;
use serde_json::{Value, json};

use super::Unanswered;

/// A role with all that is attached to it.
#[derive(Debug)]
pub struct Role {
    /// Its ARN, path included.
    pub arn: String,
    /// Whom it trusts.
    pub trust: Value,
    identity: Vec<Document>,
    boundary: Option<Vec<Document>>,
}

/// One action on one resource, by a session of some role.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// The ARN of the role.
    pub role: &'a str,
    /// The IAM action.
    pub action: &'a str,
    /// The resource's ARN, or `*`.
    pub resource: &'a str,
    /// The organization of both.
    pub organization: &'a str,
    /// Condition keys besides the usual ones.
    pub context: &'a Context,
}

impl Role {
    /// Reads a role; none if there is none of this name.
    pub async fn read(account: &SdkConfig, name: &str) -> Result<Option<Self>, Unanswered> {
        let iam = aws_sdk_iam::Client::new(account);
        let role = match iam.get_role().role_name(name).send().await {
            Ok(answer) => answer.role,
            Err(error) if error.code() == Some("NoSuchEntity") => None,
            Err(error) => return Err(Refusal::of("iam:GetRole", &error).into()),
        };
        let Some(role) = role else { return Ok(None) };
        let mut identity = Vec::new();
        let mut inline = iam.list_role_policies().role_name(name).into_paginator().items().send();
        while let Some(policy) = inline.next().await {
            let policy = policy.map_err(|error| Refusal::of("iam:ListRolePolicies", &error))?;
            let answer = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
            let answer = answer.map_err(|error| Refusal::of("iam:GetRolePolicy", &error))?;
            identity.push(document(&decoded(&answer.policy_document))?);
        }
        let mut attached =
            iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
        while let Some(policy) = attached.next().await {
            let policy =
                policy.map_err(|error| Refusal::of("iam:ListAttachedRolePolicies", &error))?;
            identity.push(managed(&iam, policy.policy_arn().unwrap_or_default()).await?);
        }
        let bounding = role
            .permissions_boundary
            .as_ref()
            .and_then(|boundary| boundary.permissions_boundary_arn.as_deref());
        let boundary = match bounding {
            Some(arn) => Some(vec![managed(&iam, arn).await?]),
            None => None,
        };
        let trust = role.assume_role_policy_document().unwrap_or_default();
        Ok(Some(Self { trust: decoded(trust), arn: role.arn, identity, boundary }))
    }

    /// Whether the role's policies, under these control policies, allow what a session of it does.
    ///
    /// A role that is to be taken is supposed to trust the account; whether it does is its own account's to say.
    pub fn may(&self, deed: &Deed, scps: &[Vec<Document>]) -> Result<bool, Unanswered> {
        let trust = document(&json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Principal": {"AWS": account_of(&self.arn)}, "Action": "sts:AssumeRole"
            }
        }))?;
        let resource = Some(&trust).filter(|_| deed.action == "sts:AssumeRole");
        Ok(allowed(deed, &self.identity, self.boundary.as_deref(), scps, resource))
    }

    /// Whether the role lets a session of another role in that may take any role.
    pub fn lets_in(&self, deed: &Deed) -> Result<bool, Unanswered> {
        let trust = document(&self.trust)?;
        Ok(allowed(deed, &[everything()?], None, &[], Some(&trust)))
    }

    /// The values of `sts:ExternalId` that the trust names.
    pub fn external_ids(&self) -> Vec<String> {
        external_ids(&self.trust)
    }
}

/// Whether an administrator may do something that only control policies could deny.
pub fn administrator_may(deed: &Deed, scps: &[Vec<Document>]) -> Result<bool, Unanswered> {
    Ok(allowed(deed, &[everything()?], None, scps, None))
}

fn allowed(
    deed: &Deed,
    identity: &[Document],
    boundary: Option<&[Document]>,
    scps: &[Vec<Document>],
    resource: Option<&Document>,
) -> bool {
    let account = account_of(deed.role);
    let resource_account = Some(account_of(deed.resource)).filter(|id| !id.is_empty());
    let name = deed.role.rsplit('/').next().unwrap_or_default();
    let partition = deed.role.split(':').nth(1).unwrap_or("aws");
    let caller = Caller::Session {
        arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/doctor"),
        role_arn: deed.role.to_owned(),
        account: account.to_owned(),
    };
    let mut context = Context::default()
        .with("aws:PrincipalArn", deed.role)
        .with("aws:PrincipalAccount", account)
        .with("aws:PrincipalOrgID", deed.organization)
        .with("aws:ResourceOrgID", deed.organization)
        .with("aws:ResourceAccount", resource_account.unwrap_or(account));
    context.extend(deed.context);
    // A StackSet of the management account has no policy: the delegation lets its administrator in.
    let own = resource_account.filter(|_| !deed.resource.contains(":stackset/"));
    let layers = Layers {
        identity,
        boundary,
        session: None,
        scps,
        rcps: &[],
        resource,
        resource_account: own.unwrap_or(account),
    };
    let request = Request {
        caller: &caller,
        action: deed.action,
        resource: deed.resource,
        context: &context,
    };
    decide(&layers, &request) == Decision::Allowed
}

/// The service control policies over an account or a unit, from itself up to the root.
pub async fn control_policies(
    management: &SdkConfig,
    target: &str,
) -> Result<Vec<Vec<Document>>, Unanswered> {
    let organizations = aws_sdk_organizations::Client::new(management);
    let mut levels = Vec::new();
    let mut next = Some(target.to_owned());
    while let Some(target) = next {
        let mut pages = organizations
            .list_policies_for_target()
            .target_id(&target)
            .filter(PolicyType::ServiceControlPolicy)
            .into_paginator()
            .send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| Refusal::of("organizations:ListPoliciesForTarget", &error))?;
            let policies = page.policies().iter().filter_map(|policy| policy.id());
            ids.extend(policies.map(ToOwned::to_owned));
        }
        let mut level = Vec::new();
        for id in ids {
            let answer = organizations.describe_policy().policy_id(id).send().await;
            let answer =
                answer.map_err(|error| Refusal::of("organizations:DescribePolicy", &error))?;
            let content = answer.policy().and_then(|policy| policy.content()).unwrap_or_default();
            level.push(document(&decoded(content))?);
        }
        levels.push(level);
        next = if target.starts_with("r-") {
            None
        } else {
            let answer = organizations.list_parents().child_id(&target).send().await;
            let answer =
                answer.map_err(|error| Refusal::of("organizations:ListParents", &error))?;
            answer.parents().first().and_then(|parent| parent.id()).map(ToOwned::to_owned)
        };
    }
    Ok(levels)
}

async fn managed(iam: &aws_sdk_iam::Client, arn: &str) -> Result<Document, Unanswered> {
    let answer = iam.get_policy().policy_arn(arn).send().await;
    let answer = answer.map_err(|error| Refusal::of("iam:GetPolicy", &error))?;
    let version = answer.policy().and_then(|policy| policy.default_version_id()).unwrap_or("v1");
    let answer = iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
    let answer = answer.map_err(|error| Refusal::of("iam:GetPolicyVersion", &error))?;
    document(&decoded(
        answer.policy_version().and_then(|version| version.document()).unwrap_or_default(),
    ))
}

fn everything() -> Result<Document, Unanswered> {
    document(&json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}
    }))
}

fn document(value: &Value) -> Result<Document, Unanswered> {
    Document::parse(value).map_err(|error| Unanswered(format!("a policy can't be read: {error}")))
}

/// A document as IAM gives it, percent-encoded or plain.
fn decoded(text: &str) -> Value {
    serde_json::from_str(&percent_decode_str(text).decode_utf8_lossy())
        .or_else(|_| serde_json::from_str(text))
        .unwrap_or_default()
}

fn external_ids(trust: &Value) -> Vec<String> {
    let statements = trust["Statement"].as_array().into_iter().flatten();
    let mut ids: Vec<String> = statements
        .flat_map(|statement| match &statement["Condition"]["StringEquals"]["sts:ExternalId"] {
            Value::Array(values) => values.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        })
        .filter_map(|value| value.as_str().map(ToOwned::to_owned))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The account in an ARN; empty if it names none.
pub fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_is_read_encoded_or_plain_with_one_external_id_or_two() {
        let one = "%7B%22Statement%22%3A%5B%7B%22Condition%22%3A%7B%22StringEquals%22%3A%7B%22sts%3AExternalId%22%3A%22x-1%22%7D%7D%7D%5D%7D";
        assert_eq!(external_ids(&decoded(one)), ["x-1"]);
        let two =
            r#"{"Statement": [{"Condition": {"StringEquals": {"sts:ExternalId": ["y", "x"]}}}]}"#;
        assert_eq!(external_ids(&decoded(two)), ["x", "y"]);
        assert_eq!(external_ids(&Value::Null), [""; 0]);
    }
}
