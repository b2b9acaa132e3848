//! Invocations and the processes behind them.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{World, arn, body, function};

#[tokio::test]
async fn a_warm_instance_is_used_again() {
    let world = World::with_probe(json!({})).await;
    let first = body(&world.invoke("landfall-probe", &json!({"a": 1})).await);
    let second = body(&world.invoke("landfall-probe", &json!({"a": 2})).await);
    assert_eq!(first["event"], json!({"a": 1}));
    assert_eq!(second["event"], json!({"a": 2}));
    assert_eq!(first["pid"], second["pid"]);
}

#[tokio::test]
async fn invocations_at_the_same_time_have_instances_of_their_own() {
    let world = World::with_probe(json!({})).await;
    let slow = json!({"sleep": 200});
    let answers = join_all((0..4).map(|_| world.invoke("landfall-probe", &slow))).await;
    let mut pids: Vec<_> = answers.iter().map(|answer| body(answer)["pid"].as_u64()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 4);
}

#[tokio::test]
async fn a_function_finds_its_environment_and_its_roles_session() {
    let world = World::with_probe(json!({})).await;
    for (variable, value) in [
        ("LANDFALL_TABLE", "ledger"),
        ("AWS_LAMBDA_FUNCTION_NAME", "landfall-probe"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_SESSION_TOKEN", "token"),
    ] {
        let answer = world.invoke("landfall-probe", &json!({"variable": variable})).await;
        assert_eq!(body(&answer), json!(value));
    }
}

#[tokio::test]
async fn an_error_of_the_function_is_marked_and_passed_on() {
    let world = World::with_probe(json!({})).await;
    let error = json!({"errorType": "NotReady", "errorMessage": "too young"});
    let answer = world.invoke("landfall-probe", &json!({"fail": error})).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(body(&answer), error);
}

#[tokio::test]
async fn a_process_that_ends_is_an_exit_error_and_replaced() {
    let world = World::with_probe(json!({})).await;
    let answer = world.invoke("landfall-probe", &json!({"exit": 3})).await;
    assert_eq!(answer.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(body(&answer)["errorType"], "Runtime.ExitError");
    let message = body(&answer)["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Error: Runtime exited with error: exit status 3"), "{message}");
    assert_eq!(world.invoke("landfall-probe", &json!({})).await.status(), 200);
}

#[tokio::test]
async fn a_function_that_is_too_slow_is_ended() {
    let world = World::with_probe(json!({"timeout": 3})).await;
    let answer = world.invoke("landfall-probe", &json!({"sleep": 60_000})).await;
    assert_eq!(body(&answer)["errorType"], "Sandbox.Timedout");
    let message = body(&answer)["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Error: Task timed out after 3.00 seconds"), "{message}");
}

