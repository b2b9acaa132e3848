//! `landfall approve NAME` and `landfall decline NAME`.

use clap::Args;

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Waiting;

/// Arguments of `approve` and `decline`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Why, in at most 255 characters; the tenant's history keeps it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub comment: String,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Decides about a deletion, and shows what comes of it.
pub async fn run(
    context: &Context,
    arguments: &Arguments,
    approves: bool,
) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let api = context.api().await?;
    let before = api.tenant(&name, false).await?;
    api.decide(&name, approves, &arguments.comment).await?;
    let said = if approves { "the deletion is approved" } else { "the deletion is declined" };
    context.terminal.say(format!("Tenant {name}: {said}"));
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let followed = [Followed { run: before.run + 1, name }];
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}
