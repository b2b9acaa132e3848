//! `landfall watch [NAME…]`: steps tick off live until all runs have ended.

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::arguments::Watch;
use crate::exit::{Exit, Trouble};

/// Shows tenants until their runs have ended.
pub async fn run(context: &Context, arguments: &Watch) -> Result<Exit, Trouble> {
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
