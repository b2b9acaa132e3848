//! `landfall apply -f`: platforms, landing zones, then tenants, whose steps are shown until they have ended.

use clap::Args;
use futures::StreamExt as _;
use serde::Serialize;
use tenant::{Document, Platform, TenantView};

use super::Context;
use super::follow::{ABREAST, Followed, exit, follow};
use super::get::tenants_table;
use crate::api::{Api, Applied};
use crate::exit::{Exit, Trouble};
use crate::options::{Files, Format, Waiting};
use crate::show;
use crate::wish::{Wish, Wishes};

/// Arguments of `apply`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What to apply.
    #[command(flatten)]
    pub files: Files,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Changes a tenant only if it still has this generation.
    #[arg(long, value_name = "GENERATION")]
    pub if_generation: Option<u64>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

#[derive(Serialize)]
struct Outcome {
    kind: &'static str,
    name: String,
    #[serde(rename = "outcome")]
    applied: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantView>,
}

/// Applies all documents.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let wishes = Wishes::load(&arguments.files.files)?;
    let api = context.api().await?;
    check(context, &api, &wishes).await?;
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
            applied: applied.as_str(),
            tenant: None,
        });
    }
    tell(context, &outcomes);
    let mut tenants = put_tenants(context, &api, &wishes, arguments.if_generation).await?;
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
            context.terminal.print(tenants_table(&views, context.terminal.colours_results()));
        }
        format => context.terminal.print(show::structured(format, &outcomes)),
    }
    Ok(if wait { exit(&views) } else { Exit::Ok })
}

/// Has all platforms and landing zones checked, against AWS too, before any is written.
async fn check(context: &Context, api: &Api, wishes: &Wishes) -> Result<(), Trouble> {
    let mut troubles = Vec::new();
    for wish in &wishes.all {
        let checked = match wish {
            Wish::Platform(document) => api.check(document, None).await,
            Wish::LandingZone(document) => {
                let platforms = wishes.all.iter().filter_map(|other| match other {
                    Wish::Platform(platform) => Some(&**platform),
                    _ => None,
                });
                let own = |platform: &&Document<Platform>| {
                    platform.metadata.name == document.spec.platform
                };
                api.check(document, platforms.into_iter().find(own)).await
            }
            Wish::Tenant(_) => continue,
        };
        if let Err(trouble) = checked {
            troubles.push(trouble.about(&format!("{} {}", wish.kind().as_str(), wish.name())));
        }
    }
    let Some(last) = troubles.pop() else { return Ok(()) };
    for trouble in troubles {
        context.terminal.say(trouble.render(context.terminal.colours_progress()));
    }
    Err(last)
}

/// Sends all tenants' wishes; what is refused keeps nobody else waiting, and each refusal is said.
async fn put_tenants(
    context: &Context,
    api: &Api,
    wishes: &Wishes,
    if_generation: Option<u64>,
) -> Result<Vec<Outcome>, Trouble> {
    let answers: Vec<Result<(Applied, TenantView), Trouble>> =
        futures::stream::iter(wishes.tenants())
            .map(|document| api.put_tenant(document, if_generation))
            .buffered(ABREAST)
            .collect()
            .await;
    let (mut outcomes, mut troubles) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok((applied, tenant)) => outcomes.push(Outcome {
                kind: "Tenant",
                name: tenant.name.clone(),
                applied: applied.as_str(),
                tenant: Some(tenant),
            }),
            Err(trouble) => troubles.push(trouble),
        }
    }
    tell(context, &outcomes);
    let Some(last) = troubles.pop() else { return Ok(outcomes) };
    for trouble in troubles {
        context.terminal.say(trouble.render(context.terminal.colours_progress()));
    }
    Err(last)
}

fn tell(context: &Context, outcomes: &[Outcome]) {
    for Outcome { kind, name, applied, .. } in outcomes {
        context.terminal.say(format!("{kind} {name}: {applied}"));
    }
}
