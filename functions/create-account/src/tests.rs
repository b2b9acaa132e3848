use jiff::SignedDuration;
use tenant::FailureName;

use crate::{Change, REQUEST, Seen, awaited, plan, refused, unsure};

#[test]
fn a_plan_before_any_run_says_which_account_would_be_made() {
    let lines: Vec<String> =
        plan(&example::newborn(), &Seen::Absent).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["create account payments.checkout <aws+payments.checkout@example.com>"]);
}

#[test]
fn a_tenant_with_an_account_never_asks_for_another() {
    assert_eq!(plan(&example::landed(), &Seen::Known), []);
}

#[test]
fn an_answer_that_got_lost_is_never_asked_for_again_before_it_is_certain() {
    let task = example::newborn();
    let until = task.now + SignedDuration::from_mins(3);
    assert_eq!(plan(&task, &Seen::Unsure(until)), [Change::LookAgain(until)]);
}

#[test]
fn every_reason_of_aws_names_who_acts_next() {
    for (reason, name) in [
        ("EMAIL_ALREADY_EXISTS", FailureName::Rejected),
        ("INVALID_EMAIL", FailureName::Blocked),
        ("ACCOUNT_LIMIT_EXCEEDED", FailureName::Blocked),
        ("FAILED_BUSINESS_VALIDATION", FailureName::Blocked),
        ("MISSING_PAYMENT_INSTRUMENT", FailureName::Blocked),
        ("INTERNAL_FAILURE", FailureName::Transient),
        ("SOMETHING_NEW", FailureName::Blocked),
    ] {
        assert_eq!(refused(reason).name, name, "{reason}");
    }
}

#[test]
fn a_request_whose_refusal_is_doubted_stays_known() {
    let mut task = example::newborn();
    assert_eq!(unsure(&task).kind, "lost-request");
    task.awaited = Some(awaited(&task, "car-1".to_owned()));
    assert_eq!((unsure(&task).kind.as_str(), unsure(&task).id.as_str()), (REQUEST, "car-1"));
}
