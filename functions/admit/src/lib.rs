//! Begins a run: names the account, reserves the slot to create it in.
//!
//! What it does: renders the account's names once, reserves the e-mail address, and, while there is no account,
//! reserves the next slot of CreateAccount within the daily number. It answers when the slot is and which StackSets the
//! run rolls out; while the breaker is open, or where the day's number is reached, the run ends and the tenant waits.
//! What it leaves on the record: the names on the tenant's row, whose the address is, the slot on its own row.
//! Why repeating is safe: names and address are conditional on what is written; a slot that this run has already
//! reserved is answered again.
//! Whether it can be undone: a slot that nobody uses passes by; an address stays its tenant's.

use entry::Means;
use jiff::{SignedDuration, Timestamp};
use ledger::{Draft, Error, State, StepRow};
use serde::Serialize;
use step::Awaited;
use tenant::{
    Failure, LandingZone, Mode, Names, Numbers, Pace, Platform, TOMORROW, Tenant, Ticket,
    Transition, Turn, names_number, next_day, render_names, tells_number,
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
    let mut draft = Draft::default();
    let (tenant, earlier) = match ticket.mode {
        Mode::Plan => match ledger.plan(ticket.tenant).await? {
            Some(plan) => {
                draft = plan.draft;
                (plan.tenant, None)
            }
            None => return Ok(Admitted::without(Turn::Superseded)),
        },
        Mode::Replicate | Mode::Remove => {
            let (tenant, earlier) = ledger.open(ticket.tenant, NAME, None).await?;
            let tenant = tenant
                .ok_or_else(|| Failure::defect(format!("there is no tenant {}", ticket.tenant)))?;
            if !tenant.is_running(&ticket.execution()) || tenant.wished_mode() != ticket.mode {
                return Ok(Admitted::without(Turn::Superseded));
            }
            (tenant, earlier)
        }
    };
    let waits = earlier.as_ref().and_then(|earlier| earlier.awaited.clone());
    row.awaited =
        earlier.filter(|earlier| earlier.run == ticket.run).and_then(|earlier| earlier.awaited);
    let admitted = admit(&means, &ticket, tenant, draft, &mut row, waits).await;
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
        Mode::Replicate | Mode::Remove => ledger.close(ticket.tenant, &row).await?,
        Mode::Plan => ledger.write_plan_step(ticket.tenant, &row, means.now()).await?,
    }
    admitted
}

