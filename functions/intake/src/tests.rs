use std::collections::HashMap;

use serde_json::{Value, json};
use tenant::{Kind, Name, Platform, Problem, Reader, TenantSpec};

use crate::configuration::Users;
use crate::request::LARGEST_BODY;
use crate::route::{ROUTES, Route};
use crate::steps;
use crate::{Refusal, Request};

fn request(event: Value) -> Request {
    serde_json::from_value(event).expect("an event")
}

fn with_body(body: &str, headers: &[(&str, &str)]) -> Request {
    let headers: HashMap<&str, &str> = headers.iter().copied().collect();
    request(json!({"routeKey": "PUT /platforms/{name}", "body": body, "headers": headers}))
}

fn status(refusal: &Refusal) -> (u16, Value) {
    let response = refusal.response();
    assert_eq!(response.headers["content-type"], "application/problem+json");
    (response.status_code, serde_json::from_str(&response.body).expect("problem+json"))
}

#[test]
fn every_route_is_read() {
    for (method, path) in ROUTES {
        let request = request(json!({
            "routeKey": format!("{method} {path}"),
            "pathParameters": {"workspace": "w", "project": "p", "platform": "aws", "name": "n", "account": "123456789012",
                               "kind": "landing-zones", "id": "00000000-0000-0000-0000-000000000001"}
        }));
        assert!(Route::of(&request).is_ok(), "{method} {path}");
    }
}

#[test]
fn the_template_declares_every_route_and_no_other() {
    let template = include_str!("../../../infra/template.yaml");
    let declared: Vec<(&str, &str)> = template
        .lines()
        .filter(|line| line.contains("Type: HttpApi,"))
        .filter_map(|line| {
            let method = line.split("Method: ").nth(1)?.split(',').next()?;
            let path = line.split("Path: \"").nth(1)?.split('"').next()?;
            Some((method, path))
        })
        .collect();
    for route in ROUTES {
        assert!(declared.contains(&route), "infra/template.yaml must declare {route:?}");
    }
    assert_eq!(declared.len(), ROUTES.len(), "{declared:?}");
}

/// Every way to say no.
fn refusals() -> [Refusal; 16] {
    [
        Refusal::Nobody,
        Refusal::Unreadable(String::new()),
        Refusal::WrongQuery(""),
        Refusal::Missing(String::new()),
        Refusal::WrongMethod(vec![]),
        Refusal::Busy,
        Refusal::NotNow(tenant::Refused::Marked),
        Refusal::InUse(Users {
            kind: Kind::LandingZone,
            name: String::new(),
            landing_zones: Vec::new(),
            tenants: 1,
            first: vec![],
        }),
        Refusal::Unasked,
        Refusal::Undeliverable(String::new()),
        Refusal::Stale(None),
        Refusal::TooLarge(0),
        Refusal::WrongFormat(String::new()),
        Refusal::Invalid(vec![]),
        Refusal::Failed(tenant::Failure::transient("")),
        Refusal::Failed(tenant::Failure::defect("")),
    ]
}

#[test]
fn every_route_and_every_refusal_is_in_the_docs() {
    let docs = include_str!("../../../docs/API.md");
    for (method, path) in ROUTES {
        assert!(
            docs.contains(&format!("`{method} {path}`")),
            "docs/API.md must show {method} {path}"
        );
    }
    for refusal in &refusals() {
        let (status, problem) = status(refusal);
        let class =
            problem["type"].as_str().and_then(|class| class.rsplit(':').next()).expect("a class");
        let row = docs.lines().find(|line| line.starts_with(&format!("| {status} |")));
        assert!(
            row.is_some_and(|row| row.contains(&format!("`{class}`"))),
            "docs/API.md must show {status} {class}"
        );
    }
}

#[test]
fn a_path_that_names_nothing_is_not_found() {
    let dotted = request(json!({
        "routeKey": "GET /workspaces/{workspace}/tenants", "pathParameters": {"workspace": "a.b"}
    }));
    assert_eq!(Route::of(&dotted), Err(Refusal::Missing("workspace `a.b`".to_owned())));
    for path in ["/nothing", "/platforms/", "/platforms/aws/more", "//platforms", ""] {
        let unknown = Route::of(&request(json!({"routeKey": "$default", "rawPath": path})));
        assert_eq!(unknown, Err(Refusal::Missing(format!("path `{path}`"))));
    }
}

#[test]
fn a_method_that_a_path_does_not_take_names_those_that_it_does() {
    let refusal = Route::of(&request(json!({"routeKey": "$default", "rawPath": "/platforms/aws"})));
    let response = refusal.expect_err("no route").response();
    assert_eq!(
        (response.status_code, response.headers["allow"].as_str()),
        (405, "PUT, GET, DELETE")
    );
}

