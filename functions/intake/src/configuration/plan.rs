//! What a changed platform or landing zone would change: plans of some of the tenants that it concerns.

use entry::Means;
use futures::future::try_join_all;
use ledger::ConfigurationPlanRow;
use tenant::{ConfigurationPlanView, Reader, Uuid};

use super::{Configuration, concerned};
use crate::{Refusal, Response, plans};

/// Begins the plans of the first tenants that a change concerns, and counts them all.
pub(super) async fn plan<S: Configuration>(
    means: &Means,
    name: &str,
    mut spec: S,
) -> Result<Response, Refusal> {
    let before = means.ledger.config::<S>(name).await?;
    let differs = before.is_none_or(|before| !before.spec.is_like(&spec));
    let (concerned, first) = if differs {
        concerned(means, |tenant| S::concerns(name, tenant)).await?
    } else {
        (0, Vec::new())
    };
    let begun = first.into_iter().map(|tenant| plans::begin(means, tenant, spec.clone().draft()));
    let plans = try_join_all(begun).await?.into_iter().map(|plan| plan.id).collect();
    let plan = ConfigurationPlanRow {
        id: means.new_id(),
        kind: S::KIND,
        name: name.to_owned(),
        differs,
        concerned,
        roll_out: spec.roll_out().clone(),
        plans,
        asked: means.now(),
    };
    means.ledger.write_configuration_plan(&plan).await?;
    let location = format!("/operator/plans/{}", plan.id);
    Ok(Response::json(202, &view(means, &plan).await?).with("location", location))
}

/// The plan of a configuration as far as it is made.
pub async fn get_plan(means: &Means, id: Uuid) -> Result<Response, Refusal> {
    let plan = means.ledger.configuration_plan(id).await?;
    let plan = plan.ok_or_else(|| Refusal::Missing(format!("plan `{id}` of a configuration")))?;
    Ok(Response::json(200, &view(means, &plan).await?))
}

async fn view(
    means: &Means,
    plan: &ConfigurationPlanRow,
) -> Result<ConfigurationPlanView, Refusal> {
    let of_tenant = async |id: &Uuid| match means.ledger.plan(*id).await? {
        Some(plan) => plans::view(means, &plan, Reader::Operator).await.map(Some),
        None => Ok::<_, Refusal>(None),
    };
    let found = try_join_all(plan.plans.iter().map(of_tenant)).await?;
    Ok(ConfigurationPlanView {
        id: plan.id,
        kind: plan.kind,
        name: plan.name.clone(),
        differs: plan.differs,
        concerned: plan.concerned,
        roll_out: plan.roll_out.clone(),
        plans: found.into_iter().flatten().collect(),
        as_of: means.now(),
    })
}
