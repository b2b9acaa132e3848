//! Nothing outlives the sandbox.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{World, body};

async fn gone(pid: u64) -> bool {
    let started = Instant::now();
    while Path::new(&format!("/proc/{pid}")).exists() {
        if started.elapsed() > Duration::from_secs(5) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

#[tokio::test]
async fn functions_end_when_the_gateway_is_killed() {
    let mut world = World::with_probe(json!({})).await;
    let pid = body(&world.invoke("landfall-probe", &json!({})).await)["pid"].as_u64().unwrap();
    // A process in the middle of its work asks nobody for anything.
    let client = world.client.clone();
    let busy = tokio::spawn(async move {
        let mut headers = http::HeaderMap::new();
        let authorization = crate::harness::signature("SFN.m", "lambda");
        headers.insert("authorization", authorization.parse().unwrap());
        let path = "/2015-03-31/functions/landfall-probe/invocations".parse().unwrap();
        client.forward(&http::Method::POST, &path, &headers, r#"{"sleep":60000}"#.into()).await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    world.child.start_kill().unwrap();
    assert!(busy.await.unwrap().is_err());
    assert!(gone(pid).await);
}

#[tokio::test]
async fn the_gateway_ends_when_its_standard_input_closes() {
    let mut world = World::with_probe(json!({})).await;
    drop(world.child.stdin.take());
    let ended = tokio::time::timeout(Duration::from_secs(5), world.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

#[tokio::test]
async fn the_gateway_ends_when_asked() {
    let mut world = World::with_probe(json!({})).await;
    world.control(http::Method::POST, "shutdown", &serde_json::Value::Null).await;
    let ended = tokio::time::timeout(Duration::from_secs(5), world.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}
