//! API Gateway's HTTP API: routes, IAM authorization, payload format 2.0.

mod event;
mod route;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::authorization::{self, Call, RequestParts};
use crate::clock::{timestamp, wall};
use crate::deployment::{Api, Route};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::identity::Principal;
use crate::judge::{Acting, demand, judge, judge_service};
use crate::lambda::Refusal;
use crate::lambda::instance::Outcome;
use crate::lineage::Lineage;
use crate::log::Entry;
use crate::moto::Answer;
use crate::signature;
use crate::wire::{Scope, document};

pub use event::Caller;

/// Largest request body.
const GREATEST_BODY: usize = 10 * 1024 * 1024;

/// Largest event that Lambda takes.
const GREATEST_EVENT: usize = 6 * 1024 * 1024;

/// The time that a function has to answer, in virtual seconds.
const PATIENCE: f64 = 30.0;

/// The least real time that a function has to answer.
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

/// Answers a request to an HTTP API.
pub async fn serve(gateway: &Arc<Gateway>, parts: &Parts, scope: Scope, body: Bytes) -> Answer {
    let started = Instant::now();
    let principal = gateway.identity.of(&scope.key, &gateway.moto, |_| None).await;
    let mut entry = Entry {
        at: gateway.clock.timestamp().to_string(),
        wall: timestamp(wall()).to_string(),
        principal: principal.arn.clone(),
        account: principal.account.clone(),
        region: scope.region.clone(),
        service: "execute-api".to_owned(),
        action: "execute-api:Invoke".to_owned(),
        operation: format!("{} {}", parts.method, parts.uri.path()),
        resource: "*".to_owned(),
        decision: "unjudged".to_owned(),
        write: !parts.method.is_safe(),
        ..Entry::default()
    };
    let answer = answer(gateway, parts, &scope, &principal, body, &mut entry).await;
    entry.status = answer.status().as_u16();
    entry.duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    gateway.log.add(entry);
    answer
}

