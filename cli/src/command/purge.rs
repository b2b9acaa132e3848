//! `landfall purge NAME`.

use clap::Args;

use super::Context;
use crate::api::name;
use crate::exit::{Exit, Trouble};

/// Arguments of `purge`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Forgets it; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
}

/// Has a tenant forgotten.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let api = context.api().await?;
    if !arguments.yes {
        let tenant = api.tenant(&name, true).await?;
        let account = tenant.account.map_or_else(
            || "has no account".to_owned(),
            |account| format!("leaves account {account} open, with its access, stacks and costs"),
        );
        return Err(Trouble::new(
            Exit::BadInput,
            format!(
                "nothing is forgotten: purging {name} {account}; say `landfall purge {name} --yes` for that"
            ),
        ));
    }
    api.purge(&name).await?;
    context.terminal.say(format!("Tenant {name}: forgotten; its account stays as it is"));
    Ok(Exit::Ok)
}
