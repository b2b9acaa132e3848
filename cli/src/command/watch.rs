//! `landfall watch [NAME…]`: steps tick off live until all runs have ended.

use clap::Args;
use jiff::SignedDuration;

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::exit::{Exit, Trouble};

/// Arguments of `watch`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Names of tenants; without any, all of the workspace.
    pub names: Vec<String>,
    /// All tenants of this workspace.
    #[arg(short, long)]
    pub workspace: Option<String>,
    /// Stays no longer than this, as in `90s`, `30m`, `2h`.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<SignedDuration>,
}

/// Shows tenants until their runs have ended.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let names = arguments.names.iter().map(|text| name(text)).collect::<Result<Vec<_>, _>>()?;
    let api = context.api().await?;
    let followed: Vec<Followed> = if names.is_empty() {
        api.tenants(arguments.workspace.as_deref(), false)
            .await?
            .iter()
            .map(Followed::wish)
            .collect()
    } else {
        names.into_iter().map(|name| Followed { name, run: 0 }).collect()
    };
    let ended = follow(context, &api, &followed, arguments.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}
