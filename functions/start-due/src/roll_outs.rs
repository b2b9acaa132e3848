//! Advances roll-outs: one that waits for runs costs a look at those tenants, and nothing else.

use std::collections::HashMap;

use entry::Means;
use ledger::{Error, List};
use tenant::{
    Failure, Kind, LandingZone, Next, Platform, RollOut, RollOutRules, RollOutState, Tenant, Uuid,
};

/// Rows of tenants in one read; DynamoDB gives what a megabyte holds.
const ROWS: i32 = 1_000;

/// Advances every roll-out that is rolling; how many tenants became due. One that can't go on does not hold up the others.
pub(crate) async fn advance(means: &Means) -> Result<usize, Failure> {
    let (mut due, mut failed) = (0, None);
    for roll_out in means.ledger.roll_outs().await? {
        if roll_out.state != RollOutState::Rolling {
            continue;
        }
        match go_on(means, &roll_out).await {
            Ok(more) => due += more,
            // A person or a newer change was first.
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => {
                tracing::warn!(roll_out = roll_out.what(), failure = %failure, "the roll-out did not go on; the next minute tries again");
                failed = Some(failure);
            }
        }
    }
    failed.map_or(Ok(due), Err)
}

/// Looks, decides, writes that down, and only then has tenants run: whoever dies between the two is made up for a minute
/// later.
async fn go_on(means: &Means, before: &RollOut) -> Result<usize, Error> {
    let Some(rules) = rules(means, before).await? else { return Ok(0) };
    let ledger = &means.ledger;
    let mut tenants = ledger.tenants_of(before.members()).await?;
    let mut roll_out = before.looked_at(&tenants);
    let mut due = 0;
    if roll_out.tenants.is_none() {
        let (all, at_once) = count(means, &roll_out).await?;
        roll_out.tenants = Some(all);
        due += at_once;
    }
    let transition = match roll_out.next(&rules) {
        Next::Wait => None,
        Next::Stop => Some(roll_out.clone().overcome(&rules, means.now())),
        Next::Wave(size) => {
            gather(means, &mut roll_out, &rules, size, &mut tenants).await?;
            Some(roll_out.clone().gathered(&rules, means.now()))
        }
    };
    match transition {
        Some(transition) => {
            ledger.turn_roll_out(&transition).await?;
            tracing::info!(
                roll_out = transition.roll_out.what(),
                event = transition.entry.event,
                "the roll-out went on"
            );
            roll_out = transition.roll_out;
        }
        None if roll_out != *before => {
            roll_out = roll_out.touched();
            ledger.touch_roll_out(&roll_out).await?;
        }
        None => {}
    }
    for tenant in roll_out.wave.iter().filter_map(|member| tenants.remove(&member.tenant)) {
        let changed = ledger.change(tenant, |it| roll_out.in_turn(it, means.now())).await?;
        due += usize::from(changed.is_some());
    }
    Ok(due)
}

/// How it is rolled out by now: rules may change while it goes on.
async fn rules(means: &Means, roll_out: &RollOut) -> Result<Option<RollOutRules>, Error> {
    let (ledger, name) = (&means.ledger, &roll_out.name);
    Ok(match roll_out.kind {
        Kind::Platform => ledger.config::<Platform>(name).await?.map(|it| it.spec.roll_out),
        _ => ledger.config::<LandingZone>(name).await?.map(|it| it.spec.roll_out),
    })
}

/// How many tenants with accounts a change concerns, once for each roll-out; those without run at once, and how many.
async fn count(means: &Means, roll_out: &RollOut) -> Result<(u32, usize), Error> {
    let (mut all, mut at_once, mut after) = (0, 0, None);
    loop {
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), ROWS).await?;
        for tenant in tenants.into_iter().filter(|tenant| roll_out.concerns(tenant)) {
            if tenant.account.is_some() {
                all += 1;
                continue;
            }
            let run = |tenant: &Tenant| roll_out.at_once(tenant, means.now());
            at_once += usize::from(means.ledger.change(tenant, run).await?.is_some());
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok((all, at_once)),
        }
    }
}

/// Meets tenants by name, from the last one on, until there are enough for a wave or too many have failed.
async fn gather(
    means: &Means,
    roll_out: &mut RollOut,
    rules: &RollOutRules,
    size: usize,
    seen: &mut HashMap<Uuid, Tenant>,
) -> Result<(), Error> {
    loop {
        let after = roll_out.after.clone();
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), ROWS).await?;
        for tenant in tenants {
            if roll_out.wave.len() >= size || roll_out.next(rules) == Next::Stop {
                return Ok(());
            }
            roll_out.meet(&tenant);
            seen.insert(tenant.id, tenant);
        }
        if next.is_none() {
            return Ok(());
        }
    }
}
