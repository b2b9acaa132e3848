//! Colours and signs of states.

use console::Style;
use tenant::{Phase, StepState};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether there are colours.
    pub colours: bool,
    /// Which picture of the spinner it is.
    pub frame: usize,
}

impl Paint {
    /// Paint without motion.
    #[must_use]
    pub fn still(colours: bool) -> Self {
        Self { colours, frame: 0 }
    }

    fn with(self, style: Style, text: &str) -> String {
        style.force_styling(self.colours).apply_to(text).to_string()
    }

    /// Text of second rank.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dim(), text)
    }

    /// Text that leads.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// Good news.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with(Style::new().green(), text)
    }

    /// Bad news.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with(Style::new().red(), text)
    }

    /// What is not as wished for though nothing has failed.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.with(Style::new().yellow(), &format!("! {text}"))
    }

    /// A phase.
    #[must_use]
    pub fn phase(self, phase: Phase) -> String {
        let style = match phase {
            Phase::Ready => Style::new().green(),
            Phase::Failed => Style::new().red(),
            Phase::Waiting => Style::new().yellow(),
            Phase::Requested | Phase::Replicating => Style::new().cyan(),
            Phase::MarkedForDeletion => Style::new().magenta(),
            Phase::Deleted => Style::new().dim(),
        };
        self.with(style, phase.as_str())
    }

    /// The sign of a step's state.
    #[must_use]
    pub fn sign(self, state: StepState) -> String {
        match state {
            StepState::Pending => self.dim("·"),
            StepState::Running => {
                self.with(Style::new().cyan(), SPINNER[self.frame % SPINNER.len()])
            }
            StepState::Waiting => self.with(Style::new().yellow(), "◷"),
            StepState::Done => self.good("✓"),
            StepState::Failed => self.bad("✗"),
            StepState::Planned => self.with(Style::new().yellow(), "~"),
        }
    }
}

/// A step's state in a word.
#[must_use]
pub fn word(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Waiting => "waiting",
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Planned => "planned",
    }
}
