//! The sandbox's own API, for the command line, tests and the plug-in.
//!
//! | request under `/_landfall/` | what it does |
//! |---|---|
//! | `GET clock` | virtual time, and how fast it is while nobody works |
//! | `POST clock` | leaps over so many seconds: `{"leap": 3600}` |
//! | `GET log?since=SEQ` | the calls after a position, one JSON document a line |
//! | `GET output?function=NAME` | the last lines that functions wrote |
//! | `GET programs` | the programs that functions may run, each with what tells it from another build |
//! | `GET points` | where faults can be injected: the points seen so far |
//! | `GET`, `POST faults`, `DELETE faults[/ID]` | the faults to inject, see [`crate::faults`] |
//! | `GET`, `POST delivery` | how reliably events arrive, see [`crate::events::delivery`] |
//! | `GET`, `POST staleness` | how late writes are seen, see [`crate::staleness`] |
//! | `GET`, `POST latency` | how long operations take, see [`crate::latency`] |
//! | `POST credentials` | an account's administrator, or a session of one of its roles |
//! | `POST events` | an event of a service, onto its account's default bus |
//! | `POST refresh` | reads again what is deployed |
//! | `POST shutdown` | ends the sandbox |
//! | `runtime/INSTANCE/…` | the Runtime API of one instance of a function |

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::events::{self, Arrival, DEFAULT, delivery};
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::identity::{self, Origin};
use crate::lambda::runtime_api;
use crate::moto::{Answer, element};
use crate::wire::{document, encoded, parameter};

/// Answers a request under `/_landfall/`.
pub async fn serve(gateway: &Arc<Gateway>, parts: &Parts, path: &str, body: Bytes) -> Answer {
    let query = parts.uri.query().unwrap_or_default();
    let segments: Vec<_> = path.trim_end_matches('/').split('/').collect();
    match (parts.method.as_str(), segments.as_slice()) {
        (_, ["runtime", id, ..]) => {
            let Some(instance) = gateway.lambda.instance(id) else { return missing() };
            let path = path.splitn(3, '/').nth(2).unwrap_or_default();
            runtime_api::serve(&instance, &parts.method, path, body).await
        }
        ("GET", ["clock"]) => {
            let clock = &gateway.clock;
            found(&json!({"epoch": clock.now(), "speed": clock.speed()}))
        }
        ("POST", ["clock"]) => match serde_json::from_slice::<Leap>(&body) {
            Ok(Leap { leap }) => {
                gateway.clock.leap(leap);
                found(&json!({"epoch": gateway.clock.now()}))
            }
            Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        ("GET", ["ready"]) => found(&json!({"ready": true})),
        ("GET", ["log"]) => {
            let since = parameter(query, "since").and_then(|since| since.parse().ok());
            lines(gateway.log.since(since.unwrap_or_default()))
        }
        ("GET", ["output"]) => {
            lines(gateway.lambda.output.of(parameter(query, "function").as_deref()))
        }
        ("GET", ["programs"]) => found(&json!(gateway.lambda.programs.marks())),
        ("GET", ["points"]) => found(&json!(gateway.points.seen())),
        ("GET", ["faults"]) => found(&json!(gateway.faults.all())),
        ("POST", ["faults"]) => set_fault(gateway, &body),
        ("DELETE", ["faults"]) => {
            gateway.faults.remove(None);
            found(&json!({}))
        }
        ("DELETE", ["faults", id]) => match id.parse().map(|id| gateway.faults.remove(Some(id))) {
            Ok(true) => found(&json!({})),
            _ => missing(),
        },
        ("GET", ["delivery"]) => found(&json!(gateway.delivery.settings())),
        ("POST", ["delivery"]) => match serde_json::from_slice::<delivery::Settings>(&body) {
            Ok(settings) => {
                gateway.delivery.set(settings);
                found(&json!(settings))
            }
            Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        ("GET", ["latency"]) => found(&json!(gateway.latency.settings())),
        ("POST", ["latency"]) => match serde_json::from_slice(&body) {
            Ok(settings) => {
                gateway.latency.set(settings);
                found(&json!(gateway.latency.settings()))
            }
            Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        ("GET", ["staleness"]) => found(&json!(gateway.staleness.settings())),
        ("POST", ["staleness"]) => match serde_json::from_slice(&body) {
            Ok(settings) => {
                gateway.staleness.set(settings);
                found(&json!(settings))
            }
            Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        ("POST", ["events"]) => match serde_json::from_slice::<Told>(&body) {
            Ok(told) => {
                events::put(gateway, told.into());
                found(&json!({}))
            }
            Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        ("POST", ["credentials"]) => credentials(gateway, &body).await,
        ("POST", ["refresh"]) => match gateway.refresh().await {
            Ok(()) => found(&json!({"version": gateway.deployment().version})),
            Err(error) => failed(StatusCode::BAD_GATEWAY, &error.to_string()),
        },
        ("POST", ["shutdown"]) => {
            gateway.ending.notify_one();
            found(&json!({}))
        }
        _ => missing(),
    }
}

fn set_fault(gateway: &Gateway, body: &Bytes) -> Answer {
    match serde_json::from_slice::<Fault>(body) {
        Ok(fault) => found(&json!({"id": gateway.faults.set(fault)})),
        Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// An event of a service, on its account's default bus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leap {
    leap: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    account: String,
    region: String,
    event: Value,
}

impl From<Told> for Arrival {
    fn from(Told { account, region, event }: Told) -> Self {
        Self { account, region, bus: DEFAULT.to_owned(), event, forwarded: false }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    account: String,
    #[serde(default)]
    role: Option<String>,
}

/// Credentials of an administrator of an account, or of a session of one of its roles.
async fn credentials(gateway: &Gateway, body: &Bytes) -> Answer {
    let wanted: Wanted = match serde_json::from_slice(body) {
        Ok(wanted) => wanted,
        Err(error) => return failed(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let role = wanted.role.as_deref().unwrap_or("landfall-sandbox-operator");
    let arn = if role.starts_with("arn:") {
        role.to_owned()
    } else {
        format!("arn:aws:iam::{}:role/{role}", wanted.account)
    };
    let form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName=operator",
        encoded(&arn)
    );
    let answer = match gateway.moto.query("sts", &form).await {
        Ok(answer) => answer,
        Err(error) => return failed(StatusCode::BAD_GATEWAY, &error.to_string()),
    };
    let Some(mut principal) = identity::session(&answer) else {
        return failed(StatusCode::BAD_GATEWAY, "moto gave no session");
    };
    principal.judged = wanted.role.is_some();
    principal.role = wanted.role.is_some().then_some(arn);
    principal.origin = Origin::Operator;
    let given = json!({
        "accessKeyId": principal.key,
        "secretAccessKey": principal.secret,
        "sessionToken": element(&answer, "SessionToken"),
    });
    gateway.identity.register(principal);
    found(&given)
}

fn found(value: &Value) -> Answer {
    document(StatusCode::OK, value)
}

fn lines(text: String) -> Answer {
    let mut answer = Answer::new(Bytes::from(text));
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    answer
}

fn missing() -> Answer {
    failed(StatusCode::NOT_FOUND, "the sandbox has nothing here")
}

fn failed(status: StatusCode, message: &str) -> Answer {
    document(status, &json!({"message": message}))
}
