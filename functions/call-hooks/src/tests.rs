use ledger::StepRow;
use serde_json::{Value, json};
use tenant::{FailureName, LandingZone};

use crate::{Answer, Asked, Call, Called, NAME, calls, judged, outcome};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:register";
const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:network";

fn zone() -> LandingZone {
    let mut zone = example::landed().landing_zone;
    zone.hooks = serde_json::from_value(json!([
        {"name": "register", "lambda": FUNCTION},
        {"name": "network", "stateMachine": MACHINE},
        {"name": "tell", "eventBus": "foundation"}
    ]))
    .expect("hooks");
    zone
}

fn called() -> Vec<Call> {
    let task = example::landed();
    let platform =
        tenant::Platform { organization: Some("o-landfall01".to_owned()), ..task.platform };
    calls(&task.tenant.ticket(), &task.tenant, &zone(), &platform).expect("facts")
}

/// What the row and the answer say after these hooks were called.
fn after(ended: &Value) -> (Answer, StepRow) {
    let called: Vec<Called> = serde_json::from_value(ended.clone()).expect("calls");
    let mut row = StepRow::new(NAME, None, 1);
    (judged(&zone(), &called, &mut row), row)
}

fn caught(error: &str, cause: &str) -> outcome::Caught {
    outcome::Caught { error: error.to_owned(), cause: cause.to_owned() }
}

#[test]
fn each_hook_is_told_the_same_facts_in_order() {
    let calls = serde_json::to_value(called()).expect("JSON");
    let named: Vec<(&str, &str, &str)> = calls
        .as_array()
        .expect("calls")
        .iter()
        .map(|call| {
            let text = |key: &str| call[key].as_str().expect("a text");
            (text("name"), text("kind"), text("target"))
        })
        .collect();
    assert_eq!(
        named,
        [
            ("register", "lambda", FUNCTION),
            ("network", "state-machine", MACHINE),
            ("tell", "event-bus", "foundation")
        ]
    );
    assert_eq!(calls[0]["payload"]["AccountId"], example::ACCOUNT);
    assert_eq!(calls[0]["payload"], calls[2]["payload"]);
    assert!(calls[0]["payload"].as_object().expect("facts").values().all(Value::is_string));
}

#[test]
fn an_execution_has_one_name_for_each_run_and_fits_into_it() {
    let name = &called()[1].execution;
    assert!(name.ends_with("-network"), "{name}");
    let longest = format!("{}-{}-{}", "0".repeat(36), 999_999_999, "h".repeat(30));
    assert!(longest.len() <= 80);
}

#[test]
fn without_the_organization_no_hook_is_called_and_an_operator_reads_why() {
    let task = example::landed();
    let failure = calls(&task.tenant.ticket(), &task.tenant, &zone(), &task.platform)
        .expect_err("there is no ARN");
    assert_eq!(failure.name, FailureName::Blocked);
    assert!(failure.system_remark.contains("organization: o-…"), "{failure}");
}

#[test]
fn a_functions_own_error_is_a_warning_and_the_run_goes_on() {
    for (error, said) in [
        ("ValueError", "answered with the error ValueError"),
        ("Sandbox.Timedout", "answered with the error Sandbox.Timedout"),
        ("Runtime.ExitError", "answered with the error Runtime.ExitError"),
        ("Lambda.Unknown", "ended without an answer"),
        ("States.Timeout", "did not answer in time"),
    ] {
        let (answer, row) = after(&json!([
            {"name": "register", "failure": {"Error": error, "Cause": "secret details"}},
            {"name": "tell"}
        ]));
        assert_eq!(answer, Answer::Done, "{error}");
        let warning =
            format!("The hook register {said}. Ask whoever looks after it: its log says why.");
        assert_eq!(row.warnings, [warning]);
    }
}

#[test]
fn a_hook_that_can_not_be_called_fails_the_run_and_is_named_for_who_acts() {
    let hooks = zone().hooks;
    for (hook, error, cause, name, part) in [
        (
            0,
            "Lambda.AWSLambdaException",
            "… Error Code: AccessDeniedException",
            FailureName::Blocked,
            "HookFunctionArns",
        ),
        (
            0,
            "Lambda.ResourceNotFoundException",
            "Function not found",
            FailureName::Blocked,
            "does not exist",
        ),
        (0, "Lambda.TooManyRequestsException", "Rate exceeded", FailureName::Throttled, "slower"),
        (0, "Lambda.AWSLambdaException", "Status Code: 502", FailureName::Transient, "tried again"),
        (0, "Lambda.ServiceException", "", FailureName::Transient, "tried again"),
        (0, "Lambda.InvalidRequestContentException", "", FailureName::Blocked, "does not take"),
        (
            1,
            "StepFunctions.AccessDeniedException",
            "",
            FailureName::Blocked,
            "HookStateMachineArns",
        ),
        (
            1,
            "StepFunctions.StateMachineDoesNotExistException",
            "",
            FailureName::Blocked,
            "does not exist",
        ),
        (2, "EventBridge.AccessDeniedException", "", FailureName::Blocked, "HookEventBusArns"),
        (2, "EventBridge.FailedEntry", "InternalFailure", FailureName::Transient, "tried again"),
        (2, "States.Permissions", "", FailureName::Blocked, "HookEventBusArns"),
    ] {
        let failure = outcome::judge(&hooks[hook], &caught(error, cause)).expect_err(error);
        assert_eq!(failure.name, name, "{error}");
        assert!(failure.user_remark.contains(part), "{error}: {}", failure.user_remark);
        assert!(failure.system_remark.starts_with(error));
    }
}

#[test]
fn a_run_that_fails_at_one_hook_has_called_the_others() {
    let (answer, row) = after(&json!([
        {"name": "register", "failure": {"Error": "Lambda.ResourceNotFoundException", "Cause": ""}},
        {"name": "network", "failure": {"Error": "StepFunctions.ExecutionAlreadyExistsException", "Cause": ""}},
        {"name": "tell"}
    ]));
    assert!(matches!(answer, Answer::Failed { failure } if failure.error == "Blocked"));
    assert_eq!(row.warnings, [""; 0], "a run that was repeated has started it before");
}

#[test]
fn a_hook_that_was_dropped_meanwhile_matters_no_more() {
    let (answer, row) = after(
        &json!([{"name": "gone", "failure": {"Error": "Lambda.ServiceException", "Cause": ""}}]),
    );
    assert_eq!((answer, row.warnings.len()), (Answer::Done, 0));
}

#[test]
fn the_state_machine_is_read_and_answered_as_it_speaks() {
    let asked = json!({
        "tenant": "00000000-0000-0000-0000-000000000000", "run": 1, "mode": "replicate",
        "called": [{"name": "register", "failure": {"Error": "E", "Cause": "C"}}]
    });
    let asked: Asked = serde_json::from_value(asked).expect("a ticket with calls");
    assert_eq!(asked.called[0].failure, Some(caught("E", "C")));
    let failed = Answer::Failed { failure: caught("Blocked", "why") };
    assert_eq!(
        serde_json::to_value(failed).expect("JSON"),
        json!({"turn": "failed", "failure": {"Error": "Blocked", "Cause": "why"}})
    );
    assert_eq!(serde_json::to_value(Answer::Done).expect("JSON"), json!({"turn": "done"}));
}
