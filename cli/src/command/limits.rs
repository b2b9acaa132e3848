//! `landfall limits`: what holds tenants back, opening or closing a breaker, pausing or resuming a platform.

use clap::{Args, Subcommand};
use tenant::{BreakerState, BreakerWish, LimitsView};

use super::Context;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
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
    /// Lets nothing begin on a platform: wishes are kept, runs that are under way end.
    Pause(Breaker),
    /// Lets everything that is due on a paused platform begin, and the breaker be what it was.
    Resume(Breaker),
}

/// Arguments of what is done to a breaker.
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
    let Some(act) = &arguments.act else { return print(context, arguments).await };
    let api = context.api().await?;
    let (wanted, state, seen) = match act {
        Act::CloseBreaker(wanted) => (wanted, BreakerState::Closed, None),
        Act::OpenBreaker(wanted) => (wanted, BreakerState::Open, None),
        Act::Pause(wanted) => (wanted, BreakerState::Paused, None),
        Act::Resume(wanted) => {
            let breaker = of_platform(&api, &wanted.platform).await?.breaker;
            (wanted, breaker.before_pause.unwrap_or(breaker.state), Some(breaker.version))
        }
    };
    let wish = BreakerWish { state, comment: wanted.comment.clone() };
    let limits = api.put_breaker(&wanted.platform, &wish, seen).await?;
    context.terminal.print(show::limits(&limits, Paint::still(context.terminal.colours_results())));
    Ok(Exit::Ok)
}

async fn of_platform(api: &Api, platform: &str) -> Result<LimitsView, Trouble> {
    let mut limits = api.limits().await?.into_iter();
    limits
        .find(|limits| limits.platform == platform)
        .ok_or_else(|| Trouble::new(Exit::NotFound, format!("there is no platform `{platform}`")))
}

async fn print(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let api = context.api().await?;
    let limits = match &arguments.platform {
        Some(platform) => vec![of_platform(&api, platform).await?],
        None => api.limits().await?,
    };
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
