//! Progress: a board that is drawn over itself on a terminal, and a line for each change elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;

use tenant::{Phase, StepState, TenantView};

use super::board::{age, board, label, lines, pause, place};
use super::paint::{Paint, word};
use super::{duration, elapsed};
use crate::terminal::Terminal;

/// Progress of several tenants.
#[derive(Debug)]
pub struct Live {
    terminal: Terminal,
    drawn: usize,
    frame: usize,
    told: HashMap<String, String>,
}

impl Live {
    /// Progress on a terminal, or in lines.
    #[must_use]
    pub fn new(terminal: &Terminal) -> Self {
        Self { terminal: terminal.clone(), drawn: 0, frame: 0, told: HashMap::new() }
    }

    /// Shows how things stand now.
    pub fn show(&mut self, tenants: &[TenantView]) {
        if !self.terminal.is_live() {
            for line in self.news(tenants) {
                self.terminal.say(line);
            }
            return;
        }
        let (height, width) = self.terminal.term().size();
        let (height, width) = (usize::from(height).max(3), usize::from(width).max(20));
        let paint = Paint { colours: self.terminal.colours_progress(), frame: self.frame };
        self.frame += 1;
        let mut lines = board(tenants, width, paint);
        if lines.len() >= height {
            lines = crowd(tenants, width, height, paint);
        }
        let mut picture = String::new();
        if self.drawn > 0 {
            let _ = write!(picture, "\u{1b}[{}A", self.drawn);
        }
        for line in &lines {
            let _ = write!(picture, "\u{1b}[2K{line}\r\n");
        }
        picture.push_str("\u{1b}[J");
        self.drawn = lines.len();
        let _ = self.terminal.term().write_str(&picture);
    }

    /// What is new since the last time, a line each.
    fn news(&mut self, tenants: &[TenantView]) -> Vec<String> {
        let mut lines = Vec::new();
        for tenant in tenants {
            for step in &tenant.steps {
                let remark = step.remark.as_deref().filter(|_| step.state != StepState::Done);
                let state = match remark {
                    Some(remark) => format!("{}: {remark}", word(step.state)),
                    None => word(step.state).to_owned(),
                };
                let key = format!("{} {} {}", tenant.name, label(step), tenant.run);
                let worth = !matches!(step.state, StepState::Pending | StepState::Running);
                if worth && self.told.insert(key, state.clone()).as_ref() != Some(&state) {
                    let taken = step.since.map(|since| elapsed(since, step.until, tenant.as_of));
                    let taken = taken.map(|taken| format!(" ({taken})")).unwrap_or_default();
                    lines.push(format!("{}  {}  {state}{taken}", tenant.name, label(step)));
                }
            }
            if let Some(queue) = &tenant.queue {
                let key = format!("{} queue {}", tenant.name, tenant.run);
                if self.told.insert(key, String::new()).is_none() {
                    lines.push(format!("{}  {}", tenant.name, place(queue, tenant.as_of)));
                }
            }
            if let Some(paused) = &tenant.paused {
                let key = format!("{} paused {}", tenant.name, tenant.run);
                if self.told.insert(key, String::new()).is_none() {
                    lines.push(format!("{}  {}", tenant.name, pause(paused)));
                }
            }
            let phase = tenant.phase.as_str().to_owned();
            if self.told.insert(tenant.name.clone(), phase.clone()).as_ref() != Some(&phase) {
                let after = match tenant.phase {
                    Phase::Requested => String::new(),
                    _ => format!(" after {}", duration(age(tenant))),
                };
                let why = tenant
                    .failed
                    .as_ref()
                    .map(|failed| format!(": {}: {}", failed.name, failed.remark));
                lines.push(format!("{}  {phase}{after}{}", tenant.name, why.unwrap_or_default()));
            }
        }
        lines
    }
}

/// More tenants than a screen holds: those at work, and how many have ended.
fn crowd(tenants: &[TenantView], width: usize, height: usize, paint: Paint) -> Vec<String> {
    let (ended, busy): (Vec<_>, Vec<_>) = tenants.iter().cloned().partition(TenantView::is_settled);
    let mut lines = lines(&busy, width, paint);
    let room = height - 2;
    let hidden = lines.len().saturating_sub(room);
    lines.truncate(room);
    let hidden = if hidden > 0 { format!(", {hidden} more are at work") } else { String::new() };
    lines.push(paint.dim(&format!("{} of {} have ended{hidden}", ended.len(), tenants.len())));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::tenant;
    use super::*;
    use crate::options::Colour;

    #[test]
    fn a_crowd_shows_who_is_at_work() {
        let ready = tenant("done", "Ready", &[("admit", None, "done", 1, 1)]);
        let busy = |name| tenant(name, "Replicating", &[("admit", None, "running", 1, 0)]);
        let lines = crowd(&[ready, busy("a"), busy("b"), busy("c")], 80, 4, Paint::still(false));
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("a.aws"), "{}", lines[0]);
        assert_eq!(lines[2], "1 of 4 have ended, 1 more are at work");
    }

    #[test]
    fn without_a_terminal_each_change_is_told_once() {
        let mut live = Live::new(&Terminal::new(Colour::Never));
        let running = tenant(
            "a.b",
            "Replicating",
            &[("admit", None, "done", 1, 1), ("create-account", None, "waiting", 2, 0)],
        );
        assert_eq!(
            live.news(std::slice::from_ref(&running)),
            [
                "a.b.aws  admit  done (1s)",
                "a.b.aws  create-account  waiting: the account (1m 28s)",
                "a.b.aws  Replicating after 1m 30s",
            ]
        );
        assert!(live.news(std::slice::from_ref(&running)).is_empty());
        let ready = tenant(
            "a.b",
            "Ready",
            &[("admit", None, "done", 1, 1), ("create-account", None, "done", 2, 40)],
        );
        assert_eq!(
            live.news(&[ready]),
            ["a.b.aws  create-account  done (40s)", "a.b.aws  Ready after 42s"]
        );
    }
}
