//! `landfall get KIND [NAME]`.

use clap::{Args, ValueEnum};
use serde::Serialize;
use tenant::{AwaitedView, Deviation, Document, LandingZone, LettersView, Platform, TenantView};

use super::Context;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::{self, Paint, instant, structured, table};

/// A kind of things as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Things {
    /// Wished-for accounts.
    #[value(alias = "tenant")]
    Tenants,
    /// What every tenant of them gets.
    #[value(alias = "landing-zone", alias = "landingzones", alias = "landingzone")]
    LandingZones,
    /// Organizations as Landfall sees them.
    #[value(alias = "platform")]
    Platforms,
    /// How far changed landing zones and platforms have come to their tenants; for operators.
    #[value(alias = "rollout")]
    Rollouts,
    /// What tenants wait for, since when; for operators.
    Awaited,
    /// Accounts of the organizations that are no tenant's.
    Unmanaged,
    /// What surveys of the organizations found.
    #[value(alias = "survey")]
    Surveys,
    /// Events that could not be delivered or handled; for operators.
    #[value(alias = "letter", alias = "dead-letters")]
    Letters,
}

/// Arguments of `get`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What to print.
    pub kind: Things,
    /// Only this one; a tenant's name is `<workspace>.<project>.<platform>`.
    pub name: Option<String>,
    /// Only tenants of this workspace; without it, all tenants, which operators may see.
    #[arg(short, long)]
    pub workspace: Option<String>,
    /// Tenants that are deleted, instead of those that are there.
    #[arg(long)]
    pub deleted: bool,
    /// Only tenants that are other than wished.
    #[arg(long)]
    pub drifted: bool,
    /// Only what should have come by now.
    #[arg(long)]
    pub overdue: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Prints things of a kind.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let api = context.api().await?;
    let wanted = arguments.name.as_deref();
    match arguments.kind {
        Things::Tenants => {
            let mut tenants = match wanted {
                Some(wanted) => vec![api.tenant(&name(wanted)?, false).await?],
                None => api.tenants(arguments.workspace.as_deref(), arguments.deleted).await?,
            };
            tenants.retain(|tenant| !arguments.drifted || tenant.drift.is_drifted());
            let colours = context.terminal.colours_results();
            print(context, arguments, &tenants, |tenants| tenants_table(tenants, colours));
        }
        Things::LandingZones => {
            let zones = match wanted {
                Some(wanted) => {
                    vec![api.config(wanted).await?.ok_or_else(|| missing("landing zone", wanted))?]
                }
                None => api.configs().await?,
            };
            print(context, arguments, &zones, zones_table);
        }
        Things::Platforms => {
            let platforms = match wanted {
                Some(wanted) => {
                    vec![api.config(wanted).await?.ok_or_else(|| missing("platform", wanted))?]
                }
                None => api.configs().await?,
            };
            print(context, arguments, &platforms, platforms_table);
        }
        Things::Rollouts => {
            let mut rollouts = api.roll_outs().await?;
            rollouts.retain(|one| wanted.is_none_or(|wanted| one.name == wanted));
            if let Some(wanted) = wanted.filter(|_| rollouts.is_empty()) {
                return Err(missing("roll-out of a landing zone or platform", wanted));
            }
            let paint = Paint::still(context.terminal.colours_results());
            print(context, arguments, &rollouts, |rollouts| show::roll_outs(rollouts, paint));
        }
        Things::Awaited => {
            let mut awaited = api.awaited().await?;
            awaited.retain(|one| wanted.is_none_or(|wanted| one.name == wanted));
            awaited.retain(|one| !arguments.overdue || one.overdue);
            let paint = Paint::still(context.terminal.colours_results());
            print(context, arguments, &awaited, |awaited| awaited_table(awaited, paint));
        }
        Things::Unmanaged => {
            let mut accounts = api.unmanaged().await?;
            accounts.retain(|one| wanted.is_none_or(|wanted| one.account.as_str() == wanted));
            if let Some(wanted) = wanted.filter(|_| accounts.is_empty()) {
                return Err(missing("unmanaged account", wanted));
            }
            print(context, arguments, &accounts, show::unmanaged);
        }
        Things::Surveys => {
            let mut surveys = api.surveys().await?;
            surveys.retain(|one| wanted.is_none_or(|wanted| one.platform == wanted));
            if let Some(wanted) = wanted.filter(|_| surveys.is_empty()) {
                return Err(missing("platform", wanted));
            }
            let paint = Paint::still(context.terminal.colours_results());
            print(context, arguments, &surveys, |surveys| show::surveys(surveys, paint));
        }
        Things::Letters => {
            let LettersView { items: mut letters, waiting } = api.letters().await?;
            let unseen = waiting.saturating_sub(letters.len() as u64);
            letters.retain(|one| wanted.is_none_or(|wanted| one.id == wanted));
            if let Some(wanted) = wanted.filter(|_| letters.is_empty()) {
                return Err(missing("letter", wanted));
            }
            print(context, arguments, &letters, show::letters);
            if unseen > 0 && wanted.is_none() {
                context.terminal.note(format!(
                    "Some {unseen} more wait, or are in somebody's hands for half a minute; redrive or discard these first."
                ));
            }
        }
    }
    Ok(Exit::Ok)
}

