//! Looks whether all is there that the landing zone promises, before anybody enters.
//!
//! What it does: reads on the rows of this run that each step which a promise rests on has looked and found nothing
//! more to do; looks itself where a step acted and was believed; and waits, where the landing zone says so, until
//! somebody outside Landfall has tagged the account. It changes nothing.
//! What it leaves on the record: what it waits for.
//! Why repeating is safe: it only looks.
//! Whether it can be undone: there is nothing to undo.

use std::{collections::BTreeMap, fmt};

use ledger::{Ledger, State, StepRow};
use organization::Organization;
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{Failure, LandingZone, Mode};

/// Looks whether all is there that the landing zone promises.
#[derive(Debug)]
pub struct VerifyBaseline {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// Where the run's steps have written what they found.
    pub ledger: Ledger,
}

/// What can be seen of the baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet.
    NotYet,
    /// What stands against letting anybody in.
    There {
        /// Steps of this run that have not found all as promised.
        unsettled: Vec<Unsettled>,
        /// The units that the account stands in, nearest first, if that was to be looked at.
        units: Option<Vec<String>>,
        /// The account's tags, if they were to be looked at.
        tags: Option<BTreeMap<String, String>>,
    },
}

/// A step of this run that has not found all as promised.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsettled {
    /// The step, and its part.
    pub step: String,
    /// What it waits for, if it said so.
    pub awaited: Option<Awaited>,
}

/// What is waited for: the step changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A step that a promise rests on.
    AwaitStep(Unsettled),
    /// The account in its unit.
    AwaitUnit(String),
    /// Tags that somebody outside Landfall sets.
    AwaitTags(Vec<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("wait for ")?;
        formatter.write_str(&self.awaited())
    }
}

impl Change {
    fn awaited(&self) -> String {
        match self {
            Self::AwaitStep(Unsettled { step, awaited: None }) => step.clone(),
            Self::AwaitStep(Unsettled { step, awaited: Some(awaited) }) => {
                format!("{step}, which waits for {}", awaited.r#for)
            }
            Self::AwaitUnit(unit) => format!("the account to stand in {unit}"),
            Self::AwaitTags(tags) => format!("somebody to tag the account {}", tags.join(", ")),
        }
    }
}

/// The steps that what a landing zone promises rests on; its parts come besides.
const PROMISES: [&str; 5] =
    ["place-account", "prepare-account", "roll-out-access", "downgrade-access-role", REGIONS];
const REGIONS: &str = "baseline-regions";
/// What `baseline-regions` goes on without: Regions that nobody can use yet, and what a person has to do.
const LATER: &str = "region";
/// Seconds until a move can be seen, and until tags are looked for again.
const MOVED: u32 = 20;
const TAGGED: u32 = 120;

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const UNITS: &str = "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*";

impl Step for VerifyBaseline {
    const NAME: &'static str = "verify-baseline";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:ListParents", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListParents", UNITS),
        Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(account) = task.account() else { return Ok(Seen::NotYet) };
        // A plan has made nothing that could be verified.
        let rows = match task.mode {
            Mode::Replicate => Some(self.ledger.steps(task.tenant.id).await?),
            Mode::Remove | Mode::Plan => None,
        };
        let unsettled = rows
            .as_ref()
            .map_or_else(Vec::new, |rows| unsettled(&task.landing_zone, rows, task.run));
        let (mut units, mut tags) = (None, None);
        if rows.is_some_and(|rows| has_moved(&rows, task.run)) {
            let organization = self.organization().await?;
            let parent = organization.parent(account).await?.unwrap_or_default();
            let mut found = vec![parent.clone()];
            if !stands(task, &found) && beneath(task) != Beneath::Never {
                found.extend(organization.above(&parent).await?);
            }
            units = Some(found);
        }
        if task.landing_zone.wait_for_external {
            tags = Some(self.organization().await?.tags(account.as_str()).await?);
        }
        Ok(Seen::There { unsettled, units, tags })
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        Ok(pending(task, &change))
    }
}

impl VerifyBaseline {
    async fn organization(&self) -> Result<Organization, Failure> {
        Ok(Organization::new(&self.sessions.look(Site::Management).await?))
    }
}

