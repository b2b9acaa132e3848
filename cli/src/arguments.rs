//! The command line: what may be written, with the help that users read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;

use crate::command::{
    adopt, demo, discard, doctor, history, limits, rebuild, redrive, rollout, sandbox, survey,
};

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

/// What holds for every command.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Base URL of Landfall's API.
    #[arg(
        long,
        env = "LANDFALL_API",
        global = true,
        value_name = "URL",
        help_heading = "Connection"
    )]
    pub endpoint: Option<String>,
    /// Region of Landfall's API; without it, whatever the AWS configuration says.
    #[arg(
        long,
        env = "LANDFALL_REGION",
        global = true,
        value_name = "REGION",
        help_heading = "Connection"
    )]
    pub region: Option<String>,
    /// Profile of the AWS configuration whose credentials are used.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub profile: Option<String>,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the environment says no (`NO_COLOR`).
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people; its columns may change.
    Table,
    /// The same as JSON.
    Yaml,
    /// For programs; fields are only ever added.
    Json,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Applies documents: platforms, landing zones, then tenants; shows the tenants' steps until they have ended.
    Apply(Apply),
    /// Says what applying these tenants would change in AWS, and changes nothing.
    Plan(Plan),
    /// Prints tenants, landing zones, platforms, or what operators look after.
    Get(Get),
    /// Prints all that is known about one tenant.
    Describe(Describe),
    /// Shows tenants' steps live until all have ended.
    Watch(Watch),
    /// Prints what happened to a tenant, and who caused it.
    History(History),
    /// Replicates tenants now, without any change of their wish.
    Replicate(Replicate),
    /// Prints what holds tenants back: the breaker, the daily number, the queue; sets a breaker, pauses a platform.
    Limits(limits::Arguments),
    /// Stops, resumes or abandons the roll-out of a changed landing zone or platform; `get rollouts` shows them.
    #[command(subcommand)]
    Rollout(rollout::Act),
    /// Says what deleting a tenant does, and with --yes marks it for deletion: its access goes at once, its account once
    /// an approver agrees.
    Delete(Delete),
    /// Agrees to a deletion that somebody else asked for: the account goes.
    Approve(Decision),
    /// Declines a deletion: the tenant stays, and its access comes back.
    Decline(Decision),
    /// Says what moving a tenant to another project would change, and with --yes moves it: it keeps its id, its account
    /// and its history; for operators.
    Move(Move),
    /// Forgets a tenant and leaves its account as it is; for operators.
    Purge(Purge),
    /// Answers what a tenant waits for: the code that AWS mailed to its account's new e-mail address.
    Answer(Answer),
    /// Has all accounts of an organization held against what is wished, and prints what differs.
    Survey(survey::Arguments),
    /// Sends an event that could not be delivered or handled to its function again; `get letters` shows them; for operators.
    Redrive(redrive::Arguments),
    /// Throws away an event that could not be delivered or handled and that nobody needs; for operators.
    Discard(discard::Arguments),
    /// Makes a tenant of an account that was there before.
    Adopt(adopt::Arguments),
    /// Restores tenants after the loss of the ledger, from what accounts say of whose they are and from the wishes.
    Rebuild(rebuild::Arguments),
    /// Checks documents without sending anything.
    Lint(Lint),
    /// Prints the JSON Schema of a kind, for editors.
    Schema(Schema),
    /// Checks whether the organization is ready for Landfall, and says what to do about what is not.
    Doctor(doctor::Arguments),
    /// Vends four tenants in a sandbox of its own, live, then ends it.
    Demo(demo::Arguments),
    /// An AWS Organization on this machine, to try everything in.
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    /// Prints a shell's completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// What the exit codes mean.
    #[command(name = "exit-codes", hide = true, long_about = crate::command::exit_codes::help())]
    ExitCodes,
}

/// Files and directories with documents.
#[derive(Args, Debug)]
pub struct Files {
    /// A file or a directory with YAML or JSON documents; `-` is standard input.
    #[arg(short, long = "file", required = true, num_args = 1.., value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
}

/// How long a command stays.
#[derive(Args, Clone, Debug)]
pub struct Waiting {
    /// Ends as soon as the wishes are taken.
    #[arg(long, overrides_with = "wait")]
    pub no_wait: bool,
    /// Stays until the tenants' runs have ended; the default.
    #[arg(long, overrides_with = "no_wait")]
    pub wait: bool,
    /// Stays no longer than this, as in `90s`, `30m`, `2h`.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<SignedDuration>,
}

