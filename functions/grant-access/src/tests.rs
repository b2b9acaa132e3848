use std::collections::{BTreeMap, BTreeSet};

use identity_center::Assignment;
use jiff::SignedDuration;
use ledger::{AssignmentRow, Attempts, Granted, GroupRow, State, StepRow};
use proptest::prelude::*;
use serde_json::{Value, json};
use step::Task;
use tenant::{IdentityCenter, Name};

use crate::{
    ASSIGNMENT, Change, Group, Member, RETRY, Seen, There,
    changes::{plan, warnings},
    look::unfinished,
    mark, marked, said, waiting,
};

const SETS: &str = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef";
/// The group of the tenant's administrators.
const ADMINS: &str = "landfall-payments.checkout.admin";

fn set(name: &str) -> String {
    format!("{SETS}/ps-{name}")
}

/// A task whose wish for access and Identity Center are these; users are `u1` and so on.
fn task(access: Value, center: Value) -> Task {
    let mut document = json!({
        "instanceArn": "arn:aws:sso:::instance/ssoins-0123456789abcdef",
        "identityStoreId": "d-0123456789", "signInUrl": "https://example.awsapps.com/start",
        "roles": {"admin": {"permissionSets": [set("admin")]},
                  "reader": {"permissionSets": [set("read"), set("bill")]}}
    });
    for (key, value) in center.as_object().expect("fields") {
        document[key] = value.clone();
    }
    let mut task = example::landed();
    task.now += SignedDuration::from_hours(1);
    task.platform.identity_center =
        Some(serde_json::from_value(document).expect("Identity Center"));
    task.tenant.wish.access = serde_json::from_value(access).expect("grants");
    task
}

fn usual() -> Task {
    let access = json!([
        {"role": "admin", "users": ["u1", "u2"]},
        {"role": "reader", "groups": ["auditors"]},
    ]);
    task(access, json!({}))
}

/// An Identity Center with these users and groups of others, in which we have made nothing.
fn untouched(users: &[&str], groups: &[&str]) -> There {
    There {
        users: users.iter().map(|user| ((*user).to_owned(), Some(format!("id-{user}")))).collect(),
        groups: groups
            .iter()
            .map(|name| ((*name).to_owned(), Group::Foreign { id: format!("g-{name}") }))
            .collect(),
        ..There::default()
    }
}

fn member(user: &str) -> Member {
    let id = format!("id-{user}");
    Member { membership: format!("m-{user}"), user: id, name: user.to_owned() }
}

/// What a look would see after the changes, each of them done to its end.
fn acted(task: &Task, before: &There) -> There {
    let mut there = before.clone();
    for change in plan(task, &Seen::There(before.clone())) {
        match change {
            Change::MakeGroup { name, role, users } => {
                let id = format!("g-{name}");
                let members = users.iter().map(|(name, _)| member(name)).collect();
                there.groups.insert(name.clone(), Group::Ours { id: id.clone(), members });
                there.granted.groups.retain(|row| row.name != name);
                there.granted.groups.push(GroupRow { name, role, id: Some(id) });
            }
            Change::Admit { group, user, .. } => {
                if let Some(Group::Ours { members, .. }) = there.groups.get_mut(&group) {
                    members.push(member(&user.0));
                }
            }
            Change::Dismiss { group, member } => {
                if let Some(Group::Ours { members, .. }) = there.groups.get_mut(&group) {
                    members.retain(|other| *other != member);
                }
            }
            Change::Assign { group, id, permission_set, .. } => {
                let id = id.unwrap_or_else(|| format!("g-{group}"));
                there.assigned.entry(id.clone()).or_default().insert(permission_set.clone());
                let row = AssignmentRow {
                    group: id,
                    name: group,
                    permission_set,
                    said: None,
                    failed: None,
                };
                there.granted.assignments.push(row);
            }
            Change::Unassign { assignment, .. } => {
                let sets = there.assigned.entry(assignment.group.clone()).or_default();
                sets.remove(&assignment.permission_set);
                there.granted.assignments.retain(|row| {
                    (&row.group, &row.permission_set)
                        != (&assignment.group, &assignment.permission_set)
                });
            }
            Change::DeleteGroup { name, .. } => {
                there.granted.groups.retain(|row| row.name != name);
                there.groups.insert(name, Group::Missing);
            }
            Change::Await(_) | Change::Report { .. } => {}
        }
    }
    there
}

