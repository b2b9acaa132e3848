//! Where output goes: results to standard output, progress and trouble to standard error, colours only where people
//! look.

use console::{Style, Term};

use crate::options::Colour;

/// Where output goes.
#[derive(Clone, Debug)]
pub struct Terminal {
    colour: Colour,
    results: Term,
    term: Term,
}

impl Terminal {
    /// The process's own output.
    #[must_use]
    pub fn new(colour: Colour) -> Self {
        Self { colour, results: Term::stdout(), term: Term::stderr() }
    }

    /// Whether progress may be drawn over itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.term.is_term() && self.term.features().is_attended() && !is_dumb()
    }

    /// The terminal that progress is drawn on.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// Whether results on standard output are coloured.
    #[must_use]
    pub fn colours_results(&self) -> bool {
        self.colours(&self.results)
    }

    /// Whether progress and trouble on standard error are coloured.
    #[must_use]
    pub fn colours_progress(&self) -> bool {
        self.colours(&self.term)
    }

    /// Prints a result.
    pub fn print(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        // A reader that has gone away, such as `head`, is no trouble.
        let _ = self.results.write_str(&format!("{text}{end}"));
    }

    /// Hands on a part of a long result; whether somebody still reads it.
    pub fn hand_on(&self, text: &str) -> std::io::Result<bool> {
        match self.results.write_str(text).and_then(|()| self.results.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true),
        }
    }

    /// Says something about the way to the result.
    pub fn say(&self, text: impl AsRef<str>) {
        let _ = self.term.write_line(text.as_ref().trim_end());
    }

    /// Says something of second rank.
    pub fn note(&self, text: impl AsRef<str>) {
        let style = Style::new().dim().force_styling(self.colours_progress());
        self.say(style.apply_to(text.as_ref()).to_string());
    }

    fn colours(&self, term: &Term) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                !is_dumb()
                    && term.is_term()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// Whether the terminal says that it can do nothing but print.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
