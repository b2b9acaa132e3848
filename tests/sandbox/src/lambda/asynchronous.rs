//! Asynchronous invocations: accepted at once, tried three times, given up when too old. What is given up leaves a record
//! where the function's destination says.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::lambda::instance::Outcome;
use crate::lambda::pool::Pool;
use crate::lambda::{Refusal, failure, request_id};
use crate::letters::{self, Sender};
use crate::lineage::Lineage;

/// Virtual seconds before the second and the third try after an error of the function.
const RETRIES: [f64; 2] = [60.0, 120.0];

/// Virtual seconds after which an event is dropped.
const GREATEST_AGE: f64 = 21_600.0;

/// Virtual seconds between tries while there is no free place, doubled up to five minutes.
const FIRST_PAUSE: f64 = 1.0;

/// Accepts an event for a function and answers with its request id.
pub fn accept(
    gateway: &Arc<Gateway>,
    pool: &Arc<Pool>,
    payload: Bytes,
    lineage: Lineage,
) -> String {
    let id = request_id();
    let (gateway, pool, request) = (Arc::clone(gateway), Arc::clone(pool), id.clone());
    tokio::spawn(async move {
        deliver(&gateway, &pool, &request, payload, lineage).await;
    });
    id
}

async fn deliver(gateway: &Gateway, pool: &Arc<Pool>, id: &str, payload: Bytes, lineage: Lineage) {
    let accepted = gateway.clock.now();
    let limits = pool.function.event_invoke.clone().unwrap_or_default();
    let mut retries = RETRIES.into_iter().take(limits.maximum_retry_attempts.unwrap_or(2));
    let greatest_age = limits.maximum_event_age_in_seconds.unwrap_or(GREATEST_AGE);
    let mut pause = FIRST_PAUSE;
    let mut end = End { condition: "EventAgeExceeded", tries: 0, last: None };
    while gateway.clock.now() - accepted < greatest_age {
        match gateway.run(pool, id, payload.clone(), lineage.clone()).await {
            Ok(Outcome::Answer(_)) => return,
            Ok(outcome) => {
                end.tries += 1;
                end.last = failure(&outcome, id, pool.function.timeout);
                let Some(wait) = retries.next() else {
                    end.condition = "RetriesExhausted";
                    break;
                };
                gateway.clock.sleep(wait).await;
            }
            Err(Refusal::TooManyRequests { .. }) => {
                gateway.clock.sleep(pause).await;
                pause = (pause * 2.0).min(300.0);
            }
            Err(Refusal::Broken(_)) => break,
        }
    }
    let name = &pool.function.name;
    tracing::warn!(function = %name, request = id, condition = end.condition, "an event was given up");
    if let Some(queue) = limits.on_failure() {
        let record = end.record(gateway, pool, id, &payload);
        letters::leave(gateway, queue, &record.to_string(), &json!({}), Sender::Function(pool))
            .await;
    }
}

/// How an event was given up.
struct End {
    condition: &'static str,
    tries: usize,
    /// What the function answered last.
    last: Option<Bytes>,
}

impl End {
    /// The record that goes to a destination.
    fn record(&self, gateway: &Gateway, pool: &Pool, id: &str, payload: &[u8]) -> Value {
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        let mut record = json!({
            "version": "1.0",
            "timestamp": gateway.clock.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "requestContext": {
                "requestId": id,
                "functionArn": format!("{}:$LATEST", pool.function.arn),
                "condition": self.condition,
                "approximateInvokeCount": self.tries,
            },
            "requestPayload": read(payload),
        });
        if let Some(answer) = &self.last {
            record["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"});
            record["responsePayload"] = read(answer);
        }
        record
    }
}
