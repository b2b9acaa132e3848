use jiff::SignedDuration;

use super::*;
use crate::{AccountId, Name, Noticed, SECOND_LOOK, Transition};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn platform() -> Platform {
    serde_json::from_value(serde_json::json!({
        "region": "eu-central-1", "managementAccount": "111111111111",
        "automationAccount": "123456789012", "accountEmailPattern": "a@e.io"
    }))
    .expect("a platform")
}

fn zone(more: serde_json::Value) -> LandingZone {
    let mut zone = serde_json::json!({
        "platform": "aws", "organizationalUnit": "ou-prod", "accessRole": {}
    });
    zone.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
    serde_json::from_value(zone).expect("a landing zone")
}

fn usual() -> LandingZone {
    zone(serde_json::json!({}))
}

fn seen() -> Sighted {
    Sighted {
        state: ACTIVE.to_owned(),
        units: ["r-1", "ou-work", "ou-prod"].map(ToOwned::to_owned).to_vec(),
        name: "a.b".to_owned(),
        email: "A@e.io".to_owned(),
    }
}

/// A tenant whose only run left all as wished.
fn ready() -> Tenant {
    let wish =
        serde_json::from_value(serde_json::json!({"landingZone": "production"})).expect("a wish");
    let Transition { tenant, .. } =
        Tenant::requested(Name::new("a", "b", "aws"), 1, wish, "ada", now());
    let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
    let names = serde_json::json!({"email": "a@e.io", "accountName": "a.b"});
    let named = running.named(serde_json::from_value(names).expect("names"), now()).tenant;
    let account = AccountId::try_from("444455556666".to_owned()).expect("an account");
    let landed = named.landed(account, "create-account", now()).tenant;
    let execution = landed.running.clone().expect("a run");
    landed.completed(&execution, None, 0.5, now()).expect("it ran").tenant
}

fn differences(tenant: &Tenant, seen: Option<&Sighted>, zone: &LandingZone) -> Vec<Difference> {
    let watch = Watch::of(tenant, Versions::default(), now()).expect("a tenant that is watched");
    watch.differences(seen, Some(zone), &platform())
}

fn every(field: DriftField, _: Option<&str>) -> bool {
    field.is_of_the_account()
}

fn strayed() -> Vec<Difference> {
    let elsewhere = Sighted { units: vec!["r-1".to_owned()], ..seen() };
    differences(&ready(), Some(&elsewhere), &usual())
}

fn noted(tenant: &Tenant, found: &[Difference], at: Timestamp) -> Tenant {
    match tenant.looked_at(every, found, &DriftRules::default(), Versions::default(), at) {
        Some(Noticed::Noted(after)) => after,
        other => panic!("not just noted: {other:?}"),
    }
}

fn happened(
    tenant: &Tenant,
    found: &[Difference],
    rules: &DriftRules,
    at: Timestamp,
) -> Transition {
    match tenant.looked_at(every, found, rules, Versions::default(), at) {
        Some(Noticed::Happened(transition)) => transition,
        other => panic!("nothing happened: {other:?}"),
    }
}

#[test]
fn an_account_as_it_is_wished_differs_in_nothing() {
    assert_eq!(differences(&ready(), Some(&seen()), &usual()), []);
}

#[test]
fn each_field_that_differs_is_named_with_what_is_wished_and_what_is() {
    let other = Sighted {
        units: vec!["r-1".to_owned(), "ou-work".to_owned()],
        name: "renamed".to_owned(),
        email: "x@e.io".to_owned(),
        ..seen()
    };
    let found = differences(&ready(), Some(&other), &usual());
    let said: Vec<String> =
        found.iter().map(|one| format!("{} {} {}", one.field, one.wished, one.actual)).collect();
    assert_eq!(
        said,
        ["organizationalUnit ou-prod ou-work", "accountName a.b renamed", "email a@e.io x@e.io"]
    );
}

#[test]
fn an_account_that_is_closed_or_gone_differs_in_that_alone() {
    let closed = Sighted { state: "CLOSED".to_owned(), units: Vec::new(), ..seen() };
    for (seen, actual) in [(Some(&closed), "CLOSED"), (None, GONE)] {
        let found = differences(&ready(), seen, &usual());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].field, found[0].actual.as_str()), (DriftField::AccountState, actual));
    }
}

#[test]
fn a_unit_of_the_workspace_or_one_beneath_is_where_it_may_stand() {
    let per_workspace = zone(serde_json::json!({
        "organizationalUnit": "ou-work", "organizationalUnitPerWorkspace": true
    }));
    assert_eq!(differences(&ready(), Some(&seen()), &per_workspace), []);
    let watch = Watch::of(&ready(), Versions::default(), now()).expect("a watch");
    let above = zone(serde_json::json!({"organizationalUnit": "ou-work"}));
    let strict = watch.differences(Some(&seen()), Some(&above), &platform());
    assert_eq!(strict.len(), 1);
    let lenient =
        Platform { allow_hierarchical_organizational_unit_assignment: true, ..platform() };
    assert_eq!(watch.differences(Some(&seen()), Some(&above), &lenient), []);
}

