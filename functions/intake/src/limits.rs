//! The operator's view of what holds tenants back: the breaker, the daily number, the queue.

use entry::Means;
use ledger::{Error, Versioned};
use tenant::{BreakerState, BreakerWish, LimitsView, Pace, Page, Phase, Platform, Tenant};

use crate::configuration::ask_for_runs;
use crate::tenants::ATTEMPTS;
use crate::{Refusal, Request, Response};

/// Entries of a breaker's history in an answer.
const LATEST: i32 = 20;

/// The limits of all platforms.
pub async fn list(means: &Means) -> Result<Response, Refusal> {
    let mut items = Vec::new();
    for platform in means.ledger.configs::<Platform>().await? {
        items.push(view(means, &platform).await?);
    }
    Ok(Response::json(200, &Page { items, next: None }))
}

/// Opens or closes a platform's breaker, or pauses the platform. Closing it asks for a run of every tenant that was held
/// back; whoever was due during a pause still is.
pub async fn put_breaker(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let wish = BreakerWish::read(request.json()?).map_err(Refusal::Invalid)?;
    let platform = means.ledger.config::<Platform>(name).await?;
    let platform = platform.ok_or_else(|| Refusal::Missing(format!("platform `{name}`")))?;
    let precondition = request.precondition();
    for _ in 0..ATTEMPTS {
        let before = means.ledger.breaker(name).await?;
        precondition.check(Some(before.version))?;
        let set = before.set(wish.state, &wish.comment, author, means.now());
        let written = match &set {
            None => Ok(()),
            Some(transition) => means.ledger.turn_breaker(name, transition).await,
        };
        match written {
            Ok(()) => {
                // Whoever repeats the request finishes what an earlier one could not.
                if wish.state == BreakerState::Closed {
                    let held = |tenant: &Tenant| held_back(tenant, name);
                    let release = |tenant: &Tenant| tenant.released(author, means.now());
                    ask_for_runs(means, held, release).await?;
                }
                let view = view(means, &platform).await?;
                let version = view.breaker.version;
                return Ok(Response::json(200, &view).tagged(version));
            }
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

/// Whether a tenant of this platform has no account and no run that is about to ask for one.
fn held_back(tenant: &Tenant, platform: &str) -> bool {
    tenant.name.platform == platform
        && tenant.account.is_none()
        && tenant.running.is_none()
        && match tenant.phase {
            Phase::Waiting => {
                tenant.waiting.as_ref().is_some_and(|waiting| waiting.until.is_none())
            }
            Phase::Failed => {
                tenant.failed.as_ref().is_some_and(|failed| failed.step == "create-account")
            }
            _ => false,
        }
}

async fn view(means: &Means, platform: &Versioned<Platform>) -> Result<LimitsView, Refusal> {
    let (now, limits) = (means.now(), &platform.spec.limits);
    let (breaker, history, used, arrival) = tokio::try_join!(
        means.ledger.breaker(&platform.name),
        means.ledger.breaker_history(&platform.name, LATEST),
        means.ledger.created_today(&platform.name, now),
        means.ledger.arrival(&Pace::CREATE_ACCOUNT),
    )?;
    Ok(LimitsView::of(&platform.name, limits, breaker, history, used, arrival, now))
}