fn missing(kind: &str, name: &str) -> Trouble {
    Trouble::new(Exit::NotFound, format!("there is no {kind} `{name}`"))
}

/// One thing by itself, or a list.
fn print<T: Serialize>(
    context: &Context,
    arguments: &Arguments,
    things: &[T],
    table: impl Fn(&[T]) -> String,
) {
    let text = match (arguments.output, things, &arguments.name) {
        (Format::Table, things, _) => table(things),
        (format, [thing], Some(_)) => structured(format, thing),
        (format, things, _) => structured(format, &things),
    };
    context.terminal.print(text);
}

/// Tenants in columns.
#[must_use]
pub fn tenants_table(tenants: &[TenantView], colours: bool) -> String {
    let paint = Paint::still(colours);
    let rows: Vec<Vec<String>> = tenants
        .iter()
        .map(|tenant| {
            let drifted: Vec<String> = tenant.drift.fields.iter().map(Deviation::what).collect();
            let remark = match (&tenant.failed, &tenant.waiting) {
                (Some(failed), _) => {
                    format!("{} at {}: {}", failed.name, failed.step, failed.remark)
                }
                (None, Some(waiting)) => format!("waits for {}", waiting.r#for),
                (None, None) if !drifted.is_empty() => format!("drifted: {}", drifted.join(", ")),
                (None, None) => String::new(),
            };
            vec![
                tenant.name.clone(),
                tenant.account.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                tenant.landing_zone.clone(),
                paint.phase(tenant.phase),
                instant(tenant.created_on),
                remark,
            ]
        })
        .collect();
    table(&["NAME", "ACCOUNT", "LANDING ZONE", "PHASE", "CREATED", ""], &rows)
}

fn awaited_table(awaited: &[AwaitedView], paint: Paint) -> String {
    let rows: Vec<Vec<String>> = awaited
        .iter()
        .map(|one| {
            let part = one.part.as_ref().map(|part| format!(" {part}")).unwrap_or_default();
            let until = one.until.map_or_else(|| "-".to_owned(), instant);
            let overdue = if one.overdue { paint.bad("overdue") } else { String::new() };
            let step = format!("{}{part}", one.step);
            vec![one.name.clone(), step, instant(one.since), until, overdue, one.r#for.clone()]
        })
        .collect();
    table(&["NAME", "STEP", "SINCE", "UNTIL", "", "WAITS FOR"], &rows)
}

fn zones_table(zones: &[Document<LandingZone>]) -> String {
    let rows: Vec<Vec<String>> = zones
        .iter()
        .map(|Document { metadata, spec, .. }| {
            let sets: Vec<&str> = spec.stack_sets.iter().map(|set| set.name.as_str()).collect();
            vec![
                metadata.name.clone(),
                spec.platform.clone(),
                spec.organizational_unit.clone(),
                format!("{:?}", spec.access_role.downgrade).to_lowercase(),
                sets.join(", "),
            ]
        })
        .collect();
    table(&["NAME", "PLATFORM", "ORGANIZATIONAL UNIT", "DOWNGRADE", "STACK SETS"], &rows)
}

fn platforms_table(platforms: &[Document<Platform>]) -> String {
    let rows: Vec<Vec<String>> = platforms
        .iter()
        .map(|Document { metadata, spec, .. }| {
            vec![
                metadata.name.clone(),
                spec.region.clone(),
                spec.management_account.to_string(),
                spec.automation_account.to_string(),
                spec.account_email_pattern.clone(),
            ]
        })
        .collect();
    table(&["NAME", "REGION", "MANAGEMENT", "AUTOMATION", "E-MAIL PATTERN"], &rows)
}
