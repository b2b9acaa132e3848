//! `landfall limits`: what holds creations back, and opening or closing a breaker.

use clap::{Args, Subcommand};
use tenant::{BreakerState, BreakerWish, LimitsView};

use super::Context;
use crate::arguments::Format;
use crate::exit::{Exit, Trouble};
use crate::show::{self, Paint};

/// Arguments of `limits`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do; without it, the limits are printed.
    #[command(subcommand)]
    pub act: Option<Act>,
    /// Only this platform's.
    pub platform: Option<String>,
    /// How they are printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Lets accounts be created again, and starts the tenants that were held back.
    CloseBreaker(Breaker),
    /// Lets no more accounts be created until the breaker is closed.
    OpenBreaker(Breaker),
}

/// Arguments of `limits close-breaker` and `limits open-breaker`.
#[derive(Args, Debug)]
pub struct Breaker {
    /// The platform's name.
    pub platform: String,
    /// Why, for the history.
    #[arg(short, long, value_name = "TEXT")]
    pub comment: String,
}

/// Prints the limits, or sets a breaker.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let (wanted, state) = match &arguments.act {
        None => return print(context, arguments).await,
        Some(Act::CloseBreaker(wanted)) => (wanted, BreakerState::Closed),
        Some(Act::OpenBreaker(wanted)) => (wanted, BreakerState::Open),
    };
    let wish = BreakerWish { state, comment: wanted.comment.clone() };
    let limits = context.api().await?.put_breaker(&wanted.platform, &wish).await?;
    context.terminal.print(show::limits(&limits, Paint::still(context.terminal.colours_results())));
    Ok(Exit::Ok)
}

async fn print(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let mut limits = context.api().await?.limits().await?;
    if let Some(platform) = &arguments.platform {
        limits.retain(|limits| limits.platform == *platform);
        if limits.is_empty() {
            let message = format!("there is no platform `{platform}`");
            return Err(Trouble::new(Exit::NotFound, message));
        }
    }
    let paint = Paint::still(context.terminal.colours_results());
    context.terminal.print(match arguments.output {
        Format::Table => text(&limits, paint),
        format => show::structured(format, &limits),
    });
    Ok(Exit::Ok)
}

fn text(limits: &[LimitsView], paint: Paint) -> String {
    let texts: Vec<String> = limits.iter().map(|limits| show::limits(limits, paint)).collect();
    texts.join("\n")
}
