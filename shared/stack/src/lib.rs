//! Talks to CloudFormation about an account's own stacks.

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::{
    Client,
    error::ProvideErrorMetadata,
    types::{Capability, Parameter, Tag},
};
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName};

/// What CloudFormation answers, and who acts next.
const TABLE: &[Row] = &[
    (
        "AccessDenied",
        "",
        FailureName::Blocked,
        "Landfall may not make stacks in this account any more: it needs widening by a person. Ask the foundation's operators.",
    ),
    (
        "AccessDeniedException",
        "",
        FailureName::Blocked,
        "Landfall may not make stacks in this account any more: it needs widening by a person. Ask the foundation's operators.",
    ),
    (
        "LimitExceededException",
        "",
        FailureName::Blocked,
        "The account has as many stacks as it may. Ask the foundation's operators.",
    ),
    (
        "OperationInProgressException",
        "",
        FailureName::Throttled,
        "Another change works on the stack; it is tried again.",
    ),
    (
        "ValidationError",
        "_IN_PROGRESS state",
        FailureName::Throttled,
        "Another change works on the stack; it is tried again.",
    ),
    (
        "ValidationError",
        "",
        FailureName::Blocked,
        "The landing zone's access stack has a template or parameters that are not accepted. Ask the foundation's operators.",
    ),
    (
        "InsufficientCapabilitiesException",
        "",
        FailureName::Blocked,
        "The landing zone's access stack has a template that is not accepted. Ask the foundation's operators.",
    ),
];

/// An open conversation with CloudFormation in one account and Region.
#[derive(Clone, Debug)]
pub struct Stacks {
    client: Client,
}

/// How a stack stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// CloudFormation works on it.
    Working,
    /// It is as it was asked for last, or as before an update that failed.
    Settled,
    /// It is of no use: it can only be deleted.
    Broken,
}

/// A stack as CloudFormation describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// How it stands.
    pub condition: Condition,
    /// Its status in CloudFormation's words, and why.
    pub status: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A stack as it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its template is.
    pub template_url: &'a str,
    /// Its parameters.
    pub parameters: &'a BTreeMap<String, String>,
    /// Its tags.
    pub tags: &'a BTreeMap<String, String>,
    /// Makes asking twice harmless.
    pub token: &'a str,
}

impl Stacks {
    /// A conversation in this session, in this Region.
    #[must_use]
    pub fn new(session: &SdkConfig, region: &str) -> Self {
        let session = session.to_builder().region(Region::new(region.to_owned())).build();
        Self { client: Client::new(&session) }
    }

