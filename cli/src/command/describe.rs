//! `landfall describe NAME`.

use super::Context;
use crate::api::name;
use crate::arguments::{Describe, Format};
use crate::exit::{Exit, Trouble};
use crate::show::{Paint, describe, structured};

/// Prints all that is known about one tenant.
pub async fn run(context: &Context, arguments: &Describe) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let tenant = context.api().await?.tenant(&name, arguments.operator).await?;
    let text = match arguments.output {
        Format::Table => describe(&tenant, Paint::still(context.terminal.colours_results())),
        format => structured(format, &tenant),
    };
    context.terminal.print(text);
    Ok(Exit::Ok)
}
