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

use crate::api::Api;
use crate::arguments::{Command, Common, Format};
use crate::exit::{Exit, Trouble};
use crate::terminal::Terminal;

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
            Self::History(arguments) => arguments.output,
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
