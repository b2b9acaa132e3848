//! Begins a run: names the account, reserves the slot to create it in.
//!
//! What it does: renders the account's names once, reserves the e-mail address, and, while there is no account,
//! reserves the next slot of CreateAccount within the daily cap. It answers when the slot is and which StackSets the
//! run rolls out.
//! What it leaves on the record: the names on the tenant's row, whose the address is, the slot on its own row.
//! Why repeating is safe: names and address are conditional on what is written; a slot that this run has already
//! reserved is answered again.
//! Whether it can be undone: a slot that nobody uses passes by; an address stays its tenant's.

use entry::Means;
use jiff::{SignedDuration, Timestamp};
use ledger::{Error, State, StepRow};
use serde::Serialize;
use step::Awaited;
use tenant::{
    Failure, LandingZone, Mode, Names, Pace, Platform, Tenant, Ticket, Turn, names_number,
    render_names,
};

/// The name of the step, in the ledger and to users.
pub const NAME: &str = "admit";

/// What the state machine gets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Admitted {
    #[serde(flatten)]
    turn: Turn,
    /// Seconds until the slot.
    start_after: i64,
    /// The StackSets that the run rolls out.
    parts: Vec<String>,
}

impl Admitted {
    fn without(turn: Turn) -> Self {
        Self { turn, start_after: 0, parts: Vec::new() }
    }
}

/// Begins a run.
pub async fn handle(means: Means, ticket: Ticket) -> Result<Admitted, Failure> {
    let ledger = &means.ledger;
    let mut row = StepRow::new(NAME, None, ticket.run);
    row.since = Some(means.now());
    let (tenant, earlier) = match ticket.mode {
        Mode::Plan => match ledger.plan(ticket.tenant).await? {
            Some(plan) => (plan.tenant, None),
            None => return Ok(Admitted::without(Turn::Superseded)),
        },
        Mode::Replicate => {
            let (tenant, earlier) = ledger.open(ticket.tenant, NAME, None).await?;
            let tenant = tenant
                .ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
            if !tenant.is_running(&ticket.execution()) {
                return Ok(Admitted::without(Turn::Superseded));
            }
            (tenant, earlier)
        }
    };
    row.awaited =
        earlier.filter(|earlier| earlier.run == ticket.run).and_then(|earlier| earlier.awaited);
    let admitted = admit(&means, &ticket, tenant, &mut row).await;
    match &admitted {
        Ok(_) if row.state == State::Running => row.state = State::Done,
        Ok(_) => {}
        Err(failure) => {
            row.state = State::Failed;
            row.failure = Some(failure.clone());
        }
    }
    row.until = Some(means.now());
    match ticket.mode {
        Mode::Replicate => ledger.close(ticket.tenant, &row).await?,
        Mode::Plan => ledger.write_plan_step(ticket.tenant, &row, means.now()).await?,
    }
    admitted
}

async fn admit(
    means: &Means,
    ticket: &Ticket,
    tenant: Tenant,
    row: &mut StepRow,
) -> Result<Admitted, Failure> {
    let ledger = &means.ledger;
    let (zone, platform) = tokio::try_join!(
        ledger.config::<LandingZone>(&tenant.wish.landing_zone),
        ledger.config::<Platform>(&tenant.name.platform),
    )?;
    let zone = zone.ok_or_else(|| {
        Failure::rejected(format!(
            "There is no landing zone `{}`. Name one that exists.",
            tenant.wish.landing_zone
        ))
    })?;
    let platform = platform.ok_or_else(|| {
        Failure::rejected(format!(
            "There is no platform `{}`. Name one that exists.",
            tenant.name.platform
        ))
    })?;
    let parts = zone.spec.stack_sets.iter().map(|set| set.name.clone()).collect();
    let names = if let Some(names) = &tenant.names {
        names.clone()
    } else {
        let draws = ticket.mode == Mode::Replicate && names_number(&platform.spec);
        let number = if draws { ledger.draw_number(&tenant.name.platform).await? } else { 0 };
        render_names(&tenant, &zone.spec, &platform.spec, number)?
    };
    if ticket.mode == Mode::Plan {
        if tenant.names.is_none() {
            row.changes.push(format!("reserve the e-mail address {}", names.email));
        }
        return Ok(Admitted { turn: Turn::Done, start_after: 0, parts });
    }
    if tenant.names.is_none() {
        name(means, &tenant, names).await?;
    }
    if tenant.account.is_some() {
        return Ok(Admitted { turn: Turn::Done, start_after: 0, parts });
    }
    if let Some(reason) = ledger.breaker().await? {
        return Err(Failure::blocked(
            "No accounts are created at present. Ask Landfall's operators to look into it and to close the breaker.",
            format!("the breaker is open: {reason}"),
        ));
    }
    let now = means.now();
    let within = ledger
        .count_today(
            "daily-creations",
            &tenant.id.to_string(),
            platform.spec.limits.daily_creations,
            now,
        )
        .await?;
    if !within {
        row.state = State::Waiting;
        let awaited = Awaited {
            kind: "daily-creations".to_owned(),
            id: now.strftime("%F").to_string(),
            r#for: "tomorrow: the daily number of new accounts is reached".to_owned(),
            since: now,
        };
        row.awaited = Some(awaited.clone());
        return Ok(Admitted::without(Turn::Waiting { r#for: awaited.r#for }));
    }
    let slot = slot(means, row, now).await?;
    let wait = slot.duration_since(now);
    // The state machine waits whole seconds; a call that is late or early by one is a tenth of AWS's own interval.
    means.pause(wait - SignedDuration::from_secs(wait.as_secs())).await;
    Ok(Admitted { turn: Turn::Done, start_after: wait.as_secs(), parts })
}

/// Writes the names down and makes the address ours.
async fn name(means: &Means, tenant: &Tenant, names: Names) -> Result<(), Failure> {
    match means.ledger.reserve_email(&names.email, tenant.id).await {
        Ok(()) => {}
        Err(Error::Conflict) => {
            return Err(Failure::rejected(format!(
                "The e-mail address {} belongs to another tenant. Change the workspace's or project's identifier.",
                names.email
            )));
        }
        Err(Error::Failure(failure)) => return Err(failure),
    }
    means.ledger.write(tenant, &tenant.named(names, means.now())).await.map_err(Failure::from)
}

/// The slot that this run has, or the next free one.
async fn slot(means: &Means, row: &mut StepRow, now: Timestamp) -> Result<Timestamp, Failure> {
    let reserved = row.awaited.as_ref().filter(|awaited| awaited.kind == Pace::CREATE_ACCOUNT.name);
    if let Some(slot) = reserved.and_then(|awaited| awaited.id.parse().ok()) {
        return Ok(slot);
    }
    let slot = means.ledger.reserve(&Pace::CREATE_ACCOUNT, now).await?;
    row.awaited = Some(Awaited {
        kind: Pace::CREATE_ACCOUNT.name.to_owned(),
        id: slot.to_string(),
        r#for: "its turn to be created".to_owned(),
        since: now,
    });
    Ok(slot)
}
