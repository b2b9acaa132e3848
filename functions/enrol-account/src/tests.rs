use jiff::SignedDuration;
use proptest::prelude::*;
use step::{Awaited, Task};
use tenant::Failure;

use crate::{
    Broken, Change, ENROLMENT, Seen, TURN, account_arn, enrolment, plan, seats, token, unit_arn,
};

const UNIT: &str = "ou-land-workprod";
const GOVERNED: Seen = Seen::Governed { seated: false };

fn by_move() -> Task {
    example::by_move(example::landed())
}

fn by_factory() -> Task {
    example::by_account_factory(example::landed())
}

fn lines(task: &Task, seen: &Seen) -> Vec<String> {
    plan(task, seen).iter().map(ToString::to_string).collect()
}

fn broken(record: &str) -> Broken {
    Broken { id: "pp-1".to_owned(), is_ours: true, record: record.to_owned() }
}

/// The task in its next turn, after `change` was made at `minutes`.
fn after(task: &Task, change: &Change, minutes: i64) -> Task {
    let mut next = task.clone();
    next.now = task.now + SignedDuration::from_mins(minutes);
    next.awaited = match change {
        Change::Settle | Change::Report(_) => None,
        _ => task.awaited.clone().or_else(|| enrolment(task).ok()),
    };
    next
}

#[test]
fn an_account_has_an_arn_where_the_platform_says_which_organization_it_is_in() {
    let mut task = by_factory();
    let account = task.account().cloned().expect("an account");
    task.platform.organization = None;
    assert_eq!(account_arn(&task, &account), None);
    task.platform.organization = Some("o-1".to_owned());
    let expected = format!("arn:aws:organizations::111111111111:account/o-1/{account}");
    assert_eq!(account_arn(&task, &account), Some(expected));
}

#[test]
fn a_landing_zone_that_does_not_enrol_plans_nothing() {
    assert_eq!(plan(&example::landed(), &Seen::NotWished), []);
}

#[test]
fn a_plan_before_birth_says_by_which_way_control_tower_comes() {
    let moved = example::by_move(example::newborn());
    assert_eq!(
        lines(&moved, &Seen::NotYet),
        ["move the account to ou-land-workprod, where Control Tower enrols it"]
    );
    let ordered = example::by_account_factory(example::newborn());
    assert_eq!(
        lines(&ordered, &Seen::NotYet),
        ["enrol the account in Control Tower by Account Factory"]
    );
}

#[test]
fn a_governed_account_needs_nothing_but_what_was_waited_for_is_settled_once() {
    let task = by_move();
    assert_eq!(plan(&task, &GOVERNED), []);
    let waited = after(&task, &Change::Await, 5);
    assert_eq!(plan(&waited, &GOVERNED), [Change::Settle]);
    assert_eq!(plan(&after(&waited, &Change::Settle, 0), &GOVERNED), []);
    // Its turn died before it could note what it waits for.
    assert_eq!(plan(&task, &Seen::Governed { seated: true }), [Change::Settle]);
}

#[test]
fn an_account_that_was_moved_out_is_moved_in_again() {
    let parent = "ou-land-sandbox1".to_owned();
    assert_eq!(
        plan(&by_move(), &Seen::Outside { parent: parent.clone() }),
        [Change::Move { from: Some(parent), to: UNIT.to_owned() }]
    );
}

#[test]
fn control_tower_may_take_hours_to_begin_and_not_for_ever() {
    let task = by_move();
    assert_eq!(plan(&task, &Seen::Unnoticed), [Change::Await]);
    let waiting = after(&task, &Change::Await, 359);
    assert_eq!(plan(&waiting, &Seen::Unnoticed), [Change::Await]);
    let long = after(&task, &Change::Await, 361);
    let changes = plan(&long, &Seen::Unnoticed);
    assert!(
        matches!(&changes[..], [Change::Report(failure)] if failure.system_remark.contains(UNIT))
    );
    // Whoever works at it is waited for, however long that takes.
    assert_eq!(plan(&long, &Seen::UnderWay), [Change::Await]);
}

