//! `landfall discard ID`: throws a dead letter away.

use clap::Args;
use tenant::DiscardWish;

use super::Context;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::structured;

/// Arguments of `discard`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The letter's id, as `get letters` prints it.
    pub id: String,
    /// Why, for the log; at most 255 characters.
    #[arg(short, long, value_name = "TEXT")]
    pub comment: String,
    /// How the letter is printed that is gone.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Throws it away, and prints what stood in it.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let wish = DiscardWish { comment: arguments.comment.clone() };
    let letter = context.api().await?.discard(&arguments.id, &wish).await?;
    context.terminal.print(match arguments.output {
        Format::Table => format!("letter {}: discarded", letter.id),
        format => structured(format, &letter),
    });
    Ok(Exit::Ok)
}
