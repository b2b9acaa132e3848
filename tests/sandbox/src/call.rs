//! The way of an AWS call: attribute, inject, decide, pass on, register its effects, log.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;

use crate::clock::{timestamp, wall};
use crate::events;
use crate::faults::{Fault, Kind};
use crate::gateway::{Dropped, Gateway, unreachable_moto};
use crate::identity::{Origin, Principal};
use crate::lambda::instance::Instance;
use crate::lambda::{self, invoke};
use crate::lineage::Lineage;
use crate::log::Entry;
use crate::moto::Answer;
use crate::operation::Operation;
use crate::wire::{self, Scope};

/// A call on its way.
struct Call {
    parts: Parts,
    scope: Scope,
    body: Bytes,
    operation: Operation,
    principal: Principal,
    lineage: Lineage,
    occurrence: u32,
    fault: Option<Fault>,
}

/// Answers an AWS call, or drops it when a fault says so.
pub async fn serve(
    gateway: &Arc<Gateway>,
    parts: Parts,
    scope: Scope,
    body: Bytes,
) -> Result<Answer, Dropped> {
    let started = Instant::now();
    let mut entry = Entry {
        at: gateway.clock.timestamp().to_string(),
        wall: timestamp(wall()).to_string(),
        ..Entry::default()
    };
    let call = attribute(gateway, parts, scope, body).await;
    describe(&mut entry, &call);
    let answer = if let Some(answer) = refused_by_fault(&call) {
        Ok(answer)
    } else {
        let answer = perform(gateway, &call).await;
        after(&call, answer).await
    };
    entry.duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    if let Ok(answer) = &answer {
        entry.status = answer.status().as_u16();
        entry.error = wire::error_code(answer);
    }
    gateway.log.add(entry);
    answer
}

async fn attribute(gateway: &Gateway, parts: Parts, scope: Scope, body: Bytes) -> Call {
    let deployment = gateway.deployment();
    let role_of = |machine: &str| {
        let found = deployment.state_machines.iter().find(|known| known.name == machine);
        found.map(|machine| machine.role_arn.clone())
    };
    let principal = gateway.identity.of(&scope.key, &gateway.moto, role_of).await;
    let operation = Operation::of(&scope.service, &parts.method, &parts.uri, &parts.headers, &body);
    let lineage = match &principal.origin {
        Origin::Operator => Lineage::default(),
        Origin::Instance(instance) => instance.lineage().unwrap_or_default(),
        Origin::Machine(machine) => machine_lineage(gateway, machine, &scope, &parts, &body),
    };
    let occurrence = gateway.points.count(&lineage, &operation.action);
    let fault = match principal.origin {
        Origin::Operator => None,
        _ => gateway.faults.take(&lineage, &operation.action, occurrence),
    };
    Call { parts, scope, body, operation, principal, lineage, occurrence, fault }
}

fn machine_lineage(
    gateway: &Gateway,
    machine: &str,
    scope: &Scope,
    parts: &Parts,
    body: &Bytes,
) -> Lineage {
    let invoked = invoke::function_of(parts.uri.path())
        .and_then(|name| gateway.lambda.find(&name, crate::identity::AUTOMATION, &scope.region));
    match invoked {
        Some(pool) => Lineage::of_payload(Some(machine), &pool.step, body),
        None => Lineage::of_row(machine, &serde_json::from_slice(body).unwrap_or_default()),
    }
}

fn describe(entry: &mut Entry, call: &Call) {
    let lineage = call.lineage.clone();
    entry.machine = lineage.machine;
    entry.step = lineage.step;
    entry.part = lineage.part;
    entry.tenant = lineage.tenant;
    entry.run = lineage.run;
    entry.mode = lineage.mode;
    entry.invocation = lineage.invocation;
    entry.principal.clone_from(&call.principal.arn);
    entry.account.clone_from(&call.principal.account);
    entry.region.clone_from(&call.scope.region);
    entry.service.clone_from(&call.scope.service);
    entry.action.clone_from(&call.operation.action);
    entry.operation.clone_from(&call.operation.name);
    "*".clone_into(&mut entry.resource);
    "unjudged".clone_into(&mut entry.decision);
    entry.occurrence = call.occurrence;
    entry.write = call.operation.write;
    entry.fault = call.fault.as_ref().map(|fault| fault.kind.name().to_owned());
}

