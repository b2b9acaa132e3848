use std::collections::BTreeMap;

use proptest::prelude::*;
use stack::{Condition, Stack};
use step::{Awaited, Task};
use tenant::AccessStack;

use crate::{Change, DELETION, MADE_FROM, MAKING, Seen, made_from, parameters, plan, token};

fn with_stack(mut task: Task) -> Task {
    task.landing_zone.access_stack = Some(AccessStack {
        template_url: "https://templates.s3.eu-central-1.amazonaws.com/access-1.yaml".to_owned(),
        region: "eu-central-1".to_owned(),
        parameters: [("Account".to_owned(), "${AccountId}".to_owned())].into(),
    });
    task
}

fn landed() -> Task {
    with_stack(example::landed())
}

/// A stack as CloudFormation shows it after it was made as wanted.
fn stack(task: &Task, status: &str, condition: Condition) -> Stack {
    let wanted = task.landing_zone.access_stack.as_ref().expect("an access stack");
    let parameters = parameters(task, wanted).expect("facts");
    Stack {
        condition,
        status: status.to_owned(),
        tags: [(task.tag(MADE_FROM), made_from(wanted, &parameters))].into(),
        parameters,
    }
}

fn lines(task: &Task, seen: &Seen) -> Vec<String> {
    plan(task, seen).iter().map(ToString::to_string).collect()
}

fn awaiting(mut task: Task, kind: &str) -> Task {
    task.awaited = Some(Awaited {
        kind: kind.to_owned(),
        id: "x".to_owned(),
        r#for: String::new(),
        since: task.now,
    });
    task
}

#[test]
fn a_landing_zone_without_an_access_stack_asks_for_nothing() {
    assert_eq!(lines(&example::landed(), &Seen::Unwanted), [""; 0]);
}

#[test]
fn a_plan_before_birth_makes_the_stack() {
    let newborn = with_stack(example::newborn());
    assert_eq!(lines(&newborn, &Seen::NotYet), ["make the stack landfall-access-stack"]);
}

#[test]
fn a_converged_account_is_left_alone_and_a_drifted_one_is_brought_back() {
    let task = landed();
    let made = stack(&task, "CREATE_COMPLETE", Condition::Settled);
    assert_eq!(made.parameters["Account"], example::ACCOUNT);
    assert_eq!(lines(&task, &Seen::There(made.clone(), None)), [""; 0]);
    let mut drifted = made.clone();
    drifted.parameters.insert("Account".to_owned(), "333333333333".to_owned());
    let update = ["update the stack landfall-access-stack"];
    assert_eq!(lines(&task, &Seen::There(drifted, None)), update);
    let mut newer = task.clone();
    let wanted = newer.landing_zone.access_stack.as_mut().expect("an access stack");
    wanted.template_url = wanted.template_url.replace("access-1", "access-2");
    assert_eq!(lines(&newer, &Seen::There(made, None)), update);
}

#[test]
fn a_failed_stack_is_deleted_and_made_again_once_in_a_run() {
    let task = landed();
    let failed = stack(&task, "ROLLBACK_COMPLETE", Condition::Broken);
    let seen = Seen::There(failed, Some("Role: it is there already".to_owned()));
    let again = [
        "delete the stack landfall-access-stack, which failed: Role: it is there already",
        "make the stack landfall-access-stack",
    ];
    assert_eq!(lines(&task, &seen), again);
    assert_eq!(lines(&awaiting(task.clone(), DELETION), &seen), again);
    assert_eq!(
        lines(&awaiting(task.clone(), MAKING), &seen),
        ["the stack landfall-access-stack failed: Role: it is there already"]
    );
    assert_eq!(
        lines(&awaiting(task, DELETION), &Seen::Absent),
        ["make the stack landfall-access-stack"]
    );
}

#[test]
fn an_update_that_was_rolled_back_is_reported_and_tried_anew_by_the_next_run() {
    let task = landed();
    let mut back = stack(&task, "UPDATE_ROLLBACK_COMPLETE", Condition::Settled);
    back.tags.clear();
    let seen = Seen::There(back, Some("Role: no".to_owned()));
    assert_eq!(lines(&task, &seen), ["update the stack landfall-access-stack"]);
    let tried = awaiting(task, MAKING);
    assert_eq!(lines(&tried, &seen), ["the stack landfall-access-stack failed: Role: no"]);
}

#[test]
fn a_repeated_turn_asks_with_the_same_token_and_a_retry_with_another() {
    let task = landed();
    assert_eq!(token(&task, MAKING), token(&task, MAKING));
    assert_ne!(token(&task, MAKING), token(&awaiting(task.clone(), MAKING), MAKING));
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_and_foreign_tags_and_parameters_do_not_matter(
        tags in proptest::collection::btree_map("[a-z]{1,8}", "[a-z]{0,8}", 0..4),
        others in proptest::collection::btree_map("[A-Z][a-z]{1,8}", "[a-z]{0,8}", 0..4),
        account in "[0-9]{12}",
        marked in any::<bool>(),
    ) {
        let task = landed();
        let mut before = stack(&task, "CREATE_COMPLETE", Condition::Settled);
        if !marked {
            before.tags.clear();
        }
        before.tags.extend(tags);
        let mut parameters: BTreeMap<String, String> = others;
        parameters.insert("Account".to_owned(), account);
        before.parameters = parameters;
        let mut after = before.clone();
        for change in plan(&task, &Seen::There(before, None)) {
            prop_assert_eq!(change, Change::Update);
            let made = stack(&task, "UPDATE_COMPLETE", Condition::Settled);
            after.parameters.extend(made.parameters);
            after.tags.extend(made.tags);
        }
        prop_assert_eq!(plan(&task, &Seen::There(after, None)), vec![]);
    }
}
