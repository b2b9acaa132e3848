//! Holds all accounts of the organization against what is wished, without looking into any of them.
//!
//! What it does: every few hours, or when somebody asks, lists the organization's accounts twenty at a time and, once a
//! day, all stacks a hundred at a time. What differs is looked at once more, minutes later and one by one; a tenant of
//! which that finds the same has drifted, and is made due where its landing zone says so. Everybody else is not touched.
//! Accounts that events name are looked at in the same two ways before the next survey comes.
//! What it leaves on the record: drift on the tenant's row, the accounts that are no tenant's, and what it came to.
//! Why repeating is safe: it looks, and writes what it sees. It ends itself before its time is over; the next minute
//! goes on from its position. Were the position lost, some accounts would be looked at twice.
//! Whether it can be undone: there is nothing to undo.

mod accounts;
mod drift;
mod named;
mod second_look;
mod stacks;

use std::collections::HashMap;

use entry::Means;
use jiff::{SignedDuration, Timestamp};
use ledger::{Error, Leg, Position, Scope, SurveyRow, Versioned};
use serde_json::{Value, json};
use session::Sessions;
use stackset::census;
use step::{Permission, Site};
use tenant::{
    AccountId, DriftRules, Failure, FailureName, LandingZone, Mode, Platform, SECOND_LOOK,
    SurveySummary, Tenant, Uuid, Versions, Watch,
};

/// What may be looked at: accounts and stacks.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(Site::Management, "organizations:ListAccounts", "*"),
    Permission::look(
        Site::Management,
        "organizations:DescribeAccount",
        "arn:${Partition}:organizations::${Management}:account/o-*/*",
    ),
    census::PERMISSIONS[0],
    census::PERMISSIONS[1],
    census::PERMISSIONS[2],
    census::PERMISSIONS[3],
];

/// How long one invocation looks; its function has five minutes.
const TURN: SignedDuration = SignedDuration::from_mins(4);
/// How long nobody else takes the survey on: as long as the function may take.
const HOLD: SignedDuration = SignedDuration::from_mins(5);
/// How often stacks are looked at.
const STACKS: SignedDuration = SignedDuration::from_hours(24);
/// A survey that takes longer than this begins anew: what it has seen is no longer so.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// What the second look waits for beyond what makes it a second one.
const BREATH: SignedDuration = SignedDuration::from_secs(10);

/// Goes on with the survey of each platform that has one under way or due.
pub async fn handle(means: Means, _event: Value) -> Result<Value, Failure> {
    let mut said = serde_json::Map::new();
    let mut failed = None;
    for platform in means.ledger.configs::<Platform>().await? {
        let came_to = match go_on(&means, &platform).await {
            Ok(came_to) => came_to,
            Err(failure) if passes(&failure) => {
                tracing::info!(platform = platform.name, failure = %failure, "the next minute goes on");
                "waits"
            }
            Err(failure) => {
                tracing::warn!(platform = platform.name, failure = %failure, "the survey can't go on");
                failed = Some(failure);
                "failed"
            }
        };
        said.insert(platform.name, came_to.into());
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok(json!(said)),
    }
}

fn passes(failure: &Failure) -> bool {
    matches!(failure.name, FailureName::Throttled | FailureName::Transient)
}

/// Whether a leg has come to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// Time is over, and there is more.
    More,
    /// All is looked at.
    Done,
}

/// What one invocation surveys with.
pub(crate) struct Survey<'a> {
    means: &'a Means,
    platform: &'a Platform,
    name: &'a str,
    zones: HashMap<String, LandingZone>,
    versions: HashMap<String, Versions>,
    sessions: Sessions,
    until: Timestamp,
}

impl Survey<'_> {
    fn is_over(&self) -> bool {
        self.means.now() >= self.until
    }

    /// Whether an account is one that Landfall itself lives in.
    fn is_a_seat(&self, account: &AccountId) -> bool {
        [&self.platform.management_account, &self.platform.automation_account].contains(&account)
    }

    /// The versions of the configuration that tenants of a landing zone are held against.
    fn versions(&self, zone: &str) -> Versions {
        self.versions.get(zone).copied().unwrap_or_default()
    }

    /// What a tenant is held against, if a survey looks at it.
    fn watch(&self, tenant: &Tenant) -> Option<Watch> {
        Watch::of(tenant, self.versions(&tenant.wish.landing_zone), self.means.now())
    }

    fn rules(&self, zone: &str) -> DriftRules {
        self.zones.get(zone).map(|zone| zone.drift.clone()).unwrap_or_default()
    }
}

