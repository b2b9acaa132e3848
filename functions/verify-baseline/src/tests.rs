use std::collections::BTreeMap;

use jiff::SignedDuration;
use ledger::{State, StepRow};
use proptest::prelude::*;
use step::{Act, Awaited, Task};

use crate::{Change, Seen, has_moved, pending, plan, unsettled};

fn seen(units: Option<&[&str]>, tags: Option<&[(&str, &str)]>) -> Seen {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Seen::There {
        unsettled: vec![],
        units: units.map(|units| units.iter().map(ToString::to_string).collect()),
        tags: tags.map(|tags| tags.iter().map(own).collect()),
    }
}

fn lines(task: &Task, seen: &Seen) -> Vec<String> {
    plan(task, seen).iter().map(ToString::to_string).collect()
}

fn external() -> Task {
    let mut task = example::landed();
    task.landing_zone.wait_for_external = true;
    task
}

fn rows(run: u64) -> Vec<StepRow> {
    let done = |step: &str, part: Option<&str>| StepRow {
        state: State::Done,
        ..StepRow::new(step, part, run)
    };
    vec![
        done("place-account", None),
        done("prepare-account", None),
        done("roll-out-access", None),
        done("downgrade-access-role", None),
        done("baseline-regions", None),
        done("roll-out-stacks", Some("landfall-audit-role")),
    ]
}

#[test]
fn a_converged_account_has_nothing_to_wait_for() {
    let task = example::landed();
    assert_eq!(unsettled(&task.landing_zone, &rows(1), 1), []);
    assert_eq!(lines(&task, &seen(None, None)), [""; 0]);
    assert_eq!(lines(&task, &seen(Some(&["ou-land-workprod"]), None)), [""; 0]);
}

#[test]
fn a_plan_before_birth_says_which_tags_are_awaited() {
    let mut task = example::newborn();
    assert_eq!(lines(&task, &Seen::NotYet), [""; 0]);
    task.landing_zone.wait_for_external = true;
    assert_eq!(
        lines(&task, &Seen::NotYet),
        ["wait for somebody to tag the account ProductName=payments, Stage=checkout"]
    );
}

#[test]
fn an_account_that_was_moved_is_looked_at_until_it_is_seen_there() {
    let mut moved = rows(1);
    assert!(!has_moved(&moved, 1));
    moved[0].changes.push("move the account from r-land to ou-land-workprod".to_owned());
    assert!(has_moved(&moved, 1) && !has_moved(&moved, 2));
    assert_eq!(
        lines(&example::landed(), &seen(Some(&["r-land"]), None)),
        ["wait for the account to stand in ou-land-workprod"]
    );
}

#[test]
fn an_account_may_or_must_stand_beneath_the_unit_where_that_is_said() {
    let (unit, root) = ("ou-land-workprod", "r-land");
    let stands = |task: &Task, units: &[&str]| lines(task, &seen(Some(units), None)).is_empty();
    let mut task = example::landed();
    assert!(stands(&task, &[unit]) && !stands(&task, &["ou-land-nested00", unit, root]));
    task.platform.allow_hierarchical_organizational_unit_assignment = true;
    assert!(stands(&task, &[unit, root]) && stands(&task, &["ou-land-nested00", unit, root]));
    assert!(!stands(&task, &[root]));
    task.landing_zone.organizational_unit_per_workspace = true;
    assert!(!stands(&task, &[unit, root]) && stands(&task, &["ou-land-payments", unit, root]));
}

#[test]
fn only_the_tag_that_lacks_is_awaited_and_another_value_is_no_answer() {
    let tags = [("ProductName", "payments"), ("Stage", "checkout-prod"), ("other", "x")];
    assert_eq!(
        lines(&external(), &seen(None, Some(&tags))),
        ["wait for somebody to tag the account Stage=checkout"]
    );
    let tags = [("ProductName", "payments"), ("Stage", "checkout")];
    assert_eq!(lines(&external(), &seen(None, Some(&tags))), [""; 0]);
}

#[test]
fn a_step_that_did_not_end_in_this_run_keeps_everybody_out() {
    let mut task = example::landed();
    task.landing_zone.hooks =
        vec![serde_json::from_str(r#"{"name": "tell", "eventBus": "x"}"#).expect("a hook")];
    let mut rows = rows(1);
    rows[3].run = 0;
    rows[5].state = State::Waiting;
    let since = task.now - SignedDuration::from_mins(31);
    rows[5].awaited = Some(Awaited {
        kind: "stack-set".to_owned(),
        id: "x".to_owned(),
        r#for: "CloudFormation to roll out landfall-audit-role".to_owned(),
        since,
    });
    let found = unsettled(&task.landing_zone, &rows, 1);
    let names: Vec<&str> = found.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(
        names,
        ["downgrade-access-role", "roll-out-stacks landfall-audit-role", "call-hooks"]
    );
    // What has been waited for long enough is not waited for anew.
    let Act::Pending { awaited, .. } = pending(&task, &Change::AwaitStep(found[1].clone())) else {
        panic!("it waits")
    };
    assert_eq!(awaited.since, since);
}

#[test]
fn a_region_that_nobody_can_use_yet_keeps_nobody_out_but_one_that_is_not_set_does() {
    let task = example::landed();
    let mut rows = rows(1);
    rows[4].state = State::Waiting;
    let open = [("region", 0), ("region-ready", 1)];
    for (kind, expected) in open {
        rows[4].awaited = Some(Awaited {
            kind: kind.to_owned(),
            id: "x".to_owned(),
            r#for: "AWS".to_owned(),
            since: task.now,
        });
        assert_eq!(unsettled(&task.landing_zone, &rows, 1).len(), expected, "{kind}");
    }
    rows[4].state = State::Failed;
    rows[4].awaited = None;
    assert_eq!(unsettled(&task.landing_zone, &rows, 1).len(), 1);
}

#[test]
fn patience_counts_from_the_first_look() {
    let mut task = external();
    let change = Change::AwaitTags(vec!["Stage=checkout".to_owned()]);
    let Act::Pending { awaited: first, .. } = pending(&task, &change) else { panic!("it waits") };
    task.awaited = Some(first.clone());
    task.now += SignedDuration::from_mins(10);
    let Act::Pending { awaited: second, .. } = pending(&task, &change) else { panic!("it waits") };
    assert_eq!(second, first);
}

proptest! {
    #[test]
    fn foreign_tags_never_matter_and_the_awaited_ones_are_all_that_does(
        foreign in proptest::collection::btree_map("[a-z]{1,8}", "[a-z0-9]{0,8}", 0..6),
        product in proptest::option::of("(payments|other)"),
        stage in proptest::option::of("(checkout|other)"),
    ) {
        let task = external();
        let mut tags: BTreeMap<String, String> = foreign;
        tags.extend(product.map(|value| ("ProductName".to_owned(), value)));
        tags.extend(stage.map(|value| ("Stage".to_owned(), value)));
        let before = Seen::There { unsettled: vec![], units: None, tags: Some(tags.clone()) };
        for change in plan(&task, &before) {
            let Change::AwaitTags(missing) = change else { panic!("{change}") };
            for tag in missing {
                let (key, value) = tag.split_once('=').expect("a tag");
                tags.insert(key.to_owned(), value.to_owned());
            }
        }
        let after = Seen::There { unsettled: vec![], units: None, tags: Some(tags) };
        prop_assert_eq!(plan(&task, &after), vec![]);
    }
}
