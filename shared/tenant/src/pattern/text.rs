//! A text with one place in it: `%s@example.com`.

use super::{PatternError, format::Format};

/// A Java format of one text; a per cent sign is written `%%`.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFormat {
    before: String,
    format: Format,
    after: String,
}

impl TextFormat {
    /// Reads a format.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        const ONE: &str = "write one %s or %S";
        let refuse = |rule| PatternError::Format {
            name: "the user".to_owned(),
            format: text.to_owned(),
            rule,
        };
        let hidden = text.replace("%%", "\u{0}");
        let shown = |part: &str| part.replace('\u{0}', "%");
        let (before, rest) = hidden.split_once('%').ok_or_else(|| refuse(ONE))?;
        let letter = rest.find(|one: char| one.is_ascii_alphabetic()).ok_or_else(|| refuse(ONE))?;
        let (written, after) = rest.split_at(letter + 1);
        let format = Format::parse(&format!("%{written}")).map_err(refuse)?;
        if format.is_number() || after.contains('%') {
            return Err(refuse(ONE));
        }
        Ok(Self { before: shown(before), format, after: shown(after) })
    }

    /// Fills the format.
    #[must_use]
    pub fn render(&self, value: &str) -> String {
        format!("{}{}{}", self.before, self.format.text(value), self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_one_place_for_its_text() {
        let render = |format| TextFormat::parse(format).expect("a format").render("ada");
        assert_eq!(
            ["%s", "%s@example.com", "%S", "100%%-%.2s"].map(render),
            ["ada", "ada@example.com", "ADA", "100%-ad"]
        );
        for wrong in ["", "ada", "%d", "%s%s", "%", "%03s", "%%s"] {
            assert!(TextFormat::parse(wrong).is_err(), "{wrong}");
        }
    }
}