async fn answer(
    gateway: &Arc<Gateway>,
    parts: &Parts,
    scope: &Scope,
    principal: &Principal,
    body: Bytes,
    entry: &mut Entry,
) -> Answer {
    let deployment = gateway.deployment();
    let path = parts.uri.path();
    let found = deployment.apis.iter().find_map(|api| {
        let (route, parameters) = route::best(&api.routes, parts.method.as_str(), path)?;
        Some((api, route, parameters))
    });
    let Some((api, route, parameters)) = found else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let owner = owner(api, route);
    entry.resource = format!(
        "arn:aws:execute-api:{}:{owner}:{}/$default/{}{path}",
        api.region.as_deref().unwrap_or(&scope.region),
        api.id,
        parts.method
    );
    let signed = |secret: &String| signature::is_valid(parts, &body, secret);
    if route.auth == "AWS_IAM"
        && (!principal.secret.as_ref().is_none_or(signed)
            || !allowed(gateway, parts, scope, principal, (api, &owner), entry).await)
    {
        return message(StatusCode::FORBIDDEN, "Forbidden");
    }
    if body.len() > GREATEST_BODY {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let caller = Caller { principal, authorized: route.auth == "AWS_IAM" };
    let event = event::of(gateway, api, route, &owner, parts, &parameters, &caller, &body);
    let payload = Bytes::from(event.to_string());
    if payload.len() > GREATEST_EVENT {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let Some(pool) = gateway.lambda.find(&route.function_arn, None, &owner, &scope.region) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    if !may_invoke(gateway, (api, route, &owner), scope).await {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    }
    let lineage = Lineage { step: Some(pool.step.clone()), ..Lineage::default() };
    let id = crate::lambda::request_id();
    let clock = gateway.clock.clone();
    let patience = async {
        tokio::join!(clock.sleep(PATIENCE), tokio::time::sleep(LEAST_PATIENCE));
    };
    let gateway = Arc::clone(gateway);
    // A function that is too slow for its caller works on.
    let running = tokio::spawn(async move { gateway.run(&pool, &id, payload, lineage).await });
    let answered = tokio::select! {
        answered = running => Some(answered),
        () = patience => None,
    };
    match answered {
        Some(Ok(Ok(Outcome::Answer(answer)))) => mapped(&answer),
        Some(Ok(Err(Refusal::TooManyRequests { .. }))) | None => {
            message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Some(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

/// Whether the function lets API Gateway invoke it for a route.
async fn may_invoke(
    gateway: &Gateway,
    (api, route, owner): (&Api, &Route, &str),
    scope: &Scope,
) -> bool {
    let region = api.region.as_deref().unwrap_or(&scope.region);
    let Api { id, .. } = api;
    let Route { method, path, function_arn, .. } = route;
    let source = format!("arn:aws:execute-api:{region}:{owner}:{id}/$default/{method}{path}");
    let acting = Acting { service: "apigateway.amazonaws.com", source: &source, account: owner };
    let call = demand("lambda", "Invoke", region, "lambda:InvokeFunction", function_arn);
    let verdict = judge_service(gateway, acting, None, &call).await;
    let allowed = verdict.is_ok_and(|verdict| verdict.allowed);
    if !allowed {
        tracing::warn!(source, function_arn, "the function does not let API Gateway in");
    }
    allowed
}

/// Whether a path is one of a deployed API, so that an unsigned request to it is to be refused. What only a default route
/// takes may be any other endpoint's, since all of them are one port here.
pub fn has(gateway: &Gateway, parts: &Parts) -> bool {
    let deployment = gateway.deployment();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let mut routes =
        deployment.apis.iter().filter_map(|api| route::best(&api.routes, method, path));
    routes.any(|(route, _)| route.path != "$default")
}

/// The refusal of a request that no one signed.
pub fn forbidden() -> Answer {
    message(StatusCode::FORBIDDEN, "Forbidden")
}

/// Whether IAM lets the caller in.
async fn allowed(
    gateway: &Gateway,
    parts: &Parts,
    scope: &Scope,
    principal: &Principal,
    (api, owner): (&Api, &str),
    entry: &mut Entry,
) -> bool {
    if !principal.judged {
        return true;
    }
    let world = gateway.world(Some(authorization::Api {
        account: owner.to_owned(),
        id: api.id.clone(),
        stage: "$default".to_owned(),
    }));
    let request = RequestParts {
        service: "execute-api",
        region: api.region.as_deref().unwrap_or(&scope.region),
        account: &principal.account,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &[],
    };
    let verdict = match Call::of(&request, &world) {
        Ok(call) => judge(gateway, principal, &call).await,
        Err(error) => Err(Error::Moto(error.to_string())),
    };
    match verdict {
        Ok(verdict) => {
            verdict.decision.clone_into(&mut entry.decision);
            verdict.allowed
        }
        Err(error) => {
            tracing::error!(%error, "a request can't be judged");
            "denied:unknown".clone_into(&mut entry.decision);
            false
        }
    }
}

/// The account of an API: as told, or that of the function behind its route.
fn owner(api: &Api, route: &Route) -> String {
    let of_function = || route.function_arn.split(':').nth(4).map(str::to_owned);
    api.account.clone().or_else(of_function).unwrap_or_default()
}

/// A function's answer as an HTTP response.
fn mapped(answer: &Bytes) -> Answer {
    let Ok(value) = serde_json::from_slice::<Value>(answer) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let Some(status) = value.get("statusCode").and_then(Value::as_u64) else {
        return document(StatusCode::OK, &value);
    };
    let text = value.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = if value.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        match STANDARD.decode(text) {
            Ok(body) => Bytes::from(body),
            Err(_) => return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    } else {
        Bytes::from(text.to_owned())
    };
    let mut response = Response::new(body);
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut put = |name: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&text))
        {
            response.headers_mut().append(name, value);
        }
    };
    for (name, value) in value.get("headers").and_then(Value::as_object).into_iter().flatten() {
        put(name, value);
    }
    let several = value.get("multiValueHeaders").and_then(Value::as_object);
    for (name, values) in several.into_iter().flatten() {
        values.as_array().into_iter().flatten().for_each(|value| put(name, value));
    }
    for cookie in value.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        put("set-cookie", cookie);
    }
    response
        .headers_mut()
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
    response
}

fn message(status: StatusCode, text: &str) -> Answer {
    document(status, &json!({"message": text}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_functions_status_headers_and_body_become_the_response() {
        let answer = mapped(&Bytes::from_static(
            br#"{"statusCode":201,"headers":{"etag":"7"},"body":"aGk=","isBase64Encoded":true}"#,
        ));
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["etag"], "7");
        assert_eq!(answer.body(), "hi");
    }

    #[test]
    fn an_answer_without_a_status_is_the_body() {
        let answer = mapped(&Bytes::from_static(br#"{"ok":true}"#));
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &br#"{"ok":true}"#[..]));
    }
}
