//! What a step is: look, plan, act, and the permissions each half needs.
//!
//! A step brings one part of AWS to what a tenant wishes. It looks (reads AWS, changes nothing), plans (pure) and acts
//! (one change at a time, the first that takes long ends the turn). Nothing in it is first-time-only, so repeating is
//! safe, a plan is a look without the act, and drift is a plan that is not empty.

mod permission;

use std::{fmt::Display, future::Future};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tenant::{AccountId, Failure, LandingZone, Mode, Platform, Tenant};

pub use permission::{Class, Condition, Half, Permission, Place, Site, document, statements};

/// How long a new account may refuse us without that meaning anything.
pub const YOUNG: SignedDuration = SignedDuration::from_mins(15);

/// How long a wait may hold a run, unless a step says otherwise.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// What one turn of a step works on.
#[derive(Clone, Debug)]
pub struct Task {
    /// The tenant, as it was when the turn began.
    pub tenant: Tenant,
    /// Its landing zone.
    pub landing_zone: LandingZone,
    /// Its platform.
    pub platform: Platform,
    /// Which of several alike parts the turn is about: the name of a StackSet.
    pub part: Option<String>,
    /// Whether the turn may change AWS.
    pub mode: Mode,
    /// The run that the turn belongs to.
    pub run: u64,
    /// When the turn began.
    pub now: Timestamp,
    /// What an earlier turn of this step started and still waits for.
    pub awaited: Option<Awaited>,
}

impl Task {
    /// What fills the placeholders of permissions.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::of(&self.platform, self.tenant.account.as_ref())
    }

    /// The account, once it is known.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.tenant.account.as_ref()
    }

    /// Whether the account is so young that a refusal may mean nothing.
    #[must_use]
    pub fn is_young(&self) -> bool {
        self.is_younger_than(YOUNG)
    }

    /// Whether the account has been known for less than this.
    #[must_use]
    pub fn is_younger_than(&self, age: SignedDuration) -> bool {
        let since = self.tenant.account_since;
        since.is_none_or(|since| self.now.duration_since(since) < age)
    }

    /// The key of one of our tags.
    #[must_use]
    pub fn tag(&self, key: &str) -> String {
        format!("{}{key}", self.platform.tag_prefix)
    }
}

/// What a step started and waits for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// The kind of operation, which events name too.
    pub kind: String,
    /// The operation's id in AWS.
    pub id: String,
    /// What is awaited, in words.
    pub r#for: String,
    /// Since when.
    pub since: Timestamp,
}

/// What an act says: it is believed, and the next turn looks.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// The change is made.
    Done,
    /// AWS works on it: the turn ends here and the step looks again when it is woken, or after so many seconds.
    Started {
        /// What is awaited.
        awaited: Awaited,
        /// Seconds until the next look, if nobody wakes the step.
        seconds: u32,
    },
    /// AWS still works on what an earlier turn started; nothing new was begun.
    Pending {
        /// What is awaited.
        awaited: Awaited,
        /// Seconds until the next look, if nobody wakes the step.
        seconds: u32,
    },
    /// Something is asked for that takes longer than a run should wait: the turn ends here, the run goes on without it,
    /// and a later run looks again.
    Later {
        /// What is awaited.
        awaited: Awaited,
    },
    /// The same with something that only a person can do, who is told of it.
    AskPerson {
        /// What is awaited.
        awaited: Awaited,
    },
}

/// One part of a replication.
pub trait Step {
    /// The step's name, the same for its folder, crate, state and row.
    const NAME: &'static str;
    /// What the step needs to be allowed.
    const PERMISSIONS: &'static [Permission];
    /// How long its wait may hold a run; then the run ends without it, and the tenant's next one looks again.
    const PATIENCE: SignedDuration = PATIENCE;
    /// What the step sees; it has a case for an account that is not there yet.
    type Seen: Send;
    /// What the step may change, as one line that a person understands.
    type Change: Display + Send;

    /// Reads AWS and changes nothing.
    fn look(&self, task: &Task) -> impl Future<Output = Result<Self::Seen, Failure>> + Send;

    /// Compares what is seen with what is wished: no I/O, no clock.
    fn plan(&self, task: &Task, seen: &Self::Seen) -> Vec<Self::Change>;

    /// What is not as wished for though nothing has failed, such as a user whom nobody knows: a requester reads it.
    fn warnings(&self, _task: &Task, _seen: &Self::Seen) -> Vec<String> {
        Vec::new()
    }

    /// Makes one change.
    fn act(
        &self,
        task: &Task,
        change: Self::Change,
    ) -> impl Future<Output = Result<Act, Failure>> + Send;
}

#[cfg(test)]
mod tests;
