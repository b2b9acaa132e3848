//! The Invoke operation of the Lambda API.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};

use crate::authorization::{Fault, Protocol};
use crate::deployment::Function;
use crate::gateway::Gateway;
use crate::lambda::pool::Pool;
use crate::lambda::{Refusal, asynchronous, failure, instance::Outcome, request_id};
use crate::lineage::Lineage;
use crate::moto::Answer;
use crate::wire::{decoded, parameter, refusal};

/// Largest payload of a synchronous invocation.
const SYNCHRONOUS: usize = 6 * 1024 * 1024;

/// Largest payload of an asynchronous invocation.
const ASYNCHRONOUS: usize = 1024 * 1024;

/// Which version of a function answers.
const EXECUTED: &str = "x-amz-executed-version";

/// The function named in an Invoke request, and the version or alias that its query names.
pub fn function_of(uri: &Uri) -> Option<(String, Option<String>)> {
    let path = uri.path().strip_prefix("/2015-03-31/functions/")?;
    let name = path.strip_suffix("/invocations")?;
    let qualifier = uri.query().and_then(|query| parameter(query, "Qualifier"));
    Some((decoded(name), qualifier))
}

/// Answers an Invoke request.
pub async fn serve(
    gateway: &Arc<Gateway>,
    pool: &Arc<Pool>,
    headers: &HeaderMap,
    payload: Bytes,
    lineage: Lineage,
) -> Answer {
    let kind = headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok());
    let greatest = if kind == Some("Event") { ASYNCHRONOUS } else { SYNCHRONOUS };
    if payload.len() > greatest {
        let message = format!(
            "Request must be smaller than {greatest} bytes for the \
                               InvokeFunction operation"
        );
        return refused(413, "RequestTooLargeException", &message);
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        let message = "Could not parse request body into json";
        return refused(400, "InvalidRequestContentException", message);
    }
    match kind {
        Some("DryRun") => accepted(StatusCode::NO_CONTENT, &request_id()),
        Some("Event") => {
            let id = asynchronous::accept(gateway, pool, payload, lineage);
            accepted(StatusCode::ACCEPTED, &id)
        }
        _ => synchronous(gateway, pool, payload, lineage).await,
    }
}

async fn synchronous(
    gateway: &Arc<Gateway>,
    pool: &Arc<Pool>,
    payload: Bytes,
    lineage: Lineage,
) -> Answer {
    let id = request_id();
    match gateway.run(pool, &id, payload, lineage).await {
        Ok(outcome) => answered(&outcome, &id, pool.function.timeout),
        Err(Refusal::TooManyRequests { reserved }) => too_many_requests(reserved),
        Err(Refusal::Broken(message)) => refused(502, "InvalidRuntimeException", &message),
    }
}

/// The refusal of an invocation for which there is no place.
pub fn too_many_requests(reserved: bool) -> Answer {
    let reason = if reserved {
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    } else {
        "ConcurrentInvocationLimitExceeded"
    };
    let fault = Fault::new(429, "TooManyRequestsException", "Rate Exceeded.");
    refusal("lambda", Protocol::RestJson, &fault.with("Reason", reason))
}

/// The refusal of an invocation of a function that does not exist.
pub fn not_found(arn: &str) -> Answer {
    refused(404, "ResourceNotFoundException", &format!("Function not found: {arn}"))
}

fn answered(outcome: &Outcome, id: &str, timeout: f64) -> Answer {
    let failed = failure(outcome, id, timeout);
    let body = match (&failed, outcome) {
        (Some(document), _) => document.clone(),
        (None, Outcome::Answer(body)) => body.clone(),
        (None, _) => Bytes::new(),
    };
    let mut answer = accepted(StatusCode::OK, id);
    *answer.body_mut() = body;
    if failed.is_some() {
        answer.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    answer
}

fn accepted(status: StatusCode, id: &str) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(EXECUTED, HeaderValue::from_static(Function::LATEST));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
    answer
}

/// Says in an answer of an invocation which version it was.
pub fn executed(answer: &mut Answer, version: &str) {
    if let (Some(said), Ok(version)) =
        (answer.headers_mut().get_mut(EXECUTED), HeaderValue::from_str(version))
    {
        *said = version;
    }
}

fn refused(status: u16, code: &str, message: &str) -> Answer {
    refusal("lambda", Protocol::RestJson, &Fault::new(status, code, message))
}
