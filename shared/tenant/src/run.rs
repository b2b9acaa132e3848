//! One run of a replication: the ticket that travels, and what a step answers.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Brings AWS to what the tenant wishes.
    #[default]
    Replicate,
    /// Takes the tenant away: its people first, then its account.
    Remove,
    /// Looks and plans; its sessions can't change anything.
    Plan,
}

/// All that travels through the state machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ticket {
    /// The tenant's id; in mode plan, the plan's.
    pub tenant: Uuid,
    /// Which run of the tenant this is.
    pub run: u64,
    /// What the run is for.
    pub mode: Mode,
    /// Which of several alike parts a step works on: the name of a StackSet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

impl Mode {
    /// Whether it is the mode of a tenant that nobody wished away.
    #[must_use]
    pub fn is_replicate(&self) -> bool {
        *self == Self::Replicate
    }
}

impl Ticket {
    /// The name of the run's execution, which makes starting it twice harmless.
    #[must_use]
    pub fn execution(&self) -> String {
        match self.mode {
            Mode::Replicate | Mode::Remove => format!("{}-{}", self.tenant, self.run),
            Mode::Plan => format!("plan-{}", self.tenant),
        }
    }
}

/// What a step answers to the state machine.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "turn", rename_all = "lowercase")]
pub enum Turn {
    /// What the step stands for is so.
    Done,
    /// The step has to look again, woken or after so many seconds.
    Again {
        /// Seconds until the next look, if nobody wakes the step.
        seconds: u32,
        /// What is awaited, in words.
        r#for: String,
    },
    /// The run goes on without the step; the tenant's next run looks again.
    Waiting {
        /// What is awaited, in words.
        r#for: String,
    },
    /// Another run, or a wish of another kind, has overtaken this one.
    Superseded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_machine_reads_what_a_turn_writes() {
        let again = Turn::Again { seconds: 30, r#for: "the account".to_owned() };
        let written = serde_json::to_string(&again).expect("a turn is JSON");
        assert_eq!(written, r#"{"turn":"again","seconds":30,"for":"the account"}"#);
        assert_eq!(serde_json::to_string(&Turn::Done).expect("JSON"), r#"{"turn":"done"}"#);
    }
}
