//! Requests to the HTTP API.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{World, arn, body, function, open_to_apis, signature};

async fn world() -> World {
    with(open_to_apis()).await
}

async fn with(changes: Value) -> World {
    World::with(json!({
        "functions": [function("landfall-probe", &changes)],
        "apis": [{"id": "api1", "routes": [
            {"method": "PUT", "path": "/landing-zones/{name}", "auth": "AWS_IAM",
             "function_arn": arn("landfall-probe")},
        ]}],
        "version": 1,
    }))
    .await
}

async fn put(world: &World, path: &str) -> sandbox::moto::Answer {
    let authorization = signature("admin", "execute-api");
    let headers = [("authorization", authorization.as_str()), ("x-a", "1"), ("x-a", "2")];
    world.send(Method::PUT, path, &headers, "kind: LandingZone").await
}

#[tokio::test]
async fn a_request_becomes_an_event_of_format_2() {
    let world = world().await;
    let answer = put(&world, "/landing-zones/pro%20d?dry=true&a=1&a=2").await;
    assert_eq!(answer.status(), 200);
    let event = &body(&answer)["event"];
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "PUT /landing-zones/{name}");
    assert_eq!(event["pathParameters"], json!({"name": "pro d"}));
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "dry": "true"}));
    assert_eq!(event["headers"]["x-a"], "1,2");
    assert_eq!(event["body"], "kind: LandingZone");
    let context = &event["requestContext"];
    assert_eq!(context["http"]["method"], "PUT");
    assert_eq!(context["authorizer"]["iam"]["accountId"], "123456789012");
    assert_eq!(context["authorizer"]["iam"]["userArn"], "arn:aws:iam::123456789012:user/operator");
}

#[tokio::test]
async fn a_path_without_a_route_is_not_found() {
    let world = world().await;
    let answer = put(&world, "/platforms/aws").await;
    assert_eq!((answer.status().as_u16(), body(&answer)), (404, json!({"message": "Not Found"})));
}

#[tokio::test]
async fn requests_are_logged_with_the_resource_that_iam_knows() {
    let world = world().await;
    put(&world, "/landing-zones/prod").await;
    let log = world.log().await;
    let entry: &Value = log.last().unwrap();
    assert_eq!(entry["action"], "execute-api:Invoke");
    assert_eq!(
        entry["resource"],
        "arn:aws:execute-api:eu-central-1:123456789012:api1/$default/PUT/landing-zones/prod"
    );
}

#[tokio::test]
async fn a_function_that_does_not_let_the_api_in_is_not_invoked() {
    let world = with(json!({})).await;
    assert_eq!(put(&world, "/landing-zones/prod").await.status(), 500);
}
