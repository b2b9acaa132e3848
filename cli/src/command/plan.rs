//! `landfall plan -f`: what applying tenants would change in AWS. Nothing is changed, and AWS itself sees to that.

use std::time::Duration;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _};
use tenant::{ConfigurationPlanView, Document, Name, PlanState, PlanView, Spec, TenantSpec};

use super::Context;
use super::follow::ABREAST;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::options::{Files, Format};
use crate::show::{self, Paint};
use crate::wish::{Wish, Wishes};

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What to plan.
    #[command(flatten)]
    pub files: Files,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

const PAUSE: Duration = Duration::from_millis(300);

/// Plans all tenants; says of configuration how it differs from what is applied.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let wishes = Wishes::load(&arguments.files.files)?;
    let api = context.api().await?;
    let mut configurations = Vec::new();
    for wish in &wishes.all {
        let planned = match wish {
            Wish::Platform(document) => configuration(context, &api, wish, document).await?,
            Wish::LandingZone(document) => configuration(context, &api, wish, document).await?,
            Wish::Tenant(_) => continue,
        };
        configurations.extend(planned);
    }
    let documents: Vec<Document<TenantSpec>> = wishes.tenants().cloned().collect();
    let plans = plan_all(&api, &documents).await?;
    match arguments.output {
        Format::Table => {
            let paint = Paint::still(context.terminal.colours_results());
            for plan in &configurations {
                context.terminal.print(show::configuration_plan(plan, paint));
            }
            for plan in &plans {
                context.terminal.print(show::plan(plan, paint));
            }
        }
        format => {
            let all = configurations.iter().map(serde_json::to_value);
            let all = all.chain(plans.iter().map(serde_json::to_value));
            let all: Vec<serde_json::Value> = all.filter_map(Result::ok).collect();
            context.terminal.print(show::structured(format, &all));
        }
    }
    let of_tenants = configurations.iter().flat_map(|plan| &plan.plans).chain(&plans);
    let failed = of_tenants.into_iter().any(|plan| plan.state == PlanState::Failed);
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

/// Plans tenants, several at once.
pub async fn plan_all(
    api: &Api,
    documents: &[Document<TenantSpec>],
) -> Result<Vec<PlanView>, Trouble> {
    futures::stream::iter(documents)
        .map(|document| made(api, document))
        .buffered(ABREAST)
        .try_collect()
        .await
}

async fn made(api: &Api, document: &Document<TenantSpec>) -> Result<PlanView, Trouble> {
    let name = document.metadata.name();
    let plan = api.put_plan(document).await?;
    planned(api, &name, plan).await
}

/// A plan once it is made.
pub async fn planned(api: &Api, name: &Name, mut plan: PlanView) -> Result<PlanView, Trouble> {
    while plan.state == PlanState::Planning {
        tokio::time::sleep(PAUSE).await;
        plan = api.plan(name, plan.id).await?;
    }
    Ok(plan)
}

/// What a platform or landing zone would touch; whoever is no operator reads only whether it differs.
async fn configuration<S: Spec + PartialEq>(
    context: &Context,
    api: &Api,
    wish: &Wish,
    document: &Document<S>,
) -> Result<Option<ConfigurationPlanView>, Trouble> {
    let (kind, name) = (wish.kind().as_str(), wish.name());
    match api.put_configuration_plan(&name, document).await {
        Ok(mut plan) => {
            if plan.differs {
                context.terminal.say(format!(
                    "{kind} {name} differs; tenants are planned with what is applied now"
                ));
            }
            while !plan.is_made() {
                tokio::time::sleep(PAUSE).await;
                plan = api.configuration_plan(plan.id).await?;
            }
            Ok(Some(plan))
        }
        Err(trouble) if trouble.exit == Exit::NotAllowed => {
            if let Some(how) = difference(api, &name, document).await? {
                context.terminal.say(format!(
                    "{kind} {name}: {how}; only operators see whom that touches, and tenants are planned with what is applied now"
                ));
            }
            Ok(None)
        }
        Err(trouble) => Err(trouble),
    }
}

async fn difference<S: Spec + PartialEq>(
    api: &Api,
    name: &str,
    document: &Document<S>,
) -> Result<Option<&'static str>, Trouble> {
    Ok(match api.config::<S>(name).await? {
        None => Some("is new"),
        Some(applied) if applied.spec != document.spec => Some("differs from what is applied"),
        Some(_) => None,
    })
}
