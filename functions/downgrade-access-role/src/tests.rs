use proptest::prelude::*;
use role::Attached;

use crate::{ADMINISTRATOR, Change, strict};

const LIFE: &str = "arn:aws:iam::222222222222:policy/landfall-life";

fn life() -> Attached {
    Attached { name: "landfall-life".to_owned(), arn: LIFE.to_owned() }
}

fn managed(name: &str) -> Attached {
    Attached { name: name.to_owned(), arn: format!("arn:aws:iam::aws:policy/{name}") }
}

#[test]
fn without_the_life_policy_nothing_is_taken_off() {
    let changes =
        strict(LIFE, &[managed(ADMINISTRATOR)], &[(ADMINISTRATOR.to_owned(), None)], None);
    assert_eq!(changes, [Change::AwaitLife]);
}

#[test]
fn it_is_proved_first_and_the_administrator_goes_last() {
    let attached = [managed(ADMINISTRATOR), life(), managed("ReadOnlyAccess")];
    let changes = strict(LIFE, &attached, &[("leftover".to_owned(), None)], None);
    assert_eq!(
        changes,
        [
            Change::Prove,
            Change::Bound,
            Change::Detach(managed("ReadOnlyAccess")),
            Change::Delete("leftover".to_owned()),
            Change::Detach(managed(ADMINISTRATOR)),
            Change::Verify,
        ]
    );
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_and_the_life_policy_stays(
        names in proptest::collection::btree_set("[A-Z][a-z]{1,6}", 0..5),
        inline in proptest::collection::btree_set("[a-z]{1,6}", 0..4),
        bounded in any::<bool>(),
    ) {
        let mut attached: Vec<Attached> = names.iter().map(|name| managed(name)).chain([life()]).collect();
        let mut inline: Vec<_> = inline.into_iter().map(|name| (name, None)).collect();
        let mut boundary = bounded.then_some(LIFE);
        for change in strict(LIFE, &attached, &inline, boundary) {
            match change {
                Change::Bound => boundary = Some(LIFE),
                Change::Detach(policy) => attached.retain(|other| *other != policy),
                Change::Delete(name) => inline.retain(|(other, _)| *other != name),
                Change::Prove | Change::Verify => {}
                change => prop_assert!(false, "{change}"),
            }
        }
        prop_assert_eq!(&attached, &[life()]);
        prop_assert_eq!(strict(LIFE, &attached, &inline, boundary), vec![]);
    }
}
