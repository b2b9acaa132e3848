//! EventBridge: events meet rules and go to functions and other buses, as unreliably as configured.

pub mod delivery;
pub mod schedule;
pub mod schedules;
mod target;

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::deployment::Rule;
use crate::event_pattern::Pattern;
use crate::gateway::Gateway;
use crate::moto::Answer;
use crate::wire::Scope;

/// An event on a bus.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Account that owns the bus.
    pub account: String,
    /// Region that the bus is in.
    pub region: String,
    /// Name of the bus.
    pub bus: String,
    /// The envelope.
    pub event: Value,
    /// Whether it came from another bus; it then goes to no third one.
    pub forwarded: bool,
}

/// Takes an event from its source; it arrives as late, as often and in the order configured.
pub fn put(gateway: &Arc<Gateway>, arrival: Arrival) {
    for delay in gateway.delivery.delays(gateway.clock.now()) {
        let (gateway, arrival) = (Arc::clone(gateway), arrival.clone());
        tokio::spawn(async move {
            gateway.clock.sleep(delay).await;
            arrive(&gateway, &arrival).await;
        });
    }
}

/// Sends an event to the targets of all rules that it matches.
pub async fn arrive(gateway: &Arc<Gateway>, arrival: &Arrival) {
    gateway.refresh_if_old().await;
    for rule in &gateway.deployment().rules {
        if hears(rule, arrival) && matches(rule, &arrival.event) {
            target::deliver(gateway, rule, &arrival.event, arrival.forwarded).await;
        }
    }
}

fn hears(rule: &Rule, arrival: &Arrival) -> bool {
    let bus = rule.bus.rsplit('/').next().unwrap_or(&rule.bus);
    rule.account == arrival.account
        && rule.region == arrival.region
        && (bus == arrival.bus || (bus.is_empty() && arrival.bus == DEFAULT))
        && rule.state.starts_with("ENABLED")
}

fn matches(rule: &Rule, event: &Value) -> bool {
    let parsed = match &rule.pattern {
        None => return false,
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(pattern) => pattern.clone(),
    };
    match Pattern::parse(&parsed) {
        Ok(pattern) => pattern.matches(event),
        Err(error) => {
            tracing::warn!(%error, rule = %rule.name, "a rule's pattern is not valid");
            false
        }
    }
}

/// Name of the bus that every account has.
pub const DEFAULT: &str = "default";

/// Puts the accepted entries of a `PutEvents` call on their buses.
pub fn put_entries(
    gateway: &Arc<Gateway>,
    account: &str,
    scope: &Scope,
    request: &[u8],
    answer: &Answer,
) {
    let entries = |bytes: &[u8]| {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        value.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    for (entry, accepted) in entries(request).iter().zip(entries(answer.body())) {
        let Some(id) = accepted.get("EventId") else { continue };
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let Ok(detail) = serde_json::from_str::<Value>(text("Detail")) else { continue };
        let (owner, region, bus) = bus_of(text("EventBusName"), account, &scope.region);
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": text("DetailType"),
            "source": text("Source"),
            "account": account,
            "time": now(gateway),
            "region": scope.region,
            "resources": entry.get("Resources").cloned().unwrap_or_else(|| json!([])),
            "detail": detail,
        });
        put(gateway, Arrival { account: owner, region, bus, event, forwarded: false });
    }
}

/// Account, Region and name of a bus given by name or ARN.
fn bus_of(name: &str, account: &str, region: &str) -> (String, String, String) {
    let parts: Vec<_> = name.split(':').collect();
    if let ["arn", _, "events", region, account, bus] = parts.as_slice() {
        let bus = bus.trim_start_matches("event-bus/");
        return ((*account).to_owned(), (*region).to_owned(), bus.to_owned());
    }
    let bus = if name.is_empty() { DEFAULT } else { name };
    (account.to_owned(), region.to_owned(), bus.to_owned())
}

/// The event that a schedule makes.
fn scheduled(gateway: &Gateway, rule: &Rule) -> Value {
    json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account,
        "time": now(gateway),
        "region": rule.region,
        "resources": [rule_arn(rule)],
        "detail": {},
    })
}

/// Virtual time in whole seconds, as events carry it.
fn now(gateway: &Gateway) -> String {
    gateway.clock.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The ARN of a rule.
pub fn rule_arn(rule: &Rule) -> String {
    let bus = rule.bus.rsplit('/').next().unwrap_or_default();
    let path = if bus.is_empty() || bus == DEFAULT { String::new() } else { format!("{bus}/") };
    rule.arn.clone().unwrap_or_else(|| {
        format!("arn:aws:events:{}:{}:rule/{path}{}", rule.region, rule.account, rule.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_named_by_name_or_arn() {
        let of = |name| bus_of(name, "1", "r");
        assert_eq!(of(""), ("1".into(), "r".into(), "default".into()));
        assert_eq!(of("own"), ("1".into(), "r".into(), "own".into()));
        assert_eq!(
            of("arn:aws:events:eu-central-1:2:event-bus/default"),
            ("2".into(), "eu-central-1".into(), "default".into())
        );
    }

    #[test]
    fn a_rule_matches_by_its_pattern_given_as_text_or_document() {
        let event = json!({"source": "aws.organizations", "detail": {"eventName": "MoveAccount"}});
        let pattern = json!({"source": ["aws.organizations"]});
        let text = Rule { pattern: Some(json!(pattern.to_string())), ..Rule::default() };
        let document = Rule { pattern: Some(pattern), ..Rule::default() };
        assert!(matches(&text, &event) && matches(&document, &event));
        assert!(!matches(&Rule::default(), &event));
    }
}
