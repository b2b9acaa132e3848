//! Ends a run that failed: which step, who acts next, when it is tried again.
//!
//! What it does: finds the step that failed by the rows of this run, and the failure with both remarks on its row; a
//! function that never came to write one is named by the error that the state machine saw.
//! What it leaves on the record: phase Failed, the failure, the time of the next try, one history entry.
//! Why repeating is safe: only the run that is under way can be ended, once.
//! Whether it can be undone: the next run that succeeds forgets the failure.

use entry::Means;
use ledger::{Error, State, StepRow};
use replication::steps_of;
use serde::Deserialize;
use serde_json::{Value, json};
use tenant::{Failed, Failure, FailureName, LandingZone, Mode, Ticket};

/// What the state machine saw.
#[derive(Debug, Deserialize)]
pub struct Seen {
    #[serde(flatten)]
    ticket: Ticket,
    error: String,
    #[serde(default)]
    cause: String,
}

/// Ends a run.
pub async fn handle(means: Means, seen: Seen) -> Result<Value, Failure> {
    let ledger = &means.ledger;
    let done = json!({ "turn": "done" });
    let Seen { ticket, error, cause } = seen;
    if ticket.mode == Mode::Plan {
        if let Some(mut plan) = ledger.plan(ticket.tenant).await? {
            let (rows, zone) = tokio::try_join!(
                ledger.plan_steps(ticket.tenant),
                ledger.config::<LandingZone>(&plan.tenant.wish.landing_zone)
            )?;
            let applied = zone.as_ref().map(|zone| &zone.spec);
            let zone = plan.draft.landing_zone.as_ref().or(applied);
            let (step, failure) = culprit(&rows, zone, &ticket, &error, &cause);
            plan.failed = Some(Failed { step, failure, at: means.now(), attempts: 1 });
            plan.ended = Some(means.now());
            ledger.write_plan(&plan).await?;
        }
        return Ok(done);
    }
    let tenant = ledger.tenant(ticket.tenant).await?;
    let tenant =
        tenant.ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
    let (rows, zone) = tokio::try_join!(
        ledger.steps(ticket.tenant),
        ledger.config::<LandingZone>(&tenant.wish.landing_zone)
    )?;
    let zone = zone.as_ref().map(|zone| &zone.spec);
    let (step, failure) = culprit(&rows, zone, &ticket, &error, &cause);
    match tenant.failed(&ticket.execution(), &step, failure, means.chance(), means.now()) {
        Err(_) => Ok(done),
        Ok(transition) => match ledger.write(&tenant, &transition).await {
            Ok(()) => Ok(done),
            Err(Error::Conflict) => {
                Err(Failure::transient("the tenant changed while its run ended"))
            }
            Err(Error::Failure(failure)) => Err(failure),
        },
    }
}

/// The step that failed, and its failure.
fn culprit(
    rows: &[StepRow],
    zone: Option<&LandingZone>,
    ticket: &Ticket,
    error: &str,
    cause: &str,
) -> (String, Failure) {
    let failed = rows
        .iter()
        .filter(|row| row.run == ticket.run && row.state == State::Failed)
        .max_by_key(|row| row.until);
    if let Some((row, failure)) = failed.and_then(|row| Some((row, row.failure.clone()?))) {
        return (row.step.clone(), failure);
    }
    let name = FailureName::of_error(error);
    let remark = match name {
        FailureName::Transient => "AWS could not run a part of Landfall; it is tried again.",
        _ => "Landfall met a situation that it does not understand. Its operators have been told.",
    };
    let step = silent(rows, zone, ticket).unwrap_or("complete");
    (step.to_owned(), Failure::new(name, remark, format!("{error}: {cause}")))
}

