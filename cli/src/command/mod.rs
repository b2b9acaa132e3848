//! The commands, one file each.

pub mod adopt;
mod answer;
mod apply;
mod completions;
mod decide;
mod delete;
pub mod demo;
mod describe;
pub mod discard;
pub mod doctor;
pub mod exit_codes;
mod follow;
mod get;
pub mod history;
pub mod limits;
mod lint;
mod r#move;
mod plan;
mod purge;
pub mod rebuild;
pub mod redrive;
mod replicate;
pub mod rollout;
pub mod sandbox;
mod schema;
pub mod survey;
mod watch;

use clap::Subcommand;
use clap_complete::Shell;

use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::options::{Common, Format};
use crate::terminal::Terminal;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Applies documents: platforms, landing zones, then tenants; shows the tenants' steps until they have ended.
    Apply(apply::Arguments),
    /// Says what applying these tenants would change in AWS, and changes nothing.
    Plan(plan::Arguments),
    /// Prints tenants, landing zones, platforms, or what operators look after.
    Get(get::Arguments),
    /// Prints all that is known about one tenant.
    Describe(describe::Arguments),
    /// Shows tenants' steps live until all have ended.
    Watch(watch::Arguments),
    /// Prints what happened to a tenant, a landing zone or a platform, and who caused it.
    History(history::Arguments),
    /// Replicates tenants now, without any change of their wish.
    Replicate(replicate::Arguments),
    /// Prints what holds tenants back: the breaker, the daily number, the queue; sets a breaker, pauses a platform.
    Limits(limits::Arguments),
    /// Stops, resumes or abandons the roll-out of a changed landing zone or platform; `get rollouts` shows them.
    #[command(subcommand)]
    Rollout(rollout::Act),
    /// Says what deleting a tenant does, and with --yes marks it for deletion: its access goes at once, its account once
    /// an approver agrees. Does so with all tenants of a project. Deletes landing zones and platforms that nobody uses.
    Delete(delete::Arguments),
    /// Agrees to a deletion that somebody else asked for: the account goes.
    Approve(decide::Arguments),
    /// Declines a deletion: the tenant stays, and its access comes back.
    Decline(decide::Arguments),
    /// Says what moving a tenant to another project would change, and with --yes moves it: it keeps its id, its account
    /// and its history; for operators.
    Move(r#move::Arguments),
    /// Forgets a tenant and leaves its account as it is; for operators.
    Purge(purge::Arguments),
    /// Answers what a tenant waits for: the code that AWS mailed to its account's new e-mail address.
    Answer(answer::Arguments),
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
    Lint(lint::Arguments),
    /// Prints the JSON Schema of a kind, for editors.
    Schema(schema::Arguments),
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
    #[command(name = "exit-codes", hide = true, long_about = exit_codes::help())]
    ExitCodes,
}

/// What every command works with.
#[derive(Clone, Debug)]
pub struct Context {
    /// What the user wrote for every command.
    pub common: Common,
    /// Where output goes.
    pub terminal: Terminal,
}

impl Context {
    /// The conversation with Landfall.
    pub async fn api(&self) -> Result<Api, Trouble> {
        Api::connect(&self.common).await
    }
}

impl Command {
    /// How the command prints its result and its trouble.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Apply(arguments) => arguments.output,
            Self::Plan(arguments) => arguments.output,
            Self::Get(arguments) => arguments.output,
            Self::Describe(arguments) => arguments.output,
            Self::History(arguments) => arguments.output(),
            Self::Lint(arguments) => arguments.output,
            Self::Doctor(arguments) => arguments.output,
            Self::Limits(arguments) => arguments.output,
            Self::Survey(arguments) => arguments.output,
            Self::Redrive(arguments) => arguments.output,
            Self::Discard(arguments) => arguments.output,
            Self::Adopt(arguments) => arguments.output,
            Self::Rebuild(arguments) => arguments.output,
            Self::Move(arguments) => arguments.output,
            _ => Format::Table,
        }
    }
}

/// Does one command.
pub async fn run(context: Context, command: Command) -> Result<Exit, Trouble> {
    match command {
        Command::Apply(arguments) => apply::run(&context, &arguments).await,
        Command::Plan(arguments) => plan::run(&context, &arguments).await,
        Command::Get(arguments) => get::run(&context, &arguments).await,
        Command::Describe(arguments) => describe::run(&context, &arguments).await,
        Command::Watch(arguments) => watch::run(&context, &arguments).await,
        Command::History(arguments) => history::run(&context, &arguments).await,
        Command::Replicate(arguments) => replicate::run(&context, &arguments).await,
        Command::Limits(arguments) => limits::run(&context, &arguments).await,
        Command::Rollout(act) => rollout::run(&context, &act).await,
        Command::Delete(arguments) => delete::run(&context, &arguments).await,
        Command::Approve(arguments) => decide::run(&context, &arguments, true).await,
        Command::Decline(arguments) => decide::run(&context, &arguments, false).await,
        Command::Move(arguments) => r#move::run(&context, &arguments).await,
        Command::Purge(arguments) => purge::run(&context, &arguments).await,
        Command::Answer(arguments) => answer::run(&context, &arguments).await,
        Command::Survey(arguments) => survey::run(&context, &arguments).await,
        Command::Redrive(arguments) => redrive::run(&context, &arguments).await,
        Command::Discard(arguments) => discard::run(&context, &arguments).await,
        Command::Adopt(arguments) => adopt::run(&context, &arguments).await,
        Command::Rebuild(arguments) => rebuild::run(&context, &arguments).await,
        Command::Lint(arguments) => lint::run(&context, &arguments),
        Command::Schema(arguments) => Ok(schema::run(&context, &arguments)),
        Command::Doctor(arguments) => doctor::run(&context, &arguments).await,
        Command::Demo(arguments) => demo::run(&context, &arguments).await,
        Command::Sandbox(command) => sandbox::run(&context, command).await,
        Command::Completions { shell } => Ok(completions::run(&context, shell)),
        Command::ExitCodes => Ok(exit_codes::run(&context)),
    }
}