fn lines(task: &Task, there: &There) -> Vec<String> {
    plan(task, &Seen::There(there.clone())).iter().map(ToString::to_string).collect()
}

#[test]
fn a_fresh_account_gets_its_groups_and_lets_them_in() {
    let task = usual();
    let there = untouched(&["u1", "u2"], &["auditors"]);
    assert_eq!(
        lines(&task, &there),
        [
            "make group landfall-payments.checkout.admin with u1, u2",
            "let group landfall-payments.checkout.admin in as admin (ps-admin)",
            "let group auditors in as reader (ps-read)",
            "let group auditors in as reader (ps-bill)",
        ]
    );
    assert_eq!(lines(&task, &acted(&task, &there)), [""; 0]);
}

#[test]
fn a_plan_before_birth_says_who_will_be_let_in() {
    let mut task = usual();
    task.tenant.account = None;
    assert_eq!(lines(&task, &untouched(&["u1", "u2"], &["auditors"])).len(), 4);
}

#[test]
fn who_drifted_in_leaves_and_who_drifted_out_comes_back() {
    let task = usual();
    let mut there = acted(&task, &untouched(&["u1", "u2"], &["auditors"]));
    let Some(Group::Ours { members, .. }) = there.groups.get_mut(ADMINS) else { panic!("ours") };
    *members = vec![member("u2"), member("mallory")];
    there.assigned.get_mut("g-auditors").expect("assigned").remove(&set("bill"));
    there.assigned.get_mut(&format!("g-{ADMINS}")).expect("assigned").insert(set("power"));
    assert_eq!(
        lines(&task, &there),
        [
            "take mallory out of group landfall-payments.checkout.admin",
            "take u1 into group landfall-payments.checkout.admin",
            "let group auditors in as reader (ps-bill)",
            "shut group landfall-payments.checkout.admin out (ps-power)",
        ]
    );
}

#[test]
fn a_grant_that_ran_out_takes_its_people_and_groups_out() {
    let before = usual();
    let there = acted(&before, &untouched(&["u1", "u2"], &["auditors"]));
    let until = (before.now - SignedDuration::from_secs(1)).to_string();
    let after = task(
        json!([{"role": "admin", "users": ["u1"]},
               {"role": "admin", "users": ["u2"], "until": until},
               {"role": "reader", "groups": ["auditors"], "until": until}]),
        json!({}),
    );
    assert_eq!(
        lines(&after, &there),
        [
            "take u2 out of group landfall-payments.checkout.admin",
            "shut group auditors out (ps-bill)",
            "shut group auditors out (ps-read)",
        ]
    );
}

#[test]
fn a_changed_pattern_makes_the_new_group_before_the_old_one_goes() {
    let before = usual();
    let there = acted(&before, &untouched(&["u1", "u2"], &["auditors"]));
    let pattern = "#{projectIdentifier}.#{workspaceIdentifier}.#{platformGroupAlias}";
    let mut after = before.clone();
    let center = |task: &mut Task| task.platform.identity_center.take().expect("Identity Center");
    let renamed = IdentityCenter { group_name_pattern: pattern.to_owned(), ..center(&mut after) };
    after.platform.identity_center = Some(renamed);
    assert_eq!(
        lines(&after, &there),
        [
            "make group landfall-checkout.payments.admin with u1, u2",
            "let group landfall-checkout.payments.admin in as admin (ps-admin)",
            "shut group landfall-payments.checkout.admin out (ps-admin)",
            "delete group landfall-payments.checkout.admin",
        ]
    );
    let keeping = IdentityCenter { keep_stale: true, ..center(&mut after) };
    after.platform.identity_center = Some(keeping);
    assert_eq!(
        lines(&after, &there),
        [
            "make group landfall-checkout.payments.admin with u1, u2",
            "let group landfall-checkout.payments.admin in as admin (ps-admin)",
            "take u1 out of group landfall-payments.checkout.admin",
            "take u2 out of group landfall-payments.checkout.admin",
        ]
    );
}

#[test]
fn an_assignment_that_others_made_is_not_ours_to_take_away() {
    let reader = task(json!([{"role": "reader", "groups": ["auditors"]}]), json!({}));
    let mut there = untouched(&[], &["auditors"]);
    there.assigned.insert("g-auditors".to_owned(), [set("read"), set("audit")].into());
    let there = acted(&reader, &there);
    let nobody = task(json!([]), json!({}));
    assert_eq!(lines(&nobody, &there), ["shut group auditors out (ps-bill)"]);
}

