//! Landfall itself: functions, concurrency, roles, stack sets, API.

use aws_sdk_iam::error::ProvideErrorMetadata as _;
use refusal::Refusal;
use serde_json::Value;
use tenant::Platform;

use super::{Check, Patient, Unanswered, listed};

/// The fewest functions that must be able to run at once.
const LEAST_CONCURRENCY: i32 = 50;
/// Roles of the management account that ask for our external id.
const MANAGEMENT_ROLES: [&str; 3] = ["LandfallRead", "LandfallVend", "LandfallClose"];
/// Roles of the automation account.
const AUTOMATION_ROLES: [&str; 2] =
    ["LandfallStacks", "AWSCloudFormationStackSetAdministrationRole"];
/// The StackSet that carries what Landfall may do in an account for ever.
const ACCESS: &str = "landfall-access";

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
        "Deploy Landfall in the automation account (docs/DEPLOY.md, 2), or name its --stack and --automation-profile.",
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

/// The roles are there, let the automation account in, and ask for the external id that the functions have.
pub async fn roles(patient: &Patient) -> Result<Vec<Check>, Unanswered> {
    let function = format!("{}-intake", patient.stack);
    let configuration = aws_sdk_lambda::Client::new(&patient.automation)
        .get_function_configuration()
        .function_name(function)
        .send();
    let configuration = configuration
        .await
        .map_err(|error| Refusal::of("lambda:GetFunctionConfiguration", &error))?;
    let environment = configuration.environment().and_then(|environment| environment.variables());
    let external_id =
        environment.and_then(|variables| variables.get("LANDFALL_EXTERNAL_ID")).cloned();
    let account = configuration
        .function_arn()
        .and_then(|arn| arn.split(':').nth(4))
        .unwrap_or_default()
        .to_owned();
    let mut checks = Vec::new();
    for role in MANAGEMENT_ROLES {
        let trust = trust(&patient.management, role).await?;
        let remedy = "Deploy infra/accounts/management.yaml with this AutomationAccountId and the stack's ExternalId.";
        let (good, found) = match &trust {
            None => (false, format!("{role} is missing in the management account")),
            Some(trust) if !principals(trust).contains(&account) => {
                (false, format!("{role} does not trust the automation account {account}"))
            }
            Some(trust)
                if external_ids(trust) != external_id.iter().cloned().collect::<Vec<_>>() =>
            {
                (false, format!("{role} asks for another ExternalId than the functions have"))
            }
            Some(_) => {
                (true, format!("{role} trusts account {account} with the functions' ExternalId"))
            }
        };
        checks.push(Check::when("role", good, found, remedy));
    }
    for role in AUTOMATION_ROLES {
        let there = trust(&patient.automation, role).await?.is_some();
        let found = format!(
            "{role} is {} in the automation account",
            if there { "there" } else { "missing" }
        );
        checks.push(Check::when("role", there, found, "Deploy Landfall's stack again."));
    }
    Ok(checks)
}

/// A role's trust policy; none if there is no such role.
async fn trust(account: &aws_config::SdkConfig, role: &str) -> Result<Option<Value>, Unanswered> {
    match aws_sdk_iam::Client::new(account).get_role().role_name(role).send().await {
        Ok(answer) => {
            let written = answer
                .role()
                .and_then(|role| role.assume_role_policy_document())
                .unwrap_or_default();
            Ok(serde_json::from_str(&decoded(written)).ok().or(Some(Value::Null)))
        }
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
        Err(error) => Err(Refusal::of("iam:GetRole", &error).into()),
    }
}

/// IAM answers policies percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte =
            code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// All principals of a trust policy, as one text.
fn principals(trust: &Value) -> String {
    let statements = trust["Statement"].as_array().cloned().unwrap_or_default();
    statements.iter().map(|statement| statement["Principal"].to_string()).collect()
}

fn external_ids(trust: &Value) -> Vec<String> {
    let statements = trust["Statement"].as_array().into_iter().flatten();
    let mut ids: Vec<String> = statements
        .filter_map(|statement| statement["Condition"]["StringEquals"]["sts:ExternalId"].as_str())
        .map(ToOwned::to_owned)
        .collect();
    ids.dedup();
    ids
}

/// The StackSet that every account needs is there.
pub async fn stack_sets(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "stack sets";
    let client = aws_sdk_cloudformation::Client::new(&patient.automation);
    match client.describe_stack_set().stack_set_name(ACCESS).send().await {
        Ok(_) => Ok(Check::ok(CHECK, format!("{ACCESS} is there"))),
        Err(error) if error.code() == Some("StackSetNotFoundException") => Ok(Check::failing(
            CHECK,
            format!("{ACCESS} is missing in the automation account"),
            "Create it from infra/stacksets/landfall-access.yaml (docs/DEPLOY.md, 3).",
        )),
        Err(error) => Err(Refusal::of("cloudformation:DescribeStackSet", &error).into()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_tells_whom_it_trusts_and_what_it_asks_for() {
        let written = "%7B%22Statement%22%3A%5B%7B%22Principal%22%3A%7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Aroot\
                       %22%7D%2C%22Condition%22%3A%7B%22StringEquals%22%3A%7B%22sts%3AExternalId%22%3A%22x-1%22%7D%7D%7D%5D%7D";
        let trust: Value = serde_json::from_str(&decoded(written)).expect("a policy");
        assert!(principals(&trust).contains("123456789012"));
        assert_eq!(external_ids(&trust), ["x-1"]);
        assert_eq!(decoded("{\"a\": \"100%\"}"), "{\"a\": \"100%\"}");
    }
}
