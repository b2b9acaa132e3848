//! `landfall completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Context;
use crate::arguments::Arguments;
use crate::exit::Exit;

/// Prints what the shell sources to complete our commands.
#[must_use]
pub fn run(context: &Context, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "landfall", &mut script);
    context.terminal.print(String::from_utf8_lossy(&script));
    Exit::Ok
}