#[test]
fn a_group_that_is_not_ours_stands_in_nobody_elses_way() {
    let task = usual();
    let there = untouched(&["u1", "u2"], &["auditors", ADMINS]);
    assert_eq!(
        lines(&task, &there),
        [
            "let group auditors in as reader (ps-read)",
            "let group auditors in as reader (ps-bill)",
            "not everybody can be let in: group `landfall-payments.checkout.admin` is in Identity Center already \
             and is not Landfall's",
        ]
    );
}

#[test]
fn a_group_of_a_tenant_that_moved_away_is_awaited_and_nobody_else_waits() {
    let task = usual();
    let mut there = untouched(&["u1", "u2"], &["auditors"]);
    there.groups.insert(ADMINS.to_owned(), Group::Leaving);
    there.granted.groups.push(GroupRow {
        name: ADMINS.to_owned(),
        role: "admin".to_owned(),
        id: None,
    });
    assert_eq!(
        lines(&task, &there),
        [
            "let group auditors in as reader (ps-read)",
            "let group auditors in as reader (ps-bill)",
            "wait for group landfall-payments.checkout.admin to be given up by a tenant that was moved",
        ]
    );
}

#[test]
fn a_tenant_that_moves_takes_its_people_along_and_gives_its_old_groups_up() {
    let before = usual();
    let there = acted(&before, &untouched(&["u1", "u2"], &["auditors"]));
    let mut after = before.clone();
    after.tenant.name = Name::new("shipping", "refunds", "aws");
    assert_eq!(
        lines(&after, &there),
        [
            "make group landfall-shipping.refunds.admin with u1, u2",
            "let group landfall-shipping.refunds.admin in as admin (ps-admin)",
            "shut group landfall-payments.checkout.admin out (ps-admin)",
            "delete group landfall-payments.checkout.admin",
        ]
    );
    assert_eq!(lines(&after, &acted(&after, &there)), [""; 0]);
}

#[test]
fn a_group_says_for_whom_it_was_made_and_as_what() {
    let tenant = usual().tenant;
    let description = format!("{} Role admin{}", mark(tenant.id), said(&tenant.name));
    assert_eq!(marked(&description), Some(tenant.id));
    assert!(description.ends_with(&said(&Name::new("payments", "checkout", "aws"))));
    assert_eq!(marked("Landfall's, for tenant nobody. Role admin of a.b.aws."), None);
    assert_eq!(marked("The foundation's own."), None);
}

#[test]
fn an_assignment_that_aws_fails_on_is_tried_once_more_and_reported_after_all_others() {
    let task = usual();
    let mut there = acted(&task, &untouched(&["u1", "u2"], &["auditors"]));
    there.assigned.clear();
    let mut failed = |times: u32, ago: i64| {
        let at = task.now - SignedDuration::from_secs(ago);
        let row = there.granted.assignments.iter_mut().find(|row| row.name == ADMINS);
        let reason = "an internal exception".to_owned();
        row.expect("an assignment").failed = Some(Attempts { run: task.run, times, reason, at });
        lines(&task, &there)
    };
    let again = failed(1, 60);
    assert_eq!(again[0], "let group landfall-payments.checkout.admin in as admin (ps-admin)");
    let soon = failed(1, 3);
    assert_eq!(soon.last().map(String::as_str), Some("wait for AWS to be asked again"));
    assert_eq!(soon.len(), 3);
    let given_up = failed(2, 60);
    assert_eq!(given_up.len(), 3);
    assert_eq!(
        given_up[2],
        "not everybody can be let in: AWS failed to let in group `landfall-payments.checkout.admin`"
    );
}

#[test]
fn nobody_is_let_in_without_the_word_that_the_baseline_is_verified() {
    let task = usual();
    let verified = |state| StepRow { state, ..StepRow::new("verify-baseline", None, task.run) };
    let sets = task.landing_zone.stack_sets.iter();
    let mut rows: Vec<StepRow> = sets
        .map(|set| StepRow::new("roll-out-stacks", Some(&set.name), task.run))
        .map(|row| StepRow { state: State::Done, ..row })
        .collect();
    let open = Some("verify-baseline".to_owned());
    assert_eq!(unfinished(&rows, &task), open, "it was never reached");
    for state in [State::Running, State::Waiting, State::Failed, State::Superseded] {
        rows.push(verified(state));
        assert_eq!(unfinished(&rows, &task), open, "{state:?}");
        rows.pop();
    }
    rows.push(StepRow { run: task.run - 1, ..verified(State::Done) });
    assert_eq!(unfinished(&rows, &task), open, "another run's word is none");
    rows.pop();
    rows.push(verified(State::Done));
    assert_eq!(unfinished(&rows, &task), None);
}

