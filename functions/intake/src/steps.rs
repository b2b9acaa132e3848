//! The steps of a run in order, as the state machine's own definition names them.

use std::sync::LazyLock;

use jiff::Timestamp;
use ledger::{State, StepRow};
use tenant::{FailureName, LandingZone, Pace, QueueView, StepState, StepView, Tenant};

const MACHINE: &str = include_str!("../../../infra/statemachines/replicate-tenant.asl.yaml");

/// The step that works once for each StackSet.
const BY_STACK_SET: &str = "roll-out-stacks";

/// The steps that keep a row, in the order in which the state machine's definition names them, branches after one
/// another; its ends keep none.
pub static STEPS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let functions = MACHINE
        .lines()
        .filter_map(|line| line.trim().strip_prefix("FunctionName: ${")?.strip_suffix("Function}"));
    functions.filter(|name| !["Complete", "RecordFailure"].contains(name)).map(kebab).collect()
});

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for one in name.chars() {
        if one.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(one.to_ascii_lowercase());
    }
    text
}

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
    STEPS
        .iter()
        .flat_map(|step| {
            if step == BY_STACK_SET {
                parts(tenant.run, rows, zone)
                    .into_iter()
                    .map(|part| row_of(step, Some(&part)))
                    .collect()
            } else {
                vec![row_of(step, None)]
            }
        })
        .collect()
}

fn parts(run: u64, rows: &[StepRow], zone: Option<&LandingZone>) -> Vec<String> {
    let mut parts: Vec<String> = zone
        .map(|zone| zone.stack_sets.iter().map(|set| set.name.clone()).collect())
        .unwrap_or_default();
    for row in rows.iter().filter(|row| row.step == BY_STACK_SET && row.run == run) {
        if let Some(part) = row.part.as_ref().filter(|part| !parts.contains(part)) {
            parts.push(part.clone());
        }
    }
    parts
}

/// The steps of a plan: what each would change.
#[must_use]
pub fn of_plan(rows: &[StepRow]) -> Vec<StepView> {
    let order = |step: &str| STEPS.iter().position(|known| known == step);
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
    }
}

/// Where a tenant stands in the queue for new accounts: the slot that its run has reserved says it.
#[must_use]
pub fn queue(tenant: &Tenant, rows: &[StepRow], now: Timestamp) -> Option<QueueView> {
    let pace = Pace::CREATE_ACCOUNT;
    tenant.running.as_ref().filter(|_| tenant.account.is_none())?;
    let slots =
        rows.iter().filter(|row| row.run == tenant.run).filter_map(|row| row.awaited.as_ref());
    let slot = slots
        .filter(|awaited| awaited.kind == pace.name)
        .find_map(|slot| slot.id.parse::<Timestamp>().ok())?;
    let ahead = slot.duration_since(now).as_millis();
    if ahead <= 0 {
        return None;
    }
    let position =
        u32::try_from(ahead / pace.interval.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
    Some(QueueView { position, starts_at: slot })
}
