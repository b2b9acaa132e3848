//! What IAM, the published limits and staleness do to calls.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, World, arn, body, function, open_to_apis, signature};

const ROLE: &str = "arn:aws:iam::123456789012:role/landfall-probe";

fn allow(action: &str) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

async fn with_policy(policy: &Value) -> World {
    let world = World::with_probe(json!({})).await;
    let role = json!({"exists": true, "account": ACCOUNT, "identity": [policy]});
    world.stand.roles.lock().insert(ROLE.to_owned(), role);
    world
}

fn organizations(operation: &str) -> Value {
    let target = format!("AWSOrganizationsV20161128.{operation}");
    json!({"service": "organizations", "target": target, "body": "{}"})
}

async fn calls(world: &World, calls: &[Value]) -> Vec<Value> {
    let answer = world.invoke("landfall-probe", &json!({"tenant": "t", "calls": calls})).await;
    body(&answer).as_array().unwrap().clone()
}

/// An `Authorization` header with a real signature.
fn signed(path: &str, key: &str, secret: &str) -> String {
    let header = |signature: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/execute-api/aws4_request, \
             SignedHeaders=x-amz-date, Signature={signature}"
        )
    };
    let request = http::Request::get(path)
        .header("x-amz-date", "20261122T120000Z")
        .header("authorization", header("?"))
        .body(())
        .unwrap();
    let parts = request.into_parts().0;
    header(&sandbox::signature::expected(&parts, path, b"", secret).unwrap())
}

#[tokio::test]
async fn a_call_that_no_policy_allows_is_denied_and_never_made() {
    let world = with_policy(&allow("organizations:ListRoots")).await;
    let made = [organizations("ListRoots"), organizations("DescribeOrganization")];
    let answers = calls(&world, &made).await;
    assert_eq!((&answers[0]["status"], &answers[1]["status"]), (&json!(200), &json!(400)));
    assert!(answers[1]["body"].as_str().unwrap().contains("AccessDeniedException"));
    let log = world.log().await;
    let decisions: Vec<_> = log.iter().map(|call| &call["decision"]).collect();
    assert_eq!(decisions, ["allowed", "denied:identity", "unjudged"]);
}

#[tokio::test]
async fn an_operation_without_a_row_is_denied_with_the_remedy() {
    let world = with_policy(&allow("*")).await;
    let answers = calls(&world, &[organizations("InventMoney")]).await;
    assert!(answers[0]["body"].as_str().unwrap().contains("add a row"));
    assert_eq!(world.log().await[0]["decision"], "denied:unknown");
}

#[tokio::test]
async fn a_session_has_no_more_than_its_own_policy() {
    let world = with_policy(&allow("*")).await;
    let policy = sandbox::wire::encoded(&allow("organizations:ListRoots").to_string());
    let role = sandbox::wire::encoded("arn:aws:iam::111111111111:role/LandfallRead");
    let form = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=x&Policy={policy}");
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let authorization = signature("admin", "sts");
    let headers = [("authorization", authorization.as_str()), form_type];
    let answer = world.send(Method::POST, "/", &headers, &form).await;
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    let key = sandbox::moto::element(&text, "AccessKeyId").unwrap().to_owned();
    let authorization = signature(&key, "organizations");
    let mut statuses = Vec::new();
    for operation in ["ListRoots", "DescribeOrganization"] {
        let target = format!("AWSOrganizationsV20161128.{operation}");
        let headers = [("authorization", authorization.as_str()), ("x-amz-target", &target)];
        statuses.push(world.send(Method::POST, "/", &headers, "{}").await.status().as_u16());
    }
    assert_eq!(statuses, [200, 400]);
    assert_eq!(world.log().await.last().unwrap()["decision"], "denied:session");
}

#[tokio::test]
async fn calls_that_come_too_fast_are_refused_as_the_service_does() {
    let world = with_policy(&allow("*")).await;
    let answers = calls(&world, &vec![organizations("CreateAccount"); 5]).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer["status"] == 400).collect();
    assert!(!refused.is_empty() && refused.len() <= 2, "{answers:?}");
    assert!(refused[0]["body"].as_str().unwrap().contains("TooManyRequestsException"));
}