#[test]
fn an_event_that_is_none_is_refused_before_anything_is_read() {
    let nothing = request(json!({}));
    assert!(Route::of(&nothing).is_err());
    assert_eq!(status(&nothing.author().expect_err("nobody")).0, 403);
}

#[test]
fn operators_have_paths_of_their_own() {
    let parameters = json!({"workspace": "w", "project": "p", "platform": "aws"});
    let path = "/operator/workspaces/{workspace}/projects/{project}/tenants/{platform}";
    let operator =
        request(json!({"routeKey": format!("GET {path}"), "pathParameters": parameters}));
    assert_eq!(
        Route::of(&operator),
        Ok(Route::GetTenant(Name::new("w", "p", "aws"), Reader::Operator))
    );
}

#[test]
fn the_author_is_the_caller_whom_the_gateway_proved() {
    let arn = "arn:aws:sts::123456789012:assumed-role/Requester/ada";
    let request = request(json!({
        "requestContext": {"authorizer": {"iam": {"userArn": arn}}}, "headers": {"x-author": "somebody else"}
    }));
    assert_eq!(request.author(), Ok(arn));
}

#[test]
fn malformed_json_is_refused() {
    let refusal = with_body("{\"kind\":", &[]).document::<Platform>().expect_err("malformed");
    let (status, problem) = status(&refusal);
    assert_eq!(status, 400);
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("line 1")),
        "{problem}"
    );
}

#[test]
fn an_oversized_body_is_refused() {
    let body = format!("\"{}\"", "a".repeat(LARGEST_BODY));
    assert_eq!(
        status(&with_body(&body, &[]).document::<Platform>().expect_err("too large")).0,
        413
    );
}

#[test]
fn another_format_is_refused() {
    let yaml = with_body("kind: Platform", &[("content-type", "application/yaml; charset=utf-8")]);
    assert_eq!(status(&yaml.document::<Platform>().expect_err("not JSON")).0, 415);
}

#[test]
fn all_problems_of_a_document_come_at_once() {
    let body = json!({
        "apiVersion": "landfall/v1", "kind": "Tenant",
        "metadata": {"workspace": "payments", "project": "checkout", "platform": "aws"},
        "spec": {"landingzone": "production", "tags": {"cost": 1}}
    });
    let refusal = with_body(&body.to_string(), &[]).document::<TenantSpec>().expect_err("invalid");
    let (status, problem) = status(&refusal);
    assert_eq!(status, 422);
    let problems: Vec<Problem> =
        serde_json::from_value(problem["problems"].clone()).expect("problems");
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["spec.landingzone", "spec.tags.cost", "spec.landingZone"]);
    assert_eq!(problems[0].remedy, "Did you mean `landingZone`?");
}

#[test]
fn a_stale_version_is_refused_with_the_present_one() {
    let precondition = with_body("", &[("if-match", "\"2\"")]).precondition();
    assert_eq!(precondition.check(Some(2)), Ok(()));
    assert_eq!(precondition.check(None), Err(Refusal::Stale(None)));
    let refusal = precondition.check(Some(3)).expect_err("stale");
    let response = refusal.response();
    assert_eq!((response.status_code, response.headers["etag"].as_str()), (412, "\"3\""));
}

#[test]
fn what_must_be_new_may_not_be_there() {
    let precondition = with_body("", &[("if-none-match", "*")]).precondition();
    assert_eq!(precondition.check(None), Ok(()));
    assert_eq!(precondition.check(Some(1)), Err(Refusal::Stale(Some(1))));
}

#[test]
fn a_passing_failure_is_answered_without_its_inside() {
    let refusal = Refusal::Failed(tenant::Failure::transient("dynamodb:Query SECRET"));
    let (status, problem) = status(&refusal);
    assert_eq!(status, 503);
    assert!(!problem.to_string().contains("SECRET"));
}

