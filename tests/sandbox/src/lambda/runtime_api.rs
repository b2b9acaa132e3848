//! The Runtime API, and as much of the Extensions API as the runtime's own shutdown hook needs.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use crate::lambda::instance::{Instance, Outcome};
use crate::moto::Answer;
use crate::wire::document;

/// Answers one request of an instance's process.
pub async fn serve(instance: &Arc<Instance>, method: &Method, path: &str, body: Bytes) -> Answer {
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["2018-06-01", "runtime", "invocation", "next"]) => next(instance).await,
        ("POST", ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            taken(instance.answer(id, Outcome::Answer(body)))
        }
        ("POST", ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            taken(instance.answer(id, Outcome::Failed(body)))
        }
        ("POST", ["2018-06-01", "runtime", "init", "error"]) => {
            let text = String::from_utf8_lossy(&body).into_owned();
            tracing::warn!(function = %instance.pool.function.name, error = text, "init failed");
            taken(true)
        }
        ("POST", ["2020-01-01", "extension", "register"]) => {
            let mut answer = document(
                StatusCode::OK,
                &json!({"functionName": instance.pool.function.name,
                        "functionVersion": instance.pool.function.qualifier(), "handler": "bootstrap"}),
            );
            if let Ok(id) = HeaderValue::from_str(&instance.id) {
                answer.headers_mut().insert("lambda-extension-identifier", id);
            }
            answer
        }
        ("GET", ["2020-01-01", "extension", "event", "next"]) => std::future::pending().await,
        _ => document(StatusCode::NOT_FOUND, &json!({"errorType": "Runtime.UnknownPath"})),
    }
}

async fn next(instance: &Arc<Instance>) -> Answer {
    let Some(event) = instance.next().await else {
        return document(StatusCode::INTERNAL_SERVER_ERROR, &json!({}));
    };
    let mut answer = Response::new(event.payload);
    for (name, value) in [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", &event.id),
        ("lambda-runtime-deadline-ms", &event.deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", &instance.pool.function.arn),
        ("lambda-runtime-trace-id", &event.trace),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn taken(known: bool) -> Answer {
    if known {
        document(StatusCode::ACCEPTED, &json!({"status": "OK"}))
    } else {
        let message = "the instance does not run this invocation";
        document(
            StatusCode::BAD_REQUEST,
            &json!({"errorType": "InvalidRequestID", "errorMessage": message}),
        )
    }
}
