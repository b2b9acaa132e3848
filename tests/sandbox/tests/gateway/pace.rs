//! What the gateway costs; run with `--run-ignored only --no-capture` to see the figures.

use std::time::Instant;

use futures::future::join_all;
use http::{HeaderMap, Method, Uri};
use sandbox::moto::Moto;
use serde_json::json;

use crate::harness::{World, signature};

const CALLS: u32 = 2_000;

/// The median of the milliseconds that a call takes, one after the other.
async fn milliseconds(client: &Moto, headers: &HeaderMap) -> f64 {
    let root = Uri::from_static("/");
    let mut all = Vec::new();
    for _ in 0..CALLS {
        let started = Instant::now();
        let answer = client.forward(&Method::POST, &root, headers, "{}".into()).await.unwrap();
        assert!(answer.status().is_success());
        all.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_passed_call_costs_less_than_a_millisecond() {
    let world = World::with_probe(json!({})).await;
    let wanted = json!({"account": "123456789012", "role": "landfall-probe"});
    let credentials = world.control(Method::POST, "credentials", &wanted).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", "DynamoDB_20120810.GetItem".parse().unwrap());
    headers.insert("content-type", "application/x-amz-json-1.0".parse().unwrap());
    let mut figures = Vec::new();
    for key in ["admin", credentials["accessKeyId"].as_str().unwrap()] {
        headers.insert("authorization", signature(key, "dynamodb").parse().unwrap());
        let direct = milliseconds(&world.stand_in(), &headers).await;
        figures.push(milliseconds(&world.client, &headers).await - direct);
    }
    println!("passing on costs {:.3} ms, judged {:.3} ms", figures[0], figures[1]);
    assert!(figures.iter().all(|cost| *cost < 1.0), "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_thousand_invocations_a_second_are_run() {
    let world = World::with_probe(json!({})).await;
    let invocations = async |number: u32| {
        let started = Instant::now();
        for _ in 0..number / 8 {
            let payload = json!({});
            let all = join_all((0..8).map(|_| world.invoke("landfall-probe", &payload))).await;
            assert!(all.iter().all(|answer| answer.status() == 200));
        }
        f64::from(number) / started.elapsed().as_secs_f64()
    };
    invocations(80).await;
    println!("{:.0} warm invocations a second", invocations(4_000).await);
    let started = Instant::now();
    world.invoke("landfall-probe", &json!({"exit": 0})).await;
    println!(
        "{:.1} ms for an invocation that ends its process",
        started.elapsed().as_secs_f64() * 1000.0
    );
}
