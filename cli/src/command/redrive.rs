//! `landfall redrive ID` and `landfall redrive --all`: sends dead letters to their functions again.

use clap::Args;
use tenant::{LeftLetter, LetterView, RedrivenView};

use super::Context;
use crate::exit::{Exit, Trouble};
use crate::options::Format;
use crate::show::structured;

/// Arguments of `redrive`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["id", "all"]))]
pub struct Arguments {
    /// The letter's id, as `get letters` prints it.
    pub id: Option<String>,
    /// All letters that can be.
    #[arg(long)]
    pub all: bool,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

/// Sends one letter or all.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Trouble> {
    let api = context.api().await?;
    let mut sent = RedrivenView { redriven: Vec::new(), left: Vec::new(), more: false };
    if let Some(id) = &arguments.id {
        sent.redriven.push(api.redrive(id).await?);
    } else {
        loop {
            let some = api.redrive_some().await?;
            let advances = !some.redriven.is_empty();
            sent.redriven.extend(some.redriven);
            (sent.left, sent.more) = (some.left, some.more);
            // What is left comes back with each look.
            if !sent.more || !advances {
                break;
            }
        }
    }
    context.terminal.print(match arguments.output {
        Format::Table => text(&sent),
        format => structured(format, &sent),
    });
    Ok(if sent.left.is_empty() && !sent.more { Exit::Ok } else { Exit::Failed })
}

fn text(sent: &RedrivenView) -> String {
    let mut lines: Vec<String> = sent.redriven.iter().map(line).collect();
    lines.extend(
        sent.left
            .iter()
            .map(|LeftLetter { letter, reason }| format!("letter {}: left. {reason}", letter.id)),
    );
    if sent.more {
        lines.push(
            "There are more: see `landfall get letters`, discard what is left, and repeat."
                .to_owned(),
        );
    }
    if lines.is_empty() {
        lines.push("no letters wait".to_owned());
    }
    lines.join("\n")
}

fn line(letter: &LetterView) -> String {
    let function = letter.function.as_deref().unwrap_or_default();
    let about = letter.about.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
    format!("letter {}: sent to {function} again{about}", letter.id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_and_what_was_left_is_a_line_each() {
        let letter = |id: &str, redrivable: bool| {
            json!({"id": id, "since": "2026-01-01T12:00:00Z", "redrivable": redrivable, "text": "…",
                "function": "landfall-announce", "about": "Scheduled Event of aws.events"})
        };
        let sent = serde_json::from_value(json!({
            "redriven": [letter("a", true)], "more": false,
            "left": [{"letter": letter("b", false), "reason": "It names no function."}]
        }))
        .expect("an answer");
        assert_eq!(
            text(&sent),
            "letter a: sent to landfall-announce again (Scheduled Event of aws.events)\n\
             letter b: left. It names no function."
        );
        let nothing = RedrivenView { redriven: Vec::new(), left: Vec::new(), more: false };
        assert_eq!(text(&nothing), "no letters wait");
    }
}
