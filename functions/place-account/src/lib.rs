//! Moves the account into its organizational unit, tags it, and says whom AWS asks about it.
//!
//! What it does: brings the account's parent, our tags and its alternate contacts to what the landing zone and the
//! tenant say. Where being moved is what enrols an account in Control Tower, the move is enrol-account's.
//! What it leaves on the record: each change; AWS holds the rest.
//! Why repeating is safe: it looks first, and only tags with our prefix, and contacts that our tag names, are ours to
//! change or to take off.
//! Whether it can be undone: by another wish. A unit that was made for a workspace stays.

use std::{collections::BTreeMap, fmt};

use account::Account;
use organization::{Organization, Standing};
use session::Sessions;
use step::{Act, Permission, Site, Step, Task};
use tenant::{
    AccountId, AlternateContact, Concern, Failure, account_tags, alternate_contacts, our_contacts,
};

/// Moves the account into its organizational unit, tags it, and says whom AWS asks about it.
#[derive(Debug)]
pub struct PlaceAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
}

/// Where an account stands, what it is tagged with and whom AWS asks about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet: it will be born in the root with its tags.
    NotYet,
    /// The account, its unit, all its tags, and its contacts.
    There {
        /// The account.
        account: AccountId,
        /// The unit that it stands in.
        parent: String,
        /// The units above that one, looked at where an account may stand beneath its unit.
        above: Vec<String>,
        /// The workspace's own unit, where there is to be one and there is.
        workspace_unit: Option<String>,
        /// Its tags, ours and others'.
        tags: BTreeMap<String, String>,
        /// Whom AWS asks, of the contacts that are ours or are to be.
        contacts: BTreeMap<Concern, AlternateContact>,
    },
}

/// A unit to move to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unit {
    /// One that is there.
    Known(String),
    /// One that is made first.
    New {
        /// The unit that it is beneath.
        parent: String,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id) => formatter.write_str(id),
            Self::New { parent, name } => write!(formatter, "the unit {name} beneath {parent}"),
        }
    }
}

/// What brings an account to its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the workspace's unit.
    CreateUnit {
        /// The unit that it is beneath.
        parent: String,
        /// Its name.
        name: String,
    },
    /// Move the account.
    Move {
        /// Where it stands; none before it is born.
        from: Option<String>,
        /// Where it is to stand.
        to: Unit,
    },
    /// AWS asks nobody in particular any more.
    RemoveContact(Concern),
    /// Take tags off.
    Untag(Vec<String>),
    /// Set tags.
    Tag(BTreeMap<String, String>),
    /// Say whom AWS asks.
    SetContact(Concern, AlternateContact),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateUnit { parent, name } => {
                write!(formatter, "make the organizational unit {name} beneath {parent}")
            }
            Self::Move { from: Some(from), to } => {
                write!(formatter, "move the account from {from} to {to}")
            }
            Self::Move { from: None, to } => write!(formatter, "move the account to {to}"),
            Self::RemoveContact(concern) => {
                write!(formatter, "take the {concern} contact off the account")
            }
            Self::Untag(keys) => write!(formatter, "take tags {} off the account", keys.join(", ")),
            Self::Tag(tags) => {
                let tags: Vec<String> =
                    tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(formatter, "tag the account {}", tags.join(", "))
            }
            Self::SetContact(concern, contact) => {
                write!(formatter, "make {} <{}> the {concern} contact", contact.name, contact.email)
            }
        }
    }
}

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const UNITS: &str = "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*";
const ROOTS: &str = "arn:${Partition}:organizations::${Management}:root/o-*/r-*";
/// An account as Account Management names it.
const DETAILS: &str = "arn:${Partition}:account::${Management}:account/o-*/*";

impl Step for PlaceAccount {
    const NAME: &'static str = "place-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "organizations:DescribeAccount", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListParents", ACCOUNTS),
        Permission::look(Site::Management, "organizations:ListParents", UNITS),
        Permission::look(Site::Management, "organizations:ListOrganizationalUnitsForParent", UNITS),
        Permission::look(Site::Management, "organizations:ListOrganizationalUnitsForParent", ROOTS),
        Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
        Permission::look(Site::Management, "account:GetAlternateContact", DETAILS),
        Permission::act(Site::Management, "organizations:CreateOrganizationalUnit", UNITS),
        Permission::act(Site::Management, "organizations:CreateOrganizationalUnit", ROOTS),
        Permission::act(Site::Management, "organizations:MoveAccount", ACCOUNTS),
        Permission::act(Site::Management, "organizations:MoveAccount", UNITS),
        Permission::act(Site::Management, "organizations:MoveAccount", ROOTS),
        Permission::act(Site::Management, "organizations:TagResource", ACCOUNTS),
        Permission::act(Site::Management, "organizations:UntagResource", ACCOUNTS),
        Permission::act(Site::Management, "account:PutAlternateContact", DETAILS),
        Permission::act(Site::Management, "account:DeleteAlternateContact", DETAILS),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(id) = task.account() else { return Ok(Seen::NotYet) };
        let session = self.sessions.look(Site::Management).await?;
        let organization = Organization::new(&session);
        let parent = parent(&organization, task, id).await?;
        let zone = &task.landing_zone;
        let workspace_unit = if zone.organizational_unit_per_workspace {
            organization.unit_named(&zone.organizational_unit, &task.tenant.name.workspace).await?
        } else {
            None
        };
        let strays = target(task, workspace_unit.as_ref()) != Unit::Known(parent.clone());
        let above = if task.platform.allow_hierarchical_organizational_unit_assignment && strays {
            organization.above(&parent).await?
        } else {
            Vec::new()
        };
        let tags = organization.tags(id.as_str()).await?;
        let account = Account::new(&session, id);
        let wished = alternate_contacts(&task.tenant.wish, zone, &task.platform);
        let mut contacts = BTreeMap::new();
        let ours = our_contacts(&tags, &task.platform);
        for concern in Concern::ALL {
            if (wished.contains_key(&concern) || ours.contains(&concern))
                && let Some(contact) = account.contact(concern).await?
            {
                contacts.insert(concern, contact);
            }
        }
        Ok(Seen::There { account: id.clone(), parent, above, workspace_unit, tags, contacts })
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let id = task.account().ok_or_else(|| Failure::defect("there is no account to place"))?;
        let session = self.sessions.act(Site::Management).await?;
        let organization = Organization::new(&session);
        match change {
            Change::CreateUnit { parent, name } => organization.create_unit(&parent, &name).await?,
            Change::Move { from, to } => {
                let from = from
                    .ok_or_else(|| Failure::defect("an account that is there stands somewhere"))?;
                let to = match to {
                    Unit::Known(id) => id,
                    Unit::New { parent, name } => {
                        organization.unit_named(&parent, &name).await?.ok_or_else(|| {
                            Failure::transient(format!(
                                "organizations:ListOrganizationalUnitsForParent does not show {name} yet"
                            ))
                        })?
                    }
                };
                organization.move_account(id, &from, &to).await?;
            }
            Change::RemoveContact(concern) => {
                Account::new(&session, id).delete_contact(concern).await?;
            }
            Change::Untag(keys) => organization.untag(id, &keys).await?,
            Change::Tag(tags) => organization.tag(id, &tags).await?,
            Change::SetContact(concern, contact) => {
                Account::new(&session, id).put_contact(concern, &contact).await?;
            }
        }
        Ok(Act::Done)
    }
}

