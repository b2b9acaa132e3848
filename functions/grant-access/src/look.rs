//! What can be seen of a tenant's access: in Identity Center, and in the memory of what we made.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use entry::Means;
use identity_center::{Assignment, Assignments, Directory, Operation, Progress};
use ledger::{AssignmentRow, Granted, GroupRow, Ledger, Said, State, StepRow};
use organization::{Organization, Standing};
use replication::STEPS;
use session::Sessions;
use step::{Awaited, Site, Step, Task};
use tenant::{Failure, IdentityCenter, Mode, Phase, Seat, Seats, WishedAccess};

use crate::{
    ASSIGNMENT, GrantAccess, PLACE, REMOVAL, STALE, attempt, mark, marked, place, said, wished,
};

/// What can be seen of a tenant's access.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Nobody is to have access, and nobody has it by our doing.
    Nobody,
    /// AWS works on a request of ours, or others have all places.
    Busy(Awaited),
    /// What there is.
    There(There),
}

/// What there is in Identity Center that concerns a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct There {
    /// Ids of the users that are wished for, by `userName`; none if nobody is called so.
    pub users: BTreeMap<String, Option<String>>,
    /// Groups by display name: those that are wished for and those that we made.
    pub groups: BTreeMap<String, Group>,
    /// Permission sets that groups are assigned in the account, by the group's id.
    pub assigned: BTreeMap<String, BTreeSet<String>>,
    /// What we made.
    pub granted: Granted,
    /// What is to be done before anybody is let in: a step that failed in this run, a stack that is not rolled out.
    pub unfinished: Option<String>,
}

/// A group as it stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Group {
    /// There is none of that name.
    Missing,
    /// We made it for this tenant.
    Ours {
        /// Its id.
        id: String,
        /// Who is in it.
        members: Vec<Member>,
    },
    /// Somebody else's.
    Foreign {
        /// Its id.
        id: String,
    },
    /// Another tenant's, which was called so before it moved: that tenant's next run gives it up.
    Leaving,
}

/// Somebody in a group of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The membership's id.
    pub membership: String,
    /// The user's id.
    pub user: String,
    /// The `userName`, or the id of a user who is gone.
    pub name: String,
}

/// Sees what there is; a request that has ended meanwhile is noted first.
pub(crate) async fn look(sessions: &Sessions, means: &Means, task: &Task) -> Result<Seen, Failure> {
    let ledger = &means.ledger;
    let Some(center) = &task.platform.identity_center else { return Ok(Seen::Nobody) };
    let wished = wished(task, center)?;
    let mut granted = ledger.granted(task.tenant.id).await?;
    let nothing = granted.groups.is_empty() && granted.assignments.is_empty();
    if wished.roles.is_empty() && nothing {
        return Ok(Seen::Nobody);
    }
    let session = sessions.look(Site::Management).await?;
    let assignments = Assignments::new(&session, &task.platform, center);
    if let Some(awaited) = &task.awaited
        && let Some(busy) = busy(&assignments, means, task, awaited, &mut granted).await?
    {
        return Ok(Seen::Busy(busy));
    }
    let directory = Directory::new(&session, &task.platform, center);
    let unfinished = match task.mode {
        Mode::Replicate => unfinished(&ledger.steps(task.tenant.id).await?, task),
        Mode::Remove | Mode::Plan => None,
    };
    let has_failed = granted.assignments.iter().any(|row| row.failed.is_some());
    let left = task.mode == Mode::Remove && has_failed && is_gone(&session, task).await?;
    if left {
        for AssignmentRow { group, permission_set, .. } in granted.assignments.drain(..) {
            ledger.forget_assignment(task.tenant.id, &group, &permission_set).await?;
        }
    }
    let mut there = There { granted, unfinished, ..There::default() };
    see_users(&directory, &wished, &mut there).await?;
    see_groups(&directory, ledger, task, &wished, center, &mut there).await?;
    if !left {
        see_assignments(&assignments, task, &mut there).await?;
    }
    Ok(Seen::There(there))
}

/// Whether there is no account any more that anybody could enter: AWS takes no assignment away from a closed one.
async fn is_gone(session: &SdkConfig, task: &Task) -> Result<bool, Failure> {
    let Some(account) = task.account() else { return Ok(true) };
    let found = Organization::new(session).account(account.as_str()).await?;
    Ok(found.is_none_or(|account| account.standing == Standing::Closed))
}

