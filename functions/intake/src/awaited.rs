//! The operators' view of everything that is awaited.

use entry::Means;
use ledger::{Error, List, State};
use tenant::{AwaitedView, Page, Phase, Tenant};

use crate::tenants::after;
use crate::{Refusal, Request, Response};

/// Tenants looked at for one answer.
const PAGE: i32 = 100;

/// What tenants wait for, in the order of their names.
pub async fn list(means: &Means, request: &Request) -> Result<Response, Refusal> {
    let after = after(request, None)?;
    let (tenants, next) = means.ledger.tenants(List::Living, None, after, PAGE).await?;
    let mut items = Vec::new();
    for tenant in &tenants {
        if tenant.running.is_some() || tenant.phase == Phase::Waiting || tenant.waiting.is_some() {
            items.extend(of_steps(means, tenant).await?);
        }
    }
    Ok(Response::json(200, &Page { items, next }))
}

/// What the steps of a tenant's run wait for.
async fn of_steps(means: &Means, tenant: &Tenant) -> Result<Vec<AwaitedView>, Error> {
    let rows = means.ledger.steps(tenant.id).await?;
    let waiting = rows.iter().filter(|row| row.run == tenant.run && row.state == State::Waiting);
    Ok(waiting
        .filter_map(|row| {
            let awaited = row.awaited.as_ref()?;
            let part = row.part.as_deref();
            let (r#for, since) = (&awaited.r#for, awaited.since);
            Some(AwaitedView::of(tenant, &row.step, part, r#for, since, means.now()))
        })
        .collect())
}
