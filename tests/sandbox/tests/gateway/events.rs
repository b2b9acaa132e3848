//! Events on their way to functions, and schedules.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, World, arn, function, signature};

const MANAGEMENT: &str = "111111111111";
const BUS: &str = "arn:aws:events:eu-central-1:123456789012:event-bus/default";

/// A world in which account creations are forwarded from the management account to the probe.
fn deployment(changes: impl FnOnce(&mut Value)) -> Value {
    let policy = |principal: Value, action: &str| json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": action}]});
    let hears = policy(json!({"Service": "events.amazonaws.com"}), "lambda:InvokeFunction");
    let pattern = json!({"source": ["aws.organizations"]});
    let mut deployment = json!({
        "functions": [function("landfall-probe", &json!({"policy": hears}))],
        "rules": [
            {"account": MANAGEMENT, "region": "us-east-1", "bus": "default", "name": "forward",
             "pattern": pattern, "state": "ENABLED",
             "targets": [{"id": "1", "arn": BUS, "role_arn": "arn:aws:iam::111111111111:role/r"}]},
            {"account": ACCOUNT, "region": "eu-central-1", "bus": "default", "name": "hear",
             "pattern": pattern.to_string(), "state": "ENABLED",
             "targets": [{"id": "1", "arn": arn("landfall-probe"), "role_arn": null}]},
        ],
        "buses": [{"arn": BUS, "policy": policy(json!({"AWS": MANAGEMENT}), "events:PutEvents")}],
        "version": 1,
    });
    changes(&mut deployment);
    deployment
}

async fn hear(world: &World, source: &str) {
    let event = json!({"source": source, "account": MANAGEMENT, "detail": {"eventName": "X"}});
    let told = json!({"account": MANAGEMENT, "region": "us-east-1", "event": event});
    world.control(Method::POST, "events", &told).await;
}

fn invoked(log: &[Value]) -> usize {
    log.iter()
        .filter(|call| call["action"] == "lambda:InvokeFunction" && call["status"] == 202)
        .count()
}

#[tokio::test]
async fn an_event_reaches_a_function_over_two_buses() {
    let world = World::with(deployment(|_| {})).await;
    hear(&world, "aws.ec2").await;
    hear(&world, "aws.organizations").await;
    let log = world.until(|log| invoked(log) == 1).await;
    assert_eq!(log[0]["action"], "events:PutEvents");
    assert_eq!(log[0]["decision"], "allowed");
    assert_eq!(
        (&log[1]["step"], &log[1]["principal"]),
        (&json!("probe"), &json!("events.amazonaws.com"))
    );
}

#[tokio::test]
async fn a_bus_without_a_policy_takes_nothing_from_other_accounts() {
    let world = World::with(deployment(|world| world["buses"] = json!([]))).await;
    hear(&world, "aws.organizations").await;
    let log = world.until(|log| !log.is_empty()).await;
    assert_eq!(log[0]["decision"], "denied:resource");
}

#[tokio::test]
async fn a_function_without_a_permission_is_not_invoked() {
    let world =
        World::with(deployment(|world| world["functions"][0]["policy"] = Value::Null)).await;
    hear(&world, "aws.organizations").await;
    let log = world.until(|log| log.len() == 2).await;
    assert_eq!(log[1]["error"], "AccessDeniedException");
}

#[tokio::test]
async fn doubled_events_arrive_twice_at_each_hop() {
    let world = World::with(deployment(|_| {})).await;
    world.control(Method::POST, "delivery", &json!({"duplicate": 1.0})).await;
    hear(&world, "aws.organizations").await;
    world.until(|log| invoked(log) == 4).await;
}

#[tokio::test]
async fn own_events_are_delivered_too() {
    let world = World::with(deployment(|_| {})).await;
    let answer = json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}).to_string();
    world.stand.answers.lock().insert("PutEvents".to_owned(), (200, answer));
    let entry = json!({"Source": "aws.organizations", "DetailType": "x", "Detail": "{}"});
    let authorization = signature("admin", "events");
    let headers =
        [("authorization", authorization.as_str()), ("x-amz-target", "AWSEvents.PutEvents")];
    world.send(Method::POST, "/", &headers, &json!({"Entries": [entry]}).to_string()).await;
    world.until(|log| invoked(log) == 1).await;
}

#[tokio::test]
async fn a_schedule_fires_in_virtual_time() {
    let world = World::with(deployment(|world| {
        world["rules"][1]["pattern"] = Value::Null;
        world["rules"][1]["schedule"] = json!("rate(1 minute)");
    }))
    .await;
    let log = world.until(|log| invoked(log) >= 12).await;
    let times: Vec<jiff::Timestamp> =
        log.iter().map(|call| call["at"].as_str().unwrap().parse().unwrap()).collect();
    let gap = times[11].as_second() - times[1].as_second();
    assert!((500..=1_500).contains(&gap), "{gap}");
}

#[tokio::test]
async fn an_asynchronous_invocation_is_tried_three_times() {
    let world = World::with(deployment(|world| {
        let input = json!({"exit": 1}).to_string();
        world["rules"][1]["targets"][0]["input"] = json!(input);
    }))
    .await;
    hear(&world, "aws.organizations").await;
    world.until(|log| invoked(log) == 1).await;
    // Each try needs an instance of its own, and thus a session.
    let sessions = || world.stand.calls.load(Ordering::SeqCst);
    let started = Instant::now();
    while sessions() < 3 && started.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(sessions(), 3);
}
