//! The event that a function gets for a request: payload format 2.0.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::deployment::{Api, Route};
use crate::gateway::Gateway;
use crate::identity::Principal;
use crate::judge::ORGANIZATION;
use crate::lambda::request_id;
use crate::wire::decoded;

/// Who makes a request, and whether the route asked.
#[derive(Debug)]
pub struct Caller<'a> {
    /// Holder of the access key.
    pub principal: &'a Principal,
    /// Whether the route has IAM authorization.
    pub authorized: bool,
}

/// The event for a request.
#[expect(clippy::too_many_arguments, reason = "an event tells all of a request")]
pub fn of(
    gateway: &Gateway,
    api: &Api,
    route: &Route,
    owner: &str,
    parts: &Parts,
    parameters: &BTreeMap<String, String>,
    caller: &Caller<'_>,
    body: &Bytes,
) -> Value {
    let query = parts.uri.query().unwrap_or_default();
    let route_key = match route.path.as_str() {
        "$default" => "$default".to_owned(),
        path => format!("{} {path}", route.method),
    };
    let region = api.region.as_deref().unwrap_or("eu-central-1");
    let headers = headers(parts);
    let now = gateway.clock.timestamp();
    let mut context = json!({
        "accountId": owner,
        "apiId": api.id,
        "domainName": format!("{}.execute-api.{region}.amazonaws.com", api.id),
        "domainPrefix": api.id,
        "http": {
            "method": parts.method.as_str(),
            "path": decoded(parts.uri.path()),
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": headers.get("user-agent").cloned().unwrap_or(json!("")),
        },
        "requestId": request_id(),
        "routeKey": route_key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.as_millisecond(),
    });
    if caller.authorized {
        context["authorizer"] = authorizer(caller.principal);
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": decoded(parts.uri.path()),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    if !query.is_empty() {
        event["queryStringParameters"] = joined(query.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(&value.replace('+', " ")))
        }));
    }
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    let cookies = parts.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<_> = cookies.flat_map(|value| value.split("; ")).collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !body.is_empty() {
        if let Ok(text) = std::str::from_utf8(body) {
            event["body"] = json!(text);
        } else {
            event["body"] = json!(STANDARD.encode(body));
            event["isBase64Encoded"] = json!(true);
        }
    }
    event
}

fn authorizer(principal: &Principal) -> Value {
    let name = principal.arn.rsplit('/').next().unwrap_or_default();
    let id = format!("AROA{:0>16}:{name}", principal.account);
    json!({"iam": {
        "accessKey": principal.key,
        "accountId": principal.account,
        "callerId": id,
        "cognitoIdentity": null,
        "principalOrgId": ORGANIZATION,
        "userArn": principal.arn,
        "userId": id,
    }})
}

fn headers(parts: &Parts) -> Map<String, Value> {
    let all = parts.headers.iter().filter(|(name, _)| *name != "cookie");
    let all = all.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())));
    match joined(all) {
        Value::Object(headers) => headers,
        _ => Map::new(),
    }
}

/// Pairs as an object in which values of the same name are joined by commas.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in pairs {
        all.entry(name)
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    json!(all)
}
