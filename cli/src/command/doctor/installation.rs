//! Landfall itself: functions, concurrency, stack sets, API.

use aws_sdk_iam::error::ProvideErrorMetadata as _;
use refusal::Refusal;
use tenant::Platform;

use super::{Check, Patient, Unanswered, listed};

/// The fewest functions that must be able to run at once.
const LEAST_CONCURRENCY: i32 = 50;
/// The StackSet that carries what Landfall may do in an account for ever.
const ACCESS: &str = "landfall-access";
/// What it says in this release.
const ACCESS_TEMPLATE: &str = include_str!("../../../../infra/stacksets/landfall-access.yaml");

/// The functions are deployed.
pub async fn functions(patient: &Patient) -> Result<Check, Unanswered> {
    let client = aws_sdk_lambda::Client::new(&patient.automation);
    let mut functions = client.list_functions().into_paginator().items().send();
    let prefix = format!("{}-", patient.stack);
    let mut count = 0;
    while let Some(function) = functions.next().await {
        let function = function.map_err(|error| Refusal::of("lambda:ListFunctions", &error))?;
        count +=
            usize::from(function.function_name().is_some_and(|name| name.starts_with(&prefix)));
    }
    Ok(Check::when(
        "functions",
        count > 0,
        format!("{count} functions of stack {} in {}", patient.stack, patient.region),
        "Deploy Landfall in the automation account (docs/DEPLOY.md, 1), or name its --stack and --automation-profile.",
    ))
}

/// Enough functions can run at once.
pub async fn concurrency(patient: &Patient) -> Result<Check, Unanswered> {
    let answer =
        aws_sdk_lambda::Client::new(&patient.automation).get_account_settings().send().await;
    let answer = answer.map_err(|error| Refusal::of("lambda:GetAccountSettings", &error))?;
    let most = answer
        .account_limit
        .and_then(|limit| limit.unreserved_concurrent_executions)
        .unwrap_or_default();
    Ok(Check::when(
        "concurrency",
        most >= LEAST_CONCURRENCY,
        format!("{most} functions can run at once"),
        format!(
            "At least {LEAST_CONCURRENCY} are wanted: ask AWS for a higher quota of concurrent executions."
        ),
    ))
}

/// The StackSet that every account needs is there.
pub async fn stack_sets(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "stack sets";
    let client = aws_sdk_cloudformation::Client::new(&patient.automation);
    match client.describe_stack_set().stack_set_name(ACCESS).send().await {
        Ok(answer) => {
            let deployed = answer.stack_set().and_then(|set| set.template_body());
            let same = deployed.is_none_or(|body| body.trim() == ACCESS_TEMPLATE.trim());
            Ok(Check::when(
                CHECK,
                same,
                format!("{ACCESS} {} of this release", if same { "is" } else { "is not" }),
                "Update it, so that every account gets what this release needs (docs/DEPLOY.md, Updating).",
            ))
        }
        Err(error) if error.code() == Some("StackSetNotFoundException") => Ok(Check::failing(
            CHECK,
            format!("{ACCESS} is missing in the automation account"),
            "Create it from infra/stacksets/landfall-access.yaml (docs/DEPLOY.md, 3).",
        )),
        Err(error) => Err(Refusal::of("cloudformation:DescribeStackSet", &error).into()),
    }
}

/// No event waits that could not be delivered or handled.
pub async fn letters(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "dead letters";
    // Without the API its own check says so.
    let Some(api) = &patient.api else {
        let remedy = "Set LANDFALL_API, and repeat.";
        return Ok(Check::advice(CHECK, "it is not known whether any wait", remedy));
    };
    let letters = api.letters().await.map_err(|trouble| Unanswered(trouble.to_string()))?;
    Ok(match letters.waiting {
        0 => Check::ok(CHECK, "none wait"),
        waiting => Check::advice(
            CHECK,
            format!("{waiting} wait: events that could not be delivered or handled"),
            "`landfall get letters` says which and why; then `landfall redrive` or `landfall discard` (docs/RUNBOOK.md, DeadLettersWaiting).",
        ),
    })
}

/// The API answers these credentials.
pub async fn api(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "API";
    let remedy = "Set LANDFALL_API to the stack's output `Api`, and let these credentials call it.";
    let Some(api) = &patient.api else {
        return Ok(Check::failing(CHECK, "it is not known where it is", remedy));
    };
    Ok(match api.configs::<Platform>().await {
        Ok(platforms) => {
            let names: Vec<String> =
                platforms.into_iter().map(|platform| platform.metadata.name).collect();
            let known = if names.is_empty() {
                "no platform is applied yet".to_owned()
            } else {
                listed(&names)
            };
            Check::ok(CHECK, format!("it answers; platforms: {known}"))
        }
        Err(trouble) => Check::failing(CHECK, trouble.to_string(), remedy),
    })
}