/// The first step that left no word of its end: one that never wrote, or is still at it, else one whose last word is that it waits. A
/// sibling that waits has not failed where another never wrote.
fn silent(rows: &[StepRow], zone: Option<&LandingZone>, ticket: &Ticket) -> Option<&'static str> {
    let places = || {
        steps_of(ticket.mode).flat_map(|step| {
            step.parts(zone).into_iter().map(|part| (step, part)).collect::<Vec<_>>()
        })
    };
    let word = |name: &str, part: Option<&str>| {
        let mut own = rows.iter().filter(|row| row.run == ticket.run && row.step == name);
        let own = own.find(|row| row.part.as_deref() == part).map(|row| row.state);
        own.filter(|state| *state != State::Running)
    };
    let never = places().find(|(step, part)| word(&step.name, *part).is_none());
    let waits = || places().find(|(step, part)| word(&step.name, *part) == Some(State::Waiting));
    never.or_else(waits).map(|(step, _)| step.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: &str, state: State) -> StepRow {
        StepRow { state, ..StepRow::new(step, None, 3) }
    }

    fn ticket(run: u64) -> Ticket {
        let tenant = tenant::Uuid::nil();
        Ticket { tenant, run, mode: Mode::Replicate, part: None }
    }

    /// The rows of a run in which every step ended well.
    fn ended(zone: &LandingZone) -> Vec<StepRow> {
        let places = steps_of(Mode::Replicate).flat_map(|step| {
            step.parts(Some(zone)).into_iter().map(|part| (step.name.as_str(), part))
        });
        places
            .map(|(step, part)| StepRow { state: State::Done, ..StepRow::new(step, part, 3) })
            .collect()
    }

    fn zone() -> LandingZone {
        serde_json::from_value(json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {},
            "stackSets": [{"name": "audit", "regions": []}, {"name": "alarm", "regions": []}]
        }))
        .expect("a landing zone")
    }

    #[test]
    fn the_step_that_wrote_its_failure_is_named_with_it() {
        let failure = Failure::rejected("The address is taken. Choose another one.");
        let failed =
            StepRow { failure: Some(failure.clone()), ..row("create-account", State::Failed) };
        let rows = [row("admit", State::Done), failed];
        let found = culprit(&rows, None, &ticket(3), "Rejected", "");
        assert_eq!(found, ("create-account".to_owned(), failure));
    }

    #[test]
    fn a_function_that_never_answered_is_the_first_that_left_no_word() {
        for silent in steps_of(Mode::Replicate) {
            let mut rows = ended(&zone());
            rows.retain(|row| row.step != silent.name);
            let (step, failure) =
                culprit(&rows, Some(&zone()), &ticket(3), "States.Timeout", "too slow");
            let expected =
                if silent.parts(Some(&zone())).is_empty() { "complete" } else { &silent.name };
            assert_eq!((step.as_str(), failure.name), (expected, FailureName::Transient));
        }
    }

    #[test]
    fn a_step_that_is_still_at_it_is_named_before_those_that_were_never_reached() {
        let mut rows = ended(&zone());
        rows.retain(|row| row.step != "verify-baseline");
        for row in rows.iter_mut().filter(|row| row.step == "call-hooks") {
            row.state = State::Running;
        }
        assert_eq!(culprit(&rows, Some(&zone()), &ticket(3), "States.Runtime", "").0, "call-hooks");
    }

    #[test]
    fn one_part_that_left_no_word_is_found_among_its_siblings() {
        let mut rows = ended(&zone());
        rows.retain(|row| row.part.as_deref() != Some("alarm"));
        assert_eq!(
            culprit(&rows, Some(&zone()), &ticket(3), "Lambda.Unknown", "").0,
            "roll-out-stacks"
        );
    }

    #[test]
    fn a_sibling_that_waits_is_named_only_if_nobody_else_is_silent() {
        let mut rows = ended(&zone());
        for row in rows.iter_mut().filter(|row| row.part.as_deref() == Some("audit")) {
            row.state = State::Waiting;
        }
        assert_eq!(
            culprit(&rows, Some(&zone()), &ticket(3), "States.Timeout", "").0,
            "roll-out-stacks"
        );
        rows.retain(|row| row.step != "place-account");
        assert_eq!(
            culprit(&rows, Some(&zone()), &ticket(3), "States.Timeout", "").0,
            "place-account"
        );
    }

    #[test]
    fn rows_of_another_run_say_nothing() {
        let (step, failure) =
            culprit(&[row("admit", State::Done)], None, &ticket(4), "States.Runtime", "");
        assert_eq!((step.as_str(), failure.name), ("admit", FailureName::Defect));
    }
}
