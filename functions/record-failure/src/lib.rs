//! Ends a run that failed: which step, who acts next, when it is tried again.
//!
//! What it does: finds the step that failed by the rows of this run, and the failure with both remarks on its row; a
//! function that never came to write one is named by the error that the state machine saw.
//! What it leaves on the record: phase Failed, the failure, the time of the next try, one history entry.
//! Why repeating is safe: only the run that is under way can be ended, once.
//! Whether it can be undone: the next run that succeeds forgets the failure.

use entry::Means;
use ledger::{Error, State, StepRow};
use serde::Deserialize;
use serde_json::{Value, json};
use tenant::{Failed, Failure, FailureName, Mode, Refused, Ticket};

/// The steps in the order of the state machine.
pub const ORDER: [&str; 7] = [
    "admit",
    "create-account",
    "place-account",
    "prepare-account",
    "roll-out-access",
    "downgrade-access-role",
    "roll-out-stacks",
];

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
            let (step, failure) =
                culprit(&ledger.plan_steps(ticket.tenant).await?, ticket.run, &error, &cause);
            plan.failed = Some(Failed { step, failure, at: means.now(), attempts: 1 });
            plan.ended = Some(means.now());
            ledger.write_plan(&plan).await?;
        }
        return Ok(done);
    }
    let tenant = ledger.tenant(ticket.tenant).await?;
    let tenant =
        tenant.ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
    let (step, failure) = culprit(&ledger.steps(ticket.tenant).await?, ticket.run, &error, &cause);
    match tenant.failed(&ticket.execution(), &step, failure, means.chance(), means.now()) {
        Err(Refused::NotRunning | Refused::Running) => Ok(done),
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
fn culprit(rows: &[StepRow], run: u64, error: &str, cause: &str) -> (String, Failure) {
    let failed = rows
        .iter()
        .filter(|row| row.run == run && row.state == State::Failed)
        .max_by_key(|row| row.until);
    if let Some((row, failure)) = failed.and_then(|row| Some((row, row.failure.clone()?))) {
        return (row.step.clone(), failure);
    }
    let done = |step: &str| {
        rows.iter().any(|row| row.run == run && row.step == step && row.state == State::Done)
    };
    let step = ORDER.into_iter().find(|step| !done(step)).unwrap_or("complete");
    let name = FailureName::of_error(error);
    let remark = match name {
        FailureName::Transient => "AWS could not run a part of Landfall; it is tried again.",
        _ => "Landfall met a situation that it does not understand. Its operators have been told.",
    };
    (step.to_owned(), Failure::new(name, remark, format!("{error}: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: &str, state: State) -> StepRow {
        StepRow { state, ..StepRow::new(step, None, 3) }
    }

    #[test]
    fn the_step_that_wrote_its_failure_is_named_with_it() {
        let failure = Failure::rejected("the address is taken");
        let failed =
            StepRow { failure: Some(failure.clone()), ..row("create-account", State::Failed) };
        let rows = [row("admit", State::Done), failed];
        assert_eq!(culprit(&rows, 3, "Rejected", ""), ("create-account".to_owned(), failure));
    }

    #[test]
    fn a_function_that_never_answered_is_the_first_that_did_not_end() {
        let rows = [row("admit", State::Done), row("create-account", State::Done)];
        let (step, failure) = culprit(&rows, 3, "States.Timeout", "too slow");
        assert_eq!((step.as_str(), failure.name), ("place-account", FailureName::Transient));
    }

    #[test]
    fn rows_of_another_run_say_nothing() {
        let (step, failure) = culprit(&[row("admit", State::Done)], 4, "States.Runtime", "");
        assert_eq!((step.as_str(), failure.name), ("admit", FailureName::Defect));
    }
}
