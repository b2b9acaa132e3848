//! `landfall apply -f`: platforms, landing zones, then tenants, whose steps are shown until they have ended.

use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use tenant::TenantView;

use super::Context;
use super::follow::{ABREAST, Followed, exit, follow};
use super::get::tenants_table;
use crate::api::{Api, Applied};
use crate::arguments::{Apply, Format};
use crate::exit::{Exit, Trouble};
use crate::show;
use crate::wish::{Wish, Wishes};

#[derive(Serialize)]
struct Outcome {
    kind: &'static str,
    name: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantView>,
}

/// Applies all documents.
pub async fn run(context: &Context, arguments: &Apply) -> Result<Exit, Trouble> {
    let wishes = Wishes::load(&arguments.files.files)?;
    let api = context.api().await?;
    let mut outcomes = Vec::new();
    for wish in &wishes.all {
        let applied = match wish {
            Wish::Platform(document) => api.put_config(&wish.name(), document).await?,
            Wish::LandingZone(document) => api.put_config(&wish.name(), document).await?,
            Wish::Tenant(_) => continue,
        };
        outcomes.push(Outcome {
            kind: wish.kind().as_str(),
            name: wish.name(),
            outcome: applied.as_str(),
            tenant: None,
        });
    }
    tell(context, &outcomes);
    let mut tenants = put_tenants(&api, &wishes, arguments.if_generation).await?;
    tell(context, &tenants);
    let wait = !arguments.waiting.no_wait && !tenants.is_empty();
    if wait {
        let followed: Vec<Followed> = tenants
            .iter()
            .filter_map(|outcome| outcome.tenant.as_ref())
            .map(Followed::wish)
            .collect();
        let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
        for (outcome, tenant) in tenants.iter_mut().zip(ended) {
            outcome.tenant = Some(tenant);
        }
    }
    let views: Vec<TenantView> =
        tenants.iter().filter_map(|outcome| outcome.tenant.clone()).collect();
    outcomes.extend(tenants);
    match arguments.output {
        Format::Table if views.is_empty() || !wait => {}
        Format::Table => {
            context.terminal.print(tenants_table(&views, context.terminal.colours_results()))
        }
        format => context.terminal.print(show::structured(format, &outcomes)),
    }
    Ok(if wait { exit(&views) } else { Exit::Ok })
}

/// Sends all tenants' wishes; every one that is refused is named.
async fn put_tenants(
    api: &Api,
    wishes: &Wishes,
    if_generation: Option<u64>,
) -> Result<Vec<Outcome>, Trouble> {
    futures::stream::iter(wishes.tenants())
        .map(|document| api.put_tenant(document, if_generation))
        .buffered(ABREAST)
        .map_ok(|(applied, tenant): (Applied, TenantView)| Outcome {
            kind: "Tenant",
            name: tenant.name.clone(),
            outcome: applied.as_str(),
            tenant: Some(tenant),
        })
        .try_collect()
        .await
}

fn tell(context: &Context, outcomes: &[Outcome]) {
    for Outcome { kind, name, outcome, .. } in outcomes {
        context.terminal.say(format!("{kind} {name}: {outcome}"));
    }
}
