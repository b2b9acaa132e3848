//! `landfall lint FILE`: checks documents without sending anything.

use std::path::PathBuf;

use clap::Args;

use super::Context;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::wish::Wishes;

/// Arguments of `lint`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files and directories with YAML or JSON documents; `-` is standard input.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// How problems are printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Checks all documents and says how many are well.
pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
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
