//! Roll-outs: how a changed landing zone or platform comes to the tenants that are there, wave after wave.
//!
//! A roll-out is a value: how far it has come by the tenants' names, whose runs of the present wave have not ended, who
//! failed. Whoever advances it looks at those tenants and at nothing else; what a tenant's row says is what counts, so
//! that a wave that was half begun is begun again, and whoever ran meanwhile for any reason has had its turn. Each
//! transition is a function from a value to a value with the one history entry that says why, as a tenant's are.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    DriftField, FailureName, Kind, Message, Phase, Refused, RollOutRules, Tenant, Transition,
};

mod view;

pub use view::{RollOutView, RollOutWish};

/// Runs in a row that failed on what passes by itself, after which a tenant counts as failed all the same.
const PATIENCE: u32 = 3;
/// Names of tenants that a message holds.
const NAMED: usize = 10;

/// Where a roll-out stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RollOutState {
    /// The next wave begins by itself.
    Rolling,
    /// No further wave begins until a person resumes it.
    Stopped,
    /// A person gave it up: whoever has not had its turn gets the change with its next run.
    Abandoned,
    /// Every tenant has had its turn.
    Done,
}

impl RollOutState {
    /// The states that a person can bring a roll-out to.
    pub const WISHED: [Self; 3] = [Self::Rolling, Self::Stopped, Self::Abandoned];

    /// The word for it, which is the one that is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::Stopped => "stopped",
            Self::Abandoned => "abandoned",
            Self::Done => "done",
        }
    }
}

/// A tenant whose turn has come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The tenant's id.
    pub tenant: Uuid,
    /// The tenant's name.
    pub name: String,
    /// The first of its runs that counts.
    pub run: u64,
    /// Whether it had failed before its turn came: that it fails again says nothing about the change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ailed: bool,
}

/// A roll-out of one change of a landing zone or platform.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollOut {
    /// What changed: a landing zone or a platform.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The version that it changed to.
    pub brings: u64,
    /// Who changed it.
    pub author: String,
    /// When.
    pub since: Timestamp,
    /// Where the roll-out stands.
    pub state: RollOutState,
    /// Why it stopped or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many tenants it concerned when it began, once they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u32>,
    /// Waves so far.
    pub waves: u32,
    /// The name of the last tenant that was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Tenants of the present wave whose run has not ended.
    #[serde(default)]
    pub wave: Vec<Member>,
    /// Tenants that failed and have not run well since.
    #[serde(default)]
    pub failed: Vec<Member>,
    /// Tenants that have had their turn and are well.
    pub done: u32,
    /// Grows with every write.
    pub version: u64,
}

/// One line of a roll-out's history.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollOutEntry {
    /// When.
    pub at: Timestamp,
    /// The roll-out's version after it.
    pub version: u64,
    /// Who caused it: a caller's ARN, or the part of Landfall that did.
    pub author: String,
    /// What happened.
    pub event: String,
    /// Where the roll-out stands after it.
    pub to: RollOutState,
}

/// A roll-out as it will be, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct RollOutTransition {
    /// The roll-out as it will be.
    pub roll_out: RollOut,
    /// The entry that says why.
    pub entry: RollOutEntry,
    /// What a person is to be told.
    pub notice: Option<StoppedRollOut>,
}

/// What a person is told of a roll-out that stopped by itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedRollOut {
    kind: Kind,
    name: String,
    reason: String,
    /// Names of those that failed, as far as there is room.
    failed: Vec<String>,
}

/// What is to be done about a roll-out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing, until a run ends.
    Wait,
    /// More have failed than is tolerated.
    Stop,
    /// Another wave of so many begins.
    Wave(usize),
}

/// How a tenant whose turn has come stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// The change does not concern it any more.
    Gone,
    /// The run that counts has not begun.
    Behind,
    /// It runs, or is tried again soon.
    UnderWay,
    /// It failed.
    Failed,
    /// Its run has ended.
    Done,
}