/// The unit that the account is to stand in.
fn target(task: &Task, workspace_unit: Option<&String>) -> Unit {
    let unit = &task.landing_zone.organizational_unit;
    match workspace_unit {
        _ if !task.landing_zone.organizational_unit_per_workspace => Unit::Known(unit.clone()),
        Some(own) => Unit::Known(own.clone()),
        None => Unit::New { parent: unit.clone(), name: task.tenant.name.workspace.clone() },
    }
}

/// The unit that an account stands in, as long as it can be used.
async fn parent(
    organization: &Organization,
    task: &Task,
    id: &AccountId,
) -> Result<String, Failure> {
    let unknown =
        |operation: &str| Failure::transient(format!("{operation} does not know account {id} yet"));
    let Some(found) = organization.account(id.as_str()).await? else {
        if task.is_young() {
            return Err(unknown("organizations:DescribeAccount"));
        }
        return Err(Failure::blocked(
            format!(
                "Account {id} has left the organization. Delete the tenant, or invite the account again."
            ),
            format!("organizations:DescribeAccount does not know account {id}"),
        ));
    };
    if found.standing != Standing::Open {
        return Err(Failure::blocked(
            format!(
                "Account {id} is closed or suspended, and not by Landfall. Delete the tenant, or have AWS reopen the account, which it does for ninety days."
            ),
            format!("organizations:DescribeAccount: account {id} is {:?}", found.standing),
        ));
    }
    if let Some(parent) = found.parent {
        return Ok(parent);
    }
    let parent = organization.parent(id).await?;
    parent.ok_or_else(|| unknown("organizations:ListParents"))
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let moves = !task.landing_zone.enrols_by_move(&task.platform);
    let wished = alternate_contacts(&task.tenant.wish, &task.landing_zone, &task.platform);
    let Seen::There { parent, above, workspace_unit, tags, contacts, .. } = seen else {
        let moved = Change::Move { from: None, to: target(task, None) };
        let set = wished.into_iter().map(|(concern, contact)| Change::SetContact(concern, contact));
        return moves.then_some(moved).into_iter().chain(set).collect();
    };
    let mut changes = Vec::new();
    let to = target(task, workspace_unit.as_ref());
    let placed = match &to {
        Unit::Known(unit) => parent == unit || above.contains(unit),
        Unit::New { .. } => false,
    };
    if moves && let Unit::New { parent, name } = &to {
        changes.push(Change::CreateUnit { parent: parent.clone(), name: name.clone() });
    }
    if moves && !placed {
        changes.push(Change::Move { from: Some(parent.clone()), to });
    }
    // The tag says which contacts are ours: it is there before them and goes after them.
    let ours = our_contacts(tags, &task.platform);
    let gone = ours.into_iter().filter(|concern| !wished.contains_key(concern));
    changes
        .extend(gone.filter(|concern| contacts.contains_key(concern)).map(Change::RemoveContact));
    let wished_tags = account_tags(&task.tenant, &task.landing_zone, &task.platform);
    let missing: BTreeMap<String, String> = wished_tags
        .iter()
        .filter(|(key, value)| tags.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let stale: Vec<String> = tags
        .keys()
        .filter(|key| key.starts_with(&task.platform.tag_prefix) && !wished_tags.contains_key(*key))
        .cloned()
        .collect();
    // Off before on: an account has room for fifty.
    if !stale.is_empty() {
        changes.push(Change::Untag(stale));
    }
    if !missing.is_empty() {
        changes.push(Change::Tag(missing));
    }
    let set =
        wished.into_iter().filter(|(concern, contact)| contacts.get(concern) != Some(contact));
    changes.extend(set.map(|(concern, contact)| Change::SetContact(concern, contact)));
    changes
}

#[cfg(test)]
mod tests;