#[tokio::test]
async fn reserved_concurrency_refuses_what_is_too_much() {
    let world = World::with_probe(json!({"reserved_concurrency": 1})).await;
    let slow = json!({"sleep": 300});
    let (a, b) =
        tokio::join!(world.invoke("landfall-probe", &slow), world.invoke("landfall-probe", &slow));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    let refused = if a.status() == 429 { a } else { b };
    assert_eq!(refused.headers()["x-amzn-errortype"], "TooManyRequestsException");
    assert_eq!(body(&refused)["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
}

#[tokio::test]
async fn an_unknown_function_is_not_found() {
    let world = World::with_probe(json!({})).await;
    let answer = world.invoke("landfall-nothing", &json!({})).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["x-amzn-errortype"], "ResourceNotFoundException");
}

#[tokio::test]
async fn a_version_runs_as_it_was_published_and_an_unknown_one_is_not_found() {
    let version = |number: &str, table: &str| json!({"version": number, "environment": {"LANDFALL_TABLE": table}});
    let (one, two) = (version("1", "old"), version("2", "new"));
    let mut newest = function("landfall-probe", &two);
    newest["aliases"] = json!(["live"]);
    let mut latest = function("landfall-probe", &two);
    latest["version"] = Value::Null;
    let functions = json!([latest, function("landfall-probe", &one), newest]);
    let world = World::with(json!({"functions": functions, "version": 1})).await;
    let ask = json!({"variable": "LANDFALL_TABLE"});
    for (name, table, version) in [
        ("landfall-probe:1", "old", "1"),
        ("landfall-probe", "new", "$LATEST"),
        (&format!("{}:2", arn("landfall-probe")), "new", "2"),
        ("landfall-probe:live", "new", "2"),
    ] {
        let answer = world.invoke(name, &ask).await;
        assert_eq!(body(&answer), table, "{name}");
        assert_eq!(answer.headers()["x-amz-executed-version"], version, "{name}");
    }
    let pid = |answer| body(&answer)["pid"].as_u64();
    let unqualified = pid(world.invoke("landfall-probe", &json!({})).await);
    let of_version = pid(world.invoke("landfall-probe:2", &json!({})).await);
    assert_eq!(unqualified, of_version, "they are the same, and so is their process");
    let unknown = world.invoke("landfall-probe:3", &ask).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["x-amzn-errortype"], "ResourceNotFoundException");
    let message = body(&unknown)["message"]
        .as_str()
        .or(body(&unknown)["Message"].as_str())
        .map(str::to_owned);
    assert_eq!(message, Some(format!("Function not found: {}:3", arn("landfall-probe"))));
    let steps: Vec<_> = world.log().await.into_iter().map(|call| call["step"].clone()).collect();
    assert!(steps[..4].iter().all(|step| step == "probe"), "{steps:?}");
}

#[tokio::test]
async fn calls_of_a_function_are_logged_with_their_lineage() {
    let world = World::with_probe(json!({})).await;
    let call = json!({"service": "organizations", "target": "AWSOrganizationsV20161128.ListRoots"});
    let payload = json!({"tenant": "t-1", "run": 2, "mode": "replicate", "calls": [call, call]});
    world.invoke("landfall-probe", &payload).await;
    let log = world.log().await;
    let calls: Vec<&Value> =
        log.iter().filter(|call| call["action"] == "organizations:ListRoots").collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1]["machine"], "replicate-tenant");
    assert_eq!(calls[1]["step"], "probe");
    assert_eq!((&calls[1]["tenant"], &calls[1]["run"]), (&json!("t-1"), &json!(2)));
    assert_eq!((&calls[0]["occurrence"], &calls[1]["occurrence"]), (&json!(1), &json!(2)));
    assert!(calls[1]["principal"].as_str().unwrap().contains("assumed-role/landfall-probe"));
    assert_eq!(log.last().unwrap()["action"], "lambda:InvokeFunction");
}

#[tokio::test]
async fn a_changed_function_runs_with_its_new_environment() {
    let world = World::with_probe(json!({})).await;
    let ask = json!({"variable": "LANDFALL_TABLE"});
    assert_eq!(body(&world.invoke("landfall-probe", &ask).await), "ledger");
    let changed = function("landfall-probe", &json!({"environment": {"LANDFALL_TABLE": "new"}}));
    *world.stand.deployment.lock() = json!({"functions": [changed], "version": 2});
    world.control(http::Method::POST, "refresh", &Value::Null).await;
    assert_eq!(body(&world.invoke("landfall-probe", &ask).await), "new");
}

#[tokio::test]
async fn an_invocation_goes_on_without_its_caller() {
    let world = World::with_probe(json!({})).await;
    let slow = json!({"sleep": 300, "calls": [{"service": "organizations",
        "target": "AWSOrganizationsV20161128.ListRoots"}]});
    let impatient = world.invoke("landfall-probe", &slow);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(150), impatient).await;
    assert!(waited.is_err());
    let log = world.until(|log| log.iter().any(|call| call["operation"] == "Invoke")).await;
    assert!(log.iter().any(|call| call["action"] == "organizations:ListRoots"));
    // The instance that nobody waited for is free again: no other was ever started.
    assert_eq!(world.invoke("landfall-probe", &json!({})).await.status(), 200);
    assert_eq!(world.stand.calls.load(std::sync::atomic::Ordering::SeqCst), 2);
}
