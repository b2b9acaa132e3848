use ledger::{ANSWER, Answer};
use proptest::prelude::*;
use readdressing::Change as To;
use step::{Awaited, Task};

use crate::{Change, Seen, plan};

const WISHED: &str = "acme-payments-checkout";
const NEW: &str = "checkout@example.com";

/// The example on a platform that names aliases.
fn named() -> Task {
    let mut task = example::landed();
    let pattern = "acme-#{workspaceIdentifier}-#{projectIdentifier}".to_owned();
    task.platform.account_alias_pattern = Some(pattern);
    task
}

fn called(name: &str, alias: Option<&str>) -> Seen {
    Seen::Called {
        name: name.to_owned(),
        alias: alias.map(ToOwned::to_owned),
        email: None,
        answer: None,
    }
}

fn lines(task: &Task, seen: &Seen) -> Vec<String> {
    plan(task, seen).iter().map(ToString::to_string).collect()
}

/// The tenant and AWS after the changes, up to where a person acts next.
fn acted(task: &Task, before: &Seen) -> (Task, Seen) {
    let (mut task, mut seen) = (task.clone(), before.clone());
    for change in plan(&task.clone(), before) {
        let Seen::Called { name, alias, email, answer } = &mut seen else { break };
        let names = task.tenant.names.as_mut().expect("names");
        match change {
            Change::Rename { to, .. } => *name = to,
            Change::SetAlias(new) | Change::KeepAlias(new) => {
                names.alias = Some(new.clone());
                *alias = Some(new);
            }
            Change::Readdress(To::HandOver { email: new, .. } | To::Keep(new)) => {
                names.email = new;
                (*email, *answer) = (None, None);
            }
            Change::Readdress(To::MailCode(new)) => {
                *answer = None;
                task.awaited = Some(Awaited {
                    kind: ANSWER.to_owned(),
                    id: new,
                    r#for: "the code".to_owned(),
                    since: task.now,
                });
                break;
            }
            Change::Readdress(To::AwaitCode(_)) | Change::Refuse(_) => break,
        }
    }
    (task, seen)
}

/// A person's answer; without a code, another one is wanted.
fn answered(otp: Option<&str>) -> Answer {
    Answer { otp: otp.map(ToOwned::to_owned), at: example::landed().now }
}

fn moving(has: &str, mailed: bool, answer: Option<Answer>) -> (Task, Seen) {
    let mut task = example::landed();
    task.tenant.wish.email = Some(NEW.to_owned());
    if mailed {
        task.awaited = Some(Awaited {
            kind: ANSWER.to_owned(),
            id: NEW.to_owned(),
            r#for: "the code".to_owned(),
            since: task.now,
        });
    }
    let name = "payments.checkout".to_owned();
    (task, Seen::Called { name, alias: None, email: Some(has.to_owned()), answer })
}

#[test]
fn an_account_that_is_called_as_wished_is_left_alone() {
    let mut task = named();
    task.tenant.names.as_mut().expect("names").alias = Some(WISHED.to_owned());
    assert_eq!(lines(&task, &called("payments.checkout", Some(WISHED))), Vec::<String>::new());
}

#[test]
fn a_fresh_account_gets_its_alias_and_a_plan_before_birth_says_so() {
    let task = named();
    let line = ["give the account the alias acme-payments-checkout"];
    assert_eq!(lines(&task, &called("payments.checkout", None)), line);
    let mut unborn = named();
    unborn.tenant.account = None;
    assert_eq!(lines(&unborn, &Seen::NotYet), line);
    assert_eq!(lines(&example::newborn(), &Seen::NotYet), Vec::<String>::new());
}

#[test]
fn a_name_that_somebody_changed_is_given_again() {
    let task = example::landed();
    assert_eq!(
        lines(&task, &called("Shop", None)),
        ["name the account payments.checkout instead of Shop"]
    );
}

#[test]
fn an_alias_that_is_there_stays_unless_it_is_enforced() {
    let mut task = named();
    let theirs = called("payments.checkout", Some("our-shop"));
    assert_eq!(lines(&task, &theirs), Vec::<String>::new());
    task.platform.enforce_account_alias = true;
    assert_eq!(lines(&task, &theirs), ["give the account the alias acme-payments-checkout"]);
}

#[test]
fn an_alias_that_aws_took_while_we_went_away_is_noted() {
    let task = named();
    assert_eq!(
        lines(&task, &called("payments.checkout", Some(WISHED))),
        ["note the alias acme-payments-checkout"]
    );
}

#[test]
fn a_new_address_takes_a_code_that_a_person_answers() {
    let said = |has, mailed, answer| {
        let (task, seen) = moving(has, mailed, answer);
        lines(&task, &seen)
    };
    let old = "aws+payments.checkout@example.com";
    let mail = ["have AWS mail a code to checkout@example.com"];
    assert_eq!(said(old, false, None), mail);
    assert_eq!(
        said(old, true, None),
        ["wait for the code that AWS mailed to checkout@example.com"]
    );
    assert_eq!(
        said(old, true, Some(answered(Some("12ab56")))),
        ["change the account's e-mail address to checkout@example.com"]
    );
    assert_eq!(said(old, true, Some(answered(None))), mail, "another one is wanted");
    assert_eq!(
        said(old, false, Some(answered(Some("12ab56")))),
        mail,
        "a code for another address"
    );
    assert_eq!(said(NEW, true, None), ["note the e-mail address checkout@example.com"]);
}

#[test]
fn no_change_shows_a_code() {
    let (task, seen) =
        moving("aws+payments.checkout@example.com", true, Some(answered(Some("12ab56"))));
    assert!(!lines(&task, &seen).concat().contains("12ab56"));
    assert!(!format!("{seen:?}").contains("12ab56"));
}

proptest! {
    #[test]
    fn planning_after_acting_yields_nothing_or_waits_for_a_person(
        name in "[ -~]{1,50}", alias in proptest::option::of("[a-z]{3,20}"), enforced: bool,
        has_new: bool, mailed: bool, answers: bool, otp in proptest::option::of("[0-9a-z]{6}"),
        wishes: bool,
    ) {
        let has = if has_new { NEW } else { "old@example.com" };
        let (mut task, mut seen) = moving(has, mailed, answers.then(|| answered(otp.as_deref())));
        task.platform.account_alias_pattern = named().platform.account_alias_pattern;
        task.platform.enforce_account_alias = enforced;
        if let Seen::Called { name: called, alias: has, email, answer } = &mut seen {
            *called = name;
            *has = alias.clone();
            if !wishes {
                task.tenant.wish.email = None;
                (*email, *answer) = (None, None);
            }
        }
        let (task, after) = acted(&task, &seen);
        let left = plan(&task, &after);
        prop_assert!(left.iter().all(|change| matches!(change, Change::Readdress(To::AwaitCode(_)))), "{left:?}");
        if let (Seen::Called { alias: now, .. }, Some(before), false) = (&after, alias, enforced) {
            prop_assert_eq!(now, &Some(before), "an alias that is there stays");
        }
    }
}
