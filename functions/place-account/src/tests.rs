use std::collections::BTreeMap;

use proptest::prelude::*;
use step::Task;
use tenant::account_tags;

use crate::{Change, Seen, plan};

fn seen(parent: &str, tags: BTreeMap<String, String>) -> Seen {
    let account = example::ACCOUNT.to_owned().try_into().expect("an account id");
    Seen::There { account, parent: parent.to_owned(), tags }
}

/// AWS after the changes.
fn acted(task: &Task, before: &Seen) -> Seen {
    let Seen::There { parent, tags, .. } = before else { return before.clone() };
    let (mut parent, mut tags) = (parent.clone(), tags.clone());
    for change in plan(task, before) {
        match change {
            Change::Move { to, .. } => parent = to,
            Change::Tag(new) => tags.extend(new),
            Change::Untag(keys) => tags.retain(|key, _| !keys.contains(key)),
        }
    }
    seen(&parent, tags)
}

#[test]
fn a_newborn_account_is_moved_and_has_its_tags_from_birth() {
    let task = example::landed();
    let born = seen("r-land", account_tags(&task.tenant, &task.landing_zone, &task.platform));
    let lines: Vec<String> = plan(&task, &born).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["move the account from r-land to ou-land-workprod"]);
}

#[test]
fn a_plan_before_birth_says_where_the_account_will_stand() {
    let lines: Vec<String> =
        plan(&example::newborn(), &Seen::NotYet).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["move the account to ou-land-workprod"]);
}

#[test]
fn where_the_move_enrols_it_is_left_to_enrolment() {
    let task = example::by_move(example::landed());
    let born = seen("r-land", account_tags(&task.tenant, &task.landing_zone, &task.platform));
    assert_eq!(plan(&task, &born), []);
    assert_eq!(plan(&example::by_move(example::newborn()), &Seen::NotYet), []);
}

#[test]
fn a_tag_that_somebody_changed_is_set_again_and_a_stale_one_of_ours_goes() {
    let task = example::landed();
    let mut tags = account_tags(&task.tenant, &task.landing_zone, &task.platform);
    tags.insert("landfall:costCenter".to_owned(), "0815".to_owned());
    tags.insert("landfall:formerly".to_owned(), "x".to_owned());
    let lines: Vec<String> =
        plan(&task, &seen("ou-land-workprod", tags)).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["take tags landfall:formerly off the account", "tag the account landfall:costCenter=4711"]
    );
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_and_foreign_tags_stay(
        parent in "(r-land|ou-land-[a-z]{8})",
        ours in proptest::collection::btree_map("landfall:[a-zA-Z]{1,8}", "[a-z0-9]{0,8}", 0..6),
        foreign in proptest::collection::btree_map("[a-z]{1,8}", "[a-z0-9]{0,8}", 0..6),
    ) {
        let task = example::landed();
        let tags = ours.into_iter().chain(foreign.clone()).collect();
        let after = acted(&task, &seen(&parent, tags));
        prop_assert_eq!(plan(&task, &after), vec![]);
        let Seen::There { tags, .. } = after else { unreachable!("the account stays") };
        for (key, value) in foreign {
            prop_assert_eq!(tags.get(&key), Some(&value));
        }
    }
}