async fn admit(
    means: &Means,
    ticket: &Ticket,
    tenant: Tenant,
    draft: Draft,
    row: &mut StepRow,
    waits: Option<Awaited>,
) -> Result<Admitted, Failure> {
    let ledger = &means.ledger;
    let (zone, platform) =
        ledger.configuration(&tenant.wish.landing_zone, &tenant.name.platform).await?;
    let zone = draft.landing_zone.or(zone.map(|zone| zone.spec)).ok_or_else(|| {
        Failure::rejected(format!(
            "There is no landing zone `{}`. Name one that exists, or have it made.",
            tenant.wish.landing_zone
        ))
    })?;
    let platform = draft.platform.or(platform.map(|platform| platform.spec)).ok_or_else(|| {
        Failure::rejected(format!(
            "There is no platform `{}`. Name one that exists, or have it made.",
            tenant.name.platform
        ))
    })?;
    let parts = zone.stack_sets.iter().map(|set| set.name.clone()).collect();
    if ticket.mode == Mode::Plan {
        if tenant.names.is_none() {
            let names = render_names(&tenant, &zone, &platform, Numbers::default())?;
            row.changes.push(format!("reserve the e-mail address {}", names.email));
        } else if let Some(email) = tenant.new_email() {
            row.changes.push(format!("reserve the e-mail address {email}"));
        }
        return Ok(Admitted { turn: Turn::Done, start_after: 0, parts });
    }
    let tenant = named(means, tenant, &zone, &platform).await?;
    if tenant.account.is_some() {
        return Ok(Admitted { turn: Turn::Done, start_after: 0, parts });
    }
    let now = means.now();
    if let Some(awaited) = held_back(means, &tenant, &platform, waits, now).await? {
        row.state = State::Waiting;
        row.awaited = Some(awaited.clone());
        return Ok(Admitted::without(Turn::Waiting { r#for: awaited.r#for }));
    }
    let slot = slot(means, row, now).await?;
    let wait = slot.duration_since(now);
    // The state machine waits whole seconds; a call that is late or early by one is a tenth of AWS's own interval.
    means.pause(wait - SignedDuration::from_secs(wait.as_secs())).await;
    Ok(Admitted { turn: Turn::Done, start_after: wait.as_secs(), parts })
}

/// What the tenant has to wait for before its account may be asked for, if anything.
async fn held_back(
    means: &Means,
    tenant: &Tenant,
    platform: &Platform,
    earlier: Option<Awaited>,
    now: Timestamp,
) -> Result<Option<Awaited>, Failure> {
    let (ledger, name) = (&means.ledger, &tenant.name.platform);
    let (kind, id, r#for) = if ledger.breaker(name).await?.is_open() {
        let r#for = "the operators' go-ahead: no accounts are created at present";
        ("breaker", name.clone(), r#for.to_owned())
    } else {
        let most = platform.limits.daily_creations;
        if ledger.count_today(name, tenant.id, most, now).await? {
            return Ok(None);
        }
        let r#for = format!("a place among tomorrow's new accounts: today's {most} are taken");
        (TOMORROW, next_day(now).to_string(), r#for)
    };
    // An account that was asked for already is looked after, whatever happens to others.
    if let Some(names) = &tenant.names
        && ledger.email(&names.email).await?.is_some_and(|row| row.asked.is_some())
    {
        return Ok(None);
    }
    let since = earlier.filter(|earlier| earlier.kind == kind).map_or(now, |earlier| earlier.since);
    Ok(Some(Awaited { kind: kind.to_owned(), id, r#for, since }))
}

/// The tenant with its names, which are made once, and with the address that it is wished to have reserved.
async fn named(
    means: &Means,
    tenant: Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> Result<Tenant, Failure> {
    let had = tenant.names.as_ref().map_or_else(Numbers::default, Names::numbers);
    let numbers = numbers(means, &tenant, zone, platform, had).await?;
    let ledger = &means.ledger;
    let Some(names) = &tenant.names else {
        let names = render_names(&tenant, zone, platform, numbers)?;
        reserve(means, &tenant, &names.email).await?;
        return written(means, &tenant, tenant.named(names, means.now())).await;
    };
    let mut after = tenant.clone();
    if numbers != had {
        after = written(means, &after, after.numbered(numbers, means.now())).await?;
    }
    if let Some(email) = tenant.new_email() {
        reserve(means, &tenant, email).await?;
        let asked = ledger.email(&names.email).await?.is_some_and(|row| row.asked.is_some());
        // An account that may be on its way is found by the address that it was asked for with.
        if tenant.account.is_none() && !asked {
            let transition = after.readdressed(email.to_owned(), "name-account", means.now());
            after = written(means, &after, transition).await?;
        }
    }
    Ok(after)
}

/// The numbers that patterns ask for or somebody is told: those that were drawn, and those that are missing.
async fn numbers(
    means: &Means,
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
    had: Numbers,
) -> Result<Numbers, Failure> {
    let mut numbers = had;
    let name = &tenant.name;
    let is_told = names_number(platform, "tenantPlatformNumber") || tells_number(zone);
    if numbers.tenant == 0 && is_told {
        numbers.tenant = means.ledger.draw_number(&name.platform).await?;
    }
    if numbers.project == 0 && names_number(platform, "meshProjectId") {
        numbers.project = means.ledger.project_number(&name.workspace, &name.project).await?;
    }
    Ok(numbers)
}

async fn reserve(means: &Means, tenant: &Tenant, email: &str) -> Result<(), Failure> {
    match means.ledger.reserve_email(email, tenant.id).await {
        Ok(()) => Ok(()),
        Err(Error::Conflict) => Err(Failure::rejected(format!(
            "The e-mail address {email} belongs to another tenant. Write another one as `email` in the wish."
        ))),
        Err(Error::Failure(failure)) => Err(failure),
    }
}

async fn written(
    means: &Means,
    before: &Tenant,
    transition: Transition,
) -> Result<Tenant, Failure> {
    means.ledger.write(before, &transition).await.map_err(Failure::from)?;
    Ok(transition.tenant)
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
