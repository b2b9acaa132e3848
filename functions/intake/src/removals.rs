//! Deletions: asked for, approved, declined; and tenants that are forgotten.

use entry::Means;
use ledger::Error;
use serde::Deserialize;
use tenant::{LandingZone, Name, Phase, Problem, Refused, Tenant, Transition};

use crate::tenants::{ATTEMPTS, Outcome, answer, found, started};
use crate::{Refusal, Request, Response};

/// Characters of a comment.
pub const LONGEST_COMMENT: usize = 255;

/// What an approver may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    /// Why.
    #[serde(default)]
    comment: String,
}

/// Marks a tenant for deletion; where its landing zone asks nobody, that is approved with it.
pub async fn ask(means: &Means, name: &Name, author: &str) -> Result<Response, Refusal> {
    let before = found(means, name).await?;
    // Who did not hear the answer asks again.
    if before.phase == Phase::MarkedForDeletion {
        return answer(means, &before, Outcome::Unchanged).await;
    }
    let zone = means.ledger.config::<LandingZone>(&before.wish.landing_zone).await?;
    let by = format!("landing zone {}", before.wish.landing_zone);
    let is_automatic = zone.is_some_and(|zone| zone.spec.automate_deletion_approval);
    let approved_by = is_automatic.then_some(by.as_str());
    turned(means, before, |tenant| tenant.marked(author, approved_by, means.now())).await
}

/// Lets a deletion go on.
pub async fn approve(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let comment = comment(request)?;
    let before = found(means, name).await?;
    turned(means, before, |tenant| tenant.approved(author, &comment, means.now())).await
}

/// Keeps the tenant.
pub async fn decline(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let comment = comment(request)?;
    let before = found(means, name).await?;
    turned(means, before, |tenant| tenant.declined(author, &comment, means.now())).await
}

/// Forgets a tenant and leaves its account as it is.
pub async fn purge(means: &Means, name: &Name, author: &str) -> Result<Response, Refusal> {
    let before = found(means, name).await?;
    turned(means, before, |tenant| tenant.purged(author, means.now())).await
}

/// Writes what becomes of a tenant, and starts the run that follows from it.
async fn turned(
    means: &Means,
    mut before: Tenant,
    transition: impl Fn(&Tenant) -> Result<Transition, Refused>,
) -> Result<Response, Refusal> {
    for _ in 0..ATTEMPTS {
        let transition = transition(&before).map_err(Refusal::NotNow)?;
        match means.ledger.write(&before, &transition).await {
            Ok(()) => {
                let tenant = started(means, transition.tenant).await;
                return answer(means, &tenant, Outcome::Changed).await;
            }
            Err(Error::Conflict) => match means.ledger.tenant(before.id).await? {
                Some(present) => before = present,
                None => break,
            },
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

fn comment(request: &Request) -> Result<String, Refusal> {
    let body = match request.body {
        Some(_) => serde_json::from_value(request.json()?)
            .map_err(|error| Refusal::Unreadable(error.to_string()))?,
        None => Body::default(),
    };
    let length = body.comment.chars().count();
    if length > LONGEST_COMMENT {
        return Err(Refusal::Invalid(vec![Problem::new(
            "comment",
            format!("({length} characters)"),
            format!("is longer than {LONGEST_COMMENT} characters"),
            "Say it in fewer words.",
        )]));
    }
    Ok(body.comment)
}