impl RollOut {
    /// A change is to be rolled out, in the place of an earlier one that may not have come to its end.
    #[must_use]
    pub fn begun(
        (kind, name, brings): (Kind, &str, u64),
        before: Option<&Self>,
        author: &str,
        now: Timestamp,
    ) -> RollOutTransition {
        let roll_out = Self {
            kind,
            name: name.to_owned(),
            brings,
            author: author.to_owned(),
            since: now,
            state: RollOutState::Rolling,
            reason: None,
            tenants: None,
            waves: 0,
            after: None,
            wave: Vec::new(),
            failed: Vec::new(),
            done: 0,
            version: before.map_or(0, |before| before.version),
        };
        let earlier = before.filter(|before| before.is_under_way());
        let instead =
            earlier.map(|earlier| format!(", in the place of version {}", earlier.brings));
        let event = format!("begun with version {brings}{}", instead.unwrap_or_default());
        roll_out.after(author, event, now)
    }

    /// What changed, such as `landing zone production`.
    #[must_use]
    pub fn what(&self) -> String {
        what(self.kind, &self.name)
    }

    /// Whether it has not come to its end.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, RollOutState::Rolling | RollOutState::Stopped)
    }

    /// Whether the change concerns a tenant.
    #[must_use]
    pub fn concerns(&self, tenant: &Tenant) -> bool {
        let named = match self.kind {
            Kind::Platform => &tenant.name.platform,
            _ => &tenant.wish.landing_zone,
        };
        tenant.phase != Phase::Deleted && *named == self.name
    }

    /// Whether a tenant's last run began with the change.
    fn has_come_to(&self, tenant: &Tenant) -> bool {
        let has = match self.kind {
            Kind::Platform => tenant.versions.platform,
            _ => tenant.versions.landing_zone,
        };
        has >= self.brings
    }

    /// The run of a tenant that the change makes necessary at once, before all waves: it has no account yet that the
    /// change could harm, and is made to wait no more than one that is wished for now.
    #[must_use]
    pub fn at_once(&self, tenant: &Tenant, now: Timestamp) -> Option<Transition> {
        let is_new = tenant.account.is_none() && self.concerns(tenant) && !self.has_come_to(tenant);
        if is_new { tenant.rolled_out(&self.what(), &self.author, now) } else { None }
    }

    /// The run of a member of the present wave, unless it is about to begin or has begun.
    #[must_use]
    pub fn in_turn(&self, tenant: &Tenant, now: Timestamp) -> Option<Transition> {
        let member = self.wave.iter().find(|member| member.tenant == tenant.id)?;
        let is_meant = self.state == RollOutState::Rolling
            && self.standing(member, Some(tenant)) == Standing::Behind;
        if is_meant { tenant.rolled_out(&self.what(), &self.author, now) } else { None }
    }

    /// Whose rows say how it stands.
    pub fn members(&self) -> impl Iterator<Item = Uuid> {
        self.wave.iter().chain(&self.failed).map(|member| member.tenant)
    }

    fn standing(&self, member: &Member, tenant: Option<&Tenant>) -> Standing {
        let Some(tenant) = tenant.filter(|tenant| self.concerns(tenant)) else {
            return Standing::Gone;
        };
        if tenant.run < member.run || !self.has_come_to(tenant) {
            return Standing::Behind;
        }
        if tenant.running.is_some() {
            return Standing::UnderWay;
        }
        ended(tenant)
    }

    /// The same once those whose runs have ended are sorted out of the wave, and those that are well again are no longer
    /// among the failed. `tenants` are the members as they stand; who is not among them is no more.
    #[must_use]
    pub fn looked_at(&self, tenants: &HashMap<Uuid, Tenant>) -> Self {
        let mut after = self.clone();
        after.failed.retain(|member| {
            match self.standing(member, tenants.get(&member.tenant)) {
                Standing::Done => after.done += 1,
                Standing::Gone => {}
                Standing::Behind | Standing::UnderWay | Standing::Failed => return true,
            }
            false
        });
        let (mut done, mut failed) = (0, Vec::new());
        after.wave.retain(|member| {
            match self.standing(member, tenants.get(&member.tenant)) {
                Standing::Behind | Standing::UnderWay => return true,
                Standing::Failed => failed.push(member.clone()),
                Standing::Done => done += 1,
                Standing::Gone => {}
            }
            false
        });
        after.done += done;
        after.failed.append(&mut failed);
        after
    }

    /// How many have failed that had not failed before.
    fn failures(&self) -> u32 {
        let failures = self.failed.iter().filter(|member| !member.ailed).count();
        u32::try_from(failures).unwrap_or(u32::MAX)
    }

    /// What is to be done, as far as has been looked at.
    #[must_use]
    pub fn next(&self, rules: &RollOutRules) -> Next {
        let all = self.tenants.unwrap_or_default();
        if self.state != RollOutState::Rolling {
            return Next::Wait;
        }
        if self.failures() > rules.failure_tolerance.as_tolerance(all) {
            return Next::Stop;
        }
        if !self.wave.is_empty() {
            return Next::Wait;
        }
        let size = if self.waves == 0 { &rules.first_wave } else { &rules.wave_size };
        Next::Wave(size.as_wave(all) as usize)
    }

    /// Meets the next tenant by name, while the next wave is gathered. Who came to the change by itself has had its turn;
    /// one without an account does not wait for one.
    pub fn meet(&mut self, tenant: &Tenant) {
        self.after = Some(tenant.name.to_string());
        if tenant.account.is_none() || !self.concerns(tenant) {
            return;
        }
        let is_behind = !self.has_come_to(tenant);
        let member = Member {
            tenant: tenant.id,
            name: tenant.name.to_string(),
            run: tenant.run + u64::from(is_behind),
            ailed: is_behind && ended(tenant) == Standing::Failed,
        };
        match self.standing(&member, Some(tenant)) {
            Standing::Behind | Standing::UnderWay => self.wave.push(member),
            Standing::Failed => self.failed.push(member),
            Standing::Done => self.done += 1,
            Standing::Gone => {}
        }
    }

    /// A wave was gathered and begins, if nothing speaks against it; without one the roll-out is done.
    #[must_use]
    pub fn gathered(mut self, rules: &RollOutRules, now: Timestamp) -> RollOutTransition {
        if self.next(rules) == Next::Stop {
            return self.overcome(rules, now);
        }
        if self.wave.is_empty() {
            self.state = RollOutState::Done;
            let event = match self.failed.len() {
                0 => "done".to_owned(),
                failed => format!("done; failed: {failed}"),
            };
            return self.after("start-due", event, now);
        }
        self.waves += 1;
        let size = u32::try_from(self.wave.len()).unwrap_or(u32::MAX);
        let event = format!("wave {} began: {}", self.waves, tenants(size));
        self.after("start-due", event, now)
    }

    /// More failed than is tolerated: it stops by itself.
    #[must_use]
    pub fn overcome(mut self, rules: &RollOutRules, now: Timestamp) -> RollOutTransition {
        let tolerated = rules.failure_tolerance.as_tolerance(self.tenants.unwrap_or_default());
        let reason = format!("{} failed, {tolerated} tolerated", tenants(self.failures()));
        self.state = RollOutState::Stopped;
        self.reason = Some(reason.clone());
        let failed = self.failed.iter().filter(|member| !member.ailed);
        let failed = failed.take(NAMED).map(|member| member.name.clone()).collect();
        let notice = StoppedRollOut {
            kind: self.kind,
            name: self.name.clone(),
            reason: reason.clone(),
            failed,
        };
        let transition = self.after("start-due", format!("stopped: {reason}"), now);
        RollOutTransition { notice: Some(notice), ..transition }
    }

    /// A person stops, resumes or abandons it; none if it is so already. Whoever has failed runs again when it is resumed:
    /// `members` are those of the wave and the failed as they stand.
    pub fn set(
        &self,
        state: RollOutState,
        members: &HashMap<Uuid, Tenant>,
        comment: &str,
        author: &str,
        now: Timestamp,
    ) -> Result<Option<RollOutTransition>, Refused> {
        if self.state == state {
            return Ok(None);
        }
        if !self.is_under_way() {
            return Err(Refused::RolledOut);
        }
        let word = match state {
            RollOutState::Rolling => "resumed",
            RollOutState::Stopped => "stopped",
            RollOutState::Abandoned => "abandoned",
            RollOutState::Done => return Err(Refused::RolledOut),
        };
        let mut after = self.looked_at(members);
        after.state = state;
        after.reason = (state != RollOutState::Rolling).then(|| comment.to_owned());
        if state == RollOutState::Rolling {
            for mut member in std::mem::take(&mut after.failed) {
                member.run = members.get(&member.tenant).map_or(member.run, |it| it.run) + 1;
                after.wave.push(member);
            }
        }
        Ok(Some(after.after(author, format!("{word}: {comment}"), now)))
    }

    /// The same as the next version, without anything having happened but runs that ended.
    #[must_use]
    pub fn touched(mut self) -> Self {
        self.version += 1;
        self
    }

    fn after(self, author: &str, event: String, now: Timestamp) -> RollOutTransition {
        let roll_out = self.touched();
        let entry = RollOutEntry {
            at: now,
            version: roll_out.version,
            author: author.to_owned(),
            event,
            to: roll_out.state,
        };
        RollOutTransition { roll_out, entry, notice: None }
    }
}

