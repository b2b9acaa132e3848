//! The one driver of all steps: load, look, plan, act, record.

use jiff::{SignedDuration, Timestamp};
use ledger::{Draft, Ledger, PlanRow, State, StepRow, Waiter};
use session::Sessions;
use step::{Act, Awaited, Step, Task};
use tenant::{Failure, FailureName, LandingZone, Mode, Platform, Tenant, Ticket, Turn};

use crate::Means;

/// One turn of a step.
pub(crate) async fn turn<S: Step>(
    means: &Means,
    build: impl Fn(Sessions, &Means) -> S,
    ticket: &Ticket,
) -> Result<Turn, Failure> {
    let Some(Loaded { tenant, before, draft }) = load::<S>(means, ticket).await? else {
        tracing::info!("a newer run has taken over");
        return Ok(Turn::Superseded);
    };
    let now = means.now();
    let mut row = resumed::<S>(ticket, before.as_ref(), now);
    let outcome = match work(means, build, ticket, tenant, draft, &mut row, now).await {
        Ok(turn) => Ok(turn),
        Err(failure) => {
            tracing::warn!(name = %failure.name, failure = %failure, "the turn failed");
            row.state = State::Failed;
            row.failure = Some(failure.clone());
            if matches!(failure.name, FailureName::Rejected | FailureName::Blocked) {
                // Whoever repairs the cause wants it tried anew, not an old operation looked at again.
                row.awaited = None;
            }
            Err(failure)
        }
    };
    row.until = Some(means.now());
    match ticket.mode {
        Mode::Replicate | Mode::Remove => means.ledger.close(ticket.tenant, &row).await?,
        Mode::Plan => means.ledger.write_plan_step(ticket.tenant, &row, now).await?,
    }
    outcome
}

/// What a turn begins with.
struct Loaded {
    tenant: Tenant,
    /// The step's row; a plan has none.
    before: Option<StepRow>,
    /// What a plan is made with instead of what is applied.
    draft: Draft,
}

/// The tenant and the step's row, if this run is still the one under way and is for what the tenant is wished for. In a
/// plan, the tenant as it would be.
async fn load<S: Step>(means: &Means, ticket: &Ticket) -> Result<Option<Loaded>, Failure> {
    let ledger = &means.ledger;
    if ticket.mode == Mode::Plan {
        let plan = ledger.plan(ticket.tenant).await?;
        let plan = plan.filter(|plan| plan.ended.is_none());
        return Ok(plan.map(|PlanRow { tenant, draft, .. }| Loaded {
            tenant,
            before: None,
            draft,
        }));
    }
    let part = ticket.part.as_deref();
    let (tenant, row) = ledger.open(ticket.tenant, S::NAME, part).await?;
    let tenant =
        tenant.ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
    if !tenant.is_running(&ticket.execution()) || tenant.wished_mode() != ticket.mode {
        return Ok(None);
    }
    if row.as_ref().is_some_and(|row| row.hinted.is_some() || row.token.is_some()) {
        ledger.unhint(ticket.tenant, S::NAME, part).await?;
    }
    Ok(Some(Loaded { tenant, before: row, draft: Draft::default() }))
}

/// The step's row as this turn goes on with it: what is awaited outlives a run, all else is about one.
fn resumed<S: Step>(ticket: &Ticket, before: Option<&StepRow>, now: Timestamp) -> StepRow {
    let fresh = StepRow::new(S::NAME, ticket.part.as_deref(), ticket.run);
    match before {
        Some(before) if before.run == ticket.run => StepRow { failure: None, ..before.clone() },
        Some(before) => StepRow {
            awaited: before.awaited.clone(),
            unsettled: unsettled(before),
            since: Some(now),
            ..fresh
        },
        None => StepRow { since: Some(now), ..fresh },
    }
}

/// How old what AWS shows may be.
const STALE: SignedDuration = SignedDuration::from_mins(2);

/// Until when a look may not show yet what the run before changed.
fn unsettled(before: &StepRow) -> Option<Timestamp> {
    let changed = before.until.filter(|_| !before.changes.is_empty());
    changed.map(|at| at + STALE).max(before.unsettled)
}

