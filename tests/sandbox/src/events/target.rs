//! What EventBridge does with an event that a rule matched.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::clock::{timestamp, wall};
use crate::deployment::{Rule, Target};
use crate::events::{Arrival, bus_of, permission, put, rule_arn};
use crate::gateway::Gateway;
use crate::lambda::asynchronous;
use crate::lineage::Lineage;
use crate::log::Entry;

/// Sends an event to the targets of a rule.
pub async fn deliver(gateway: &Arc<Gateway>, rule: &Rule, event: &Value, forwarded: bool) {
    for target in &rule.targets {
        let mut entry = Entry {
            at: gateway.clock.timestamp().to_string(),
            wall: timestamp(wall()).to_string(),
            principal: "events.amazonaws.com".to_owned(),
            account: rule.account.clone(),
            region: rule.region.clone(),
            resource: target.arn.clone(),
            write: true,
            ..Entry::default()
        };
        match target.arn.split(':').nth(2) {
            Some("lambda") => invoke(gateway, rule, target, event, &mut entry),
            Some("events") => forward(gateway, rule, target, event, forwarded, &mut entry),
            _ => {
                tracing::warn!(arn = %target.arn, "the sandbox knows no such target of a rule");
                continue;
            }
        }
        gateway.log.add(entry);
    }
}

fn invoke(gateway: &Arc<Gateway>, rule: &Rule, target: &Target, event: &Value, entry: &mut Entry) {
    "lambda".clone_into(&mut entry.service);
    "Invoke".clone_into(&mut entry.operation);
    "lambda:InvokeFunction".clone_into(&mut entry.action);
    let Some(pool) = gateway.lambda.find(&target.arn, &rule.account, &rule.region) else {
        entry.status = 404;
        entry.error = Some("ResourceNotFoundException".to_owned());
        return;
    };
    entry.step = Some(pool.step.clone());
    if !permission::may_invoke(pool.function.policy.as_ref(), &rule_arn(rule)) {
        return refuse(entry);
    }
    let payload = target.input.clone().unwrap_or_else(|| event.to_string());
    let lineage = Lineage { step: Some(pool.step.clone()), ..Lineage::default() };
    let id = asynchronous::accept(gateway, &pool, Bytes::from(payload), lineage);
    entry.invocation = Some(id);
    entry.status = 202;
    "allowed".clone_into(&mut entry.decision);
}

/// Sends an event to another bus, once: what came from a bus goes to no third one.
fn forward(
    gateway: &Arc<Gateway>,
    rule: &Rule,
    target: &Target,
    event: &Value,
    forwarded: bool,
    entry: &mut Entry,
) {
    "events".clone_into(&mut entry.service);
    "PutEvents".clone_into(&mut entry.operation);
    "events:PutEvents".clone_into(&mut entry.action);
    let (account, region, bus) = bus_of(&target.arn, &rule.account, &rule.region);
    let deployment = gateway.deployment();
    let policy = deployment.buses.iter().find(|known| known.arn == target.arn);
    let policy = policy.and_then(|bus| bus.policy.as_ref());
    let foreign = account != rule.account;
    let refused = foreign && !permission::may_put(policy, &rule.account);
    if refused || target.role_arn.is_none() || forwarded {
        return refuse(entry);
    }
    entry.status = 200;
    "allowed".clone_into(&mut entry.decision);
    let arrival = Arrival { account, region, bus, event: event.clone(), forwarded: true };
    put(gateway, arrival);
}

fn refuse(entry: &mut Entry) {
    entry.status = 403;
    entry.error = Some("AccessDeniedException".to_owned());
    "denied:resource".clone_into(&mut entry.decision);
}
