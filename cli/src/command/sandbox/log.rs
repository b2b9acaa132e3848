//! `landfall sandbox log [--follow]`: the AWS calls that were made.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::{Context, Control, State};
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::Paint;

/// Arguments of `sandbox log`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Goes on with calls as they are made.
    #[arg(short, long)]
    follow: bool,
    /// Only calls after this position.
    #[arg(long, default_value_t = 0, value_name = "SEQ")]
    since: u64,
    /// How calls are printed; JSON is one line for each.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

/// Prints calls.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let control = Control::new(&State::load()?.endpoint);
    let paint = Paint::still(context.terminal.colours_results());
    let mut since = arguments.since;
    loop {
        for call in control.log(since).await? {
            since = since.max(call["seq"].as_u64().unwrap_or(since));
            match arguments.output {
                Format::Table => context.terminal.print(line(&call, paint)),
                Format::Json | Format::Yaml => context.terminal.print(call.to_string()),
            }
        }
        if !arguments.follow {
            return Ok(Exit::Ok);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn line(call: &Value, paint: Paint) -> String {
    let text = |name: &str| call[name].as_str().unwrap_or("-");
    let who = call["step"].as_str().or_else(|| text("principal").rsplit('/').next()).unwrap_or("-");
    let status = call["status"].as_u64().unwrap_or(0);
    let outcome = match call["error"].as_str() {
        Some(error) => paint.bad(&format!("{status} {error}")),
        None => paint.good(&status.to_string()),
    };
    let mut line = format!(
        "{:>6}  {:.19}  {who:<22}  {:<44}  {outcome}",
        call["seq"].as_u64().unwrap_or(0),
        text("at"),
        text("action")
    );
    if text("decision").starts_with("denied") {
        let _ = write!(line, "  {}", paint.bad(text("decision")));
    }
    if let Some(fault) = call["fault"].as_str() {
        let _ = write!(line, "  fault: {fault}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_line() {
        let call = serde_json::json!({
            "seq": 7, "at": "2026-01-01T00:00:00.000Z", "step": "place-account",
            "action": "organizations:MoveAccount", "status": 400, "error": "ConcurrentModificationException",
            "decision": "allowed", "fault": "throttle"
        });
        let expected = "     7  2026-01-01T00:00:00  place-account           organizations:MoveAccount                     \
                        400 ConcurrentModificationException  fault: throttle";
        assert_eq!(line(&call, Paint::still(false)), expected);
    }
}