async fn work<S: Step>(
    means: &Means,
    build: impl Fn(Sessions, &Means) -> S,
    ticket: &Ticket,
    tenant: Tenant,
    draft: Draft,
    row: &mut StepRow,
    now: Timestamp,
) -> Result<Turn, Failure> {
    row.since = row.since.or(Some(now));
    let (landing_zone, platform) = wished(&means.ledger, &tenant, draft).await?;
    let account = tenant.account.clone().map(|account| (account, tenant.account_since));
    let sessions = means.sessions(S::PERMISSIONS, &platform, ticket.tenant, account, ticket.mode);
    let step = build(sessions, means);
    let task = Task {
        tenant,
        landing_zone,
        platform,
        part: ticket.part.clone(),
        mode: ticket.mode,
        run: ticket.run,
        now,
        awaited: row.awaited.clone(),
    };
    let seen = step.look(&task).await?;
    let changes = step.plan(&task, &seen);
    row.warnings = step.warnings(&task, &seen);
    if ticket.mode == Mode::Plan {
        row.changes = changes.iter().map(ToString::to_string).collect();
        row.state = State::Done;
        return Ok(Turn::Done);
    }
    for change in changes {
        let line = change.to_string();
        tracing::info!(change = line, "acts");
        // A reading that is stale plans again what an earlier turn has done: it is one change.
        let record = |changes: &mut Vec<String>| {
            if !changes.contains(&line) {
                changes.push(line.clone());
            }
        };
        match step.act(&task, change).await? {
            Act::Done => record(&mut row.changes),
            Act::Started { awaited, seconds } => {
                record(&mut row.changes);
                return wait::<S>(means, &task, row, awaited, seconds).await;
            }
            Act::Pending { awaited, seconds } => {
                return wait::<S>(means, &task, row, awaited, seconds).await;
            }
            Act::Later { awaited } => {
                note(means, &task, row, &awaited).await?;
                return Ok(Turn::Waiting { r#for: awaited.r#for });
            }
            Act::AskPerson { awaited } => {
                note(means, &task, row, &awaited).await?;
                row.asks_person = true;
                return Ok(Turn::Waiting { r#for: awaited.r#for });
            }
        }
    }
    row.awaited = None;
    if let Some(until) = row.unsettled.filter(|until| *until > now) {
        // What the run before changed may hide a difference: it shows later, or there is none.
        row.state = State::Waiting;
        let seconds = until.duration_since(now).as_secs().unsigned_abs() + 1;
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        return Ok(Turn::Again { seconds, r#for: "AWS to show the change before".to_owned() });
    }
    row.state = State::Done;
    Ok(Turn::Done)
}

async fn wished(
    ledger: &Ledger,
    tenant: &Tenant,
    draft: Draft,
) -> Result<(LandingZone, Platform), Failure> {
    let (zone, platform) =
        ledger.configuration(&tenant.wish.landing_zone, &tenant.name.platform).await?;
    let missing = |what: &str, name: &str| {
        Failure::rejected(format!(
            "There is no {what} `{name}`. Name one that exists, or have it made."
        ))
    };
    Ok((
        (draft.landing_zone)
            .or(zone.map(|zone| zone.spec))
            .ok_or_else(|| missing("landing zone", &tenant.wish.landing_zone))?,
        (draft.platform)
            .or(platform.map(|platform| platform.spec))
            .ok_or_else(|| missing("platform", &tenant.name.platform))?,
    ))
}

/// Ends the turn with something under way: a hint wakes the step, or the time-out does.
async fn wait<S: Step>(
    means: &Means,
    task: &Task,
    row: &mut StepRow,
    awaited: Awaited,
    seconds: u32,
) -> Result<Turn, Failure> {
    note(means, task, row, &awaited).await?;
    if means.now().duration_since(awaited.since) > S::PATIENCE {
        return Ok(Turn::Waiting { r#for: awaited.r#for });
    }
    Ok(Turn::Again { seconds, r#for: awaited.r#for })
}

/// Notes what is awaited, and who waits: its event finds the step by it.
async fn note(
    means: &Means,
    task: &Task,
    row: &mut StepRow,
    awaited: &Awaited,
) -> Result<(), Failure> {
    let known = row.awaited.as_ref() == Some(awaited);
    row.state = State::Waiting;
    row.awaited = Some(awaited.clone());
    row.asks_person = false;
    if !known {
        let waiter =
            Waiter { tenant: task.tenant.id, step: row.step.clone(), part: row.part.clone() };
        means.ledger.wait_for(awaited, &waiter, task.now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        let noon: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a timestamp");
        noon + SignedDuration::from_secs(seconds)
    }

    fn row(changes: &[&str], until: i64) -> StepRow {
        let changes = changes.iter().map(ToString::to_string).collect();
        StepRow { changes, until: Some(at(until)), ..StepRow::new("place-account", None, 1) }
    }

    #[test]
    fn what_an_earlier_run_changed_may_hide_a_difference_for_two_minutes() {
        assert_eq!(unsettled(&row(&["add a tag"], 10)), Some(at(130)));
        assert_eq!(unsettled(&row(&[], 10)), None);
        // A run that changed nothing meanwhile makes nothing clearer.
        let between = StepRow { unsettled: Some(at(130)), ..row(&[], 40) };
        assert_eq!(unsettled(&between), Some(at(130)));
    }
}
