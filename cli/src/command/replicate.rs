//! `landfall replicate NAME…`: a run now, without any change of the wish.

use clap::Args;

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Waiting;

/// Arguments of `replicate`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The tenants' names: `<workspace>.<project>.<platform>`.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Asks for replications and shows them.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let names = arguments.names.iter().map(|text| name(text)).collect::<Result<Vec<_>, _>>()?;
    let api = context.api().await?;
    let mut followed = Vec::new();
    for name in &names {
        // A run that was under way before we asked may have passed what we want looked at.
        let before = api.tenant(name, false).await?;
        followed.push(Followed { run: before.run + 1, name: name.clone() });
        api.replicate(name).await?;
        context.terminal.say(format!("Tenant {name}: a replication was asked for"));
    }
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}
