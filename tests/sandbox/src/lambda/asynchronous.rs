//! Asynchronous invocations: accepted at once, tried three times, dropped when too old.

use std::sync::Arc;

use bytes::Bytes;

use crate::gateway::Gateway;
use crate::lambda::instance::Outcome;
use crate::lambda::pool::Pool;
use crate::lambda::{Refusal, request_id};
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
    while gateway.clock.now() - accepted < greatest_age {
        match gateway.run(pool, id, payload.clone(), lineage.clone()).await {
            Ok(Outcome::Answer(_)) => return,
            Ok(_) => {
                let Some(wait) = retries.next() else { break };
                gateway.clock.sleep(wait).await;
            }
            Err(Refusal::TooManyRequests { .. }) => {
                gateway.clock.sleep(pause).await;
                pause = (pause * 2.0).min(300.0);
            }
            Err(Refusal::Broken(_)) => break,
        }
    }
    tracing::warn!(function = %pool.function.name, request = id, "an event was dropped");
}
