//! The way of an AWS call: attribute, inject, throttle, decide, pass on, register its effects, log.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;

use crate::authorization::{Fault as Refused, RequestParts, denial};
use crate::clock::{timestamp, wall};
use crate::deployment::Function;
use crate::effects;
use crate::faults::{Fault, Kind};
use crate::gateway::{Dropped, Gateway, unreachable_moto};
use crate::identity::{AUTOMATION, Origin, Principal};
use crate::judge;
use crate::lambda::instance::Instance;
use crate::lambda::{self, invoke};
use crate::lineage::Lineage;
use crate::log::Entry;
use crate::moto::Answer;
use crate::operation::Operation;
use crate::staleness::Question;
use crate::throttle;
use crate::wire::{self, Scope};

/// A call on its way.
#[derive(Debug)]
pub struct Call {
    /// The request without its body.
    pub parts: Parts,
    /// Key, Region and service of the signature.
    pub scope: Scope,
    /// The request's body.
    pub body: Bytes,
    /// What is asked.
    pub operation: Operation,
    /// Who asks.
    pub principal: Principal,
    /// On whose behalf.
    pub lineage: Lineage,
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
    let refused = match refused_by_fault(&call).or_else(|| throttled(gateway, &call)) {
        Some(answer) => Some(answer),
        None => denied(gateway, &call, &mut entry).await,
    };
    let answer = if let Some(answer) = refused {
        Ok(answer)
    } else {
        let answer = perform(gateway, &call, &mut entry).await;
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
    let request = RequestParts {
        service: &scope.service,
        region: &scope.region,
        account: &principal.account,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    let operation = Operation::of(&request, &gateway.world(None));
    let (lineage, counts) = match &principal.origin {
        Origin::Operator => (Lineage::default(), false),
        Origin::Machine(machine) => {
            (machine_lineage(gateway, machine, &scope, &parts, &body), true)
        }
        Origin::Instance(instance) => {
            let current = instance.lineage();
            let counts = current.is_some();
            // Between invocations, as when a connection is opened ahead, it works for nobody.
            let of_step =
                || Lineage { step: Some(instance.pool.step.clone()), ..Lineage::default() };
            (current.unwrap_or_else(of_step), counts)
        }
    };
    let (mut occurrence, mut fault) = (0, None);
    if counts {
        occurrence = gateway.points.count(&lineage, &operation.action);
        let function = matches!(principal.origin, Origin::Instance(_));
        fault = gateway.faults.take(&lineage, &operation.action, occurrence, function);
    }
    Call { parts, scope, body, operation, principal, lineage, occurrence, fault }
}

fn machine_lineage(
    gateway: &Gateway,
    machine: &str,
    scope: &Scope,
    parts: &Parts,
    body: &Bytes,
) -> Lineage {
    let invoked = invoke::function_of(&parts.uri).and_then(|(name, qualifier)| {
        gateway.lambda.find(&name, qualifier.as_deref(), AUTOMATION, &scope.region)
    });
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
    entry.resource.clone_from(&call.operation.resource);
    "unjudged".clone_into(&mut entry.decision);
    entry.occurrence = call.occurrence;
    entry.write = call.operation.write;
    entry.fault = call.fault.as_ref().map(|fault| fault.kind.name().to_owned());
}

/// The refusal that a fault injects in place of the call's effect.
fn refused_by_fault(call: &Call) -> Option<Answer> {
    let fault = call.fault.as_ref()?;
    match fault.kind {
        Kind::Error => {
            let error = fault.error.as_ref();
            let code = error.map_or("InternalFailure", |error| &error.code);
            let message = error.and_then(|error| error.message.as_deref());
            let status = error.map_or(500, |error| error.status);
            Some(refuse(call, &Refused::new(status, code, message.unwrap_or("An injected fault."))))
        }
        Kind::Throttle => Some(refuse(call, &throttle::fault(&call.scope.service))),
        Kind::Lambda429 => Some(invoke::too_many_requests(true)),
        _ => None,
    }
}

fn refuse(call: &Call, fault: &Refused) -> Answer {
    wire::refusal(&call.scope.service, call.operation.protocol, fault)
}

/// The refusal of a call that comes too fast. Operators watch, and are not in anyone's way.
fn throttled(gateway: &Gateway, call: &Call) -> Option<Answer> {
    let Scope { region, service, .. } = &call.scope;
    let (account, name) = (&call.principal.account, &call.operation.name);
    let now = gateway.clock.now();
    let admitted =
        !call.principal.judged || gateway.throttle.admits(account, region, service, name, now);
    (!admitted).then(|| refuse(call, &throttle::fault(service)))
}

/// The refusal of a call that IAM does not allow.
async fn denied(gateway: &Gateway, call: &Call, entry: &mut Entry) -> Option<Answer> {
    if !call.principal.judged {
        return None;
    }
    let protocol = call.operation.protocol;
    let deny = |message: &str| Some(refuse(call, &denial(&call.scope.service, protocol, message)));
    let asked = match &call.operation.call {
        Ok(asked) => asked,
        Err(error) => {
            "denied:unknown".clone_into(&mut entry.decision);
            return deny(&error.to_string());
        }
    };
    match judge::judge(gateway, &call.principal, asked).await {
        Ok(verdict) => {
            verdict.decision.clone_into(&mut entry.decision);
            if verdict.allowed {
                return None;
            }
            entry.action.clone_from(&verdict.action);
            entry.resource.clone_from(&verdict.resource);
            deny(&verdict.message)
        }
        Err(error) => {
            tracing::error!(%error, action = %call.operation.action, "a call can't be judged");
            "denied:unknown".clone_into(&mut entry.decision);
            deny(&error.to_string())
        }
    }
}

async fn perform(gateway: &Arc<Gateway>, call: &Call, entry: &mut Entry) -> Answer {
    let latency = gateway.latency.of(&call.operation.action);
    if latency > 0.0 {
        gateway.clock.sleep(latency).await;
    }
    if let Some((name, qualifier)) = invoke::function_of(&call.parts.uri)
        && call.scope.service == "lambda"
    {
        return invoke(gateway, call, &name, qualifier.as_deref()).await;
    }
    let question = question(call);
    let forced = call.fault.as_ref().is_some_and(|fault| fault.kind == Kind::Stale);
    if let Some(question) = &question
        && let Some(answer) = gateway.staleness.answer(question, gateway.clock.now(), forced)
    {
        entry.stale = true;
        return answer;
    }
    if let Some(fault) = call.fault.as_ref().filter(|_| forced) {
        // There is nothing from before the last write.
        gateway.faults.missed(fault.id);
        entry.fault = None;
    }
    if call.operation.write
        && let Ok(asked) = &call.operation.call
    {
        judge::before_write(gateway, asked).await;
    }
    let Parts { method, uri, headers, .. } = &call.parts;
    let answer = match gateway.moto.forward(method, uri, headers, call.body.clone()).await {
        Ok(answer) => answer,
        Err(error) => return unreachable_moto(&error),
    };
    if answer.status().is_success() {
        effects::register(gateway, call, &answer).await;
    }
    if let Some(question) = question {
        gateway.staleness.remember(question, &answer);
    }
    answer
}

/// What identifies a read that may be stale. Operators, and reads that ask for consistency, always
/// see the truth.
fn question(call: &Call) -> Option<Question> {
    let Scope { service, region, .. } = &call.scope;
    let fresh = call.operation.write || !call.principal.judged || service == "sts";
    let consistent = call.operation.call.as_ref().is_ok_and(|asked| {
        asked.members.get("ConsistentRead").and_then(serde_json::Value::as_bool) == Some(true)
    });
    if fresh || consistent {
        return None;
    }
    let path = call.parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let name = &call.operation.name;
    let mut asked = format!("{region} {name} {path} ").into_bytes();
    asked.extend_from_slice(&call.body);
    Some((call.principal.account.clone(), service.clone(), asked))
}

async fn invoke(
    gateway: &Arc<Gateway>,
    call: &Call,
    name: &str,
    qualifier: Option<&str>,
) -> Answer {
    let (account, region) = (&call.principal.account, &call.scope.region);
    let arn = lambda::arn(name, qualifier, account, region).unwrap_or_default();
    let mut found = gateway.lambda.find(&arn, None, account, region);
    if found.is_none() {
        if let Err(error) = gateway.refresh().await {
            tracing::warn!(%error, "what is deployed can't be read");
        }
        found = gateway.lambda.find(&arn, None, account, region);
    }
    let Some(pool) = found else { return invoke::not_found(&arn) };
    let machine = match &call.principal.origin {
        Origin::Machine(machine) => Some(machine.as_str()),
        Origin::Operator | Origin::Instance(_) => None,
    };
    let lineage = Lineage::of_payload(machine, &pool.step, &call.body);
    if let Some(machine) = machine
        && call.fault.as_ref().is_some_and(|fault| fault.kind == Kind::Abort)
    {
        effects::abort(gateway, machine, &lineage).await;
    }
    let headers = &call.parts.headers;
    let mut answer = invoke::serve(gateway, &pool, headers, call.body.clone(), lineage).await;
    if !arn.ends_with(Function::LATEST) {
        invoke::executed(&mut answer, pool.function.qualifier());
    }
    answer
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