/// Who says that all is there; nobody is let in without its word.
const VERIFIED: &str = "verify-baseline";

/// The first step of this run that keeps people out.
pub(crate) fn unfinished(rows: &[StepRow], task: &Task) -> Option<String> {
    let before = STEPS.iter().take_while(|step| step.name != GrantAccess::NAME);
    let parts = before.flat_map(|step| {
        let parts = step.parts(Some(&task.landing_zone)).into_iter();
        parts.map(move |part| (step, part))
    });
    let is_open = |step: &str, part: Option<&str>| {
        let row = rows
            .iter()
            .find(|row| row.step == step && row.part.as_deref() == part && row.run == task.run);
        match row.map(|row| row.state) {
            Some(State::Done) => false,
            Some(State::Failed) => true,
            _ => part.is_some() || step == VERIFIED,
        }
    };
    let mut open = parts.filter(|(step, part)| is_open(&step.name, *part));
    open.next().map(|(step, part)| match part {
        Some(part) => format!("{} of {part}", step.name),
        None => step.name.clone(),
    })
}

/// What keeps the step waiting, if anything still does.
async fn busy(
    assignments: &Assignments,
    means: &Means,
    task: &Task,
    awaited: &Awaited,
    granted: &mut Granted,
) -> Result<Option<Awaited>, Failure> {
    let (tenant, holder) = (task.tenant.id, task.tenant.id.to_string());
    let (ledger, seats) = (&means.ledger, &Seats::account_assignments());
    let operation = match awaited.kind.as_str() {
        ASSIGNMENT => Operation::Assign,
        REMOVAL => Operation::Unassign,
        PLACE => {
            let seat = ledger.take_seat(seats, &holder, task.now).await?;
            return Ok(if seat == Seat::Taken { None } else { Some(place(task)) });
        }
        _ => return Ok(None),
    };
    let progress = assignments.progress(operation, &awaited.id).await?;
    let row = |assignment: &Assignment| {
        let same = |row: &&AssignmentRow| {
            row.group == assignment.group && row.permission_set == assignment.permission_set
        };
        let known = granted.assignments.iter().find(same).cloned();
        known.unwrap_or_else(|| AssignmentRow {
            group: assignment.group.clone(),
            name: assignment.group.clone(),
            permission_set: assignment.permission_set.clone(),
            said: None,
            failed: None,
        })
    };
    match progress {
        Progress::Running => return Ok(Some(awaited.clone())),
        Progress::Unknown => {}
        Progress::Succeeded(assignment) if operation == Operation::Unassign => {
            let Assignment { group, permission_set } = &assignment;
            ledger.forget_assignment(tenant, group, permission_set).await?;
        }
        Progress::Succeeded(assignment) => {
            let said = Some(Said { there: true, at: task.now });
            let row = AssignmentRow { said, failed: None, ..row(&assignment) };
            ledger.note_assignment(tenant, row).await?;
        }
        Progress::Failed(assignment, reason) => {
            let row = row(&assignment);
            let failed = Some(attempt(task, row.failed.as_ref(), reason));
            ledger.note_assignment(tenant, AssignmentRow { failed, ..row }).await?;
        }
    }
    means.leave_seat(seats, tenant, PLACE).await?;
    *granted = ledger.granted(tenant).await?;
    Ok(None)
}

async fn see_users(
    directory: &Directory,
    wished: &WishedAccess,
    there: &mut There,
) -> Result<(), Failure> {
    for user_name in wished.roles.iter().flat_map(|role| role.users.values()) {
        if !there.users.contains_key(user_name) {
            let id = directory.user_named(user_name).await?;
            there.users.insert(user_name.clone(), id);
        }
    }
    Ok(())
}

