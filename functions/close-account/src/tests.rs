use jiff::SignedDuration;
use ledger::{ANSWER, Answer};
use step::{Awaited, Step as _, Task};
use tenant::{AddressAfterClosing, Failure, Mode};

use crate::release::{RELEASE, seats, token};
use crate::{Address, Change, CloseAccount, Hold, Product, Seen, plan, slot};

/// An open account that nothing holds.
const OPEN: Seen = Seen::Open { address: None, hold: None, seated: false };

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
    assert_eq!(lines(&task, OPEN), ["close account 222222222222"]);
    if let Some(names) = &mut task.tenant.names {
        names.alias = Some("acme-checkout".to_owned());
    }
    let both = ["give up the alias acme-checkout", "close account 222222222222"];
    assert_eq!(lines(&task, OPEN), both);
    task.tenant = task.tenant.unaliased(CloseAccount::NAME, task.now).tenant;
    assert_eq!(lines(&task, OPEN), ["close account 222222222222"]);
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

/// The task while Control Tower is waited for, so many minutes later.
fn waiting(mut task: Task, minutes: i64) -> Task {
    let id = "222222222222".to_owned();
    let (kind, since) = (RELEASE.to_owned(), task.now);
    task.awaited = Some(Awaited { kind, id, r#for: String::new(), since });
    task.now = since + SignedDuration::from_mins(minutes);
    task
}

fn held(hold: Hold) -> Seen {
    Seen::Open { address: None, hold: Some(hold), seated: false }
}

fn product(record: &str) -> Product {
    Product { id: "pp-1".to_owned(), record: record.to_owned() }
}

#[test]
fn control_tower_lets_go_of_an_account_before_anything_else_is_taken_from_it() {
    let task = leaving(example::by_account_factory(example::landed()));
    assert_eq!(
        lines(&task, held(Hold::Product(product("rec-1")))),
        [
            "let Control Tower let go of account 222222222222 by the end of its provisioned product pp-1"
        ]
    );
    let task = leaving(example::by_move(example::landed()));
    let unit = Hold::Unit { from: "ou-land-workprod".to_owned(), to: "r-land".to_owned() };
    assert_eq!(
        lines(&task, held(unit.clone())),
        [
            "let Control Tower let go of account 222222222222 by a move from ou-land-workprod to r-land"
        ]
    );
    let mut by_hand = task.clone();
    by_hand.landing_zone.automate_deletion_replication = false;
    assert_eq!(lines(&by_hand, held(unit.clone())), lines(&task, held(unit)));
    let wait = ["wait for Control Tower to let go of account 222222222222"];
    assert_eq!(lines(&waiting(task, 400), held(Hold::UnderWay)), wait);
}

#[test]
fn what_was_waited_for_is_settled_once_and_then_the_account_is_closed() {
    let task = leaving(example::by_move(example::landed()));
    let both = ["Control Tower has let go of account 222222222222", "close account 222222222222"];
    assert_eq!(lines(&waiting(task.clone(), 5), OPEN), both);
    // Its turn died before it could note what it waits for.
    assert_eq!(lines(&task, Seen::Open { address: None, hold: None, seated: true }), both);
    assert_eq!(lines(&task, OPEN), ["close account 222222222222"]);
}

#[test]
fn control_tower_may_take_hours_to_let_go_and_not_for_ever() {
    let task = leaving(example::by_move(example::landed()));
    let wait = ["wait for Control Tower to let go of account 222222222222"];
    assert_eq!(lines(&task, held(Hold::Unnoticed)), wait);
    assert_eq!(lines(&waiting(task.clone(), 359), held(Hold::Unnoticed)), wait);
    let said = lines(&waiting(task.clone(), 361), held(Hold::Unnoticed));
    assert!(said[0].contains("unmanage it in Control Tower, then `landfall replicate"), "{said:?}");
    let stuck = Failure::blocked("A person must act.", "");
    assert_eq!(lines(&task, held(Hold::Stuck(stuck))), ["A person must act."]);
}

/// The address that the account has while another one is to come first.
fn has(email: &str, otp: Option<&str>, hold: Option<Hold>) -> Seen {
    let at = example::landed().now;
    let answer = otp.map(|otp| Answer { otp: Some(otp.to_owned()), at });
    Seen::Open {
        address: Some(Address::Has { email: email.to_owned(), answer }),
        hold,
        seated: false,
    }
}

/// The task whose landing zone wants another address, and after the turn that asked for it.
fn readdressing() -> (Task, Task) {
    let mut task = leaving(example::landed());
    task.landing_zone.address_after_closing = Some(AddressAfterClosing {
        pattern: "closed+#{workspaceIdentifier}.#{projectIdentifier}@example.com".to_owned(),
        within_days: 3,
    });
    let mut mailed = task.clone();
    let until = task.now + SignedDuration::from_hours(72);
    mailed.tenant = task.tenant.readdressing(NEW, until, CloseAccount::NAME, task.now).tenant;
    mailed.awaited = Some(Awaited {
        kind: ANSWER.to_owned(),
        id: NEW.to_owned(),
        r#for: String::new(),
        since: task.now,
    });
    (task, mailed)
}

const NEW: &str = "closed+payments.checkout@example.com";
const OLD: &str = "aws+payments.checkout@example.com";

#[test]
fn the_address_is_changed_first_if_the_code_comes_in_time() {
    let (task, mut mailed) = readdressing();
    let said = lines(&task, has(OLD, None, None));
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with(&format!("have the e-mail address be {NEW} before, until ")));
    assert_eq!(said[1..], [format!("have AWS mail a code to {NEW}"), close()]);
    let waits = format!("wait for the code that AWS mailed to {NEW}");
    assert_eq!(lines(&mailed, has(OLD, None, None)), [waits, close()]);
    let changes = format!("change the account's e-mail address to {NEW}");
    assert_eq!(lines(&mailed, has(OLD, Some("12ab56"), None)), [changes, close()]);
    assert_eq!(
        lines(&mailed, has(NEW, None, None)),
        [format!("note the e-mail address {NEW}"), close()]
    );
    mailed.now += SignedDuration::from_hours(72);
    let kept = format!(
        "go on with the e-mail address that the account has: nobody gave the code for {NEW} in time"
    );
    assert_eq!(lines(&mailed, has(OLD, Some("12ab56"), None)), [kept.clone(), close()]);
    // Nothing is taken from the account before, and Control Tower lets go of it after.
    let hold = Some(Hold::UnderWay);
    let wait = "wait for Control Tower to let go of account 222222222222".to_owned();
    assert_eq!(lines(&mailed, has(OLD, None, hold)), [kept, wait]);
}

#[test]
fn an_account_whose_address_can_not_be_changed_is_closed_all_the_same() {
    let (task, _) = readdressing();
    let untold = Seen::Open { address: Some(Address::Untold), hold: None, seated: false };
    assert_eq!(
        lines(&task, untold),
        [
            "go on with the e-mail address that the account has: AWS does not let Landfall change it"
                .to_owned(),
            close()
        ]
    );
    let kept = task.tenant.keeps_address("AWS does not take it", CloseAccount::NAME, task.now);
    assert!(kept.tenant.removal.is_some_and(|removal| {
        removal.readdressing.is_some_and(|readdressing| readdressing.ended)
    }));
}

fn close() -> String {
    "close account 222222222222".to_owned()
}

#[test]
fn a_repeated_request_is_the_same_and_what_follows_a_failure_is_another() {
    let mut task = leaving(example::by_account_factory(example::landed()));
    let first = token(&task, &product("rec-1"));
    task.run += 1;
    assert_eq!(token(&task, &product("rec-1")), first);
    assert_ne!(token(&task, &product("rec-2")), first);
}

#[test]
fn one_account_is_let_go_of_at_a_time_among_five_in_all() {
    let named = seats().map(|seats| (seats.name, seats.most));
    let all = ("control-tower".to_owned(), 5);
    assert_eq!(named, [("control-tower-releases".to_owned(), 1), all]);
}

#[test]
fn where_a_person_closes_accounts_landfall_waits() {
    let mut task = leaving(example::landed());
    task.landing_zone.automate_deletion_replication = false;
    assert_eq!(lines(&task, OPEN), ["wait for somebody to close account 222222222222"]);
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
    task.awaited = Some(Awaited {
        kind: crate::SLOT.to_owned(),
        id: task.now.to_string(),
        r#for: crate::turn(),
        since: task.now,
    });
    assert_eq!(slot(&task), Some(task.now));
    task.now += SignedDuration::from_secs(6);
    assert_eq!(slot(&task), None);
}
