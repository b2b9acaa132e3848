//! Where output goes: results to standard output, progress and trouble to standard error, colours only where people
//! look.

use std::io::{IsTerminal as _, Write as _};

use console::{Style, Term};

use crate::arguments::Colour;

/// Where output goes.
#[derive(Clone, Debug)]
pub struct Terminal {
    colour: Colour,
    term: Term,
}

impl Terminal {
    /// The process's own output.
    #[must_use]
    pub fn new(colour: Colour) -> Self {
        Self { colour, term: Term::stderr() }
    }

    /// Whether progress may be drawn over itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.term.is_term() && self.term.features().is_attended()
    }

    /// The terminal that progress is drawn on.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// Whether results on standard output are coloured.
    #[must_use]
    pub fn colours_results(&self) -> bool {
        self.colours(std::io::stdout().is_terminal())
    }

    /// Whether progress and trouble on standard error are coloured.
    #[must_use]
    pub fn colours_progress(&self) -> bool {
        self.colours(std::io::stderr().is_terminal())
    }

    /// Prints a result.
    pub fn print(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        // A reader that has gone away, such as `head`, is no trouble.
        let _ = write!(std::io::stdout(), "{text}{end}");
    }

    /// Says something about the way to the result.
    pub fn say(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", text.as_ref().trim_end());
    }

    /// Says something of second rank.
    pub fn note(&self, text: impl AsRef<str>) {
        let style = Style::new().dim().force_styling(self.colours_progress());
        self.say(style.apply_to(text.as_ref()).to_string());
    }

    fn colours(&self, is_terminal: bool) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}
