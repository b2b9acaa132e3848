//! `landfall adopt ACCOUNT -f tenant.yaml`: makes a tenant of an account that was there before; with `--unit` instead of
//! the account, of each that stands there.

mod rule;

use clap::Args;
use tenant::{AccountId, Document, TenantSpec};

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use super::plan::planned;
use crate::exit::{Exit, Trouble};
use crate::options::{Files, Format, Waiting};
use crate::show::{self, Paint};
use crate::wish::{Wish, Wishes};

/// Arguments of `adopt`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The account's id: twelve digits, as `landfall get unmanaged` lists them.
    #[arg(required_unless_present = "unit", conflicts_with = "unit")]
    pub account: Option<String>,
    /// One document: the tenant that gets the account; with --unit, what all of them get, without a project.
    #[command(flatten)]
    pub files: Files,
    /// Adopts each account that is no tenant's and stands in this organizational unit or beneath it.
    #[arg(long, value_name = "OU")]
    pub unit: Option<String>,
    /// Only accounts with this tag; all of them, if there are several.
    #[arg(long = "tag", value_name = "KEY=VALUE", requires = "unit", conflicts_with = "account")]
    pub tags: Vec<String>,
    /// The tag that names an account's project, instead of the account's name.
    #[arg(long, value_name = "KEY", requires = "unit", conflicts_with = "account")]
    pub project_tag: Option<String>,
    /// Says what adopting would change, and changes nothing.
    #[arg(long, visible_alias = "dry-run")]
    pub plan: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Adopts one account, or those that a rule selects.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    match &arguments.unit {
        Some(unit) => rule::run(context, arguments, unit).await,
        None => one(context, arguments, arguments.account.clone().unwrap_or_default()).await,
    }
}

async fn one(context: &Context, arguments: &Arguments, account: String) -> Result<Exit, Trouble> {
    let account =
        AccountId::try_from(account).map_err(|error| Trouble::new(Exit::BadInput, error))?;
    let wishes = Wishes::load(&arguments.files.files)?;
    let document = only(&wishes)?;
    let api = context.api().await?;
    if arguments.plan {
        let plan = api.put_adoption_plan(&account, document).await?;
        let plan = planned(&api, &document.metadata.name(), plan).await?;
        context.terminal.print(match arguments.output {
            Format::Table => show::plan(&plan, Paint::still(context.terminal.colours_results())),
            format => show::structured(format, &plan),
        });
        let failed = plan.state == tenant::PlanState::Failed;
        return Ok(if failed { Exit::Failed } else { Exit::Ok });
    }
    let (applied, mut tenant) = api.put_adoption(&account, document).await?;
    let became = match applied {
        crate::api::Applied::Created => "adopted",
        _ => "is its account already",
    };
    context.terminal.say(format!("Tenant {}: {account} {became}", tenant.name));
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let followed = [Followed::wish(&tenant)];
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    if let Some(last) = ended.into_iter().next() {
        tenant = last;
    }
    let views = [tenant];
    context.terminal.print(match arguments.output {
        Format::Table => tenants_table(&views, context.terminal.colours_results()),
        format => show::structured(format, &views[0]),
    });
    Ok(exit(&views))
}

/// The one tenant of these documents.
fn only(wishes: &Wishes) -> Result<&Document<TenantSpec>, Trouble> {
    let mut tenants = wishes.tenants();
    match (tenants.next(), tenants.next()) {
        (Some(document), None) if wishes.all.iter().all(|one| matches!(one, Wish::Tenant(_))) => {
            Ok(document)
        }
        _ => Err(Trouble::new(
            Exit::BadInput,
            "adopt takes one document of the kind Tenant: each account gets a tenant of its own",
        )),
    }
}
