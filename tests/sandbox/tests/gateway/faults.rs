//! Faults as the caller sees them.

use std::sync::atomic::Ordering;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{World, body};

fn roots() -> Value {
    json!({"service": "organizations", "target": "AWSOrganizationsV20161128.ListRoots"})
}

async fn call_with_fault(fault: &Value) -> (World, Value) {
    let world = World::with_probe(json!({"timeout": 3})).await;
    world.control(Method::POST, "faults", fault).await;
    let answer = world.invoke("landfall-probe", &json!({"tenant": "t", "calls": [roots()]})).await;
    let answer = body(&answer);
    (world, answer)
}

#[tokio::test]
async fn an_error_comes_before_the_effect() {
    let fault = json!({"action": "organizations:ListRoots", "kind": "error",
                       "error": {"code": "ServiceException", "status": 500}});
    let (world, answer) = call_with_fault(&fault).await;
    assert_eq!(answer[0]["status"], 500);
    assert!(answer[0]["body"].as_str().unwrap().contains("ServiceException"));
    // The only call that reached the stand-in took the function's session.
    assert_eq!(world.stand.calls.load(Ordering::SeqCst), 1);
    let faults = world.control(Method::GET, "faults", &Value::Null).await;
    assert_eq!(faults[0]["hits"], 1);
}

#[tokio::test]
async fn a_lost_response_comes_after_the_effect() {
    let fault = json!({"action": "organizations:ListRoots", "kind": "lost-response"});
    let (world, answer) = call_with_fault(&fault).await;
    assert_eq!(answer, json!(["lost"]));
    assert_eq!(world.stand.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_killed_function_is_an_exit_error() {
    let fault = json!({"action": "organizations:ListRoots", "kind": "kill", "step": "probe"});
    let (world, answer) = call_with_fault(&fault).await;
    assert_eq!(answer["errorType"], "Runtime.ExitError");
    assert!(answer["errorMessage"].as_str().unwrap().ends_with("signal: killed"));
    assert_eq!(world.stand.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_hanging_function_times_out() {
    let fault = json!({"action": "organizations:ListRoots", "kind": "timeout", "tenant": "t"});
    let (_world, answer) = call_with_fault(&fault).await;
    assert_eq!(answer["errorType"], "Sandbox.Timedout");
}

#[tokio::test]
async fn an_invocation_can_be_refused_for_want_of_concurrency() {
    let world = World::with_probe(json!({})).await;
    let fault = json!({"action": "lambda:InvokeFunction", "kind": "lambda-429", "step": "probe"});
    world.control(Method::POST, "faults", &fault).await;
    assert_eq!(world.invoke("landfall-probe", &json!({})).await.status(), 429);
    assert_eq!(world.invoke("landfall-probe", &json!({})).await.status(), 200);
}

#[tokio::test]
async fn points_are_the_calls_of_steps() {
    let world = World::with_probe(json!({})).await;
    world.invoke("landfall-probe", &json!({"tenant": "t", "calls": [roots(), roots()]})).await;
    let points = world.control(Method::GET, "points", &Value::Null).await;
    let actions: Vec<_> = points.as_array().unwrap().iter().map(|point| &point["action"]).collect();
    assert_eq!(
        actions,
        ["lambda:InvokeFunction", "organizations:ListRoots", "organizations:ListRoots"]
    );
    assert_eq!(points[2]["occurrence"], 2);
}

#[tokio::test]
async fn a_malformed_fault_is_refused() {
    let world = World::with_probe(json!({})).await;
    let fault = json!({"action": "x", "kind": "eror"}).to_string();
    let answer = world.send(Method::POST, "/_landfall/faults", &[], &fault).await;
    assert_eq!(answer.status(), 400);
}