#[test]
fn while_all_else_is_not_done_people_only_leave() {
    let before = usual();
    let mut there = acted(&before, &untouched(&["u1", "u2"], &["auditors"]));
    there.unfinished = Some("roll-out-stacks of audit".to_owned());
    let after = task(json!([{"role": "admin", "users": ["u1", "u3"]}]), json!({}));
    there.users.insert("u3".to_owned(), Some("id-u3".to_owned()));
    assert_eq!(
        lines(&after, &there),
        [
            "take u2 out of group landfall-payments.checkout.admin",
            "shut group auditors out (ps-bill)",
            "shut group auditors out (ps-read)",
        ]
    );
    assert_eq!(
        warnings(&after, &Seen::There(there)),
        ["Nobody is newly let in before roll-out-stacks of audit is done."]
    );
}

#[test]
fn whoever_can_not_be_let_in_is_a_warning() {
    let task = task(
        json!([{"role": "admin", "users": ["u1", "ghost"]}, {"role": "reader", "groups": ["nobody"]},
               {"role": "guest", "users": ["u1"]}]),
        json!({"userNamePattern": "%s@example.com"}),
    );
    let mut there = untouched(&["u1@example.com"], &[]);
    there.users.insert("ghost@example.com".to_owned(), None);
    there.groups.insert("nobody".to_owned(), Group::Missing);
    assert_eq!(
        warnings(&task, &Seen::There(there)),
        [
            "Role `guest` has no permission set in landing zone `production`: nobody is let in by it.",
            "Identity Center does not know user `ghost` as `ghost@example.com`: admin gets in once it does.",
            "There is no group `nobody` in Identity Center: reader gets in by it once there is.",
        ]
    );
    let mut without = task.clone();
    without.platform.identity_center = None;
    assert_eq!(
        warnings(&without, &Seen::Nobody),
        ["The platform has no Identity Center: nobody is given access."]
    );
    assert_eq!(plan(&without, &Seen::Nobody), []);
}

#[test]
fn a_wait_goes_on_since_it_began() {
    let mut task = usual();
    let first = waiting(&task, RETRY, "AWS");
    task.now += SignedDuration::from_mins(5);
    task.awaited = Some(first.clone());
    assert_eq!(waiting(&task, RETRY, "AWS"), first);
    assert_eq!(waiting(&task, ASSIGNMENT, "AWS").since, task.now);
}

const USERS: [&str; 4] = ["u1", "u2", "u3", "u4"];
const EXISTING: [&str; 3] = ["auditors", "operators", "platform-team"];

fn some_of(all: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(all, 0..=all.len())
}

prop_compose! {
    /// A wish for access that names somebody.
    fn wish()(
        admins in some_of(&USERS), admin_groups in some_of(&EXISTING),
        readers in some_of(&USERS), reader_groups in some_of(&EXISTING),
        guests in some_of(&USERS),
    ) -> Value {
        json!([
            {"role": "admin", "users": admins, "groups": admin_groups},
            {"role": "reader", "users": readers, "groups": reader_groups},
            {"role": "guest", "users": guests},
        ])
    }
}

prop_compose! {
    /// What others and we have left behind in Identity Center.
    fn world()(
        known in some_of(&USERS),
        ours in proptest::collection::btree_map("(admin|reader|former)", some_of(&USERS), 0..3),
        assigned in proptest::collection::btree_map(
            "(auditors|operators|platform-team|landfall-payments.checkout.admin|landfall-old)",
            proptest::sample::subsequence(vec!["admin", "read", "bill", "audit"], 0..=4), 0..4),
        remembered in proptest::collection::vec(any::<bool>(), 20),
    ) -> There {
        let mut there = untouched(&[], &EXISTING);
        for user in USERS {
            let id = known.contains(&user).then(|| format!("id-{user}"));
            there.users.insert(user.to_owned(), id);
        }
        for (alias, users) in ours {
            let name = format!("landfall-payments.checkout.{alias}");
            let id = format!("g-{name}");
            let members = users.iter().map(|user| member(user)).collect();
            there.groups.insert(name.clone(), Group::Ours { id: id.clone(), members });
            there.granted.groups.push(GroupRow { name, role: alias, id: Some(id) });
        }
        let mut by_us = remembered.into_iter();
        for (name, sets) in assigned {
            let id = format!("g-{name}");
            for one in sets {
                there.assigned.entry(id.clone()).or_default().insert(set(one));
                if by_us.next().unwrap_or_default() {
                    there.granted.assignments.push(AssignmentRow {
                        group: id.clone(), name: name.clone(), permission_set: set(one), said: None, failed: None,
                    });
                }
            }
        }
        there
    }
}

