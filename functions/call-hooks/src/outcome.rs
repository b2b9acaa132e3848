//! What a call of a hook came to, by the error that the state machine caught.
//!
//! Step Functions names what went wrong on the way `Lambda.…`, `StepFunctions.…`, `EventBridge.…` or `States.…`, and
//! hands through what a function itself raised under the function's own name for it.

use serde::{Deserialize, Serialize};
use tenant::{Failure, FailureName, Hook, HookTarget};

/// An error as a state machine catches it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Caught {
    /// The error's name.
    pub error: String,
    /// What is known about it.
    pub cause: String,
}

/// Nothing, a warning about what the hook itself did, or why it could not be called.
pub(crate) fn judge(hook: &Hook, caught: &Caught) -> Result<Option<String>, Failure> {
    let Caught { error, cause } = caught;
    let on_the_way = ["Lambda.", "StepFunctions.", "EventBridge.", "States."];
    // A function that ended without an answer was called.
    let own = error == "Lambda.Unknown"
        || error == "States.Timeout"
        || !on_the_way.iter().any(|prefix| error.starts_with(prefix));
    if own {
        // Requesters read the error's name, and not what else a function says about itself.
        let answered = match error.as_str() {
            "Lambda.Unknown" => "ended without an answer".to_owned(),
            "States.Timeout" => "did not answer in time".to_owned(),
            error => format!("answered with the error {error}"),
        };
        return Ok(Some(format!(
            "The hook {} {answered}. Ask whoever looks after it: its log says why.",
            hook.name
        )));
    }
    // The run's execution was started before: a repeated call found it.
    if error.starts_with("StepFunctions.ExecutionAlreadyExists") {
        return Ok(None);
    }
    let says =
        |words: &[&str]| words.iter().any(|word| error.contains(word) || cause.contains(word));
    let (name, why) = if says(&["AccessDenied", "NotAuthorized", "States.Permissions"]) {
        let parameter = match hook.target() {
            Some(HookTarget::StateMachine(_)) => "HookStateMachineArns",
            Some(HookTarget::EventBus(_)) => "HookEventBusArns",
            _ => "HookFunctionArns",
        };
        (
            FailureName::Blocked,
            format!(
                "Landfall may not call it. Name it in the parameter {parameter} of Landfall's stack."
            ),
        )
    } else if says(&["NotFound", "DoesNotExist"]) {
        (
            FailureName::Blocked,
            "it does not exist. Remove it from the landing zone, or make it again.".to_owned(),
        )
    } else if says(&["TooManyRequests", "Throttl", "ExecutionLimitExceeded"]) {
        (FailureName::Throttled, "AWS asked for a slower pace; it is tried again.".to_owned())
    } else if says(&[
        "ServiceException",
        "SdkClientException",
        "AWSLambdaException",
        "ClientExecutionTimeout",
        "InternalFailure",
        "InternalException",
        "FailedEntry",
    ]) {
        (FailureName::Transient, "AWS did not answer as expected; it is tried again.".to_owned())
    } else {
        (
            FailureName::Blocked,
            "AWS does not take the call. Ask the foundation's operators.".to_owned(),
        )
    };
    Err(Failure::new(
        name,
        format!("The hook {} can't be called: {why}", hook.name),
        format!("{error}: {cause}"),
    ))
}
