//! Starts every tenant whose next run is due, notices runs that died, and advances roll-outs.
//!
//! What it does: asks the ledger who is due and starts them. It alone covers a wish that was written before its start
//! was, the retry of what failed or waits, the regular run, and executions that ended without a word. Of a platform that
//! is paused it starts nobody: they stay due, and begin once it is resumed, the longest due first. Of each roll-out it
//! looks at the tenants of the present wave; once their runs have ended, those of the next one become due.
//! What it leaves on the record: the run's execution on the tenant's row, before it is started; how far a roll-out has
//! come, before anybody becomes due by it.
//! Why repeating is safe: a start is conditional on the row, and its execution's name is the run's. A roll-out's row says
//! whose turn has come; whoever of them has not run and is not due becomes due.
//! Whether it can be undone: there is nothing to undo.

mod roll_outs;

use entry::Means;
use serde_json::{Value, json};
use tenant::{Failure, Platform};

/// Tenants started at once.
const MOST: usize = 50;

/// Starts who is due, then whom roll-outs made due.
pub async fn handle(means: Means, _event: Value) -> Result<Value, Failure> {
    let began = start(&means).await;
    let rolled_out = roll_outs::advance(&means).await;
    let started = began? + if matches!(rolled_out, Ok(0)) { 0 } else { start(&means).await? };
    let rolled_out = rolled_out?;
    Ok(json!({ "started": started, "rolledOut": rolled_out }))
}

async fn start(means: &Means) -> Result<usize, Failure> {
    let mut paused = Vec::new();
    for platform in means.ledger.configs::<Platform>().await? {
        if means.ledger.breaker(&platform.name).await?.is_paused() {
            paused.push(platform.name);
        }
    }
    let due = means.ledger.due(means.now(), MOST, &paused).await?;
    let mut started = 0;
    let mut failed = None;
    for id in due {
        let Some(tenant) = means.ledger.tenant(id).await? else { continue };
        if tenant.next_run.is_none_or(|next_run| next_run > means.now()) {
            continue;
        }
        match means.start(&tenant).await {
            Ok(()) => started += 1,
            Err(failure) => {
                tracing::warn!(tenant.id = %id, failure = %failure, "the start failed; the next minute tries again");
                failed = Some(failure);
            }
        }
    }
    match failed {
        Some(failure) if started == 0 => Err(failure),
        _ => Ok(started),
    }
}
