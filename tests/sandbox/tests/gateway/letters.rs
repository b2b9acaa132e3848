//! What becomes of events that nobody takes.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, World, arn, function};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:letters";
const RULE: &str = "arn:aws:events:eu-central-1:123456789012:rule/hear";

/// A world with a rule that lets the probe hear, and a queue for what goes wrong.
fn deployment(changes: impl FnOnce(&mut Value)) -> Value {
    let hears = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction"}]});
    let leaves = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Condition": {"ArnLike": {"aws:SourceArn": RULE}}}]});
    let invoke = json!({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21_600,
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}});
    let input = json!({"fail": {"errorType": "Transient", "errorMessage": "not now"}});
    let mut deployment = json!({
        "functions": [function("landfall-probe", &json!({"policy": hears, "event_invoke": invoke}))],
        "rules": [{"account": ACCOUNT, "region": "eu-central-1", "bus": "default", "name": "hear",
            "pattern": {"source": ["aws.states"]}, "state": "ENABLED",
            "targets": [{"id": "1", "arn": arn("landfall-probe"), "input": input.to_string(),
                "dead_letter": QUEUE}]}],
        "queues": [{"arn": QUEUE, "policy": leaves}],
        "version": 1,
    });
    changes(&mut deployment);
    deployment
}

async fn hear(world: &World) {
    let event = json!({"source": "aws.states", "detail": {"name": "x"}});
    let told = json!({"account": ACCOUNT, "region": "eu-central-1", "event": event});
    world.control(Method::POST, "events", &told).await;
}

fn sent(log: &[Value]) -> Option<&Value> {
    log.iter().find(|call| call["action"] == "sqs:SendMessage")
}

#[tokio::test]
async fn an_event_that_failed_three_times_leaves_a_record() {
    let world = World::with(deployment(|_| {})).await;
    hear(&world).await;
    let log = world.until(|log| sent(log).is_some()).await;
    let call = sent(&log).unwrap();
    assert_eq!((&call["decision"], &call["step"]), (&json!("allowed"), &json!("probe")));
    assert!(call["principal"].as_str().unwrap().contains("assumed-role/landfall-probe"));
    let letters = world.stand.letters.lock().clone();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((&letter["queue"], &letter["attributes"]), (&json!(QUEUE), &json!({})));
    let record: Value = serde_json::from_str(letter["text"].as_str().unwrap()).unwrap();
    let context = &record["requestContext"];
    assert_eq!(context["functionArn"], format!("{}:$LATEST", arn("landfall-probe")));
    assert_eq!(context["condition"], "RetriesExhausted");
    assert_eq!(context["approximateInvokeCount"], 3);
    assert_eq!(record["requestPayload"]["fail"]["errorType"], "Transient");
    assert_eq!(record["responsePayload"], record["requestPayload"]["fail"]);
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
}

#[tokio::test]
async fn an_event_that_grew_too_old_says_so() {
    let world = World::with(deployment(|world| {
        world["functions"][0]["event_invoke"]["MaximumEventAgeInSeconds"] = json!(90);
    }))
    .await;
    hear(&world).await;
    world.until(|log| sent(log).is_some()).await;
    let letter = world.stand.letters.lock()[0].clone();
    let record: Value = serde_json::from_str(letter["text"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
}

#[tokio::test]
async fn a_role_that_may_not_send_leaves_nothing() {
    let world = World::with(deployment(|_| {})).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/landfall-probe");
    let facts = json!({"exists": true, "account": ACCOUNT, "arn": role, "identity": [], "trust": {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}});
    world.stand.roles.lock().insert(role, facts);
    hear(&world).await;
    let log = world.until(|log| sent(log).is_some()).await;
    assert_eq!(sent(&log).unwrap()["error"], "AccessDenied");
    assert!(world.stand.letters.lock().is_empty());
}

#[tokio::test]
async fn what_a_target_refuses_goes_to_the_rules_queue_with_the_reason() {
    let refusing = |world: &mut Value| world["functions"][0]["policy"] = Value::Null;
    let missing = |world: &mut Value| world["functions"] = json!([]);
    for (change, code) in
        [(&refusing as &dyn Fn(&mut Value), "NO_PERMISSIONS"), (&missing, "NO_RESOURCE")]
    {
        let world = World::with(deployment(change)).await;
        hear(&world).await;
        world.until(|log| sent(log).is_some()).await;
        let letter = world.stand.letters.lock()[0].clone();
        let event: Value = serde_json::from_str(letter["text"].as_str().unwrap()).unwrap();
        assert_eq!(event["source"], "aws.states");
        let said = &letter["attributes"];
        assert_eq!((&said["RULE_ARN"], &said["ERROR_CODE"]), (&json!(RULE), &json!(code)));
        assert_eq!(said["TARGET_ARN"], arn("landfall-probe"));
    }
}

#[tokio::test]
async fn a_queue_that_takes_nothing_from_the_rule_gets_nothing() {
    let world = World::with(deployment(|world| {
        world["functions"][0]["policy"] = Value::Null;
        world["queues"][0]["policy"] = Value::Null;
    }))
    .await;
    hear(&world).await;
    let log = world.until(|log| sent(log).is_some()).await;
    assert_eq!(sent(&log).unwrap()["decision"], "denied:resource");
    assert!(world.stand.letters.lock().is_empty());
}
