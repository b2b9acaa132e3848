//! Says which hooks the run calls with what, and what came of it.
//!
//! What it does: tells the state machine each hook of the landing zone with the facts about the account, and judges how
//! the calls ended when the state machine comes back. The state machine itself calls: only its role may, and nothing
//! waits meanwhile. A hook that can't be called fails the run; a function's own error is a warning.
//! What it leaves on the record: a warning for each hook that raised an error of its own; the log has the rest of it.
//! Why repeating is safe: it changes nothing; hooks are called in each replication anyway, and a state machine's
//! execution is named for the run.
//! Whether it can be undone: what hooks do is theirs.

mod outcome;

use std::collections::BTreeMap;

use entry::Means;
use ledger::{State, StepRow};
use serde::{Deserialize, Serialize};
use tenant::{
    ACCOUNT_ARN, Failure, Hook, HookTarget, LandingZone, Mode, Platform, Tenant, Ticket, facts,
    no_organization,
};

use outcome::Caught;

/// The name of the step, in the ledger and to users.
pub const NAME: &str = "call-hooks";

/// What the state machine says: the ticket, and how the hooks ended that it has called.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    ticket: Ticket,
    called: Vec<Called>,
}

/// A hook that was called, or could not be.
#[derive(Debug, Deserialize)]
struct Called {
    name: String,
    #[serde(default)]
    failure: Option<Caught>,
}

/// What the state machine does next.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "turn", rename_all = "lowercase")]
pub enum Answer {
    /// All hooks have heard of the account.
    Done,
    /// Call these, then come back.
    Again {
        /// The calls, in order.
        hooks: Vec<Call>,
    },
    /// A hook could not be called.
    Failed {
        /// The failure as a state machine knows it.
        failure: Caught,
    },
    /// A newer wish has overtaken this run.
    Superseded,
}

/// One call.
#[derive(Debug, PartialEq, Serialize)]
pub struct Call {
    name: String,
    kind: Kind,
    /// The ARN or name of what is called.
    target: String,
    /// The name of a state machine's execution: one for each run.
    execution: String,
    /// What it is told.
    payload: BTreeMap<String, String>,
}

/// How the state machine calls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Lambda,
    StateMachine,
    EventBus,
}

/// Says which hooks to call, or judges how they ended.
pub async fn handle(means: Means, Asked { ticket, called }: Asked) -> Result<Answer, Failure> {
    let ledger = &means.ledger;
    let now = means.now();
    let mut row = StepRow { since: Some(now), ..StepRow::new(NAME, None, ticket.run) };
    let tenant = match ticket.mode {
        Mode::Plan => match ledger.plan(ticket.tenant).await? {
            Some(plan) => plan.tenant,
            None => return Ok(Answer::Superseded),
        },
        Mode::Replicate | Mode::Remove => {
            let (tenant, earlier) = ledger.open(ticket.tenant, NAME, None).await?;
            let tenant = tenant
                .ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
            if !tenant.is_running(&ticket.execution()) || tenant.wished_mode() != ticket.mode {
                return Ok(Answer::Superseded);
            }
            if let Some(earlier) = earlier.filter(|earlier| earlier.run == ticket.run) {
                row.since = earlier.since;
            }
            tenant
        }
    };
    let (zone, platform) =
        ledger.configuration(&tenant.wish.landing_zone, &tenant.name.platform).await?;
    // What a run needs first is what it names; admit has said so if there is none.
    let (Some(zone), Some(platform)) = (zone, platform) else { return Ok(Answer::Superseded) };
    let answered = match ticket.mode {
        // A hook is called in each replication: no call is a change.
        Mode::Plan => Ok(Answer::Done),
        Mode::Replicate | Mode::Remove if called.is_empty() => {
            calls(&ticket, &tenant, &zone.spec, &platform.spec)
                .map(|hooks| if hooks.is_empty() { Answer::Done } else { Answer::Again { hooks } })
        }
        Mode::Replicate | Mode::Remove => Ok(judged(&zone.spec, &called, &mut row)),
    };
    row.state = match &answered {
        Ok(Answer::Again { .. }) => State::Running,
        Ok(Answer::Failed { .. }) | Err(_) => State::Failed,
        Ok(_) => State::Done,
    };
    if let Err(failure) = &answered {
        row.failure = Some(failure.clone());
    }
    row.until = Some(means.now());
    match ticket.mode {
        Mode::Replicate | Mode::Remove => ledger.close(ticket.tenant, &row).await?,
        Mode::Plan => ledger.write_plan_step(ticket.tenant, &row, now).await?,
    }
    answered
}

/// The calls that a run makes, each with the facts about the account.
fn calls(
    ticket: &Ticket,
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> Result<Vec<Call>, Failure> {
    if zone.hooks.is_empty() {
        return Ok(vec![]);
    }
    let payload = facts(tenant, zone, platform)
        .ok_or_else(|| Failure::defect("there is no account for hooks to hear of"))?;
    if !payload.contains_key(ACCOUNT_ARN) {
        return Err(no_organization(&format!("The hook {}", zone.hooks[0].name)));
    }
    let call = |hook: &Hook| {
        let target = hook.target()?;
        Some(Call {
            name: hook.name.clone(),
            kind: match target {
                HookTarget::Lambda(_) => Kind::Lambda,
                HookTarget::StateMachine(_) => Kind::StateMachine,
                HookTarget::EventBus(_) => Kind::EventBus,
            },
            target: target.as_str().to_owned(),
            execution: format!("{}-{}", ticket.execution(), hook.name),
            payload: payload.clone(),
        })
    };
    Ok(zone.hooks.iter().filter_map(call).collect())
}

/// What the calls came to, with warnings on the row; the first hook that could not be called fails the run.
fn judged(zone: &LandingZone, called: &[Called], row: &mut StepRow) -> Answer {
    for Called { name, failure } in called {
        let hook = zone.hooks.iter().find(|hook| hook.name == *name);
        // A hook that the landing zone has dropped meanwhile has been called; nothing depends on it any more.
        let Some(hook) = hook else { continue };
        let Some(caught) = failure else { continue };
        tracing::warn!(
            hook = name,
            error = caught.error,
            cause = caught.cause,
            "a hook ended badly"
        );
        match outcome::judge(hook, caught) {
            Ok(warning) => row.warnings.extend(warning),
            Err(failure) => row.failure = row.failure.take().or(Some(failure)),
        }
    }
    match &row.failure {
        None => Answer::Done,
        Some(failure) => Answer::Failed {
            failure: Caught { error: failure.name.to_string(), cause: failure.to_string() },
        },
    }
}

#[cfg(test)]
mod tests;
