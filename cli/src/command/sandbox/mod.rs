//! `landfall sandbox …`: an AWS Organization on this machine.

mod control;
mod credentials;
mod down;
mod fault;
mod log;
mod state;
mod status;
mod up;

use clap::Subcommand;

use super::Context;
use crate::exit::{Exit, Trouble};

pub use control::Control;
pub use credentials::Credentials;
pub use state::State;
pub use up::{Start, sources, start};

/// What can be done with the sandbox.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts it; prints what a shell needs to work with it: eval "$(landfall sandbox up)".
    Up(up::Arguments),
    /// Ends it.
    Down,
    /// Says whether it runs, and where; exit code 6 if it does not.
    Status,
    /// Prints credentials of an account for any AWS client: eval "$(landfall sandbox credentials management)".
    Credentials(credentials::Arguments),
    /// Prints the AWS calls that were made.
    Log(log::Arguments),
    /// Makes calls fail, to see what then happens.
    #[command(subcommand)]
    Fault(fault::Command),
}

/// Does one of the sandbox's commands.
pub async fn run(context: &Context, command: Command) -> Result<Exit, Trouble> {
    match command {
        Command::Up(arguments) => up::run(context, &arguments).await,
        Command::Down => down::run(context).await,
        Command::Status => status::run(context).await,
        Command::Credentials(arguments) => credentials::run(context, &arguments).await,
        Command::Log(arguments) => log::run(context, &arguments).await,
        Command::Fault(command) => fault::run(context, command).await,
    }
}