/// The refusal that a fault injects in place of the call's effect.
fn refused_by_fault(call: &Call) -> Option<Answer> {
    let fault = call.fault.as_ref()?;
    let refuse = |status, code: &str, message: &str| {
        let id = lambda::request_id();
        wire::refusal(call.operation.protocol, status, code, message, &id)
    };
    match fault.kind {
        Kind::Error => {
            let error = fault.error.as_ref();
            let code = error.map_or("InternalFailure", |error| &error.code);
            let message = error.and_then(|error| error.message.as_deref());
            let status = error.map_or(500, |error| error.status);
            Some(refuse(status, code, message.unwrap_or("A fault of the sandbox.")))
        }
        Kind::Throttle => Some(refuse(400, "ThrottlingException", "Rate exceeded")),
        Kind::Lambda429 => Some(invoke::too_many_requests(true)),
        _ => None,
    }
}

async fn perform(gateway: &Arc<Gateway>, call: &Call) -> Answer {
    if let Some(name) = invoke::function_of(call.parts.uri.path())
        && call.scope.service == "lambda"
    {
        return invoke(gateway, call, &name).await;
    }
    let Parts { method, uri, headers, .. } = &call.parts;
    let answer = match gateway.moto.forward(method, uri, headers, call.body.clone()).await {
        Ok(answer) => answer,
        Err(error) => return unreachable_moto(&error),
    };
    if answer.status().is_success() {
        register(gateway, call, &answer).await;
    }
    answer
}

async fn invoke(gateway: &Arc<Gateway>, call: &Call, name: &str) -> Answer {
    let (account, region) = (&call.principal.account, &call.scope.region);
    let mut found = gateway.lambda.find(name, account, region);
    if found.is_none() {
        if let Err(error) = gateway.refresh().await {
            tracing::warn!(%error, "what is deployed can't be read");
        }
        found = gateway.lambda.find(name, account, region);
    }
    let Some(pool) = found else { return invoke::not_found(name) };
    let lineage = match &call.principal.origin {
        Origin::Machine(machine) => Lineage::of_payload(Some(machine), &pool.step, &call.body),
        Origin::Operator | Origin::Instance(_) => Lineage::of_payload(None, &pool.step, &call.body),
    };
    invoke::serve(gateway, &pool, &call.parts.headers, call.body.clone(), lineage).await
}

/// What the gateway itself has to know of a call that had its effect.
async fn register(gateway: &Arc<Gateway>, call: &Call, answer: &Answer) {
    if call.operation.action == "sts:AssumeRole" {
        let form = String::from_utf8_lossy(&call.body);
        gateway.identity.assumed(&call.principal, &form, &String::from_utf8_lossy(answer.body()));
    }
    if call.operation.action == "events:PutEvents" {
        let account = &call.principal.account;
        events::put_entries(gateway, account, &call.scope, &call.body, answer);
    }
    if deploys(&call.scope.service, &call.operation)
        && let Err(error) = gateway.refresh().await
    {
        tracing::warn!(%error, "what is deployed can't be read");
    }
}

/// Whether an operation may change what runs in the gateway.
fn deploys(service: &str, operation: &Operation) -> bool {
    const RUNS: [&str; 5] =
        ["PutEvents", "SendTask", "StartExecution", "StartSyncExecution", "StopExecution"];
    operation.write
        && matches!(service, "cloudformation" | "lambda" | "events" | "states" | "apigateway")
        && !RUNS.iter().any(|prefix| operation.name.starts_with(prefix))
}

/// What a fault does once the call had its effect.
async fn after(call: &Call, answer: Answer) -> Result<Answer, Dropped> {
    let instance = match &call.principal.origin {
        Origin::Instance(instance) => Some(instance),
        Origin::Machine(_) | Origin::Operator => None,
    };
    match (call.fault.as_ref().map(|fault| fault.kind), instance) {
        (Some(Kind::LostResponse), _) => Err(Dropped),
        (Some(Kind::Kill), Some(instance)) => {
            instance.stopped().await;
            Err(Dropped)
        }
        (Some(Kind::Timeout), Some(instance)) => hang(instance).await,
        (_, Some(instance)) if instance.hangs() => hang(instance).await,
        _ => Ok(answer),
    }
}

async fn hang(instance: &Instance) -> Result<Answer, Dropped> {
    instance.hang();
    instance.over().await;
    Err(Dropped)
}
