//! Brings one StackSet's stacks into the account.
//!
//! What it does: makes or updates the account's stacks of the StackSet that the state machine's map item names.
//! What it leaves on the record: the operation that it waits for, on a row for each StackSet.
//! Why repeating is safe: the operation's id is its idempotency token.
//! Whether it can be undone: by a landing zone that no longer names the StackSet, and a person who takes the stacks out.

use session::Sessions;
use stackset::StackSets;
use stackset::stacks::{self, Change, Seen};
use step::{Act, Permission, Site, Step, Task};
use tenant::{Failure, StackSet, facts, filled};

/// Brings one StackSet's stacks into the account.
#[derive(Debug)]
pub struct RollOutStacks {
    /// The turn's sessions.
    pub sessions: Sessions,
}

impl Step for RollOutStacks {
    const NAME: &'static str = "roll-out-stacks";
    const PERMISSIONS: &'static [Permission] = stacks::PERMISSIONS;
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(wanted) = wanted(task)?.filter(|_| task.account().is_some()) else {
            return Ok(Seen::NotYet);
        };
        let sets =
            StackSets::of(&self.sessions.look(Site::Automation).await?, &task.platform, &wanted);
        stacks::look(&sets, task, &wanted).await
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        // What can't be filled in failed the look.
        let wanted = wanted(task).ok().flatten();
        wanted.map(|wanted| stacks::plan(&wanted, seen)).unwrap_or_default()
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let wanted = wanted(task)?
            .ok_or_else(|| Failure::defect("the landing zone no longer names the StackSet"))?;
        let sets =
            StackSets::of(&self.sessions.act(Site::Automation).await?, &task.platform, &wanted);
        stacks::act(&sets, task, &wanted, change).await
    }
}

/// The StackSet that this turn is about, with the facts that its parameters refer to once there is an account; none if
/// the landing zone changed since the run began.
fn wanted(task: &Task) -> Result<Option<StackSet>, Failure> {
    let sets = &task.landing_zone.stack_sets;
    let Some(set) = sets.iter().find(|set| Some(&set.name) == task.part.as_ref()) else {
        return Ok(None);
    };
    let mut wanted = set.clone();
    if let Some(facts) = facts(&task.tenant, &task.landing_zone, &task.platform) {
        wanted.parameters = filled(&wanted.parameters, &facts)?;
    }
    Ok(Some(wanted))
}

#[cfg(test)]
mod tests;
