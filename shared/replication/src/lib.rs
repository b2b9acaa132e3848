//! The steps of a replication in order, as the state machine's definition has them.
//!
//! Nobody else keeps a list of steps: what a user sees of a run, and which step an error without a name came from,
//! follow from the definition that is deployed. A new state is known here as soon as it is written there.

mod definition;

use std::sync::LazyLock;

use tenant::{LandingZone, Mode};

const MACHINE: &str = include_str!("../../../infra/statemachines/replicate-tenant.asl.yaml");

/// What ends a run keeps no row: it has nothing to show but the run's end.
const ENDS: [&str; 2] = ["complete", "record-failure"];

/// The steps of a run that takes a tenant away, and the one that no other run has.
const REMOVAL: [&str; 3] = ["create-account", "grant-access", CLOSES];
const CLOSES: &str = "close-account";

/// One step of a replication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The step's name: its folder, crate and row.
    pub name: String,
    /// What the step runs once for each of; none if it runs once for the tenant.
    pub each: Option<Each>,
}

/// What a step of several alike parts runs once for each of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Each {
    /// Each StackSet of the landing zone.
    StackSet,
    /// Each of something that only the run itself knows.
    Other,
}

impl Step {
    /// The parts that the step has for tenants of a landing zone; one without a name where it runs once.
    #[must_use]
    pub fn parts<'a>(&self, zone: Option<&'a LandingZone>) -> Vec<Option<&'a str>> {
        match self.each {
            None => vec![None],
            Some(Each::Other) => vec![],
            Some(Each::StackSet) => {
                let sets = zone.map(|zone| zone.stack_sets.as_slice()).unwrap_or_default();
                sets.iter().map(|set| Some(set.name.as_str())).collect()
            }
        }
    }
}

/// The steps that keep a row, in the order in which they run; branches stand after one another.
pub static STEPS: LazyLock<Vec<Step>> = LazyLock::new(|| {
    definition::steps(MACHINE).into_iter().filter(|step| !ENDS.contains(&&*step.name)).collect()
});

/// The steps of a run of this mode, in order.
pub fn steps_of(mode: Mode) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| match mode {
        Mode::Remove => REMOVAL.contains(&&*step.name),
        Mode::Replicate | Mode::Plan => step.name != CLOSES,
    })
}

#[cfg(test)]
mod tests;
