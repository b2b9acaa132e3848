//! The command line: what may be written, with the help that users read.

use clap::Parser;

use crate::command::Command;
use crate::options::Common;

/// Turns a written wish for an AWS account into a governed, least-privilege account that lands ready.
#[derive(Debug, Parser)]
#[command(name = "landfall", version, propagate_version = true, disable_help_subcommand = false)]
#[command(after_help = "Exit codes: landfall help exit-codes. Every command: docs/CLI.md.")]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_argument_says_what_it_is_for() {
        fn ask(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no sentence", command.get_name());
            for argument in command.get_arguments() {
                let said = argument.get_help().is_some();
                assert!(said, "{} {} has no sentence", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(ask);
        }
        ask(&Arguments::command());
    }
}
