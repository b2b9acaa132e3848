//! Plans: what applying a wish would change, found out by a run that can only look.

use entry::Means;
use ledger::{Draft, PlanRow};
use tenant::{
    Document, Mode, Name, Named, PlanState, PlanView, Reader, Tenant, TenantSpec, Ticket, Uuid,
};

use crate::{Refusal, Request, Response, steps, tenants};

/// Keeps the draft for a day and starts the run that looks.
pub async fn put(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let document: Document<TenantSpec> = request.document()?;
    tenants::check(means, name, &document).await?;
    let now = means.now();
    let (before, incarnation) = Named::living(means.ledger.named(name).await?, name);
    let tenant = match before {
        None => Tenant::requested(name.clone(), incarnation, document.spec, author, now).tenant,
        Some(tenant) => match tenant.wished(document.spec, author, now).map_err(Refusal::NotNow)? {
            Some(transition) => transition.tenant,
            None => tenant,
        },
    };
    located(means, tenant).await
}

/// Begins a plan of a tenant, and says where it can be read.
pub async fn located(means: &Means, tenant: Tenant) -> Result<Response, Refusal> {
    let plan = begin(means, tenant, Draft::default()).await?;
    let Name { workspace, project, platform } = &plan.tenant.name;
    let location =
        format!("/workspaces/{workspace}/projects/{project}/plans/{platform}/{}", plan.id);
    let view = view(means, &plan, Reader::Requester).await?;
    Ok(Response::json(202, &view).with("location", location))
}

/// Writes a plan down and starts its run.
pub async fn begin(means: &Means, tenant: Tenant, draft: Draft) -> Result<PlanRow, Refusal> {
    let (id, run, asked) = (means.new_id(), tenant.run + 1, means.now());
    let plan = PlanRow { id, tenant, asked, ended: None, failed: None, draft };
    means.ledger.write_plan(&plan).await?;
    means.executions.start(&Ticket { tenant: id, run, mode: Mode::Plan, part: None }).await?;
    Ok(plan)
}

/// A plan as far as it is made.
pub async fn get(means: &Means, name: &Name, id: Uuid) -> Result<Response, Refusal> {
    let plan = means.ledger.plan(id).await?.filter(|plan| plan.tenant.name == *name);
    let plan = plan.ok_or_else(|| Refusal::Missing(format!("plan `{id}` of tenant `{name}`")))?;
    Ok(Response::json(200, &view(means, &plan, Reader::Requester).await?))
}

/// A plan as this reader may see it.
pub async fn view(means: &Means, plan: &PlanRow, reader: Reader) -> Result<PlanView, Refusal> {
    let state = match (&plan.failed, plan.ended) {
        (Some(_), _) => PlanState::Failed,
        (None, Some(_)) => PlanState::Done,
        (None, None) => PlanState::Planning,
    };
    let rows = means.ledger.plan_steps(plan.id).await?;
    Ok(PlanView::of(
        plan.id,
        plan.tenant.name.to_string(),
        state,
        steps::of_plan(&rows),
        plan.failed.as_ref(),
        reader,
        means.now(),
    ))
}
