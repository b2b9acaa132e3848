//! `landfall history NAME`.

use super::Context;
use crate::api::name;
use crate::arguments::{Format, History};
use crate::exit::{Exit, Trouble};
use crate::show::{history, structured};

/// Prints what happened to a tenant, oldest first.
pub async fn run(context: &Context, arguments: &History) -> Result<Exit, Trouble> {
    let name = name(&arguments.name)?;
    let answer = context.api().await?.history(&name).await?;
    let text = match arguments.output {
        Format::Table => history(&answer),
        format => structured(format, &answer),
    };
    context.terminal.print(text);
    Ok(Exit::Ok)
}
