//! What the gateway itself has to know of a call that had its effect.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Uri};
use serde_json::json;

use crate::call::Call;
use crate::error::Error;
use crate::events;
use crate::gateway::Gateway;
use crate::lineage::Lineage;
use crate::moto::{Answer, signed_for};
use crate::operation::Operation;

/// Notes sessions taken, events put, writes made, and what was deployed.
pub async fn register(gateway: &Arc<Gateway>, call: &Call, answer: &Answer) {
    let service = call.scope.service.as_str();
    let account = &call.principal.account;
    if call.operation.action == "sts:AssumeRole" {
        let form = String::from_utf8_lossy(&call.body);
        let answer = String::from_utf8_lossy(answer.body());
        gateway.identity.assumed(&gateway.moto, &call.principal, &form, &answer).await;
    }
    if call.operation.action == "events:PutEvents" {
        events::put_entries(gateway, account, &call.scope, &call.body, answer);
    }
    if call.operation.write {
        gateway.staleness.written(account, service, gateway.clock.now());
        if matches!(service, "cloudformation" | "iam" | "organizations" | "sso") {
            gateway.judge.expire(gateway.clock.now());
        }
    }
    if deploys(service, &call.operation)
        && let Err(error) = gateway.refresh().await
    {
        tracing::warn!(%error, "what is deployed can't be read");
    }
}

/// Whether an operation may change what runs in the gateway.
fn deploys(service: &str, operation: &Operation) -> bool {
    const RUNS: [&str; 5] =
        ["PutEvents", "SendTask", "StartExecution", "StartSyncExecution", "StopExecution"];
    // What stack sets deploy comes later, and is seen when an event asks for it.
    let later = operation.name.contains("StackSet") || operation.name.contains("StackInstances");
    operation.write
        && !later
        && matches!(service, "cloudformation" | "lambda" | "events" | "states" | "apigateway")
        && !RUNS.iter().any(|prefix| operation.name.starts_with(prefix))
}

/// Aborts the execution in which a machine invokes a function.
pub async fn abort(gateway: &Gateway, machine: &str, lineage: &Lineage) {
    let deployment = gateway.deployment();
    let machine = deployment.state_machines.iter().find(|known| known.name == machine);
    let (Some(machine), Some(tenant), Some(run)) = (machine, &lineage.tenant, lineage.run) else {
        tracing::warn!(?lineage, "there is no such execution to abort");
        return;
    };
    let execution = machine.arn.replacen(":stateMachine:", ":execution:", 1);
    if let Err(error) = stop(gateway, &format!("{execution}:{tenant}-{run}")).await {
        tracing::warn!(%error, "an execution can't be aborted");
    }
}

async fn stop(gateway: &Gateway, execution: &str) -> Result<(), Error> {
    let region = execution.split(':').nth(3).unwrap_or("eu-central-1");
    let mut headers = signed_for("states", region, "application/x-amz-json-1.0")?;
    headers.insert("x-amz-target", HeaderValue::from_static("AWSStepFunctions.StopExecution"));
    let request = json!({"executionArn": execution, "error": "Sandbox.Aborted",
                         "cause": "An injected fault."});
    let body = Bytes::from(request.to_string());
    let root = Uri::from_static("/");
    let answer = gateway.moto.forward(&Method::POST, &root, &headers, body).await?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(Error::Moto(String::from_utf8_lossy(answer.body()).into_owned()))
    }
}