#[test]
fn a_turn_that_is_waited_for_does_not_use_up_the_patience_with_control_tower() {
    let mut task = by_move();
    let since = task.now;
    let (kind, id) = (TURN.to_owned(), task.tenant.id.to_string());
    task.awaited = Some(Awaited { kind, id, r#for: String::new(), since });
    task.now = since + SignedDuration::from_hours(20);
    assert_eq!(plan(&task, &Seen::Unnoticed), [Change::Await]);
    assert_eq!(enrolment(&task).expect("an account").since, task.now);
    assert_eq!(enrolment(&task).expect("an account").kind, ENROLMENT);
}

#[test]
fn a_failed_product_is_repaired_and_not_made_a_second_time() {
    let repair = broken("rec-1");
    assert_eq!(plan(&by_factory(), &Seen::Unordered), [Change::Order]);
    assert_eq!(
        plan(&by_factory(), &Seen::Broken(repair.clone())),
        [Change::Repair(repair.clone())]
    );
    assert_eq!(
        lines(&by_factory(), &Seen::Broken(repair)),
        ["let Account Factory repair pp-1, the account's provisioned product"]
    );
}

#[test]
fn a_repeated_order_is_the_same_request_and_what_follows_a_failure_is_another() {
    let mut task = by_factory();
    let first = token(&task, None);
    assert_eq!(token(&task, None), first);
    assert!(first.len() <= 128);
    let repair = token(&task, Some(&broken("rec-1")));
    assert_ne!(repair, first);
    task.run += 1;
    assert_eq!(token(&task, Some(&broken("rec-1"))), repair);
    assert_ne!(token(&task, Some(&broken("rec-2"))), repair);
    assert_ne!(token(&task, None), first);
}

#[test]
fn one_account_goes_into_a_unit_at_a_time_and_five_in_all() {
    let names = |task: &Task| {
        let seats = seats(task);
        seats.into_iter().map(|seats| (seats.name, seats.most)).collect::<Vec<_>>()
    };
    let all = ("control-tower".to_owned(), 5);
    assert_eq!(names(&by_move()), [("control-tower#ou-land-workprod".to_owned(), 1), all.clone()]);
    assert_eq!(names(&by_factory()), [all]);
}

#[test]
fn a_unit_is_named_in_the_accounts_own_organization() {
    assert_eq!(
        unit_arn("arn:aws-us-gov:organizations::111111111111:account/o-1/222222222222", UNIT),
        "arn:aws-us-gov:organizations::111111111111:ou/o-1/ou-land-workprod"
    );
}

proptest! {
    #[test]
    fn an_enrolment_is_followed_to_its_end_and_then_left_alone(
        begins in prop::sample::select(vec!["ou-land-sandbox1", "r-land", UNIT]),
        looks in 0_i64..20,
    ) {
        let mut task = by_move();
        let mut seen = if begins == UNIT {
            Seen::Unnoticed
        } else {
            Seen::Outside { parent: begins.to_owned() }
        };
        for look in 0..=looks {
            let changes = plan(&task, &seen);
            prop_assert_eq!(changes.len(), 1);
            prop_assert!(!matches!(changes[0], Change::Report(_)));
            task = after(&task, &changes[0], 2);
            seen = if look == 0 { Seen::Unnoticed } else { Seen::UnderWay };
        }
        let settled = plan(&task, &GOVERNED);
        prop_assert_eq!(&settled, &vec![Change::Settle]);
        prop_assert_eq!(plan(&after(&task, &settled[0], 0), &GOVERNED), vec![]);
    }

    #[test]
    fn whatever_a_person_must_do_is_said_and_nothing_else_is_done(remark in "[a-z ]{1,40}") {
        let failure = Failure::blocked(remark, "");
        for task in [by_move(), by_factory()] {
            prop_assert_eq!(
                plan(&task, &Seen::Stuck(failure.clone())),
                vec![Change::Report(failure.clone())]
            );
        }
    }
}
