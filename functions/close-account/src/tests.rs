use step::{Step as _, Task};
use tenant::Mode;

use crate::{Change, CloseAccount, Seen, plan, slot};

fn lines(task: &Task, seen: Seen) -> Vec<String> {
    plan(task, &seen).iter().map(ToString::to_string).collect()
}

/// The example, which ada wishes away and bob agrees to.
fn leaving(mut task: Task) -> Task {
    let marked = task.tenant.marked("ada", None, task.now).expect("it stays").tenant;
    task.tenant = marked.approved("bob", "", task.now).expect("bob may").tenant;
    task.mode = Mode::Remove;
    task.landing_zone.automate_deletion_replication = true;
    task
}

#[test]
fn nothing_happens_to_an_account_before_somebody_agrees() {
    let task = leaving(example::landed());
    assert_eq!(lines(&task, Seen::Unapproved), ["wait for an approver"]);
}

#[test]
fn an_open_account_gives_up_its_alias_and_is_closed() {
    let mut task = leaving(example::landed());
    assert_eq!(lines(&task, Seen::Open), ["close account 222222222222"]);
    if let Some(names) = &mut task.tenant.names {
        names.alias = Some("acme-checkout".to_owned());
    }
    let both = ["give up the alias acme-checkout", "close account 222222222222"];
    assert_eq!(lines(&task, Seen::Open), both);
    task.tenant = task.tenant.unaliased(CloseAccount::NAME, task.now).tenant;
    assert_eq!(lines(&task, Seen::Open), ["close account 222222222222"]);
}

#[test]
fn an_account_that_administers_a_service_keeps_its_alias_until_it_is_deregistered() {
    let mut task = leaving(example::landed());
    if let Some(names) = &mut task.tenant.names {
        names.alias = Some("acme-checkout".to_owned());
    }
    let services = ["guardduty.amazonaws.com", "macie.amazonaws.com"].map(ToOwned::to_owned);
    let said = lines(&task, Seen::Administers(services.to_vec()));
    let [said] = said.as_slice() else { panic!("{said:?}") };
    for part in [
        "administers guardduty.amazonaws.com, macie.amazonaws.com for the organization",
        "deregister-delegated-administrator --account-id 222222222222 --service-principal macie.amazonaws.com`",
        "`landfall replicate payments.checkout.aws`",
    ] {
        assert!(said.contains(part), "{said}");
    }
    task.landing_zone.automate_deletion_replication = false;
    assert_eq!(lines(&task, Seen::Administers(services.to_vec())), [said.as_str()]);
}

#[test]
fn where_a_person_closes_accounts_landfall_waits() {
    let mut task = leaving(example::landed());
    task.landing_zone.automate_deletion_replication = false;
    assert_eq!(lines(&task, Seen::Open), ["wait for somebody to close account 222222222222"]);
    assert_eq!(lines(&task, Seen::Closing), ["wait for AWS to close account 222222222222"]);
}

#[test]
fn an_account_that_is_closed_or_has_left_is_noted_once() {
    let mut task = leaving(example::landed());
    assert_eq!(lines(&task, Seen::Closed), ["note that account 222222222222 is closed"]);
    assert_eq!(
        lines(&task, Seen::Departed),
        ["note that account 222222222222 has left the organization"]
    );
    let event = "account 222222222222 is closed".to_owned();
    task.tenant = task.tenant.left(event, CloseAccount::NAME, task.now).tenant;
    assert_eq!(lines(&task, Seen::Closed), [""; 0]);
}

#[test]
fn a_tenant_that_never_had_an_account_has_none_to_close() {
    let task = leaving(example::newborn());
    assert_eq!(plan(&task, &Seen::Never), [Change::Leave("there never was an account".to_owned())]);
}

#[test]
fn a_slot_that_has_passed_is_none() {
    let mut task = leaving(example::landed());
    task.awaited = Some(step::Awaited {
        kind: crate::SLOT.to_owned(),
        id: task.now.to_string(),
        r#for: crate::turn(),
        since: task.now,
    });
    assert_eq!(slot(&task), Some(task.now));
    task.now += jiff::SignedDuration::from_secs(6);
    assert_eq!(slot(&task), None);
}
