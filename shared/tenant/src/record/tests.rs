use jiff::SignedDuration;

use super::run::{LOOK_AGAIN, retry_after};
use super::*;
use crate::{Failure, FailureName};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn wish(zone: &str) -> TenantSpec {
    serde_json::from_value(serde_json::json!({ "landingZone": zone })).expect("a wish")
}

/// A tenant whose grant runs out after some minutes.
fn until(minutes: i64) -> Tenant {
    let end = now() + SignedDuration::from_mins(minutes);
    let wish: TenantSpec = serde_json::from_value(serde_json::json!({
        "landingZone": "production",
        "access": [{"role": "admin", "users": ["ada"], "until": end.to_string()}]
    }))
    .expect("a wish");
    Tenant::requested(Name::new("a", "b", "aws"), 1, wish, "ada", now()).tenant
}

fn ended(tenant: &Tenant, minutes: i64) -> Option<Timestamp> {
    let running = tenant.started(Versions::default(), now()).expect("nothing runs").tenant;
    let execution = running.running.clone().expect("a run");
    let later = now() + SignedDuration::from_mins(minutes);
    let ended = running.completed(&execution, None, 1.0, later).expect("it ran").tenant;
    ended.next_run.map(|next| next.min(later + SignedDuration::from_hours(24)))
}

#[test]
fn a_tenant_is_due_when_a_grant_runs_out() {
    let end = now() + SignedDuration::from_mins(90);
    assert_eq!(ended(&until(90), 10), Some(end));
    let failing = until(90).started(Versions::default(), now()).expect("nothing runs").tenant;
    let execution = failing.running.clone().expect("a run");
    let failure = Failure::rejected("the address is taken");
    let failed = failing.failed(&execution, "admit", failure, 0.0, now()).expect("it ran").tenant;
    assert_eq!(failed.next_run, Some(end));
}

#[test]
fn a_grant_that_runs_out_during_a_run_is_looked_at_after_it() {
    assert!(ended(&until(5), 10) < Some(now() + SignedDuration::from_mins(10)));
    let day = now() + SignedDuration::from_mins(10) + SignedDuration::from_hours(24);
    assert_eq!(ended(&until(-5), 10), Some(day), "it had run out before the run began");
}

fn running() -> Tenant {
    let tenant =
        Tenant::requested(Name::new("a", "b", "aws"), 1, wish("production"), "ada", now()).tenant;
    tenant.started(Versions::default(), now()).expect("nothing is running").tenant
}

#[test]
fn one_run_at_a_time() {
    let tenant = running();
    assert_eq!(tenant.running, Some(format!("{}-1", tenant.id)));
    assert_eq!(tenant.started(Versions::default(), now()), Err(Refused::Running));
}

#[test]
fn a_dead_execution_changes_nothing() {
    let tenant = running();
    assert_eq!(tenant.completed("another", None, 0.0, now()), Err(Refused::NotRunning));
}

#[test]
fn a_wish_that_changes_during_a_run_starts_the_next_one() {
    let tenant = running();
    let changed = tenant.wished(wish("sandbox"), "ada", now()).expect("it stays");
    let changed = changed.expect("a change").tenant;
    let execution = changed.running.clone().expect("still running");
    let ended = changed.completed(&execution, None, 0.5, now()).expect("it was running").tenant;
    assert_eq!((ended.observed_generation, ended.generation), (1, 2));
    assert_eq!(ended.next_run, Some(now()));
}

#[test]
fn a_run_asked_for_during_another_follows_it() {
    let asked = running().asked("ada", now()).tenant;
    let execution = asked.running.clone().expect("still running");
    let ended = asked.completed(&execution, None, 0.5, now()).expect("it was running").tenant;
    assert_eq!((ended.next_run, ended.asked), (Some(now()), false));
}

#[test]
fn a_change_that_concerns_a_tenant_during_a_run_starts_the_next_one() {
    let concerned = running().concerned("landing zone production", "ada", now()).tenant;
    let execution = concerned.running.clone().expect("still running");
    let ended = concerned.completed(&execution, None, 0.5, now()).expect("it was running").tenant;
    assert_eq!((ended.next_run, ended.asked), (Some(now()), false));
}

#[test]
fn the_same_wish_again_changes_nothing() {
    assert_eq!(running().wished(wish("production"), "ada", now()), Ok(None));
}

#[test]
fn passing_failures_come_back_soon_and_wrong_wishes_wait_for_their_author() {
    assert_eq!(retry_after(FailureName::Transient, 1), Some(SignedDuration::from_mins(5)));
    assert_eq!(retry_after(FailureName::Transient, 9), Some(SignedDuration::from_hours(1)));
    assert_eq!(retry_after(FailureName::Rejected, 1), None);
    let tenant = running();
    let execution = tenant.running.clone().expect("running");
    let failed = tenant
        .failed(&execution, "create-account", Failure::rejected("the address is taken"), 0.0, now())
        .expect("it was running");
    assert_eq!((failed.tenant.phase, failed.tenant.next_run), (Phase::Failed, None));
    assert_eq!(failed.entry.from, Some(Phase::Replicating));
}

#[test]
fn who_waits_for_an_instant_runs_after_it_and_who_has_waited_longest_first() {
    let until = now() + SignedDuration::from_hours(12);
    let next = |since: Timestamp| {
        let tenant = running();
        let waiting = Waiting {
            step: "admit".to_owned(),
            r#for: "a place among tomorrow's new accounts".to_owned(),
            since,
            until: Some(until),
            asks: None,
        };
        let execution = tenant.running.clone().expect("a run");
        let ended = tenant.completed(&execution, Some(waiting), 0.5, now()).expect("it ran").tenant;
        ended.next_run.expect("it runs again")
    };
    let came = [-72, -24, -1, 0].map(|hours| next(now() + SignedDuration::from_hours(hours)));
    assert!(came.is_sorted(), "{came:?}");
    assert!(came[0] > until && came[3] < until + LOOK_AGAIN);
}

#[test]
fn what_held_a_tenant_back_and_no_longer_does_starts_it_at_once() {
    let tenant = running();
    let execution = tenant.running.clone().expect("a run");
    let failure = Failure::blocked("Full. Ask.", "");
    let failed = tenant.failed(&execution, "create-account", failure, 0.0, now()).expect("it ran");
    let released = failed.tenant.released("ada", now());
    assert_eq!(released.tenant.next_run, Some(now()));
    assert_eq!(released.entry.event, "accounts are created again");
}

#[test]
fn an_address_is_new_only_while_the_account_has_another() {
    let mut tenant = running();
    tenant.wish.email = Some("New@example.com".to_owned());
    assert_eq!(tenant.new_email(), None, "it is asked for with that address");
    let names = |email: &str| Names {
        email: email.to_owned(),
        account_name: "a.b".to_owned(),
        alias: None,
        number: 0,
        project_number: 0,
    };
    tenant.names = Some(names("old@example.com"));
    assert_eq!(tenant.new_email(), Some("New@example.com"));
    let moved = tenant.readdressed("New@example.com".to_owned(), "name-account", now());
    assert_eq!(moved.tenant.new_email(), None);
    tenant.names = Some(names("new@example.com"));
    assert_eq!(tenant.new_email(), None, "addresses are alike whatever their case");
}

#[test]
fn an_answer_during_a_run_starts_the_next_one() {
    let tenant = running().answered("a code was given", "ada", now()).tenant;
    let execution = tenant.running.clone().expect("a run");
    let ended = tenant.completed(&execution, None, 0.0, now()).expect("it runs").tenant;
    assert_eq!(ended.next_run, Some(now()));
}
