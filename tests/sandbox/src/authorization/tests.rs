//! Every row's demands, real requests of every protocol, and decisions of both sides.

mod decisions;
mod requests;
mod rows;

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};

use super::{Api, Call, Error, RequestParts, World};

const MANAGEMENT: &str = "111111111111";
const AUTOMATION: &str = "123456789012";
const MEMBER: &str = "222222222222";
const REGION: &str = "eu-central-1";

static WORLD: LazyLock<World> = LazyLock::new(|| World {
    partition: "aws".to_owned(),
    organization: "o-landfall01".to_owned(),
    management: MANAGEMENT.to_owned(),
    api: Some(Api {
        account: AUTOMATION.to_owned(),
        id: "api1".to_owned(),
        stage: "$default".to_owned(),
    }),
});

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

fn parts<'a>(service: &'a str, account: &'a str, headers: &'a HeaderMap) -> RequestParts<'a> {
    RequestParts {
        service,
        region: REGION,
        account,
        method: "POST",
        path: "/",
        query: "",
        headers,
        body: b"",
    }
}

/// A call in the JSON protocol.
fn json_call(service: &str, account: &str, target: &str, body: &str) -> Result<Call, Error> {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_str(target).expect("a header"));
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
    let body = body.as_bytes();
    Call::of(&RequestParts { body, ..parts(service, account, &headers) }, &WORLD)
}

/// A call in the query protocol.
fn query_call(service: &str, account: &str, form: &str) -> Result<Call, Error> {
    let mut headers = HeaderMap::new();
    let content = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    headers.insert("content-type", content);
    let body = form.as_bytes();
    Call::of(&RequestParts { body, ..parts(service, account, &headers) }, &WORLD)
}

/// Actions and resources of a call, one text each.
fn asked(call: &Call) -> Vec<String> {
    call.demands.iter().map(|demand| format!("{} {}", demand.action, demand.resource)).collect()
}