impl StoppedRollOut {
    /// What a person is told.
    #[must_use]
    pub fn message(&self) -> Message {
        let what = what(self.kind, &self.name);
        let rollout = format!(
            "{} {}",
            if self.kind == Kind::Platform { "platform" } else { "landing-zone" },
            self.name
        );
        let failed: Vec<String> =
            self.failed.iter().map(|name| format!("    landfall describe {name}")).collect();
        let text = format!(
            "The roll-out of {what} stopped by itself: {reason}. Nobody else gets the change because of it. Why they \
             failed:\n\n{failed}\n\nHow far it has come:\n\n    landfall get rollouts {name}\n\nAn operator mends the cause \
             and resumes it, or applies a {kind} that is mended, which begins anew:\n\n    landfall rollout resume {rollout} \
             --comment \"what was done\"\n\nMore is in docs/RUNBOOK.md, \"A roll-out that has stopped\".",
            reason = self.reason,
            failed = failed.join("\n"),
            name = self.name,
            kind = if self.kind == Kind::Platform { "platform" } else { "landing zone" },
        );
        Message::new(&what, "its roll-out stopped", text)
    }
}

fn what(kind: Kind, name: &str) -> String {
    format!("{} {name}", if kind == Kind::Platform { "platform" } else { "landing zone" })
}

fn tenants(count: u32) -> String {
    format!("{count} {}", if count == 1 { "tenant" } else { "tenants" })
}

/// How a tenant stands whose run has ended. What passes by itself is tried again within minutes and no failure yet; a
/// tenant that waits has come as far as a run brings it. An account that is closed fails every run, whatever changed.
fn ended(tenant: &Tenant) -> Standing {
    let Some(failed) = tenant.failed.as_ref().filter(|_| tenant.phase == Phase::Failed) else {
        return Standing::Done;
    };
    if tenant.drift.iter().any(|one| one.field == DriftField::AccountState) {
        return Standing::Gone;
    }
    let passes = matches!(
        failed.failure.name,
        FailureName::Throttled | FailureName::Transient | FailureName::NotReady
    );
    if passes && failed.attempts < PATIENCE { Standing::UnderWay } else { Standing::Failed }
}

#[cfg(test)]
mod tests;
