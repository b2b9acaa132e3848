//! How a command ends: documented exit codes, and what is said when it does not end well.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use tenant::Problems;

use crate::wish::Found;

/// How a command ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// All is as wished.
    Ok,
    /// What was asked for failed.
    Failed,
    /// The command line or a document can't be used; nothing was sent or changed.
    BadInput,
    /// The caller may not do this.
    NotAllowed,
    /// Somebody else was faster, or two wishes exclude each other.
    Conflict,
    /// Landfall or AWS can't be reached.
    NotReachable,
    /// There is no such thing.
    NotFound,
    /// Something is still awaited, or the time allowed has passed; the work goes on without the command.
    Unfinished,
}

impl Exit {
    /// All exits with the code and the meaning that users read.
    pub const ALL: [(Self, u8, &'static str, &'static str); 8] = [
        (Self::Ok, 0, "ok", "all is as wished"),
        (Self::Failed, 1, "failed", "what was asked for failed: a tenant, a plan, a check"),
        (
            Self::BadInput,
            2,
            "bad input",
            "the command line or a document can't be used; nothing was changed",
        ),
        (Self::NotAllowed, 3, "not allowed", "the credentials are missing, or may not do this"),
        (Self::Conflict, 4, "conflict", "somebody else changed it in the meantime; read it again"),
        (Self::NotReachable, 5, "not reachable", "Landfall's API or AWS does not answer"),
        (
            Self::NotFound,
            6,
            "not found",
            "there is no such tenant, landing zone, platform or account",
        ),
        (
            Self::Unfinished,
            7,
            "not finished",
            "something is still awaited, or --timeout has passed; the work goes on",
        ),
    ];

    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        Self::ALL.iter().find(|(exit, ..)| *exit == self).map_or(1, |(_, code, ..)| *code)
    }

    /// The exit that an HTTP status asks for.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::NotAllowed,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            400 | 405 | 413 | 415 | 422 => Self::BadInput,
            429 | 500.. => Self::NotReachable,
            _ => Self::Failed,
        }
    }

    /// The table of `landfall help exit-codes`.
    #[must_use]
    pub fn table() -> String {
        let line = |(_, code, name, meaning): &(Self, u8, &str, &str)| {
            format!("{code}  {name:<14} {meaning}\n")
        };
        Self::ALL.iter().map(line).collect()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command does not end well.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// How the command ends.
    pub exit: Exit,
    message: String,
    found: Vec<Found>,
    answer: Option<Problems>,
}

#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
    #[serde(rename = "exitCode")]
    exit_code: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<serde_json::Value>,
}

impl Trouble {
    /// Trouble in a sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), found: Vec::new(), answer: None }
    }

    /// Problems in files.
    #[must_use]
    pub fn problems(found: Vec<Found>) -> Self {
        let message = match found.len() {
            1 => "1 problem; nothing was sent".to_owned(),
            many => format!("{many} problems; nothing was sent"),
        };
        Self { found, ..Self::new(Exit::BadInput, message) }
    }

    /// What the API said about something.
    #[must_use]
    pub fn answer(about: &str, answer: Problems) -> Self {
        let message = format!("{about}: {}", answer.detail);
        let exit = Exit::of_status(answer.status);
        Self { answer: Some(answer), ..Self::new(exit, message) }
    }

    /// The same, named for what it is about.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        if let Some(answer) = &self.answer {
            self.message = format!("{about}: {}", answer.detail);
        }
        self
    }

    /// The trouble in one line: all that is to be mended, if that is known.
    #[must_use]
    pub fn reason(&self) -> String {
        let problems = self.answer.iter().flat_map(|answer| &answer.problems);
        let problems: Vec<String> = problems.map(ToString::to_string).collect();
        if problems.is_empty() { self.message.clone() } else { problems.join(" ") }
    }

    /// The trouble as a person reads it, on standard error.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let mut text: String =
            self.found.iter().map(|found| found.render(colours) + "\n").collect();
        let error = console::Style::new().red().bold().force_styling(colours).apply_to("error");
        let _ = writeln!(text, "{error}: {}", self.message);
        for problem in self.answer.iter().flat_map(|answer| &answer.problems) {
            let _ = writeln!(text, "  {problem}");
        }
        text
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn plain(&self) -> String {
        let problems = self.answer.iter().flat_map(|answer| &answer.problems);
        let problems: Vec<String> = problems.map(ToString::to_string).collect();
        if problems.is_empty() { self.message.clone() } else { problems.join("; ") }
    }

    /// The trouble as a program reads it.
    #[must_use]
    pub fn json(&self) -> String {
        let of_files = self.found.iter().map(serde_json::to_value);
        let of_answer =
            self.answer.iter().flat_map(|answer| &answer.problems).map(serde_json::to_value);
        let told = Told {
            error: &self.message,
            exit_code: self.exit.code(),
            problems: of_files.chain(of_answer).filter_map(Result::ok).collect(),
        };
        serde_json::to_string_pretty(&told).unwrap_or_default()
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_has_its_own_code() {
        for (index, (exit, code, ..)) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(*code), index);
            assert_eq!(exit.code(), *code);
        }
    }

    #[test]
    fn the_status_of_an_answer_decides_the_exit() {
        let exits =
            [403, 404, 409, 412, 413, 422, 503].map(|status| Exit::of_status(status).code());
        assert_eq!(exits, [3, 6, 4, 4, 2, 2, 5]);
    }
}