async fn go_on(means: &Means, platform: &Versioned<Platform>) -> Result<&'static str, Failure> {
    let (ledger, name, now) = (&means.ledger, platform.name.as_str(), means.now());
    let row = ledger.survey(name).await?;
    let Some((mut position, is_new)) = position(row, platform.spec.survey_hours, now) else {
        return Ok("nothing is due");
    };
    match ledger.hold_survey(name, now + HOLD, now).await {
        Ok(()) => {}
        Err(Error::Conflict) => return Ok("somebody is at it"),
        Err(Error::Failure(failure)) => return Err(failure),
    }
    if is_new {
        ledger.begin_survey(name, &position).await?;
    }
    let mut zones = ledger.configs::<LandingZone>().await?;
    zones.retain(|zone| zone.spec.platform == name);
    let versions = |zone: &Versioned<LandingZone>| Versions {
        landing_zone: zone.changed,
        platform: platform.changed,
    };
    let survey = Survey {
        means,
        platform: &platform.spec,
        name,
        versions: zones.iter().map(|zone| (zone.name.clone(), versions(zone))).collect(),
        zones: zones.into_iter().map(|zone| (zone.name, zone.spec)).collect(),
        sessions: means.sessions(PERMISSIONS, &platform.spec, Uuid::nil(), None, Mode::Plan),
        until: now + TURN,
    };
    match legs(&survey, &mut position).await {
        Ok(Progress::Done) => {
            ledger.end_survey(name, &position, means.now()).await?;
            let SurveySummary { accounts, tenants, drifted, unmanaged, .. } = position.summary;
            tracing::info!(platform = name, accounts, tenants, drifted, unmanaged, "surveyed");
            Ok("done")
        }
        Ok(Progress::More) => {
            ledger.leave_survey(name, &position).await?;
            Ok("goes on")
        }
        Err(failure) => {
            ledger.leave_survey(name, &position).await?;
            Err(failure)
        }
    }
}

/// Where to go on from, or to begin; none if nothing is to be done now.
fn position(row: SurveyRow, every_hours: u32, now: Timestamp) -> Option<(Position, bool)> {
    let is_due = row.next(every_hours, now) <= now;
    // A survey sees what was named too.
    let goes_on = |it: &Position| {
        now.duration_since(it.summary.since) < LONGEST && !(is_due && it.scope == Scope::Named)
    };
    if let Some(position) = row.position.clone().filter(goes_on) {
        let waits = matches!(position.leg,
            Leg::SecondLook { from } | Leg::Named { from, .. } if from > now);
        return (!waits).then_some((position, false));
    }
    let begin = |scope, asked_by: &str, leg| {
        let summary = SurveySummary::begun(asked_by, now);
        Some((Position { summary, leg, suspects: Vec::new(), scope }, true))
    };
    if row.position.is_some() || is_due {
        let sees_stacks = row.wanted.is_some()
            || row.last_stacks.is_none_or(|last| now.duration_since(last) >= STACKS);
        let scope = if sees_stacks { Scope::AccountsAndStacks } else { Scope::Accounts };
        let asked_by = row.wanted.as_ref().map_or("schedule", |wanted| &wanted.by);
        return begin(scope, asked_by, Leg::Accounts { token: None });
    }
    if row.named.is_empty() {
        return None;
    }
    let accounts = row.named.into_iter().collect();
    begin(Scope::Named, "events", Leg::Named { accounts, from: now + SECOND_LOOK })
}

/// One leg after another, until time is over.
async fn legs(survey: &Survey<'_>, position: &mut Position) -> Result<Progress, Failure> {
    loop {
        let (progress, next) = match &position.leg {
            Leg::Named { from, .. } | Leg::SecondLook { from } if *from > survey.means.now() => {
                return Ok(Progress::More);
            }
            Leg::Named { .. } => (named::look(survey, position).await?, None),
            Leg::Accounts { .. } => {
                let sees_stacks = position.scope == Scope::AccountsAndStacks;
                let next = sees_stacks.then_some(Leg::Stacks { seen: Vec::new() });
                (accounts::look(survey, position).await?, next)
            }
            Leg::Stacks { .. } => (stacks::look(survey, position).await?, None),
            Leg::SecondLook { .. } => return second_look::look(survey, position).await,
        };
        if progress == Progress::More {
            return Ok(Progress::More);
        }
        position.leg = next
            .unwrap_or_else(|| Leg::SecondLook { from: survey.means.now() + SECOND_LOOK + BREATH });
        if position.suspects.is_empty() && matches!(position.leg, Leg::SecondLook { .. }) {
            return Ok(Progress::Done);
        }
    }
}

#[cfg(test)]
mod tests;