/// The promised steps that have not ended well in this run.
fn unsettled(zone: &LandingZone, rows: &[StepRow], run: u64) -> Vec<Unsettled> {
    let steps = PROMISES.into_iter().map(|step| (step, None));
    let stack = zone.access_stack.iter().map(|_| ("deploy-access-stack", None));
    let enrolled = zone.enrol.then_some(("enrol-account", None));
    let sets = zone.stack_sets.iter().map(|set| ("roll-out-stacks", Some(set.name.as_str())));
    let hooks = (!zone.hooks.is_empty()).then_some(("call-hooks", None));
    steps
        .chain(stack)
        .chain(enrolled)
        .chain(sets)
        .chain(hooks)
        .filter_map(|(step, part)| {
            let row = rows
                .iter()
                .find(|row| row.step == step && row.part.as_deref() == part && row.run == run);
            if row.is_some_and(|row| row.state == State::Done || goes_on(row)) {
                return None;
            }
            Some(Unsettled {
                step: part.map_or_else(|| step.to_owned(), |part| format!("{step} {part}")),
                awaited: row.and_then(|row| row.awaited.clone()),
            })
        })
        .collect()
}

/// Whether all that can be used is as promised, though something is awaited that is not.
fn goes_on(row: &StepRow) -> bool {
    let awaited = row.awaited.as_ref().filter(|_| row.state == State::Waiting);
    row.step == REGIONS && awaited.is_some_and(|awaited| awaited.kind == LATER)
}

/// Whether this run has moved the account, and so far only believes that it stands there: a move can be seen late. AWS
/// answers the settings of Regions with what they are then, and all other steps look until they see what they did.
fn has_moved(rows: &[StepRow], run: u64) -> bool {
    rows.iter().any(|row| row.step == "place-account" && row.run == run && !row.changes.is_empty())
}

/// Whether an account stands beneath its landing zone's unit rather than in it.
#[derive(PartialEq)]
enum Beneath {
    Never,
    May,
    Must,
}

fn beneath(task: &Task) -> Beneath {
    if task.landing_zone.organizational_unit_per_workspace {
        Beneath::Must
    } else if task.platform.allow_hierarchical_organizational_unit_assignment {
        Beneath::May
    } else {
        Beneath::Never
    }
}

/// Whether an account that stands in these units, nearest first, stands where the landing zone says.
fn stands(task: &Task, units: &[String]) -> bool {
    let unit = &task.landing_zone.organizational_unit;
    match beneath(task) {
        Beneath::Never => units.first() == Some(unit),
        Beneath::May => units.contains(unit),
        Beneath::Must => units.iter().skip(1).any(|above| above == unit),
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let zone = &task.landing_zone;
    let nothing = BTreeMap::new();
    let (unsettled, units, tags) = match seen {
        Seen::NotYet => (&[][..], None, zone.wait_for_external.then_some(&nothing)),
        Seen::There { unsettled, units, tags } => {
            (unsettled.as_slice(), units.as_ref(), tags.as_ref())
        }
    };
    let steps = unsettled.iter().cloned().map(Change::AwaitStep);
    let unit = units
        .filter(|units| !stands(task, units))
        .map(|_| Change::AwaitUnit(zone.organizational_unit.clone()));
    let missing = tags.map(|tags| missing_tags(task, tags)).unwrap_or_default();
    let tags = (!missing.is_empty()).then_some(Change::AwaitTags(missing));
    steps.chain(unit).chain(tags).collect()
}

/// The tags of an external account management that are not there as they should be.
fn missing_tags(task: &Task, tags: &BTreeMap<String, String>) -> Vec<String> {
    let name = &task.tenant.name;
    [("ProductName", &name.workspace), ("Stage", &name.project)]
        .into_iter()
        .filter(|(key, value)| tags.get(*key) != Some(*value))
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

fn pending(task: &Task, change: &Change) -> Act {
    let (kind, seconds) = match change {
        Change::AwaitStep(_) => ("baseline-step", MOVED),
        Change::AwaitUnit(_) => ("baseline-unit", MOVED),
        Change::AwaitTags(_) => ("external-tags", TAGGED),
    };
    let earlier = task.awaited.as_ref().filter(|awaited| awaited.kind == kind);
    // A step has its say once in a run: what it waits for is not waited for again here.
    let since = match change {
        Change::AwaitStep(unsettled) => {
            unsettled.awaited.as_ref().map_or(task.tenant.created_on, |awaited| awaited.since)
        }
        _ => earlier.map_or(task.now, |awaited| awaited.since),
    };
    let awaited = Awaited {
        kind: kind.to_owned(),
        id: task.tenant.id.to_string(),
        r#for: change.awaited(),
        since,
    };
    Act::Pending { awaited, seconds }
}

#[cfg(test)]
mod tests;
