//! `landfall lint FILE`: checks documents without sending anything.

use super::Context;
use crate::arguments::{Format, Lint};
use crate::exit::{Exit, Trouble};
use crate::wish::Wishes;

/// Checks all documents and says how many are well.
pub fn run(context: &Context, arguments: &Lint) -> Result<Exit, Trouble> {
    let wishes = Wishes::lint(&arguments.files)?;
    if arguments.output == Format::Table {
        for wish in &wishes.all {
            context.terminal.print(format!("{} {}: ok", wish.kind().as_str(), wish.name()));
        }
    } else {
        let documents: Vec<_> = wishes
            .all
            .iter()
            .map(|wish| serde_json::json!({"kind": wish.kind().as_str(), "name": wish.name()}))
            .collect();
        context.terminal.print(crate::show::structured(arguments.output, &documents));
    }
    Ok(Exit::Ok)
}
