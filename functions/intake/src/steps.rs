//! The steps of a run in order, with what each of them came to.

use jiff::Timestamp;
use ledger::{State, StepRow};
use replication::{STEPS, Step, steps_of};
use tenant::{FailureName, LandingZone, Pace, QueueView, StepState, StepView, Tenant};

/// The steps of a run, those that it has not reached included.
#[must_use]
pub fn of_run(tenant: &Tenant, rows: &[StepRow], zone: Option<&LandingZone>) -> Vec<StepView> {
    let running = tenant.running.is_some();
    let row_of = |step: &str, part: Option<&str>| {
        let row = rows
            .iter()
            .find(|row| row.step == step && row.part.as_deref() == part && row.run == tenant.run);
        let pending = StepView { part: part.map(ToOwned::to_owned), ..StepView::pending(step) };
        row.map_or(pending, |row| view(row, running))
    };
    steps_of(tenant.mode)
        .flat_map(|step| {
            let parts = parts(step, tenant.run, rows, zone).into_iter();
            parts.map(|part| row_of(&step.name, part)).collect::<Vec<_>>()
        })
        .collect()
}

/// The parts that a step has, and those that it had when the run began.
fn parts<'a>(
    step: &Step,
    run: u64,
    rows: &'a [StepRow],
    zone: Option<&'a LandingZone>,
) -> Vec<Option<&'a str>> {
    let mut parts = step.parts(zone);
    for row in rows.iter().filter(|row| row.step == step.name && row.run == run) {
        let part = row.part.as_deref();
        if part.is_some() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

/// The steps of a plan: what each would change.
#[must_use]
pub fn of_plan(rows: &[StepRow]) -> Vec<StepView> {
    let order = |step: &str| STEPS.iter().position(|known| known.name == step);
    let mut rows: Vec<&StepRow> = rows.iter().collect();
    rows.sort_by_key(|row| (order(&row.step), row.part.clone()));
    let planned = |row: &StepRow| {
        let view = view(row, false);
        let state = if view.state == StepState::Done { StepState::Planned } else { view.state };
        StepView { state, ..view }
    };
    rows.into_iter().map(planned).collect()
}

fn view(row: &StepRow, running: bool) -> StepView {
    let failure = row.failure.as_ref();
    let tried_again = running
        && failure.is_some_and(|failure| {
            matches!(
                failure.name,
                FailureName::Throttled | FailureName::Transient | FailureName::NotReady
            )
        });
    let state = match row.state {
        State::Failed if tried_again => StepState::Running,
        State::Failed => StepState::Failed,
        State::Running => StepState::Running,
        State::Waiting => StepState::Waiting,
        State::Done => StepState::Done,
        State::Superseded => StepState::Pending,
    };
    let remark = match state {
        StepState::Waiting => row.awaited.as_ref().map(|awaited| awaited.r#for.clone()),
        _ => failure.map(|failure| failure.user_remark.clone()),
    };
    StepView {
        step: row.step.clone(),
        part: row.part.clone(),
        state,
        remark,
        system_remark: failure.map(|failure| failure.system_remark.clone()),
        since: row.since,
        until: row.until.filter(|_| matches!(state, StepState::Done | StepState::Failed)),
        changes: row.changes.clone(),
        warnings: row.warnings.clone(),
    }
}

/// Where a tenant stands in the queue for new accounts: the slot that its run has reserved says it.
#[must_use]
pub fn queue(tenant: &Tenant, rows: &[StepRow], now: Timestamp) -> Option<QueueView> {
    let pace = Pace::CREATE_ACCOUNT;
    tenant.running.as_ref().filter(|_| tenant.account.is_none())?;
    let slots =
        rows.iter().filter(|row| row.run == tenant.run).filter_map(|row| row.awaited.as_ref());
    // A slot that was not met is followed by one that create-account reserves itself.
    let kinds = [pace.name, Pace::CREATE_ACCOUNT_CALL.name];
    let slot = slots
        .filter(|awaited| kinds.contains(&&*awaited.kind))
        .find_map(|slot| slot.id.parse::<Timestamp>().ok())?;
    let ahead = slot.duration_since(now).as_millis();
    if ahead <= 0 {
        return None;
    }
    let position =
        u32::try_from(ahead / pace.interval.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
    Some(QueueView { position, starts_at: slot })
}
