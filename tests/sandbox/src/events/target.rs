//! What EventBridge does with an event that a rule matched.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock::{timestamp, wall};
use crate::deployment::{Rule, Target};
use crate::events::{Arrival, bus_of, put, rule_arn};
use crate::gateway::Gateway;
use crate::judge::{Acting, demand, judge_service};
use crate::lambda::asynchronous;
use crate::letters::{self, Sender};
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
            Some("lambda") => invoke(gateway, rule, target, event, &mut entry).await,
            Some("events") => {
                forward(gateway, rule, target, event, forwarded, &mut entry).await;
            }
            // moto puts it into the queue.
            Some("sqs") => continue,
            _ => {
                tracing::warn!(arn = %target.arn, "the sandbox knows no such target of a rule");
                continue;
            }
        }
        let letter = target.dead_letter.as_deref().zip(entry.error.clone());
        gateway.log.add(entry);
        if let Some((queue, error)) = letter {
            // What no permission or no target refuses is not tried again.
            let code =
                if error.starts_with("AccessDenied") { "NO_PERMISSIONS" } else { "NO_RESOURCE" };
            let attributes = json!({
                "RULE_ARN": rule_arn(rule),
                "TARGET_ARN": target.arn,
                "ERROR_CODE": code,
                "ERROR_MESSAGE": format!("{error}: the target {} did not take the event", target.arn),
            });
            let text = event.to_string();
            letters::leave(gateway, queue, &text, &attributes, Sender::Rule(rule)).await;
        }
    }
}

async fn invoke(
    gateway: &Arc<Gateway>,
    rule: &Rule,
    target: &Target,
    event: &Value,
    entry: &mut Entry,
) {
    "lambda".clone_into(&mut entry.service);
    "Invoke".clone_into(&mut entry.operation);
    "lambda:InvokeFunction".clone_into(&mut entry.action);
    let Some(pool) = gateway.lambda.find(&target.arn, None, &rule.account, &rule.region) else {
        entry.status = 404;
        entry.error = Some("ResourceNotFoundException".to_owned());
        return;
    };
    entry.step = Some(pool.step.clone());
    if !allowed(gateway, rule, None, entry).await {
        return;
    }
    let payload = input(target, event);
    let lineage = Lineage { step: Some(pool.step.clone()), ..Lineage::default() };
    let id = asynchronous::accept(gateway, &pool, Bytes::from(payload), lineage);
    entry.invocation = Some(id);
    entry.status = 202;
}

/// What a target gets: a constant, a part of the event, or the event.
fn input(target: &Target, event: &Value) -> String {
    if let Some(input) = &target.input {
        return input.clone();
    }
    let path = target.input_path.as_deref().unwrap_or("$");
    let part = event.pointer(&path.trim_start_matches('$').replace('.', "/"));
    part.unwrap_or(&Value::Null).to_string()
}

/// Sends an event to another bus, once: what came from a bus goes to no third one.
async fn forward(
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
    let taken = target.role_arn.as_deref();
    if taken.is_none() || forwarded {
        refuse(entry, "denied:identity");
        return;
    }
    if !allowed(gateway, rule, taken, entry).await {
        return;
    }
    entry.status = 200;
    let arrival = Arrival { account, region, bus, event: event.clone(), forwarded: true };
    put(gateway, arrival);
}

/// Whether EventBridge may do what the entry says, itself or by a role that it takes.
async fn allowed(gateway: &Gateway, rule: &Rule, taken: Option<&str>, entry: &mut Entry) -> bool {
    let Entry { service, operation, region, action, resource, .. } = &*entry;
    let call = demand(service, operation, region, action, resource);
    let acting =
        Acting { service: "events.amazonaws.com", source: &rule_arn(rule), account: &rule.account };
    match judge_service(gateway, acting, taken, &call).await {
        Ok(verdict) if verdict.allowed => {
            verdict.decision.clone_into(&mut entry.decision);
            true
        }
        Ok(verdict) => {
            refuse(entry, verdict.decision);
            false
        }
        Err(error) => {
            tracing::error!(%error, "a delivery can't be judged");
            refuse(entry, "denied:unknown");
            false
        }
    }
}

fn refuse(entry: &mut Entry, decision: &str) {
    entry.status = 403;
    entry.error = Some("AccessDeniedException".to_owned());
    decision.clone_into(&mut entry.decision);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_gets_a_constant_a_part_or_the_event() {
        let event = json!({"detail": {"id": 7}});
        assert_eq!(input(&Target::default(), &event), event.to_string());
        let part = Target { input_path: Some("$.detail.id".into()), ..Target::default() };
        assert_eq!(input(&part, &event), "7");
        let constant = Target { input: Some("{}".into()), ..Target::default() };
        assert_eq!(input(&constant, &event), "{}");
    }
}
