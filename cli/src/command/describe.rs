//! `landfall describe NAME`.

use clap::Args;

use super::Context;
use crate::api::name;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::{Paint, describe, structured};

/// Arguments of `describe`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// With what only operators may read: operations, codes, request ids.
    #[arg(long)]
    pub operator: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Prints all that is known about one tenant.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let tenant = context.api().await?.tenant(&name, arguments.operator).await?;
    let text = match arguments.output {
        Format::Table => describe(&tenant, Paint::still(context.terminal.colours_results())),
        format => structured(format, &tenant),
    };
    context.terminal.print(text);
    Ok(Exit::Ok)
}
