//! Cases written from AWS's documentation, each with all layers, and what AWS decides.

use policy::{Caller, Context, Decision, Document, Layer, Layers, Request, decide};
use serde_json::{Value, json};

const CASES: &str = include_str!("vectors/decisions.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is missing in {value}"))
}

fn documents(value: &Value) -> Vec<Document> {
    let parse = |document| Document::parse(document).expect("a policy");
    value.as_array().map(|documents| documents.iter().map(parse).collect()).unwrap_or_default()
}

fn levels(value: &Value) -> Vec<Vec<Document>> {
    value.as_array().map(|levels| levels.iter().map(documents).collect()).unwrap_or_default()
}

fn optional(value: &Value) -> Option<Vec<Document>> {
    match value {
        Value::Null => None,
        Value::Array(_) => Some(documents(value)),
        document => Some(vec![Document::parse(document).expect("a policy")]),
    }
}

fn caller(principal: &str) -> Caller {
    let segments: Vec<&str> = principal.splitn(6, ':').collect();
    let [_, partition, _, _, account, name] = segments[..] else {
        return Caller::Service(principal.to_owned());
    };
    let (arn, account) = (principal.to_owned(), account.to_owned());
    match name.split('/').collect::<Vec<_>>()[..] {
        ["root"] => Caller::Root { account },
        ["assumed-role", role, _] => {
            let role_arn = format!("arn:{partition}:iam::{account}:role/{role}");
            Caller::Session { arn, role_arn, account }
        }
        _ => Caller::User { arn, account },
    }
}

fn context(value: &Value) -> Context {
    let mut context = Context::default();
    for (key, value) in value.as_object().expect("a context") {
        match value {
            Value::Array(values) => {
                context.set_all(key, values.iter().filter_map(Value::as_str));
            }
            value => context.set(key, value.as_str().expect("a value")),
        }
    }
    context
}

fn decision(case: &Value) -> Decision {
    let caller = caller(text(case, "principal"));
    let context = context(&case["context"]);
    let (boundary, session) = (optional(&case["boundary"]), optional(&case["session"]));
    let resource = optional(&case["resourcePolicy"]);
    let layers = Layers {
        identity: &documents(&case["identity"]),
        boundary: boundary.as_deref(),
        session: session.as_deref(),
        scps: &levels(&case["scps"]),
        rcps: &levels(&case["rcps"]),
        resource: resource.as_ref().map(|documents| &documents[0]),
        resource_account: text(case, "resourceAccount"),
    };
    let request = Request {
        caller: &caller,
        action: text(case, "action"),
        resource: text(case, "resource"),
        context: &context,
    };
    decide(&layers, &request)
}

#[test]
fn every_documented_case_is_decided_as_aws_does() {
    let cases: Vec<Value> = serde_json::from_str(CASES).expect("JSON");
    assert_eq!(cases.len(), 162);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = decision(case);
            let word = match found {
                Decision::Allowed => "Allowed",
                Decision::ExplicitlyDenied(_) => "ExplicitlyDenied",
                Decision::ImplicitlyDenied(_) => "ImplicitlyDenied",
            };
            let expected = text(case, "expect");
            (word != expected)
                .then(|| format!("{}: {found:?} instead of {expected}", text(case, "id")))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const ACCOUNT: &str = "111111111111";

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
}

fn deny(action: &str) -> Value {
    json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": action, "Resource": "*"}})
}

/// A session of the role `dev` sends a message to a queue, under the layers given.
fn send(layers: Value) -> Decision {
    let mut case = json!({
        "principal": format!("arn:aws:sts::{ACCOUNT}:assumed-role/dev/session"),
        "action": "sqs:SendMessage",
        "resource": format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:queue"),
        "resourceAccount": ACCOUNT,
        "context": {},
        "identity": [allow("*")],
    });
    for (key, value) in layers.as_object().expect("layers") {
        case[key] = value.clone();
    }
    decision(&case)
}

#[test]
fn the_layer_that_decided_is_named() {
    use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
    let cases = [
        (json!({}), Allowed),
        (json!({"identity": []}), ImplicitlyDenied(Layer::Identity)),
        (json!({"identity": [deny("sqs:*")]}), ExplicitlyDenied(Layer::Identity)),
        (json!({"boundary": [allow("s3:*")]}), ImplicitlyDenied(Layer::Boundary)),
        (json!({"boundary": [deny("*")]}), ExplicitlyDenied(Layer::Boundary)),
        (json!({"session": allow("s3:*")}), ImplicitlyDenied(Layer::Session)),
        (json!({"session": [deny("*")]}), ExplicitlyDenied(Layer::Session)),
        (json!({"scps": [[allow("*")], [allow("s3:*")]]}), ImplicitlyDenied(Layer::Scp)),
        (json!({"scps": [[allow("*"), deny("sqs:*")]]}), ExplicitlyDenied(Layer::Scp)),
        (json!({"rcps": [[deny("sqs:*")]]}), ExplicitlyDenied(Layer::Rcp)),
        (json!({"resourceAccount": "222222222222"}), ImplicitlyDenied(Layer::Resource)),
    ];
    for (layers, expected) in cases {
        assert_eq!(send(layers.clone()), expected, "{layers}");
    }
}

#[test]
fn several_session_policies_are_a_union() {
    assert_eq!(send(json!({"session": [allow("s3:*"), allow("sqs:*")]})), Decision::Allowed);
}

#[test]
fn a_grant_to_everyone_does_not_widen_a_session_beyond_its_session_policy() {
    let everyone = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}});
    let session = allow("s3:*");
    assert_eq!(send(json!({"identity": [], "resourcePolicy": everyone})), Decision::Allowed);
    assert_eq!(
        send(json!({"resourcePolicy": everyone, "session": session})),
        Decision::ImplicitlyDenied(Layer::Session)
    );
}

#[test]
fn a_denial_of_all_but_some_denies_whoever_has_a_boundary() {
    let but_me = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:role/dev")},
        "Action": "sqs:*", "Resource": "*"}});
    assert_eq!(send(json!({"resourcePolicy": but_me})), Decision::Allowed);
    assert_eq!(
        send(json!({"resourcePolicy": but_me, "boundary": [allow("*")]})),
        Decision::ExplicitlyDenied(Layer::Resource)
    );
}

#[test]
fn a_role_is_entered_only_where_its_trust_lets_the_account_in() {
    let trust = |principal: &str| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}})
    };
    let enter = |trust: Value| {
        send(json!({"action": "sts:AssumeRole", "resourcePolicy": trust,
            "resource": format!("arn:aws:iam::{ACCOUNT}:role/target")}))
    };
    assert_eq!(enter(trust(ACCOUNT)), Decision::Allowed);
    assert_eq!(enter(trust("222222222222")), Decision::ImplicitlyDenied(Layer::Resource));
}
