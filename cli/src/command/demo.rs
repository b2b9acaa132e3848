//! `landfall demo`: a sandbox of its own, four tenants of two landing zones side by side, and what it took.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use tenant::{Document, LandingZone, PlanView, TenantSpec, TenantView};

use super::Context;
use super::follow::{ABREAST, Followed, exit, follow};
use super::plan::plan_all;
use super::sandbox::{Control, Start, State, start};
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::show::{self, Paint, table};
use crate::wish::{Wish, Wishes};

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    start: Start,
    /// The documents to apply; Landfall's own examples if none are named.
    #[arg(short, long = "file", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Leaves the sandbox running, for a look around.
    #[arg(long)]
    keep: bool,
}

/// A sandbox that ends with the demonstration, unless it is to be kept.
#[derive(Debug)]
struct Stage {
    child: Child,
    control: Control,
}

/// Shows the whole way from documents to accounts.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let began = Instant::now();
    let say =
        |what: &str| context.terminal.say(format!("[{:>3}s] {what}", began.elapsed().as_secs()));
    let wishes = Wishes::load(&files(arguments)?)?;
    say("starting an AWS Organization on this machine …");
    let (child, state) = start(&arguments.start, !arguments.keep)?;
    let mut stage = Stage { child, control: Control::new(&state.endpoint) };
    say(&format!(
        "ready at {}; a real second is up to {} seconds there",
        state.endpoint, state.speed
    ));
    let result = play(context, &stage.control, &state, &wishes, &say).await;
    if arguments.keep {
        state.keep()?;
        say(
            "the sandbox is kept: eval \"$(landfall sandbox up)\", and landfall sandbox down when done",
        );
    } else {
        let _ = stage.control.shut_down().await;
        let _ = stage.child.wait();
        say("the sandbox has ended");
    }
    result
}

async fn play(
    context: &Context,
    control: &Control,
    state: &State,
    wishes: &Wishes,
    say: &impl Fn(&str),
) -> Result<Exit, Trouble> {
    let automation = state.account("automation")?;
    let credentials = control.credentials(&automation, None).await?;
    let api = Api::new(&state.endpoint, "eu-central-1", (&credentials).into())?;
    for wish in &wishes.all {
        let applied = match wish {
            Wish::Platform(document) => api.put_config(&wish.name(), document).await?,
            Wish::LandingZone(document) => api.put_config(&wish.name(), document).await?,
            Wish::Tenant(_) => continue,
        };
        say(&format!("{} {}: {}", wish.kind().as_str(), wish.name(), applied.as_str()));
    }
    let documents: Vec<Document<TenantSpec>> = wishes.tenants().cloned().collect();
    let taken: Vec<TenantView> = futures::stream::iter(&documents)
        .map(|document| api.put_tenant(document, None))
        .buffered(ABREAST)
        .map_ok(|(_, tenant)| tenant)
        .try_collect()
        .await?;
    say(&format!("{} tenants are wished for; this is AWS at work:", taken.len()));
    let followed: Vec<Followed> = taken.iter().map(Followed::wish).collect();
    let ended = follow(context, &api, &followed, None).await?;
    let calls = control.log(0).await?;
    context.terminal.print(format!(
        "\n{}",
        summary(&ended, &units(wishes), context.terminal.colours_results())
    ));
    context.terminal.print(format!("\n{}", calls_by_step(&ended, &calls)));
    if exit(&ended) != Exit::Ok {
        for tenant in &ended {
            context
                .terminal
                .print(show::describe(tenant, Paint::still(context.terminal.colours_results())));
        }
        return Ok(Exit::Failed);
    }
    say("planning all of them again …");
    let plans = plan_all(&api, &documents).await?;
    let changes: usize = plans.iter().map(PlanView::changes).sum();
    let made = plans.iter().all(|plan| plan.state == tenant::PlanState::Done);
    if changes == 0 && made {
        context.terminal.print("plan: no changes");
        return Ok(Exit::Ok);
    }
    for plan in &plans {
        context.terminal.print(show::plan(plan, Paint::still(context.terminal.colours_results())));
    }
    Ok(Exit::Failed)
}

fn files(arguments: &Arguments) -> Result<Vec<PathBuf>, Trouble> {
    if !arguments.files.is_empty() {
        return Ok(arguments.files.clone());
    }
    Ok(vec![super::sandbox::sources(arguments.start.sources.as_deref())?.join("examples")])
}

/// The organizational unit of each landing zone.
fn units(wishes: &Wishes) -> BTreeMap<String, String> {
    let unit = |document: &Document<LandingZone>| {
        (document.metadata.name.clone(), document.spec.organizational_unit.clone())
    };
    wishes
        .all
        .iter()
        .filter_map(|wish| match wish {
            Wish::LandingZone(document) => Some(unit(document)),
            _ => None,
        })
        .collect()
}

fn summary(tenants: &[TenantView], units: &BTreeMap<String, String>, colours: bool) -> String {
    let paint = Paint::still(colours);
    let rows: Vec<Vec<String>> = tenants
        .iter()
        .map(|tenant| {
            vec![
                tenant.name.clone(),
                tenant.account.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                units.get(&tenant.landing_zone).cloned().unwrap_or_default(),
                paint.phase(tenant.phase),
                show::duration(show::age(tenant)),
            ]
        })
        .collect();
    table(&["TENANT", "ACCOUNT", "ORGANIZATIONAL UNIT", "PHASE", "DURATION"], &rows)
}

/// AWS calls of each tenant by step, the ledger's own left out.
fn calls_by_step(tenants: &[TenantView], calls: &[Value]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut steps: Vec<&str> = Vec::new();
    for call in calls {
        let (Some(tenant), Some(step)) = (call["tenant"].as_str(), call["step"].as_str()) else {
            continue;
        };
        let action = call["action"].as_str().unwrap_or_default();
        let ours =
            ["dynamodb:", "lambda:", "states:"].iter().any(|service| action.starts_with(service));
        if !ours {
            *counts.entry((step, tenant)).or_default() += 1;
        }
    }
    for step in tenants.iter().flat_map(|tenant| &tenant.steps) {
        let called = counts.keys().any(|(called, _)| *called == step.step);
        if called && !steps.contains(&step.step.as_str()) {
            steps.push(&step.step);
        }
    }
    let ids: Vec<String> = tenants.iter().map(|tenant| tenant.id.to_string()).collect();
    let count = |step: &str, id: &str| counts.get(&(step, id)).copied().unwrap_or(0);
    let mut rows: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            let cells = ids.iter().map(|id| count(step, id).to_string());
            std::iter::once((*step).to_owned()).chain(cells).collect()
        })
        .collect();
    let all =
        ids.iter().map(|id| steps.iter().map(|step| count(step, id)).sum::<usize>().to_string());
    rows.push(std::iter::once("all".to_owned()).chain(all).collect());
    let heads: Vec<&str> = std::iter::once("AWS CALLS")
        .chain(tenants.iter().map(|tenant| tenant.name.as_str()))
        .collect();
    table(&heads, &rows)
}
