//! `landfall answer NAME`.

use clap::Args;

use super::Context;
use super::follow::{Followed, exit, follow};
use super::get::tenants_table;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Waiting;

/// Arguments of `answer`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["otp", "resend"]))]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// The code, six letters or digits.
    #[arg(long, value_name = "CODE")]
    pub otp: Option<String>,
    /// Has AWS mail another code.
    #[arg(long)]
    pub resend: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Hands over what a tenant waits for, and shows the run that takes it.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let api = context.api().await?;
    let before = api.tenant(&name, false).await?;
    let followed = [Followed { run: before.run + 1, name: name.clone() }];
    api.answer(&name, arguments.otp.as_deref()).await?;
    let said = if arguments.resend { "another code is asked for" } else { "the code was given" };
    context.terminal.say(format!("Tenant {name}: {said}"));
    if arguments.waiting.no_wait {
        return Ok(Exit::Ok);
    }
    let ended = follow(context, &api, &followed, arguments.waiting.timeout).await?;
    context.terminal.print(tenants_table(&ended, context.terminal.colours_results()));
    Ok(exit(&ended))
}