/// Arguments of `apply`.
#[derive(Args, Debug)]
pub struct Apply {
    /// What to apply.
    #[command(flatten)]
    pub files: Files,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// Changes a tenant only if it still has this generation.
    #[arg(long, value_name = "GENERATION")]
    pub if_generation: Option<u64>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// What to plan.
    #[command(flatten)]
    pub files: Files,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// A kind of things as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Things {
    /// Wished-for accounts.
    #[value(alias = "tenant")]
    Tenants,
    /// What every tenant of them gets.
    #[value(alias = "landing-zone", alias = "landingzones", alias = "landingzone")]
    LandingZones,
    /// Organizations as Landfall sees them.
    #[value(alias = "platform")]
    Platforms,
    /// How far changed landing zones and platforms have come to their tenants; for operators.
    #[value(alias = "rollout")]
    Rollouts,
    /// What tenants wait for, since when; for operators.
    Awaited,
    /// Accounts of the organizations that are no tenant's.
    Unmanaged,
    /// What surveys of the organizations found.
    #[value(alias = "survey")]
    Surveys,
    /// Events that could not be delivered or handled; for operators.
    #[value(alias = "letter", alias = "dead-letters")]
    Letters,
}

/// Arguments of `get`.
#[derive(Args, Debug)]
pub struct Get {
    /// What to print.
    pub kind: Things,
    /// Only this one; a tenant's name is `<workspace>.<project>.<platform>`.
    pub name: Option<String>,
    /// Only tenants of this workspace; without it, all tenants, which operators may see.
    #[arg(short, long)]
    pub workspace: Option<String>,
    /// Tenants that are deleted, instead of those that are there.
    #[arg(long)]
    pub deleted: bool,
    /// Only tenants that are other than wished.
    #[arg(long)]
    pub drifted: bool,
    /// Only what should have come by now.
    #[arg(long)]
    pub overdue: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Arguments of `delete`.
#[derive(Args, Debug)]
pub struct Delete {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Marks it; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `approve` and `decline`.
#[derive(Args, Debug)]
pub struct Decision {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Why, in at most 255 characters; the tenant's history keeps it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub comment: String,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `move`.
#[derive(Args, Debug)]
pub struct Move {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Where it is to be.
    #[arg(long, value_name = "WORKSPACE.PROJECT")]
    pub to: String,
    /// Moves it; without this, only says what that would change.
    #[arg(long)]
    pub yes: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
    /// How the plan or the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Arguments of `purge`.
#[derive(Args, Debug)]
pub struct Purge {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// Forgets it; without this, only says what that does.
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `describe`.
#[derive(Args, Debug)]
pub struct Describe {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// With what only operators may read: operations, codes, request ids.
    #[arg(long)]
    pub operator: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Arguments of `watch`.
#[derive(Args, Debug)]
pub struct Watch {
    /// Names of tenants; without any, all of the workspace.
    pub names: Vec<String>,
    /// All tenants of this workspace.
    #[arg(short, long)]
    pub workspace: Option<String>,
    /// Stays no longer than this, as in `90s`, `30m`, `2h`.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<SignedDuration>,
}

/// Arguments of `history`.
#[derive(Args, Debug)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub struct History {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    #[arg(required = true)]
    pub name: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// All tenants' history instead of one's.
    #[command(subcommand)]
    pub all: Option<Histories>,
}

/// What is done with the history of all tenants.
#[derive(Debug, Subcommand)]
pub enum Histories {
    /// Prints the history of all tenants, deleted ones included, as JSON Lines; for operators and auditors.
    Export(history::Arguments),
}

/// Arguments of `replicate`.
#[derive(Args, Debug)]
pub struct Replicate {
    /// The tenants' names: `<workspace>.<project>.<platform>`.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `answer`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["otp", "resend"]))]
pub struct Answer {
    /// The tenant's name: `<workspace>.<project>.<platform>`.
    pub name: String,
    /// The code, six letters or digits.
    #[arg(long, value_name = "CODE")]
    pub otp: Option<String>,
    /// Has AWS mail another code.
    #[arg(long)]
    pub resend: bool,
    /// How long to stay.
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Arguments of `lint`.
#[derive(Args, Debug)]
pub struct Lint {
    /// Files and directories with YAML or JSON documents; `-` is standard input.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// How problems are printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// A kind of documents as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Documents {
    /// Wished-for accounts.
    #[value(alias = "tenant")]
    Tenants,
    /// What every tenant of them gets.
    #[value(alias = "landing-zone", alias = "landingzones", alias = "landingzone")]
    LandingZones,
    /// Organizations as Landfall sees them.
    #[value(alias = "platform")]
    Platforms,
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub struct Schema {
    /// The kind of documents.
    pub kind: Documents,
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