async fn see_groups(
    directory: &Directory,
    ledger: &Ledger,
    task: &Task,
    wished: &WishedAccess,
    center: &IdentityCenter,
    there: &mut There,
) -> Result<(), Failure> {
    let mut ours: BTreeMap<String, GroupRow> =
        there.granted.groups.iter().map(|row| (row.name.clone(), row.clone())).collect();
    for role in &wished.roles {
        if let Some(name) = &role.group {
            let row = GroupRow { name: name.clone(), role: role.role.clone(), id: None };
            ours.entry(name.clone()).or_insert(row);
        }
    }
    for (name, row) in ours {
        let group = match see_group(directory, task, &row, there).await? {
            Group::Foreign { id } if !center.keep_stale => {
                let is_leaving = is_leaving(directory, ledger, &id).await?;
                if is_leaving { Group::Leaving } else { Group::Foreign { id } }
            }
            group => group,
        };
        let known =
            there.granted.groups.iter().any(|known| known.id.is_some() && known.name == name);
        if let Group::Ours { id, .. } = &group
            && !known
        {
            let row = GroupRow { id: Some(id.clone()), ..row };
            if task.mode != Mode::Plan {
                ledger.note_group(task.tenant.id, row.clone()).await?;
            }
            there.granted.groups.retain(|known| known.name != name);
            there.granted.groups.push(row);
        }
        there.groups.insert(name, group);
    }
    let existing = wished.roles.iter().flat_map(|role| &role.groups);
    for name in existing.filter(|name| !name.starts_with(&center.group_prefix)) {
        if !there.groups.contains_key(name) {
            let id = directory.group_named(name).await?;
            let group = id.map_or(Group::Missing, |id| Group::Foreign { id });
            there.groups.insert(name.clone(), group);
        }
    }
    Ok(())
}

/// Whether a group is one of a tenant that had another name when it was made.
async fn is_leaving(directory: &Directory, ledger: &Ledger, id: &str) -> Result<bool, Failure> {
    let Some(group) = directory.group(id).await? else { return Ok(false) };
    let Some(owner) = marked(&group.description) else { return Ok(false) };
    let Some(owner) = ledger.tenant(owner).await? else { return Ok(false) };
    Ok(owner.phase != Phase::Deleted && !group.description.ends_with(&said(&owner.name)))
}

/// One group that is or may be ours, by its id if we know it: whoever renames it does not make it another.
async fn see_group(
    directory: &Directory,
    task: &Task,
    row: &GroupRow,
    there: &There,
) -> Result<Group, Failure> {
    let mut listed = None;
    if let Some(id) = &row.id {
        listed = directory.members(id).await?;
        // Members prove that a group is there; that there are none proves nothing.
        if let Some(members) = listed.take_if(|members| !members.is_empty()) {
            return ours(directory, id.clone(), members, there).await;
        }
    }
    let mut found = match &row.id {
        Some(id) => directory.group(id).await?,
        None => None,
    };
    if found.is_none()
        && let Some(id) = directory.group_named(&row.name).await?
    {
        found = directory.group(&id).await?;
    }
    let Some(group) = found else { return Ok(Group::Missing) };
    let remembered = row.id.as_ref() == Some(&group.id);
    if !remembered && !group.description.starts_with(&mark(task.tenant.id)) {
        return Ok(Group::Foreign { id: group.id });
    }
    let members = match listed.filter(|_| remembered) {
        Some(members) => members,
        None => directory.members(&group.id).await?.unwrap_or_default(),
    };
    ours(directory, group.id, members, there).await
}

/// A group of ours, its members by name.
async fn ours(
    directory: &Directory,
    id: String,
    found: Vec<identity_center::Member>,
    there: &There,
) -> Result<Group, Failure> {
    let mut members = Vec::new();
    for member in found {
        let wished = there.users.iter().find(|(_, id)| id.as_ref() == Some(&member.user));
        let name = match wished {
            Some((name, _)) => Some(name.clone()),
            None => directory.user_name(&member.user).await?,
        };
        let name = name.unwrap_or_else(|| member.user.clone());
        members.push(Member { membership: member.membership, user: member.user, name });
    }
    Ok(Group::Ours { id, members })
}

/// The assignments as they are read, set right by what AWS said last.
async fn see_assignments(
    assignments: &Assignments,
    task: &Task,
    there: &mut There,
) -> Result<(), Failure> {
    let Some(account) = task.account() else { return Ok(()) };
    let ids = there.groups.values().filter_map(|group| match group {
        Group::Missing | Group::Leaving => None,
        Group::Ours { id, .. } | Group::Foreign { id } => Some(id.clone()),
    });
    for id in ids.collect::<BTreeSet<String>>() {
        let sets = assignments.of_group(account, &id).await?;
        there.assigned.insert(id, sets);
    }
    for row in &there.granted.assignments {
        let Some(said) = &row.said else { continue };
        if task.now.duration_since(said.at) < STALE {
            let sets = there.assigned.entry(row.group.clone()).or_default();
            if said.there {
                sets.insert(row.permission_set.clone());
            } else {
                sets.remove(&row.permission_set);
            }
        }
    }
    Ok(())
}
