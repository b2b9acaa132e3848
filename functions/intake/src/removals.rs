//! Deletions: asked for, approved, declined; and tenants that are forgotten.

use std::collections::BTreeSet;

use entry::Means;
use futures::future::try_join_all;
use ledger::{Error, List};
use serde::Deserialize;
use tenant::{
    LandingZone, Name, Named, Page, Phase, Platform, Problem, Reader, Refused, Tenant, Transition,
};

use crate::tenants::{ATTEMPTS, Outcome, answer, found, started, view};
use crate::{Refusal, Request, Response};

/// Characters of a comment.
pub const LONGEST_COMMENT: usize = 255;

/// Tenants of a project that are listed: one for a platform, and there are few.
const LISTED: i32 = 100;

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
    let approved_by = asks_nobody(means, &before).await?;
    let approved_by = approved_by.as_deref();
    turned(means, before, |tenant| tenant.marked(author, approved_by, means.now())).await
}

/// Marks all tenants of a project for deletion: all or none, so that nobody finds half a project.
///
/// A project is what its tenants make it: it has ended once the last of them is deleted, and goes on where the deletion
/// of one is declined.
pub async fn ask_together(
    means: &Means,
    workspace: &str,
    project: &str,
    author: &str,
) -> Result<Response, Refusal> {
    for _ in 0..ATTEMPTS {
        let now = means.now();
        let tenants = of_project(means, workspace, project).await?;
        if tenants.is_empty() {
            return Err(Refusal::Missing(format!("tenant of the project `{workspace}.{project}`")));
        }
        let mut changes = Vec::new();
        for tenant in &tenants {
            // Who did not hear the answer asks again.
            if tenant.phase != Phase::MarkedForDeletion {
                let approved_by = asks_nobody(means, tenant).await?;
                let marked = tenant.marked(author, approved_by.as_deref(), now);
                changes.push((tenant.clone(), marked.map_err(Refusal::NotNow)?));
            }
        }
        if changes.is_empty() {
            return answer_together(means, &tenants, Outcome::Unchanged).await;
        }
        match means.ledger.write_together(&changes).await {
            Ok(()) => {
                for (_, marked) in changes {
                    started(means, marked.tenant).await;
                }
                let tenants = of_project(means, workspace, project).await?;
                return answer_together(means, &tenants, Outcome::Changed).await;
            }
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

/// The living tenants of a project. Each is looked for by its name: on every platform, since the index of names may not
/// show the newest, and wherever that shows one, since a platform may be gone.
async fn of_project(means: &Means, workspace: &str, project: &str) -> Result<Vec<Tenant>, Refusal> {
    let within = format!("{workspace}.{project}");
    let (listed, _) = means.ledger.tenants(List::Living, Some(&within), None, LISTED).await?;
    let platforms = means.ledger.configs::<Platform>().await?.into_iter();
    let platforms: BTreeSet<String> = platforms
        .map(|platform| platform.name)
        .chain(listed.into_iter().map(|tenant| tenant.name.platform))
        .collect();
    let tenants = platforms.into_iter().map(async |platform| {
        let name = Name::new(workspace, project, platform);
        let named = means.ledger.named(&name).await?;
        Ok::<_, Refusal>(Named::living(named, &name).0)
    });
    Ok(try_join_all(tenants).await?.into_iter().flatten().collect())
}

async fn answer_together(
    means: &Means,
    tenants: &[Tenant],
    outcome: Outcome,
) -> Result<Response, Refusal> {
    let views = tenants.iter().map(|tenant| view(means, tenant, Reader::Requester));
    let items = try_join_all(views).await?;
    Ok(Response::json(outcome.status(), &Page { items, next: None }))
}

/// What stands for an approver where the tenant's landing zone asks nobody.
async fn asks_nobody(means: &Means, tenant: &Tenant) -> Result<Option<String>, Refusal> {
    let name = &tenant.wish.landing_zone;
    let zone = means.ledger.config::<LandingZone>(name).await?;
    let is_automatic = zone.is_some_and(|zone| zone.spec.automate_deletion_approval);
    Ok(is_automatic.then(|| format!("landing zone {name}")))
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
