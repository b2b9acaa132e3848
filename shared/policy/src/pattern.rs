//! Text patterns of the policy language: `*`, `?` and `${variables}`.

use crate::document::Error;
use crate::request::Context;

/// A compiled pattern; matching allocates only when variables or wildcards are in it.
#[derive(Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(Box<str>),
    Star,
    AnyOne,
    Variable { key: Box<str>, default: Option<Box<str>> },
}

/// What a pattern's text may contain besides itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// `${key}` and `${key, 'default'}` stand for values of the request.
    pub variables: bool,
    /// `*` and `?` stand for any text and any one character.
    pub wildcards: bool,
}

impl Pattern {
    /// Compiles `text`; errors name `path`.
    pub(crate) fn parse(text: &str, syntax: Syntax, path: &str) -> Result<Self, Error> {
        let mut parts = Parts::default();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if syntax.variables && rest.starts_with("${") {
                let end = rest
                    .find('}')
                    .ok_or_else(|| Error::new(path, format!("no closing brace in {text}")))?;
                parts.variable(&rest[2..end], path)?;
                rest = &rest[end + 1..];
                continue;
            }
            match next {
                '*' if syntax.wildcards => parts.star(),
                '?' if syntax.wildcards => parts.push(Part::AnyOne),
                other => parts.literal.push(other),
            }
            rest = &rest[next.len_utf8()..];
        }
        parts.flush();
        Ok(Self { parts: parts.done })
    }

    /// Whether this is the pattern `*`, the only one that matches a request without a resource.
    pub(crate) fn is_star(&self) -> bool {
        matches!(self.parts[..], [Part::Star])
    }

    /// Whether the pattern covers all of `text`; a variable without a value matches nothing.
    pub(crate) fn matches(&self, text: &str, context: &Context) -> bool {
        match &self.parts[..] {
            [] => text.is_empty(),
            [Part::Star] => true,
            [Part::Literal(literal)] => **literal == *text,
            parts => resolved(parts, context).is_some_and(|pieces| covers(&pieces, text)),
        }
    }

    /// The text of a pattern without wildcards, its variables replaced.
    pub(crate) fn text(&self, context: &Context) -> Option<String> {
        resolved(&self.parts, context)?
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => Some(literal),
                Piece::Star | Piece::AnyOne => None,
            })
            .collect()
    }
}

#[derive(Default)]
struct Parts {
    done: Vec<Part>,
    literal: String,
}

impl Parts {
    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.done.push(Part::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn push(&mut self, part: Part) {
        self.flush();
        self.done.push(part);
    }

    fn star(&mut self) {
        self.flush();
        if !matches!(self.done.last(), Some(Part::Star)) {
            self.done.push(Part::Star);
        }
    }

    fn variable(&mut self, inner: &str, path: &str) -> Result<(), Error> {
        if let "*" | "?" | "$" = inner {
            self.literal.push_str(inner);
            return Ok(());
        }
        let (key, default) = match inner.split_once(',') {
            None => (inner, None),
            Some((key, default)) => {
                let quoted =
                    default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                let default = quoted.ok_or_else(|| {
                    Error::new(path, format!("the default in ${{{inner}}} needs single quotes"))
                })?;
                (key, Some(default.into()))
            }
        };
        self.push(Part::Variable { key: key.trim().to_lowercase().into(), default });
        Ok(())
    }
}

/// A part whose variables have their values; wildcards inside values are plain text.
enum Piece<'a> {
    Literal(&'a str),
    Star,
    AnyOne,
}

fn resolved<'a>(parts: &'a [Part], context: &'a Context) -> Option<Vec<Piece<'a>>> {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(literal) => Some(Piece::Literal(literal)),
            Part::Star => Some(Piece::Star),
            Part::AnyOne => Some(Piece::AnyOne),
            Part::Variable { key, default } => {
                context.single(key).or(default.as_deref()).map(Piece::Literal)
            }
        })
        .collect()
}

/// Greedy matching that backs up to the last star only, so that it stays linear in practice.
fn covers(pieces: &[Piece], text: &str) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    loop {
        let taken = match pieces.get(piece) {
            None if at == text.len() => return true,
            None => None,
            Some(Piece::Star) => {
                piece += 1;
                if piece == pieces.len() {
                    return true;
                }
                last_star = Some((piece, at));
                continue;
            }
            Some(Piece::Literal(literal)) => {
                text[at..].starts_with(literal).then_some(literal.len())
            }
            Some(Piece::AnyOne) => text[at..].chars().next().map(char::len_utf8),
        };
        match (taken, last_star) {
            (Some(length), _) => {
                piece += 1;
                at += length;
            }
            (None, Some((after_star, from))) => {
                let Some(skipped) = text[from..].chars().next() else { return false };
                piece = after_star;
                at = from + skipped.len_utf8();
                last_star = Some((after_star, at));
            }
            (None, None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let context = Context::default().with("aws:username", "al*ce");
        let syntax = Syntax { variables: true, wildcards: true };
        Pattern::parse(pattern, syntax, "test").expect("a pattern").matches(text, &context)
    }

    #[test]
    fn a_star_expands_over_anything_and_backs_up() {
        assert!(matches("a*b*c", "axxbyybzzc"));
        assert!(!matches("a*b*c", "axxbyybzz"));
        assert!(matches("arn:aws:sqs:*", "arn:aws:sqs:eu-central-1:1:queue"));
        assert!(matches("*", ""));
    }

    #[test]
    fn a_question_mark_is_one_character_even_a_wide_one() {
        assert!(matches("a?c", "aöc"));
        assert!(!matches("a?c", "ac"));
    }

    #[test]
    fn a_wildcard_inside_a_value_is_plain_text() {
        assert!(matches("${aws:username}", "al*ce"));
        assert!(!matches("${aws:username}", "alice"));
        assert!(matches("home/${AWS:UserName}/*", "home/al*ce/x"));
    }

    #[test]
    fn a_variable_without_a_value_matches_nothing_unless_it_has_a_default() {
        assert!(!matches("${aws:PrincipalTag/team}*", "x"));
        assert!(matches("${aws:PrincipalTag/team, 'red'}", "red"));
        assert!(matches("${*}${?}${$}", "*?$"));
    }

    #[test]
    fn a_broken_variable_is_refused_where_it_stands() {
        let syntax = Syntax { variables: true, wildcards: true };
        let error = Pattern::parse("a${b", syntax, "Statement[0].Resource").expect_err("no brace");
        assert_eq!(error.to_string(), "Statement[0].Resource: no closing brace in a${b");
        assert!(Pattern::parse("${b, c}", syntax, "").is_err());
    }
}
