//! Names from patterns: `aws+#{workspaceIdentifier}.#{projectIdentifier:%.7s}@example.com`.
//!
//! A placeholder may carry a Java format (`%-10s`, `%.7S`, `%03d`). Unknown placeholders and formats that don't fit
//! their value are refused when a pattern is read, never rendered as text.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;

/// What a pattern is filled with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// Strings by placeholder.
    pub texts: BTreeMap<String, String>,
    /// Whole numbers by placeholder.
    pub numbers: BTreeMap<String, i64>,
}

/// Placeholders that stand for text, with the longest value each can have.
const TEXTS: [(&str, usize); 4] =
    [("workspaceIdentifier", 16), ("projectIdentifier", 30), ("platform", 16), ("rand", 100)];
/// Placeholders that stand for a whole number, with the most digits each can have.
const NUMBERS: [(&str, usize); 1] = [("tenantPlatformNumber", 6)];
/// The longest value of a tag that a placeholder `tagXxx` stands for.
const LONGEST_TAG: usize = 255;

/// A pattern that has been read and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Placeholder { name: String, format: Format },
}

#[expect(clippy::struct_excessive_bools, reason = "Java's flags are four")]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    conversion: Conversion,
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Conversion {
    Text,
    UpperText,
    Number,
}

/// Why a pattern can't be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PatternError {
    /// A `#{` without its `}`.
    #[error("`#{{` at column {0} has no closing `}}`")]
    Unclosed(usize),
    /// A placeholder that nobody knows.
    #[error("`{0}` is no placeholder; known are {known}", known = known())]
    Unknown(String),
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

fn known() -> String {
    let names: Vec<&str> = TEXTS.iter().chain(&NUMBERS).map(|(name, _)| *name).collect();
    format!("{} and tag<Name>", names.join(", "))
}

/// `customerIdentifier` is the workspace's older name.
fn canonical(name: &str) -> &str {
    if name == "customerIdentifier" { "workspaceIdentifier" } else { name }
}

fn longest_value(name: &str) -> Option<usize> {
    let known =
        TEXTS.iter().chain(&NUMBERS).find(|(text, _)| *text == name).map(|(_, longest)| *longest);
    known.or_else(|| is_tag(name).then_some(LONGEST_TAG))
}

fn is_tag(name: &str) -> bool {
    name.strip_prefix("tag")
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("#{") {
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let inner = &rest[start + 2..];
            let column = text.len() - rest.len() + start + 1;
            let end = inner.find('}').ok_or(PatternError::Unclosed(column))?;
            parts.push(Part::placeholder(&inner[..end])?);
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
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Placeholder { name, format } if format.conversion == Conversion::Number => {
                    format.number(values.numbers.get(name).copied().unwrap_or_default())
                }
                Part::Placeholder { name, format } => {
                    let text = values.texts.get(name).cloned().unwrap_or_else(|| {
                        values.numbers.get(name).map(i64::to_string).unwrap_or_default()
                    });
                    format.text(&text)
                }
            })
            .collect()
    }

    /// The most characters that the pattern can render to.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.chars().count(),
                Part::Placeholder { name, format } => {
                    let value = longest_value(name).unwrap_or(LONGEST_TAG);
                    let sign = usize::from(format.plus || format.space);
                    let shown = format.precision.map_or(value, |precision| value.min(precision));
                    (shown + sign).max(format.width)
                }
            })
            .sum()
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
    fn placeholder(inner: &str) -> Result<Self, PatternError> {
        let (name, written) =
            inner.split_once(':').map_or((inner, "%s"), |(name, format)| (name, format));
        let name = canonical(name.trim());
        if longest_value(name).is_none() {
            return Err(PatternError::Unknown(name.to_owned()));
        }
        let refuse =
            |rule| PatternError::Format { name: name.to_owned(), format: written.to_owned(), rule };
        let format = Format::parse(written).map_err(refuse)?;
        let is_number = NUMBERS.iter().any(|(number, _)| *number == name);
        if format.conversion == Conversion::Number && !is_number {
            return Err(refuse("%d is for whole numbers; use %s"));
        }
        Ok(Self::Placeholder { name: name.to_owned(), format })
    }
}

