//! Ends a run that did all it could.
//!
//! What it does: the tenant is Ready, or Waiting where a step ended without what it awaits; the next run is within a
//! week, or at once if the wish has changed meanwhile.
//! What it leaves on the record: phase, next run, one history entry, and one of what was set right, where nobody had
//! wished for a change.
//! Why repeating is safe: only the run that is under way can be ended, once.
//! Whether it can be undone: the next run follows in any case.

use entry::Means;
use ledger::{ANSWER, Error, State, StepRow};
use serde_json::{Value, json};
use step::Awaited;
use tenant::{Failure, Mode, TOMORROW, Tenant, Ticket, Waiting};

/// Ends a run.
pub async fn handle(means: Means, ticket: Ticket) -> Result<Value, Failure> {
    let done = json!({ "turn": "done" });
    let ledger = &means.ledger;
    if ticket.mode == Mode::Plan {
        if let Some(mut plan) = ledger.plan(ticket.tenant).await? {
            plan.ended = Some(means.now());
            ledger.write_plan(&plan).await?;
        }
        return Ok(done);
    }
    let tenant = ledger.tenant(ticket.tenant).await?;
    let tenant =
        tenant.ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
    let rows = ledger.steps(ticket.tenant).await?;
    let tenant = mended(&means, tenant, &ticket, &rows).await?;
    let waiting = waiting(&tenant, rows.into_iter().filter(|row| row.run == ticket.run));
    match tenant.completed(&ticket.execution(), waiting, means.chance(), means.now()) {
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

/// What the run ended without: what began last, which is looked at soonest, and what a person is asked for, whichever
/// step asks.
fn waiting(tenant: &Tenant, rows: impl Iterator<Item = StepRow>) -> Option<Waiting> {
    let waiting = rows.filter(|row| row.state == State::Waiting);
    let all: Vec<(StepRow, Awaited)> = waiting
        .filter_map(|mut row| {
            let awaited = row.awaited.take()?;
            Some((row, awaited))
        })
        .collect();
    let asks = all.iter().find(|(row, _)| row.asks_person).map(|(_, it)| it.r#for.clone());
    let (row, awaited) = all.into_iter().max_by_key(|(_, awaited)| awaited.since)?;
    let removal = tenant.removal.as_ref();
    let until = match awaited.kind.as_str() {
        TOMORROW => awaited.id.parse().ok(),
        // Nobody has for ever for the code of an address that comes before the account is closed.
        ANSWER => removal.and_then(|it| it.readdressing.as_ref()).map(|known| known.until),
        _ => None,
    };
    Some(Waiting { step: row.step, r#for: awaited.r#for, since: awaited.since, until, asks })
}

/// Writes down what the run changed, if all was as wished before and nothing new was wished for: then somebody else had
/// changed it.
async fn mended(
    means: &Means,
    tenant: Tenant,
    ticket: &Ticket,
    rows: &[StepRow],
) -> Result<Tenant, Failure> {
    let of_run = rows.iter().filter(|row| row.run == ticket.run);
    let changes: Vec<String> = of_run.flat_map(|row| row.changes.clone()).collect();
    let is_meant = ticket.mode == Mode::Replicate && tenant.settled;
    if !is_meant || changes.is_empty() || !tenant.is_running(&ticket.execution()) {
        return Ok(tenant);
    }
    let transition = tenant.mended(&changes, means.now());
    match means.ledger.write(&tenant, &transition).await {
        Ok(()) => Ok(transition.tenant),
        Err(Error::Conflict) => Err(Failure::transient("the tenant changed while its run ended")),
        Err(Error::Failure(failure)) => Err(failure),
    }
}