#[test]
fn one_look_is_no_drift_and_nor_are_two_at_once() {
    let first = noted(&ready(), &strayed(), now());
    assert!(!DriftView::of(&first).is_drifted());
    assert_eq!(
        first.looked_at(every, &strayed(), &DriftRules::default(), Versions::default(), later(1)),
        None
    );
    let gone = noted(&first, &[], later(10));
    assert_eq!(gone.drift, []);
}

#[test]
fn what_a_second_look_finds_too_is_drift_and_a_run_follows() {
    let first = noted(&ready(), &strayed(), now());
    let at = now() + SECOND_LOOK;
    let Transition { tenant, entry } = happened(&first, &strayed(), &DriftRules::default(), at);
    assert!(DriftView::of(&tenant).is_drifted());
    assert_eq!(tenant.next_run, Some(at));
    assert_eq!(entry.event, "drift: organizationalUnit is r-1 instead of ou-prod; a run follows");
    let running = tenant.started(Versions::default(), at).expect("nothing runs").tenant;
    let execution = running.running.clone().expect("a run");
    let over = running.completed(&execution, None, 0.5, later(10)).expect("it ran").tenant;
    assert!(!DriftView::of(&over).is_drifted());
}

#[test]
fn what_is_only_reported_starts_no_run() {
    let first = noted(&ready(), &strayed(), now());
    let rules: DriftRules =
        serde_json::from_value(serde_json::json!({"organizationalUnit": "report"})).expect("rules");
    let reported = happened(&first, &strayed(), &rules, later(5)).tenant;
    assert_eq!(reported.next_run, ready().next_run);
    let back = happened(&reported, &[], &rules, later(60));
    assert_eq!(back.entry.event, "drift: organizationalUnit is ou-prod again");
    assert!(!DriftView::of(&back.tenant).is_drifted());
}

#[test]
fn no_rule_makes_a_run_of_a_closed_account() {
    let found = differences(&ready(), None, &usual());
    let first = noted(&ready(), &found, now());
    let after = happened(&first, &found, &DriftRules::default(), later(5)).tenant;
    assert_eq!(after.next_run, ready().next_run);
}

#[test]
fn who_runs_or_is_about_to_is_left_alone() {
    let due = ready().asked("ada", now()).tenant;
    let watch = Watch::of(&due, Versions::default(), now()).expect("a watch");
    assert!(!watch.rests);
    assert_eq!(
        due.looked_at(every, &strayed(), &DriftRules::default(), Versions::default(), now()),
        None
    );
    let running = due.started(Versions::default(), now()).expect("nothing runs").tenant;
    assert_eq!(Watch::of(&running, Versions::default(), now()), None);
}

#[test]
fn a_look_decides_only_what_it_looked_at() {
    let lacks = [Difference::lacks("audit", "eu-central-1")];
    let stacks = |field: DriftField, _: Option<&str>| field == DriftField::StackSets;
    let Some(Noticed::Noted(tenant)) =
        ready().looked_at(stacks, &lacks, &DriftRules::default(), Versions::default(), now())
    else {
        panic!("a first look notes");
    };
    assert_eq!(
        tenant.looked_at(every, &[], &DriftRules::default(), Versions::default(), later(5)),
        None
    );
    assert_eq!(tenant.drift[0].what(), "stackSets audit/eu-central-1");
}

#[test]
fn what_a_run_changes_is_drift_only_where_nobody_wished_for_it() {
    assert!(ready().settled);
    let wish = serde_json::from_value(serde_json::json!({"landingZone": "other"})).expect("a wish");
    let changed = ready().wished(wish, "ada", now()).expect("it may").expect("it differs").tenant;
    let zone = ready().concerned("landing zone production", "ada", now()).tenant;
    assert!(!changed.settled && !zone.settled);
    let during = ready()
        .started(Versions::default(), now())
        .expect("nothing runs")
        .tenant
        .asked("ada", now())
        .tenant;
    let execution = during.running.clone().expect("a run");
    let ended = during.completed(&execution, None, 0.5, now()).expect("it ran").tenant;
    assert!(!ended.settled, "whoever asked knows of a change");
}

#[test]
fn everybody_runs_within_a_week() {
    for jitter in [0.0, 1.0] {
        let tenant = ready().started(Versions::default(), now()).expect("nothing runs").tenant;
        let execution = tenant.running.clone().expect("a run");
        let next =
            tenant.completed(&execution, None, jitter, now()).expect("it ran").tenant.next_run;
        let pause = next.expect("a next run").duration_since(now());
        let days = SignedDuration::from_hours(24);
        assert!(pause > days * 5 && pause <= days * 7, "{pause:?}");
    }
}

#[test]
fn what_a_change_has_not_come_to_yet_is_no_drift() {
    let newer = Versions { landing_zone: 2, platform: 0 };
    let found = strayed();
    assert_eq!(ready().looked_at(every, &found, &DriftRules::default(), newer, now()), None);
    let running = ready().started(newer, now()).expect("nothing runs").tenant;
    assert!(!running.settled, "what its run changes for it is no drift either");
}
