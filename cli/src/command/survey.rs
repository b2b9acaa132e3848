//! `landfall survey PLATFORM`: has all accounts of an organization held against what is wished.

use std::time::{Duration, Instant};

use clap::Args;
use jiff::SignedDuration;

use super::Context;
use crate::api::Api;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::{self, Paint};

const PAUSE: Duration = Duration::from_millis(500);

/// Arguments of `survey`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The platform's name.
    pub platform: String,
    /// Ends as soon as the survey is asked for, which takes minutes.
    #[arg(long)]
    pub no_wait: bool,
    /// Stays no longer than this, as in `90s`, `30m`, `2h`; the survey goes on.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub timeout: SignedDuration,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Asks for a survey, and prints what it found.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let api = context.api().await?;
    let mut view = api.post_survey(&arguments.platform).await?;
    let asked = view.as_of;
    let (began, longest) =
        (Instant::now(), Duration::try_from(arguments.timeout).unwrap_or_default());
    if arguments.no_wait {
        context.terminal.say(format!("survey of {}: asked for", arguments.platform));
        return Ok(Exit::Ok);
    }
    // One that was under way before was not asked for now, and may have passed what is to be seen.
    while view.ended.first().is_none_or(|last| last.since < asked) {
        if began.elapsed() >= longest {
            context
                .terminal
                .say("The survey has not ended; `landfall get surveys` shows it once it has.");
            return Ok(Exit::Unfinished);
        }
        tokio::time::sleep(PAUSE).await;
        view = found(&api, &arguments.platform).await?;
    }
    view.ended.truncate(1);
    context.terminal.print(match arguments.output {
        Format::Table => show::surveys(&[view], Paint::still(context.terminal.colours_results())),
        format => show::structured(format, &view),
    });
    Ok(Exit::Ok)
}

async fn found(api: &Api, platform: &str) -> Result<tenant::SurveyView, Trouble> {
    let all = api.surveys().await?;
    all.into_iter()
        .find(|view| view.platform == platform)
        .ok_or_else(|| Trouble::new(Exit::NotFound, format!("there is no platform `{platform}`")))
}
