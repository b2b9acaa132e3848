//! Names from patterns: `aws+#{workspaceIdentifier}.#{projectIdentifier:%.7s}@example.com`.
//!
//! A placeholder may carry a Java format (`%-10s`, `%.7S`, `%03d`). Unknown placeholders and formats that don't fit
//! their value are refused when a pattern is read, never rendered as text.

mod format;
mod text;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::IdentifierLengths;

use format::Format;
pub use text::TextFormat;

/// What a pattern is filled with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// Strings by placeholder.
    pub texts: BTreeMap<String, String>,
    /// Whole numbers by placeholder.
    pub numbers: BTreeMap<String, i64>,
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    /// ASCII text of at most so many characters.
    Text(usize),
    /// A workspace's identifier.
    Workspace,
    /// A project's identifier.
    Project,
    /// A tag's value, which may have any letters.
    Tag,
    /// A whole number of at most so many digits.
    Number(usize),
}

/// What every pattern may name.
const PLACEHOLDERS: [(&str, Value); 6] = [
    ("workspaceIdentifier", Value::Workspace),
    ("projectIdentifier", Value::Project),
    ("meshProjectId", Value::Number(6)),
    ("platform", Value::Text(16)),
    ("rand", Value::Text(100)),
    ("tenantPlatformNumber", Value::Number(6)),
];
/// What patterns of groups may name besides: the role of the platform that the group stands for.
const GROUP_ALIAS: &str = "platformGroupAlias";
/// The most characters of the value of `platformGroupAlias`: a role's name, by IAM.
pub const LONGEST_GROUP_ALIAS: usize = 64;
/// The longest value of a tag that a placeholder `tagXxx` stands for.
const LONGEST_TAG: usize = 256;

/// A pattern that has been read and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Placeholder { name: String, value: Value, format: Format },
}

/// Why a pattern can't be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PatternError {
    /// A `#{` without its `}`.
    #[error("`#{{` at column {0} has no closing `}}`")]
    Unclosed(usize),
    /// A placeholder that nobody knows.
    #[error("`{name}` is no placeholder; known are {known}")]
    Unknown {
        /// The placeholder.
        name: String,
        /// What it could be.
        known: String,
    },
    /// A format that is none of Java's, or does not fit its value.
    #[error("`{format}` does not fit `{name}`: {rule}")]
    Format {
        /// The placeholder.
        name: String,
        /// The format as written.
        format: String,
        /// What would be right.
        rule: &'static str,
    },
}

/// `customerIdentifier` is the workspace's older name.
fn canonical(name: &str) -> &str {
    if name == "customerIdentifier" { "workspaceIdentifier" } else { name }
}

fn is_tag(name: &str) -> bool {
    name.strip_prefix("tag")
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

impl Pattern {
    /// Reads a pattern that names an account: its address, its name, its alias.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::read(text, &PLACEHOLDERS)
    }

    /// Reads a pattern that names groups, which may also mention `platformGroupAlias`.
    pub fn parse_for_groups(text: &str) -> Result<Self, PatternError> {
        let alias = (GROUP_ALIAS, Value::Text(LONGEST_GROUP_ALIAS));
        let placeholders: Vec<_> = PLACEHOLDERS.into_iter().chain([alias]).collect();
        Self::read(text, &placeholders)
    }

    fn read(text: &str, placeholders: &[(&str, Value)]) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("#{") {
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let inner = &rest[start + 2..];
            let column = text.len() - rest.len() + start + 1;
            let end = inner.find('}').ok_or(PatternError::Unclosed(column))?;
            parts.push(Part::placeholder(&inner[..end], placeholders)?);
            rest = &inner[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Fills the pattern; a value that is not given counts as empty, or as 0.
    #[must_use]
    pub fn render(&self, values: &Values) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Placeholder { name, value: Value::Number(_), format } => {
                let number = values.numbers.get(name).copied().unwrap_or_default();
                if format.is_number() {
                    format.number(number)
                } else {
                    format.text(&number.to_string())
                }
            }
            Part::Placeholder { name, format, .. } => {
                format.text(values.texts.get(name).map_or("", String::as_str))
            }
        };
        self.parts.iter().map(part).collect()
    }

    /// The most characters that the pattern can render to, where identifiers are as long as this.
    #[must_use]
    pub fn longest(&self, identifiers: IdentifierLengths) -> usize {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.chars().count(),
            Part::Placeholder { value, format, .. } => match value {
                Value::Text(longest) | Value::Number(longest) => format.longest(*longest, true),
                Value::Workspace => format.longest(identifiers.workspace, true),
                Value::Project => format.longest(identifiers.project, true),
                Value::Tag => format.longest(LONGEST_TAG, false),
            },
        };
        self.parts.iter().map(part).sum()
    }

    /// Whether the pattern names this placeholder.
    #[must_use]
    pub fn mentions(&self, placeholder: &str) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Placeholder { name, .. } if name == placeholder))
    }
}

impl Part {
    fn placeholder(inner: &str, placeholders: &[(&str, Value)]) -> Result<Self, PatternError> {
        let (name, written) = inner.split_once(':').unwrap_or((inner, "%s"));
        let name = canonical(name.trim());
        let known = placeholders.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let value = known.or_else(|| is_tag(name).then_some(Value::Tag)).ok_or_else(|| {
            let names: Vec<&str> = placeholders.iter().map(|(name, _)| *name).collect();
            let known = format!("{} and tag<Name>", names.join(", "));
            PatternError::Unknown { name: name.to_owned(), known }
        })?;
        let refuse =
            |rule| PatternError::Format { name: name.to_owned(), format: written.to_owned(), rule };
        let format = Format::parse(written).map_err(refuse)?;
        if format.is_number() && !matches!(value, Value::Number(_)) {
            return Err(refuse("%d is for whole numbers; use %s"));
        }
        Ok(Self::Placeholder { name: name.to_owned(), value, format })
    }
}

#[cfg(test)]
mod tests;
