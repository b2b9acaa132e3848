//! `landfall help exit-codes`: what the exit codes mean.

use super::Context;
use crate::exit::Exit;

/// The text of `landfall help exit-codes`.
#[must_use]
pub fn help() -> String {
    format!("What the exit codes mean.\n\n{}", Exit::table())
}

/// Prints the table.
#[must_use]
pub fn run(context: &Context) -> Exit {
    context.terminal.print(Exit::table());
    Exit::Ok
}
