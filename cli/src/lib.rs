//! The `landfall` command: what a user writes, plans, applies and follows.
//!
//! Every command is one file under `command`. Documents are read and checked in `wish` before anything is sent, `api`
//! is the one conversation with Landfall, and `show` turns answers into lines.

mod api;
mod arguments;
mod command;
mod exit;
mod options;
mod show;
mod terminal;
mod wish;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;
use command::Context;
use options::Format;
use terminal::Terminal;

/// Does what the command line says.
pub async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(arguments.common.color);
    let format = arguments.command.format();
    let context = Context { common: arguments.common, terminal: terminal.clone() };
    match command::run(context, arguments.command).await {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            if format == Format::Json {
                terminal.print(trouble.json());
            }
            terminal.say(trouble.render(terminal.colours_progress()));
            trouble.exit.into()
        }
    }
}
