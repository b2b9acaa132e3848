//! `landfall delete`: a tenant, all of a project, or a landing zone or platform that nobody uses.

mod configuration;
mod project;

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use tenant::{LandingZone, Platform, TenantView};

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Waiting;

/// Arguments of `delete`.
#[derive(Args, Debug)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    #[arg(required = true)]
    pub name: Option<String>,
    /// Marks it; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Something else than a tenant.
    #[command(subcommand)]
    pub other: Option<Other>,
}

/// What can be deleted beside a tenant.
#[derive(Debug, Subcommand)]
pub enum Other {
    /// Says what deleting all tenants of a project does, and with --yes marks them, all or none.
    #[command(alias = "projects")]
    Project(project::Arguments),
    /// Says what deleting a landing zone does, and with --yes deletes it, if no tenant wishes for it; for operators.
    #[command(aliases = ["landing-zones", "landingzone", "landingzones"])]
    LandingZone(configuration::Arguments),
    /// Says what deleting a platform does, and with --yes deletes it, if no landing zone or tenant is of it; for
    /// operators.
    #[command(alias = "platforms")]
    Platform(configuration::Arguments),
}

/// Says what a deletion does; marks the tenant if that is wanted, and shows how its access goes.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    match &arguments.other {
        Some(Other::Project(wanted)) => return project::run(context, wanted).await,
        Some(Other::LandingZone(wanted)) => {
            return configuration::run::<LandingZone>(context, wanted).await;
        }
        Some(Other::Platform(wanted)) => {
            return configuration::run::<Platform>(context, wanted).await;
        }
        None => {}
    }
    let name = name(arguments.name.as_deref().unwrap_or_default())?;
    let api = context.api().await?;
    let before = api.tenant(&name, false).await?;
    if !arguments.yes {
        let zone = api.config::<LandingZone>(&before.landing_zone).await?;
        context.terminal.print(outlook(&before, zone.as_ref().map(|zone| &zone.spec)));
        return Err(Trouble::new(
            Exit::BadInput,
            format!("nothing is deleted: say `landfall delete {name} --yes` for that"),
        ));
    }
    api.delete(&name).await?;
    context.terminal.say(format!("Tenant {name}: marked for deletion"));
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let followed = [Followed { run: before.run + 1, name }];
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}

/// What deleting a tenant does, in its order.
fn outlook(tenant: &TenantView, zone: Option<&LandingZone>) -> String {
    let mut text = format!("Deleting tenant {}:\n", tenant.name);
    let mut line = |what: String| {
        let _ = writeln!(text, "  - {what}");
    };
    let people = tenant.spec.people();
    if !people.is_empty() {
        line(format!("shuts out {} at once", people.join(", ")));
    }
    if !zone.is_some_and(|zone| zone.automate_deletion_approval) {
        line("waits for an approver other than you; until then it can be declined".to_owned());
    }
    let Some(account) = &tenant.account else {
        line("closes no account: there is none yet".to_owned());
        return text;
    };
    let readdressed = zone.and_then(|zone| zone.address_after_closing.as_ref());
    if let Some(wished) = readdressed {
        line(format!(
            "has the account's e-mail address changed, if somebody gives AWS's code within {} days",
            wished.within_days
        ));
    }
    if let Some(alias) = tenant.names.as_ref().and_then(|names| names.alias.as_ref()) {
        line(format!("gives up the account's alias {alias}"));
    }
    if zone.is_some_and(|zone| zone.automate_deletion_replication) {
        line(format!("closes account {account} with everything in it"));
    } else {
        line(format!("waits until somebody has closed account {account}"));
    }
    if let Some(names) = &tenant.names {
        let unless = if readdressed.is_some() { ", unless that is changed" } else { "" };
        line(format!("leaves the address {} used for ever{unless}", names.email));
    }
    text
}
