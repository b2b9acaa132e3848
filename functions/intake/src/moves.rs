//! Moves: a tenant comes to another project, and stays who it is.

use entry::Means;
use serde::Deserialize;
use tenant::{
    Name, Named, Problem, Refused, Tenant, Transition, check_destination, check_tenant_beside,
};

use crate::tenants::{Decision, Outcome, decided, moved};
use crate::{Refusal, Request, Response, plans};

/// Where a tenant is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    /// The workspace's identifier.
    workspace: String,
    /// The project's identifier.
    project: String,
}

/// What moving a tenant comes to.
enum Move {
    /// It is there already.
    Done(Box<Tenant>),
    /// It is yet to be written.
    Next(Box<Tenant>, Box<Transition>),
}

/// Moves a tenant, and starts the run that brings its account along.
pub async fn post(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let to = destination(request, name)?;
    decided(means, || async {
        match moving(means, request, name, &to, author).await? {
            Move::Done(tenant) => Ok(Decision::Unchanged(tenant)),
            Move::Next(before, transition) => {
                let written = means.ledger.rename(&before, &transition).await;
                Ok(Decision::Written(Outcome::Changed, transition, written))
            }
        }
    })
    .await
}

/// Plans what moving a tenant would change in AWS; nothing is written of it but the plan.
pub async fn plan(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let to = destination(request, name)?;
    let tenant = match moving(means, request, name, &to, author).await? {
        Move::Done(tenant) => *tenant,
        Move::Next(_, transition) => transition.tenant,
    };
    plans::located(means, tenant).await
}

/// The name that the tenant is to have: an account stays in its organization.
fn destination(request: &Request, name: &Name) -> Result<Name, Refusal> {
    let Body { workspace, project } = serde_json::from_value(request.json()?)
        .map_err(|error| Refusal::Unreadable(error.to_string()))?;
    Ok(Name::new(workspace, project, &name.platform))
}

/// The move, if everything fits.
async fn moving(
    means: &Means,
    request: &Request,
    name: &Name,
    to: &Name,
    author: &str,
) -> Result<Move, Refusal> {
    let found = means.ledger.named(name).await?;
    let Some(Named { tenant: before, .. }) = found else {
        return Err(Refusal::Missing(format!("tenant `{name}`")));
    };
    if before.has(to) {
        // Who did not hear the answer asks again.
        return Ok(Move::Done(Box::new(before)));
    }
    if before.name != *name {
        return Err(moved(name, &before));
    }
    request.precondition().check(Some(before.generation))?;
    let (taken, incarnation) = Named::living(means.ledger.named(to).await?, to);
    let transition = before.moved(to, incarnation, author, means.now()).map_err(Refusal::NotNow)?;
    let transition = transition.ok_or(Refusal::NotNow(Refused::Deleted))?;
    let problems = problems(means, &before, &transition.tenant, taken.as_ref()).await?;
    if problems.is_empty() {
        Ok(Move::Next(Box::new(before), Box::new(transition)))
    } else {
        Err(Refusal::Invalid(problems))
    }
}

/// Everything that keeps a tenant from being called so.
async fn problems(
    means: &Means,
    before: &Tenant,
    after: &Tenant,
    taken: Option<&Tenant>,
) -> Result<Vec<Problem>, Refusal> {
    let (zone, platform) =
        means.ledger.configuration(&after.wish.landing_zone, &after.name.platform).await?;
    let lengths = platform.as_ref().map(|platform| platform.spec.identifier_lengths);
    let mut problems = check_destination(&after.name, lengths.unwrap_or_default());
    problems.extend(taken.map(|tenant| {
        let whose = match &tenant.account {
            Some(account) => format!("has a tenant already, with account {account}"),
            None => "has a tenant already, for which an account is to be made".to_owned(),
        };
        Problem::new(
            "project",
            &after.name.project,
            whose,
            "Write another project, or move or delete that tenant first.",
        )
    }));
    if let (Some(platform), Some(zone)) = (platform, zone) {
        problems.extend(check_tenant_beside(after, Some(before), &zone.spec, &platform.spec));
    }
    Ok(problems)
}
