//! Moves the account into its organizational unit and tags it.
//!
//! What it does: brings the account's parent and our tags to what the landing zone and the tenant say. Where being
//! moved is what enrols an account in Control Tower, the move is enrol-account's.
//! What it leaves on the record: each change; AWS holds the rest.
//! Why repeating is safe: it looks first, and only tags with our prefix are ours to change or to take off.
//! Whether it can be undone: by another wish.

use std::{collections::BTreeMap, fmt};

use organization::Organization;
use session::Sessions;
use step::{Act, Permission, Site, Step, Task};
use tenant::{AccountId, Failure, account_tags};

/// Moves the account into its organizational unit and tags it.
#[derive(Debug)]
pub struct PlaceAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
}

/// Where an account stands and what it is tagged with.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet: it will be born in the root with its tags.
    NotYet,
    /// The account, its unit and all its tags.
    There {
        /// The account.
        account: AccountId,
        /// The unit that it stands in.
        parent: String,
        /// Its tags, ours and others'.
        tags: BTreeMap<String, String>,
    },
}

/// What brings an account to its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Move the account.
    Move {
        /// Where it stands; none before it is born.
        from: Option<String>,
        /// Where it is to stand.
        to: String,
    },
    /// Set tags.
    Tag(BTreeMap<String, String>),
    /// Take tags off.
    Untag(Vec<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move { from: Some(from), to } => {
                write!(formatter, "move the account from {from} to {to}")
            }
            Self::Move { from: None, to } => write!(formatter, "move the account to {to}"),
            Self::Tag(tags) => {
                let tags: Vec<String> =
                    tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(formatter, "tag the account {}", tags.join(", "))
            }
            Self::Untag(keys) => write!(formatter, "take tags {} off the account", keys.join(", ")),
        }
    }
}

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const UNITS: &str = "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*";
const ROOTS: &str = "arn:${Partition}:organizations::${Management}:root/o-*/r-*";

impl Step for PlaceAccount {
    const NAME: &'static str = "place-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:ListParents", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
        Permission::act(Site::Management, "organizations:MoveAccount", ACCOUNTS),
        Permission::act(Site::Management, "organizations:MoveAccount", UNITS),
        Permission::act(Site::Management, "organizations:MoveAccount", ROOTS),
        Permission::act(Site::Management, "organizations:TagResource", ACCOUNTS),
        Permission::act(Site::Management, "organizations:UntagResource", ACCOUNTS),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(account) = task.account() else { return Ok(Seen::NotYet) };
        let organization = Organization::new(&self.sessions.look(Site::Management).await?);
        let parent = organization.parent(account).await?.ok_or_else(|| {
            Failure::transient(format!(
                "organizations:ListParents does not know account {account} yet"
            ))
        })?;
        let tags = organization.tags(account.as_str()).await?;
        Ok(Seen::There { account: account.clone(), parent, tags })
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to place"))?;
        let organization = Organization::new(&self.sessions.act(Site::Management).await?);
        match change {
            Change::Move { from, to } => {
                let from = from
                    .ok_or_else(|| Failure::defect("an account that is there stands somewhere"))?;
                organization.move_account(account, &from, &to).await?;
            }
            Change::Tag(tags) => organization.tag(account, &tags).await?,
            Change::Untag(keys) => organization.untag(account, &keys).await?,
        }
        Ok(Act::Done)
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let unit = &task.landing_zone.organizational_unit;
    let moves = !task.landing_zone.enrols_by_move(&task.platform);
    let Seen::There { parent, tags, .. } = seen else {
        let there = Change::Move { from: None, to: unit.clone() };
        return moves.then_some(there).into_iter().collect();
    };
    let mut changes = Vec::new();
    if moves && parent != unit {
        changes.push(Change::Move { from: Some(parent.clone()), to: unit.clone() });
    }
    let wished = account_tags(&task.tenant, &task.landing_zone, &task.platform);
    let missing: BTreeMap<String, String> = wished
        .iter()
        .filter(|(key, value)| tags.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let stale: Vec<String> = tags
        .keys()
        .filter(|key| key.starts_with(&task.platform.tag_prefix) && !wished.contains_key(*key))
        .cloned()
        .collect();
    // Off before on: an account has room for fifty.
    if !stale.is_empty() {
        changes.push(Change::Untag(stale));
    }
    if !missing.is_empty() {
        changes.push(Change::Tag(missing));
    }
    changes
}

#[cfg(test)]
mod tests;