impl Format {
    /// Reads `%[flags][width][.precision](s|S|d)`.
    fn parse(written: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "write %[-0+ ][width][.precision] and then s, S or d";
        let body = written.strip_prefix('%').ok_or(SHAPE)?;
        let mut format = Self {
            conversion: Conversion::Text,
            left: false,
            zero: false,
            plus: false,
            space: false,
            width: 0,
            precision: None,
        };
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let flags = body.bytes().take_while(|byte| b"-0+ ".contains(byte)).count();
        for flag in body[..flags].bytes() {
            let seen = match flag {
                b'-' => &mut format.left,
                b'0' => &mut format.zero,
                b'+' => &mut format.plus,
                _ => &mut format.space,
            };
            if std::mem::replace(seen, true) {
                return Err("a flag stands there twice");
            }
        }
        let mut rest = &body[flags..];
        let width = digits(rest);
        if width > 0 {
            format.width = rest[..width].parse().map_err(|_| SHAPE)?;
            rest = &rest[width..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            let precision = digits(after);
            format.precision = Some(after[..precision].parse().map_err(|_| SHAPE)?);
            rest = &after[precision..];
        }
        format.conversion = match rest {
            "s" => Conversion::Text,
            "S" => Conversion::UpperText,
            "d" => Conversion::Number,
            _ => return Err(SHAPE),
        };
        let number = format.conversion == Conversion::Number;
        if format.width > 255 {
            return Err("a width is 255 at most");
        } else if number && format.precision.is_some() {
            return Err("%d takes no precision");
        } else if !number && (format.zero || format.plus || format.space) {
            return Err("0, + and space are for %d");
        } else if (format.left || format.zero) && format.width == 0 {
            return Err("- and 0 need a width");
        } else if (format.left && format.zero) || (format.plus && format.space) {
            return Err("these flags exclude each other");
        }
        Ok(format)
    }

    fn text(&self, value: &str) -> String {
        let shown: String = value.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let shown =
            if self.conversion == Conversion::UpperText { shown.to_uppercase() } else { shown };
        self.pad(shown)
    }

    fn number(&self, value: i64) -> String {
        let sign = match value {
            ..0 => "-",
            _ if self.plus => "+",
            _ if self.space => " ",
            _ => "",
        };
        let digits = value.unsigned_abs().to_string();
        let fill = if self.zero { self.width.saturating_sub(sign.len() + digits.len()) } else { 0 };
        self.pad(format!("{sign}{}{digits}", "0".repeat(fill)))
    }

    fn pad(&self, shown: String) -> String {
        let width = self.width;
        if self.left { format!("{shown:<width$}") } else { format!("{shown:>width$}") }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.texts.keys().chain(self.numbers.keys()).collect();
        write!(formatter, "{names:?}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        Values {
            texts: [
                ("workspaceIdentifier", "my-workspace"),
                ("projectIdentifier", "my-project"),
                ("tagProjectOwner", "Ada"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            numbers: [("tenantPlatformNumber".to_owned(), 4)].into(),
        }
    }

    fn render(pattern: &str) -> String {
        Pattern::parse(pattern).expect("a pattern").render(&values())
    }

    #[test]
    fn the_documented_example_renders_as_documented() {
        let pattern =
            "#{workspaceIdentifier}.#{projectIdentifier:%.7s}-test.#{tenantPlatformNumber:%03d}";
        assert_eq!(render(pattern), "my-workspace.my-proj-test.004");
    }

    #[test]
    fn java_formats_pad_cut_and_raise() {
        assert_eq!(render("[#{projectIdentifier:%-12s}]"), "[my-project  ]");
        assert_eq!(render("[#{projectIdentifier:%12.2S}]"), "[          MY]");
        assert_eq!(render("#{tenantPlatformNumber:%+05d}"), "+0004");
        assert_eq!(render("#{tenantPlatformNumber:% d}"), " 4");
        assert_eq!(render("#{customerIdentifier}#{tagProjectOwner}"), "my-workspaceAda");
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for wrong in [
            "#{nobody}",
            "#{workspaceIdentifier",
            "#{workspaceIdentifier:%d}",
            "#{workspaceIdentifier:%05s}",
            "#{tenantPlatformNumber:%.2d}",
            "#{projectIdentifier:%-s}",
            "#{projectIdentifier:s}",
            "#{projectIdentifier:%x}",
            "#{tagproject}",
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_input_renders_longer_than_the_longest(
            workspace in "[a-z]{1,16}", project in "[a-z]{1,30}", number in 0i64..999_999,
            width in 0usize..40, precision in 1usize..40,
        ) {
            let text = format!(
                "a+#{{workspaceIdentifier:%{}.{precision}s}}.#{{projectIdentifier}}#{{tenantPlatformNumber:%03d}}@x.io",
                if width == 0 { String::new() } else { width.to_string() }
            );
            let pattern = Pattern::parse(&text).expect("a pattern");
            let values = Values {
                texts: [("workspaceIdentifier".to_owned(), workspace), ("projectIdentifier".to_owned(), project)].into(),
                numbers: [("tenantPlatformNumber".to_owned(), number)].into(),
            };
            prop_assert!(pattern.render(&values).chars().count() <= pattern.longest());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            let _ = Pattern::parse(&text);
        }
    }
}
