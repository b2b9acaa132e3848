use super::*;
use ledger::Wanted;

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a timestamp")
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn under_way(leg: Leg) -> SurveyRow {
    let summary = SurveySummary::begun("schedule", now());
    let position = Position { summary, leg, suspects: Vec::new(), scope: Scope::Accounts };
    SurveyRow { position: Some(position), last: Some(now() - hours(6)), ..SurveyRow::default() }
}

#[test]
fn a_survey_begins_when_its_hours_are_over_and_sees_stacks_once_a_day() {
    let row = SurveyRow {
        last: Some(now()),
        last_stacks: Some(now() - hours(18)),
        ..SurveyRow::default()
    };
    assert_eq!(position(row.clone(), 6, now() + hours(5)), None);
    let (begun, is_new) = position(row.clone(), 6, now() + hours(6)).expect("it is due");
    assert!(is_new && begun.summary.asked_by == "schedule");
    assert_eq!(begun.scope, Scope::AccountsAndStacks);
    let early = SurveyRow { last_stacks: Some(now() - hours(12)), ..row };
    let (begun, _) = position(early, 6, now() + hours(6)).expect("it is due");
    assert_eq!(begun.scope, Scope::Accounts);
}

#[test]
fn whoever_asks_gets_a_survey_at_once_that_sees_everything() {
    let wanted = Some(Wanted { by: "arn:ada".to_owned(), at: now() });
    let row =
        SurveyRow { wanted, last: Some(now()), last_stacks: Some(now()), ..SurveyRow::default() };
    let (begun, is_new) = position(row, 6, now()).expect("somebody asks");
    assert!(is_new && begun.summary.asked_by == "arn:ada");
    assert_eq!(begun.scope, Scope::AccountsAndStacks);
}

#[test]
fn one_that_is_under_way_goes_on_and_what_is_a_day_old_begins_anew() {
    let token = Some("next".to_owned());
    let row = under_way(Leg::Accounts { token: token.clone() });
    let (resumed, is_new) = position(row.clone(), 6, now() + hours(23)).expect("it goes on");
    assert_eq!((resumed.leg, is_new), (Leg::Accounts { token }, false));
    let (begun, is_new) = position(row, 6, now() + hours(25)).expect("it begins anew");
    assert_eq!((begun.leg, is_new), (Leg::Accounts { token: None }, true));
}

#[test]
fn the_second_look_waits_until_it_is_one() {
    let row = under_way(Leg::SecondLook { from: now() + hours(1) });
    assert_eq!(position(row.clone(), 6, now()), None);
    assert!(position(row, 6, now() + hours(1)).is_some());
}

#[test]
fn what_events_name_is_looked_at_between_surveys_and_by_the_next_one_if_that_is_due() {
    let account = AccountId::try_from("444455556666".to_owned()).expect("an id");
    let row =
        SurveyRow { last: Some(now()), named: [account.clone()].into(), ..SurveyRow::default() };
    let (begun, is_new) = position(row.clone(), 6, now()).expect("an event named it");
    let from = now() + SECOND_LOOK;
    assert!(is_new && begun.scope == Scope::Named);
    assert_eq!(begun.leg, Leg::Named { accounts: vec![account], from });

    let waits = SurveyRow { position: Some(begun), ..row.clone() };
    assert_eq!(position(waits.clone(), 6, now()), None, "AWS may still show what was");
    assert!(position(waits.clone(), 6, from).is_some_and(|(_, is_new)| !is_new));
    for due in [row, waits] {
        let (begun, is_new) = position(due, 6, now() + hours(6)).expect("a survey is due");
        assert!(is_new && begun.scope != Scope::Named);
    }
}
