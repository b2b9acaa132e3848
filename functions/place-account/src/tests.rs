use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use step::Task;
use tenant::{AlternateContact, Concern, Contact, account_tags, our_contacts};

use crate::{Change, Seen, Unit, plan};

type Contacts = BTreeMap<Concern, AlternateContact>;

fn seen(parent: &str, tags: BTreeMap<String, String>) -> Seen {
    with(parent, tags, Contacts::new())
}

fn with(parent: &str, tags: BTreeMap<String, String>, contacts: Contacts) -> Seen {
    let account = example::ACCOUNT.to_owned().try_into().expect("an account id");
    Seen::There {
        account,
        parent: parent.to_owned(),
        above: vec![],
        workspace_unit: None,
        tags,
        contacts,
    }
}

/// The example with a platform that knows a telephone number, and these contacts.
fn asked(contacts: &[(&str, &str)]) -> Task {
    let mut task = example::landed();
    task.platform.contact_phone = Some("+49 30 1".to_owned());
    task.tenant.wish.contacts = contacts
        .iter()
        .map(|(role, email)| ((*role).to_owned(), Contact::Address((*email).to_owned())))
        .collect();
    task
}

fn somebody(email: &str) -> AlternateContact {
    AlternateContact {
        email: email.to_owned(),
        name: "Somebody".to_owned(),
        title: "Somebody".to_owned(),
        phone: "1".to_owned(),
    }
}

fn ours(task: &Task) -> BTreeMap<String, String> {
    account_tags(&task.tenant, &task.landing_zone, &task.platform)
}

fn lines(task: &Task, seen: &Seen) -> Vec<String> {
    plan(task, seen).iter().map(ToString::to_string).collect()
}

/// AWS after the changes.
fn acted(task: &Task, before: &Seen) -> Seen {
    let mut after = before.clone();
    for change in plan(task, before) {
        let Seen::There { parent, above, workspace_unit, tags, contacts, .. } = &mut after else {
            continue;
        };
        match change {
            Change::CreateUnit { .. } => *workspace_unit = Some("ou-land-newbornx".to_owned()),
            Change::Move { to, .. } => {
                above.clear();
                *parent = match to {
                    Unit::Known(id) => id,
                    Unit::New { .. } => workspace_unit.clone().expect("it was made first"),
                };
            }
            Change::Tag(new) => tags.extend(new),
            Change::Untag(keys) => tags.retain(|key, _| !keys.contains(key)),
            Change::SetContact(concern, contact) => {
                contacts.insert(concern, contact);
            }
            Change::RemoveContact(concern) => {
                contacts.remove(&concern);
            }
        }
    }
    after
}

#[test]
fn a_newborn_account_is_moved_and_has_its_tags_from_birth() {
    let task = example::landed();
    let born = seen("r-land", ours(&task));
    assert_eq!(lines(&task, &born), ["move the account from r-land to ou-land-workprod"]);
}

#[test]
fn a_plan_before_birth_says_where_the_account_will_stand_and_whom_aws_will_ask() {
    let mut task = asked(&[("security", "soc@example.com"), ("owner", "ada@example.com")]);
    task.tenant.account = None;
    assert_eq!(
        lines(&task, &Seen::NotYet),
        ["move the account to ou-land-workprod", "make soc <soc@example.com> the security contact"]
    );
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
    let mut tags = ours(&task);
    tags.insert("landfall:costCenter".to_owned(), "0815".to_owned());
    tags.insert("landfall:formerly".to_owned(), "x".to_owned());
    assert_eq!(
        lines(&task, &seen("ou-land-workprod", tags)),
        ["take tags landfall:formerly off the account", "tag the account landfall:costCenter=4711"]
    );
}

#[test]
fn a_contact_that_is_wished_no_more_goes_before_the_tag_that_says_it_is_ours() {
    let before = asked(&[("security", "soc@example.com")]);
    let contacts = Contacts::from([(Concern::Security, somebody("soc@example.com"))]);
    let seen = with("ou-land-workprod", ours(&before), contacts);
    assert_eq!(
        lines(&asked(&[]), &seen),
        [
            "take the security contact off the account",
            "take tags landfall:contacts off the account",
        ]
    );
    let after = asked(&[("billing", "money@example.com")]);
    assert_eq!(
        lines(&after, &seen),
        [
            "take the security contact off the account",
            "tag the account landfall:contacts=billing",
            "make money <money@example.com> the billing contact",
        ]
    );
}

#[test]
fn an_account_beneath_its_unit_stays_only_where_the_platform_says_so() {
    let task = example::landed();
    let mut below = seen("ou-land-deeperxx", ours(&task));
    assert_eq!(
        lines(&task, &below),
        ["move the account from ou-land-deeperxx to ou-land-workprod"]
    );
    let Seen::There { above, .. } = &mut below else { unreachable!("it is there") };
    *above = vec!["ou-land-workprod".to_owned(), "r-land".to_owned()];
    assert_eq!(lines(&task, &below), Vec::<String>::new());
}

#[test]
fn a_workspaces_unit_is_made_once_and_then_used() {
    let mut task = example::landed();
    task.landing_zone.organizational_unit_per_workspace = true;
    let first = seen("r-land", ours(&task));
    assert_eq!(
        lines(&task, &first),
        [
            "make the organizational unit payments beneath ou-land-workprod",
            "move the account from r-land to the unit payments beneath ou-land-workprod",
        ]
    );
    let after = acted(&task, &first);
    assert_eq!(plan(&task, &after), vec![]);
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_and_what_is_foreign_stays(
        parent in "(r-land|ou-land-[a-z]{8})", per_workspace: bool,
        ours in proptest::collection::btree_map("landfall:[a-zA-Z]{1,8}", "[a-z0-9]{0,8}", 0..6),
        claimed in proptest::sample::subsequence(vec!["billing", "operations", "security"], 0..=3),
        foreign in proptest::collection::btree_map("[a-z]{1,8}", "[a-z0-9]{0,8}", 0..6),
        wished in proptest::sample::subsequence(vec!["billing", "operations", "security"], 0..=3),
        present in proptest::sample::subsequence(Concern::ALL.to_vec(), 0..=3),
    ) {
        let named: Vec<_> = wished.iter().map(|role| (*role, "ada@example.com")).collect();
        let mut task = asked(&named);
        task.landing_zone.organizational_unit_per_workspace = per_workspace;
        let mut tags: BTreeMap<String, String> = ours.into_iter().chain(foreign.clone()).collect();
        if !claimed.is_empty() {
            tags.insert("landfall:contacts".to_owned(), claimed.join(" "));
        }
        let contacts: Contacts =
            present.iter().map(|concern| (*concern, somebody("eve@example.com"))).collect();
        let before = with(&parent, tags.clone(), contacts.clone());
        let after = acted(&task, &before);
        prop_assert_eq!(plan(&task, &after), vec![]);
        let Seen::There { tags: tags_after, contacts: contacts_after, .. } = after else {
            unreachable!("the account stays")
        };
        for (key, value) in foreign {
            prop_assert_eq!(tags_after.get(&key), Some(&value));
        }
        let touched: BTreeSet<&str> = wished.into_iter()
            .chain(our_contacts(&tags, &task.platform).into_iter().map(Concern::as_str))
            .collect();
        for (concern, contact) in contacts {
            if !touched.contains(concern.as_str()) {
                prop_assert_eq!(contacts_after.get(&concern), Some(&contact));
            }
        }
    }
}