mod views {
    use jiff::{SignedDuration, Timestamp};
    use ledger::{State, StepRow};
    use step::Awaited;
    use tenant::{Failure, LandingZone, StepState, Tenant, Versions};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a timestamp")
    }

    fn running() -> Tenant {
        let wish = serde_json::from_value(json!({"landingZone": "production"})).expect("a wish");
        let tenant = Tenant::requested(Name::new("a", "b", "aws"), 1, wish, "ada", now()).tenant;
        tenant.started(Versions::default(), now()).expect("nothing runs").tenant
    }

    fn zone() -> LandingZone {
        serde_json::from_value(json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {"otherWayIn": "none"},
            "stackSets": [{"name": "audit", "regions": ["eu-central-1"]}, {"name": "alarm", "regions": ["eu-central-1"]}]
        }))
        .expect("a landing zone")
    }

    #[test]
    fn a_run_shows_what_it_has_not_reached() {
        let done = StepRow { state: State::Done, ..StepRow::new("admit", None, 1) };
        let part =
            StepRow { state: State::Waiting, ..StepRow::new("roll-out-stacks", Some("alarm"), 1) };
        let steps = steps::of_run(&running(), &[part, done], Some(&zone()));
        let states: Vec<(&str, Option<&str>, StepState)> = steps
            .iter()
            .map(|step| (step.step.as_str(), step.part.as_deref(), step.state))
            .collect();
        assert_eq!(states[0], ("admit", None, StepState::Done));
        assert_eq!(states[1], ("create-account", None, StepState::Pending));
        let stacks: Vec<_> = states.iter().filter(|state| state.0 == "roll-out-stacks").collect();
        assert_eq!(
            stacks,
            [
                &("roll-out-stacks", Some("audit"), StepState::Pending),
                &("roll-out-stacks", Some("alarm"), StepState::Waiting)
            ]
        );
    }

    #[test]
    fn rows_of_an_earlier_run_count_as_pending() {
        let old = StepRow { state: State::Done, ..StepRow::new("admit", None, 0) };
        assert_eq!(steps::of_run(&running(), &[old], None)[0].state, StepState::Pending);
    }

    #[test]
    fn a_failure_that_is_tried_again_is_no_end() {
        let failing = |failure| StepRow {
            state: State::Failed,
            failure: Some(failure),
            ..StepRow::new("admit", None, 1)
        };
        let state = |row: StepRow| steps::of_run(&running(), &[row], None)[0].state;
        assert_eq!(state(failing(Failure::transient("broke off"))), StepState::Running);
        assert_eq!(state(failing(Failure::rejected("no"))), StepState::Failed);
    }

    #[test]
    fn the_reserved_slot_says_where_in_the_queue_a_tenant_stands() {
        let slot = now() + SignedDuration::from_secs(25);
        let awaited = Awaited {
            kind: "create-account".to_owned(),
            id: slot.to_string(),
            r#for: "its turn".to_owned(),
            since: now(),
        };
        let row = StepRow { awaited: Some(awaited), ..StepRow::new("admit", None, 1) };
        let queue = steps::queue(&running(), std::slice::from_ref(&row), now()).expect("queued");
        assert_eq!((queue.position, queue.starts_at), (3, slot));
        assert_eq!(steps::queue(&running(), &[row], slot), None);
    }

    #[test]
    fn a_kind_is_found_however_its_path_spells_it() {
        for text in ["Tenant", "tenants", "tenant"] {
            let request = request(
                json!({"routeKey": "GET /schemas/{kind}", "pathParameters": {"kind": text}}),
            );
            assert_eq!(Route::of(&request), Ok(Route::GetSchema(Kind::Tenant)));
        }
    }
}

mod openapi {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_has_every_route_and_no_other() {
        let document = crate::openapi();
        let mut described = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                if method != "parameters" {
                    described.insert((method.to_uppercase(), path.clone()));
                    let id = operation["operationId"].as_str().unwrap_or_default();
                    assert!(!id.is_empty(), "describe {method} {path} in src/openapi.rs");
                    assert!(ids.insert(id.to_owned()), "{id} is there twice");
                }
            }
        }
        let routes = ROUTES.map(|(method, path)| (method.to_owned(), path.to_owned()));
        assert_eq!(described, BTreeSet::from(routes));
    }

    #[test]
    fn every_placeholder_of_a_path_is_described() {
        let document = crate::openapi();
        for (_, path) in ROUTES {
            let parameters = document["paths"][path]["parameters"].as_array().expect("a list");
            assert_eq!(parameters.len(), path.matches('{').count(), "{path}");
        }
    }

    #[test]
    fn every_refusal_is_an_answer_of_some_route() {
        let document = crate::openapi();
        let answers = document["paths"].to_string();
        for refusal in super::refusals() {
            let (status, _) = status(&refusal);
            // API Gateway knows the methods of a path, and refuses others before we are asked.
            let known = answers.contains(&format!("\"{status}\":")) || status == 405;
            assert!(known, "{status} is in no answer: add it in src/openapi.rs");
        }
    }

    #[test]
    fn what_is_shown_is_complete() {
        let document = crate::openapi();
        let shown =
            document["paths"]["/workspaces/{workspace}/projects/{project}/tenants/{platform}"]
                .to_string();
        for part in ["444455556666", "create-account", "landingZone", "\"asOf\""] {
            assert!(shown.contains(part), "{part}");
        }
        assert!(!document.to_string().contains("\"example\":null"));
    }
}
