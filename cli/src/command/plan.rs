//! `landfall plan -f`: what applying tenants would change in AWS. Nothing is changed, and AWS itself sees to that.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use tenant::{Document, PlanState, PlanView, Spec, TenantSpec};

use super::Context;
use super::follow::ABREAST;
use crate::api::Api;
use crate::arguments::{Format, Plan};
use crate::exit::{Exit, Trouble};
use crate::show::{self, Paint};
use crate::wish::{Wish, Wishes};

const PAUSE: Duration = Duration::from_millis(300);

/// Plans all tenants; says of configuration how it differs from what is applied.
pub async fn run(context: &Context, arguments: &Plan) -> Result<Exit, Trouble> {
    let wishes = Wishes::load(&arguments.files.files)?;
    let api = context.api().await?;
    for wish in &wishes.all {
        let differs = match wish {
            Wish::Platform(document) => difference(&api, &wish.name(), document).await?,
            Wish::LandingZone(document) => difference(&api, &wish.name(), document).await?,
            Wish::Tenant(_) => continue,
        };
        if let Some(how) = differs {
            let (kind, name) = (wish.kind().as_str(), wish.name());
            context
                .terminal
                .say(format!("{kind} {name}: {how}; tenants are planned with what is applied now"));
        }
    }
    let documents: Vec<Document<TenantSpec>> = wishes.tenants().cloned().collect();
    let plans = plan_all(&api, &documents).await?;
    match arguments.output {
        Format::Table => {
            let paint = Paint::still(context.terminal.colours_results());
            for plan in &plans {
                context.terminal.print(show::plan(plan, paint));
            }
        }
        format => context.terminal.print(show::structured(format, &plans)),
    }
    let failed = plans.iter().any(|plan| plan.state == PlanState::Failed);
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
    let mut plan = api.put_plan(document).await?;
    while plan.state == PlanState::Planning {
        tokio::time::sleep(PAUSE).await;
        plan = api.plan(&name, plan.id).await?;
    }
    Ok(plan)
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