/// The assignments of others' groups that are not ours.
fn foreign(there: &There) -> BTreeSet<Assignment> {
    let ours = |one: &Assignment| {
        there
            .granted
            .assignments
            .iter()
            .any(|row| row.group == one.group && row.permission_set == one.permission_set)
    };
    let all = there.assigned.iter().filter(|(group, _)| !group.starts_with("g-landfall-"));
    let all = all.flat_map(|(group, sets)| {
        sets.iter().map(|set| Assignment { group: group.clone(), permission_set: set.clone() })
    });
    all.filter(|one| !ours(one)).collect()
}

fn groups_of_others(there: &There) -> BTreeMap<String, Group> {
    let groups = there.groups.clone().into_iter();
    groups.filter(|(_, group)| matches!(group, Group::Foreign { .. })).collect()
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_and_what_is_others_stays(
        access in wish(), before in world(), keep in any::<bool>(),
    ) {
        let task = task(access, json!({ "keepStale": keep }));
        let after = acted(&task, &before);
        let again = plan(&task, &Seen::There(after.clone()));
        prop_assert!(again.is_empty(), "{again:?}");
        let kept: BTreeSet<Assignment> = foreign(&before);
        let there = after.assigned.clone();
        for one in kept {
            prop_assert!(there.get(&one.group).is_some_and(|sets| sets.contains(&one.permission_set)));
        }
        prop_assert_eq!(groups_of_others(&after), groups_of_others(&before));
    }

    #[test]
    fn exactly_the_people_wished_for_who_are_known_are_in_our_groups(
        access in wish(), before in world(),
    ) {
        let task = task(access.clone(), json!({}));
        let after = acted(&task, &before);
        for role in ["admin", "reader"] {
            let users = access.as_array().expect("grants").iter().find(|one| one["role"] == role);
            let wished: Vec<&str> = users.and_then(|one| one["users"].as_array()).into_iter()
                .flatten().filter_map(Value::as_str).collect();
            let known: BTreeSet<String> = wished.iter()
                .filter_map(|user| before.users[*user].clone()).collect();
            let members: BTreeSet<String> = match after.groups.get(&format!("landfall-payments.checkout.{role}")) {
                Some(Group::Ours { members, .. }) => members.iter().map(|one| one.user.clone()).collect(),
                _ => BTreeSet::new(),
            };
            prop_assert_eq!(members, known);
        }
    }

    #[test]
    fn nobody_is_let_in_while_all_else_is_not_done(access in wish(), before in world()) {
        let mut before = before;
        before.unfinished = Some("a step".to_owned());
        let changes = plan(&task(access, json!({})), &Seen::There(before));
        let lets_in = |change: &Change| {
            matches!(change, Change::Assign { .. } | Change::Admit { .. } | Change::MakeGroup { .. })
        };
        prop_assert!(!changes.iter().any(lets_in), "{changes:?}");
    }
}

#[test]
fn what_was_granted_and_is_forgotten_by_nobody_is_taken_away_once() {
    let granted = Granted {
        groups: vec![GroupRow {
            name: "landfall-old".to_owned(),
            role: "admin".to_owned(),
            id: None,
        }],
        assignments: vec![AssignmentRow {
            group: "g-gone".to_owned(),
            name: "gone".to_owned(),
            permission_set: set("read"),
            said: None,
            failed: None,
        }],
    };
    let there = There { granted, ..There::default() };
    let nobody = task(json!([]), json!({}));
    assert_eq!(
        lines(&nobody, &there),
        ["shut group gone out (ps-read)", "delete group landfall-old"]
    );
    assert_eq!(lines(&nobody, &acted(&nobody, &there)), [""; 0]);
}
