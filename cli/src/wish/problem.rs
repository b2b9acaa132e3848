//! A problem with the place where it stands.

use std::fmt::Write as _;

use console::Style;
use serde::Serialize;
use tenant::Problem;

use super::{Place, Source};

/// A problem in a file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    #[serde(flatten)]
    pub problem: Problem,
    #[serde(skip)]
    excerpt: String,
}

impl Found {
    /// A problem at a place of a file.
    #[must_use]
    pub fn new(source: &Source, place: Place, problem: Problem) -> Self {
        let excerpt =
            source.text.lines().nth(place.line - 1).unwrap_or_default().replace('\t', " ");
        Self { file: source.name.clone(), line: place.line, column: place.column, problem, excerpt }
    }

    /// The problem as a person reads it.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let style = |style: Style| style.force_styling(colours);
        let Problem { field, value, rule, remedy } = &self.problem;
        let error = style(Style::new().red().bold()).apply_to("error");
        let bar = style(Style::new().cyan());
        let margin = " ".repeat(self.line.to_string().len());
        let marker = "^".repeat(self.marked());
        let indent = " ".repeat(self.column - 1);
        let mut text = String::new();
        let _ = writeln!(text, "{error}: {field}: `{value}` {rule}");
        let _ = writeln!(
            text,
            "{margin}{} {}:{}:{}",
            bar.apply_to("-->"),
            self.file,
            self.line,
            self.column
        );
        let _ = writeln!(text, "{margin} {}", bar.apply_to("|"));
        let _ =
            writeln!(text, "{} {} {}", bar.apply_to(self.line), bar.apply_to("|"), self.excerpt);
        let _ = writeln!(text, "{margin} {} {indent}{}", bar.apply_to("|"), bar.apply_to(marker));
        let _ = writeln!(text, "{margin} {} {remedy}", bar.apply_to("="));
        text
    }

    /// How many characters of the excerpt the problem covers: its value, or the word that stands there.
    fn marked(&self) -> usize {
        let rest: String = self.excerpt.chars().skip(self.column - 1).collect();
        let quoted = rest.strip_prefix(['"', '\'']);
        if quoted.is_some_and(|rest| rest.starts_with(&self.problem.value)) {
            return self.problem.value.chars().count() + 2;
        }
        if rest.starts_with(&self.problem.value) {
            return self.problem.value.chars().count().max(1);
        }
        rest.chars().take_while(|one| !one.is_whitespace() && *one != ':').count().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_what_to_write() {
        let source = Source {
            name: "a.yaml".to_owned(),
            text: "kind: Tenant\ntags: {cost: 4711}\n".to_owned(),
        };
        let problem = Problem::new("spec.tags.cost", "4711", "is a number", "Put it in quotes.");
        let found = Found::new(&source, Place { line: 2, column: 14 }, problem);
        assert_eq!(
            found.render(false),
            "error: spec.tags.cost: `4711` is a number\n \
             --> a.yaml:2:14\n  |\n2 | tags: {cost: 4711}\n  |              ^^^^\n  = Put it in quotes.\n"
        );
        assert!(found.render(true).contains("\u{1b}[31m"));
    }
}
