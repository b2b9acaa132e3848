//! Faults to inject: which call, and what happens to it.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::lineage::Lineage;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The call is refused before its effect.
    Error,
    /// The call has its effect, but the caller never gets the answer.
    LostResponse,
    /// The call is refused as too fast.
    Throttle,
    /// The calling process is killed after the call's effect.
    Kill,
    /// The calling function hangs after the call's effect until its time-out.
    Timeout,
    /// The read is answered as before the last write.
    Stale,
    /// The invocation is refused for want of concurrency.
    #[serde(rename = "lambda-429")]
    Lambda429,
    /// The execution that makes the invocation is aborted.
    Abort,
}

impl Kind {
    /// Whether it can happen to a call of this action, made by a function or not.
    pub fn suits(self, action: &str, function: bool) -> bool {
        match self {
            Self::Error | Self::LostResponse | Self::Throttle | Self::Stale => true,
            Self::Kill | Self::Timeout => function,
            Self::Lambda429 | Self::Abort => action == "lambda:InvokeFunction" && !function,
        }
    }

    /// The kind's name in the control API and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::LostResponse => "lost-response",
            Self::Throttle => "throttle",
            Self::Kill => "kill",
            Self::Timeout => "timeout",
            Self::Stale => "stale",
            Self::Lambda429 => "lambda-429",
            Self::Abort => "abort",
        }
    }
}

/// The error of a fault of kind `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Error code.
    pub code: String,
    /// HTTP status.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// Message.
    #[serde(default)]
    pub message: Option<String>,
}

/// A fault: the calls it is for, and what it does to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Assigned by the sandbox.
    #[serde(default)]
    pub id: u64,
    /// Only for this tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Only for this state machine.
    #[serde(default)]
    pub machine: Option<String>,
    /// Only for this step.
    #[serde(default)]
    pub step: Option<String>,
    /// IAM action of the call.
    pub action: String,
    /// The call that it starts with: the n-th of this action in the step.
    #[serde(default = "once")]
    pub occurrence: u32,
    /// What happens.
    pub kind: Kind,
    /// The error, for kind `error`.
    #[serde(default)]
    pub error: Option<Refusal>,
    /// How many calls it is for.
    #[serde(default = "once")]
    pub times: u32,
    /// How many calls it was for already.
    #[serde(default)]
    pub hits: u32,
}

fn once() -> u32 {
    1
}

fn bad_request() -> u16 {
    400
}

/// The faults that are set.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<(u64, Vec<Fault>)>,
}

impl Faults {
    /// Sets a fault and answers with its id.
    pub fn set(&self, fault: Fault) -> u64 {
        let mut state = self.state.lock();
        state.0 += 1;
        let id = state.0;
        state.1.push(Fault { id, hits: 0, ..fault });
        id
    }

    /// All faults, with their hits.
    pub fn all(&self) -> Vec<Fault> {
        self.state.lock().1.clone()
    }

    /// Removes one fault, or all; false if there was none.
    pub fn remove(&self, id: Option<u64>) -> bool {
        let faults = &mut self.state.lock().1;
        let before = faults.len();
        faults.retain(|fault| id.is_some_and(|id| fault.id != id));
        faults.len() < before
    }

    /// Takes a hit back: the fault could not be applied to the call.
    pub fn missed(&self, id: u64) {
        let faults = &mut self.state.lock().1;
        if let Some(fault) = faults.iter_mut().find(|fault| fault.id == id) {
            fault.hits = fault.hits.saturating_sub(1);
        }
    }

    /// The fault for this call, made by a function or not, counted as a hit.
    pub fn take(
        &self,
        lineage: &Lineage,
        action: &str,
        occurrence: u32,
        function: bool,
    ) -> Option<Fault> {
        let faults = &mut self.state.lock().1;
        let fault = faults.iter_mut().find(|fault| {
            fault.kind.suits(action, function) && fault.is_for(lineage, action, occurrence)
        })?;
        fault.hits += 1;
        Some(fault.clone())
    }
}

impl Fault {
    fn is_for(&self, lineage: &Lineage, action: &str, occurrence: u32) -> bool {
        let asked = |wanted: &Option<String>, is: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| is.as_ref() == Some(wanted))
        };
        let reached = if self.hits == 0 {
            occurrence == self.occurrence
        } else {
            occurrence >= self.occurrence
        };
        self.hits < self.times
            && reached
            && self.action == action
            && asked(&self.tenant, &lineage.tenant)
            && asked(&self.machine, &lineage.machine)
            && asked(&self.step, &lineage.step)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_fault_starts_at_its_occurrence_and_lasts_its_times() {
        let faults = Faults::default();
        let fault = json!({"action": "iam:GetRole", "kind": "throttle", "occurrence": 2,
                           "times": 2, "step": "admit"});
        faults.set(from_value(fault).unwrap());
        let admit = Lineage { step: Some("admit".into()), ..Lineage::default() };
        let other = Lineage { step: Some("complete".into()), ..Lineage::default() };
        let hit =
            |lineage, occurrence| faults.take(lineage, "iam:GetRole", occurrence, true).is_some();
        assert!(!hit(&admit, 1) && !hit(&other, 2));
        assert!(hit(&admit, 2) && hit(&admit, 3) && !hit(&admit, 4));
        assert_eq!(faults.all()[0].hits, 2);
    }

    #[test]
    fn the_kinds_are_named_as_in_the_control_api() {
        for kind in [
            "error",
            "lost-response",
            "throttle",
            "kill",
            "timeout",
            "stale",
            "lambda-429",
            "abort",
        ] {
            let parsed: Kind = from_value(json!(kind)).unwrap();
            assert_eq!(parsed.name(), kind);
        }
    }
}