#[tokio::test]
async fn a_read_may_be_answered_as_before_the_last_write() {
    let world = with_policy(&allow("*")).await;
    world.control(Method::POST, "staleness", &json!({"organizations": 0.0})).await;
    let fault = json!({"action": "organizations:ListAccounts", "kind": "stale", "occurrence": 2});
    world.control(Method::POST, "faults", &fault).await;
    let found = |name: &str| (200, json!({"Accounts": [name]}).to_string());
    world.stand.answers.lock().insert("ListAccounts".to_owned(), found("old"));
    let first = calls(&world, &[organizations("ListAccounts"), organizations("MoveAccount")]).await;
    world.stand.answers.lock().insert("ListAccounts".to_owned(), found("new"));
    let then = calls(&world, &vec![organizations("ListAccounts"); 2]).await;
    assert!(first[0]["body"].as_str().unwrap().contains("old"));
    assert!(then[0]["body"].as_str().unwrap().contains("old"), "{then:?}");
    assert!(then[1]["body"].as_str().unwrap().contains("new"));
    let log = world.log().await;
    let stale: Vec<_> = log.iter().filter(|call| call["stale"] == true).collect();
    assert_eq!((stale.len(), &stale[0]["fault"]), (1, &json!("stale")));
}

#[tokio::test]
async fn a_policy_takes_effect_late() {
    let world = with_policy(&allow("*")).await;
    world.control(Method::POST, "staleness", &json!({"iam": 60.0})).await;
    let roots = [organizations("ListRoots")];
    assert_eq!(calls(&world, &roots).await[0]["status"], 200);
    let role = json!({"exists": true, "account": ACCOUNT, "identity": []});
    world.stand.roles.lock().insert(ROLE.to_owned(), role);
    let mut answered = Vec::new();
    let started = std::time::Instant::now();
    while answered.last() != Some(&json!(400)) {
        answered.push(calls(&world, &roots).await[0]["status"].clone());
        assert!(started.elapsed().as_secs() < 5, "never denied");
    }
    assert!(answered.len() > 1);
}

#[tokio::test]
async fn the_http_api_lets_in_whom_iam_lets_in() {
    let world = World::with(json!({
        "functions": [function("landfall-probe", &open_to_apis())],
        "apis": [{"id": "api1", "routes": [
            {"method": "GET", "path": "/workspaces/{workspace}/tenants", "auth": "AWS_IAM",
             "function_arn": arn("landfall-probe")},
        ]}],
        "version": 1,
    }))
    .await;
    let requester = format!("arn:aws:iam::{ACCOUNT}:role/payments");
    let allowed =
        format!("arn:aws:execute-api:*:{ACCOUNT}:api1/$default/GET/workspaces/payments/*");
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed}]});
    let role = json!({"exists": true, "account": ACCOUNT, "identity": [policy]});
    world.stand.roles.lock().insert(requester, role);
    let wanted = json!({"account": ACCOUNT, "role": "payments"});
    let credentials = world.control(Method::POST, "credentials", &wanted).await;
    let key = credentials["accessKeyId"].as_str().unwrap();
    let secret = credentials["secretAccessKey"].as_str().unwrap();
    let ask = async |workspace: &str, secret: &str| {
        let path = format!("/workspaces/{workspace}/tenants");
        let authorization = signed(&path, key, secret);
        let headers =
            [("authorization", authorization.as_str()), ("x-amz-date", "20261122T120000Z")];
        world.send(Method::GET, &path, &headers, "").await.status().as_u16()
    };
    assert_eq!(ask("payments", secret).await, 200);
    assert_eq!(ask("fraud", secret).await, 403);
    assert_eq!(world.log().await.last().unwrap()["decision"], "denied:identity");
    assert_eq!(ask("payments", "guessed").await, 403);
    let unsigned = world.send(Method::GET, "/workspaces/payments/tenants", &[], "").await;
    assert_eq!(
        (unsigned.status().as_u16(), body(&unsigned)),
        (403, json!({"message": "Forbidden"}))
    );
}