    /// A stack, or none of this name.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, Failure> {
        match self.client.describe_stacks().stack_name(name).send().await {
            Ok(answer) => Ok(answer.stacks.unwrap_or_default().pop().map(|stack| {
                let status =
                    stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                let reason = stack.stack_status_reason.unwrap_or_default();
                Stack {
                    condition: condition(&status),
                    status: format!("{status} {reason}").trim_end().to_owned(),
                    parameters: stack
                        .parameters
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|one| Some((one.parameter_key?, one.parameter_value?)))
                        .collect(),
                    tags: stack
                        .tags
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|tag| Some((tag.key?, tag.value?)))
                        .collect(),
                }
            })),
            Err(error)
                if error.code() == Some("ValidationError")
                    && error
                        .message()
                        .is_some_and(|message| message.contains("does not exist")) =>
            {
                Ok(None)
            }
            Err(error) => Err(Refusal::of("cloudformation:DescribeStacks", &error).failure(TABLE)),
        }
    }

    /// Why a stack failed, by the first of its resources that did in its last operation.
    pub async fn failed_resource(&self, name: &str) -> Result<Option<String>, Failure> {
        let answer = self.client.describe_stack_events().stack_name(name).send().await;
        let answer = answer.map_err(|error| {
            Refusal::of("cloudformation:DescribeStackEvents", &error).failure(TABLE)
        })?;
        let mut first = None;
        for event in answer.stack_events.unwrap_or_default() {
            let status = event.resource_status.map(|status| status.as_str().to_owned());
            let status = status.unwrap_or_default();
            let reason = event.resource_status_reason.unwrap_or_default();
            if status.ends_with("_FAILED") && !reason.contains("cancelled") {
                let resource = event.logical_resource_id.unwrap_or_default();
                first = Some(format!("{resource}: {reason}"));
            }
            if reason == "User Initiated" {
                break;
            }
        }
        Ok(first)
    }

    /// Starts to make a stack. That it is there already counts as started.
    pub async fn create(&self, wanted: &Wanted<'_>) -> Result<(), Failure> {
        let answer = self
            .client
            .create_stack()
            .stack_name(wanted.name)
            .template_url(wanted.template_url)
            .set_parameters(Some(wanted.parameters()))
            .set_tags(Some(wanted.tags()))
            .capabilities(Capability::CapabilityNamedIam)
            .capabilities(Capability::CapabilityAutoExpand)
            .client_request_token(wanted.token)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("AlreadyExistsException") => Ok(()),
            Err(error) => Err(Refusal::of("cloudformation:CreateStack", &error).failure(TABLE)),
        }
    }

    /// Starts to update a stack. That nothing is to be updated counts as started.
    pub async fn update(&self, wanted: &Wanted<'_>) -> Result<(), Failure> {
        let answer = self
            .client
            .update_stack()
            .stack_name(wanted.name)
            .template_url(wanted.template_url)
            .set_parameters(Some(wanted.parameters()))
            .set_tags(Some(wanted.tags()))
            .capabilities(Capability::CapabilityNamedIam)
            .capabilities(Capability::CapabilityAutoExpand)
            .client_request_token(wanted.token)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.message().is_some_and(|message| message.contains("No updates")) => {
                Ok(())
            }
            Err(error) => Err(Refusal::of("cloudformation:UpdateStack", &error).failure(TABLE)),
        }
    }

    /// Starts to delete a stack. That there is none counts as started.
    pub async fn delete(&self, name: &str, token: &str) -> Result<(), Failure> {
        self.client
            .delete_stack()
            .stack_name(name)
            .client_request_token(token)
            .send()
            .await
            .map_err(|error| Refusal::of("cloudformation:DeleteStack", &error).failure(TABLE))?;
        Ok(())
    }
}

impl Wanted<'_> {
    fn parameters(&self) -> Vec<Parameter> {
        self.parameters
            .iter()
            .map(|(key, value)| {
                Parameter::builder().parameter_key(key).parameter_value(value).build()
            })
            .collect()
    }

    fn tags(&self) -> Vec<Tag> {
        self.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }
}

fn condition(status: &str) -> Condition {
    match status {
        // A change set that nobody executed: there are no resources.
        "REVIEW_IN_PROGRESS" => Condition::Broken,
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Condition::Settled,
        working if working.ends_with("_IN_PROGRESS") => Condition::Working,
        _ => Condition::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_never_was_can_only_be_deleted() {
        for (status, expected) in [
            ("CREATE_IN_PROGRESS", Condition::Working),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Condition::Working),
            ("DELETE_IN_PROGRESS", Condition::Working),
            ("CREATE_COMPLETE", Condition::Settled),
            ("UPDATE_ROLLBACK_COMPLETE", Condition::Settled),
            ("ROLLBACK_COMPLETE", Condition::Broken),
            ("ROLLBACK_FAILED", Condition::Broken),
            ("CREATE_FAILED", Condition::Broken),
            ("DELETE_FAILED", Condition::Broken),
            ("UPDATE_ROLLBACK_FAILED", Condition::Broken),
            ("REVIEW_IN_PROGRESS", Condition::Broken),
        ] {
            assert_eq!(condition(status), expected, "{status}");
        }
    }
}
