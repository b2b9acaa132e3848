//! What brings access to what is wished for: people leave first, new ways in come before old ones go, and what could
//! not be done is said last, so that one group's trouble keeps nobody else out.

use std::collections::{BTreeMap, BTreeSet};

use identity_center::Assignment;
use ledger::{AssignmentRow, Attempts};
use step::Task;
use tenant::{IdentityCenter, WishedAccess, WishedRole};

use crate::{
    Change, PAUSE, leaving,
    look::{Group, Member, Seen, There},
    retry, short, wished,
};

/// Compares what is seen with what is wished for.
pub(crate) fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let there = match seen {
        Seen::Nobody => return vec![],
        Seen::Busy(awaited) => return vec![Change::Await(awaited.clone())],
        Seen::There(there) => there,
    };
    let Some(center) = &task.platform.identity_center else { return vec![] };
    // Patterns that can't be read have failed the look already.
    let wished = wished(task, center).unwrap_or_default();
    Plan::new(task, center, there, &wished).changes()
}

struct Plan<'a> {
    task: &'a Task,
    center: &'a IdentityCenter,
    there: &'a There,
    wished: &'a WishedAccess,
    remarks: Vec<String>,
    reasons: Vec<String>,
    /// An assignment that AWS failed on is asked for again after a pause.
    paused: bool,
    /// A group of this name has to go first.
    awaited: Option<&'a String>,
}

impl<'a> Plan<'a> {
    fn new(
        task: &'a Task,
        center: &'a IdentityCenter,
        there: &'a There,
        wished: &'a WishedAccess,
    ) -> Self {
        let (remarks, reasons) = (Vec::new(), Vec::new());
        Self { task, center, there, wished, remarks, reasons, paused: false, awaited: None }
    }

    fn changes(mut self) -> Vec<Change> {
        let mut changes = self.dismissals();
        let asks = if self.there.unfinished.is_some() {
            self.withdrawals()
        } else {
            changes.extend(self.admissions());
            let mut asks = self.assignments();
            asks.extend(self.removals());
            asks.extend(self.deletions());
            asks
        };
        changes.extend(asks);
        if self.paused {
            changes.push(Change::Await(retry(self.task)));
        } else if let Some(group) = self.awaited {
            changes.push(Change::Await(leaving(self.task, group)));
        } else if !self.remarks.is_empty() {
            changes.push(Change::Report { remarks: self.remarks, reasons: self.reasons });
        }
        changes
    }

    /// The groups that we keep, with their roles.
    fn kept(&self) -> impl Iterator<Item = (&'a String, &'a WishedRole)> + use<'a> {
        let roles = &self.wished.roles;
        roles.iter().filter_map(|role| role.group.as_ref().map(|name| (name, role)))
    }

    /// The people of a role who are known, by id.
    fn people(&self, role: &WishedRole) -> BTreeMap<String, String> {
        let known = |name: &String| {
            let id = self.there.users.get(name).cloned().flatten();
            id.map(|id| (id, name.clone()))
        };
        role.users.values().filter_map(known).collect()
    }

    /// Whoever no longer has a role leaves its groups at once, those of an older name too.
    fn dismissals(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for row in &self.there.granted.groups {
            let Some(Group::Ours { members, .. }) = self.there.groups.get(&row.name) else {
                continue;
            };
            let role = self.wished.roles.iter().find(|role| role.role == row.role);
            let people = role.map(|role| self.people(role)).unwrap_or_default();
            let leaving = members.iter().filter(|member| !people.contains_key(&member.user));
            changes.extend(leaving.map(|member| dismissal(&row.name, member)));
        }
        changes
    }

    /// What is taken away though not all else is done: groups that exist and that no role names any more.
    fn withdrawals(&mut self) -> Vec<Change> {
        let ours: BTreeSet<&String> =
            self.there.granted.groups.iter().filter_map(|row| row.id.as_ref()).collect();
        let named: BTreeSet<&String> =
            self.wished.roles.iter().flat_map(|role| &role.groups).collect();
        let rows = &self.there.granted.assignments;
        let stale =
            rows.iter().filter(|row| !ours.contains(&row.group) && !named.contains(&row.name));
        let stale: BTreeMap<Assignment, String> =
            stale.map(|row| (assignment(row), row.name.clone())).collect();
        if self.center.keep_stale { vec![] } else { self.shut_out(stale) }
    }

    fn admissions(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, role) in self.kept() {
            let people = self.people(role);
            match self.there.groups.get(name) {
                Some(Group::Ours { id, members }) => {
                    let is_in = |user: &String| members.iter().any(|member| member.user == *user);
                    for (user, user_name) in people.into_iter().filter(|(user, _)| !is_in(user)) {
                        changes.push(Change::Admit {
                            group: name.clone(),
                            id: id.clone(),
                            user: (user_name, user),
                        });
                    }
                }
                Some(Group::Foreign { id }) => {
                    self.remarks.push(format!(
                        "group `{name}` is in Identity Center already and is not Landfall's"
                    ));
                    self.reasons
                        .push(format!("group {id} is neither remembered nor described as ours"));
                }
                Some(Group::Leaving) => self.awaited = Some(name),
                Some(Group::Missing) | None => changes.push(Change::MakeGroup {
                    name: name.clone(),
                    role: role.role.clone(),
                    users: people.into_iter().map(|(id, name)| (name, id)).collect(),
                }),
            }
        }
        changes
    }

    /// The groups that a role lets in: name and id, which a group that is yet to be made lacks.
    fn let_in(&self, role: &'a WishedRole) -> Vec<(&'a String, Option<String>)> {
        let own = role.group.as_ref().and_then(|name| match self.there.groups.get(name) {
            Some(Group::Ours { id, .. }) => Some((name, Some(id.clone()))),
            Some(Group::Foreign { .. } | Group::Leaving) => None,
            Some(Group::Missing) | None => Some((name, None)),
        });
        let existing =
            existing(role, self.center).filter_map(|name| match self.there.groups.get(name) {
                Some(Group::Foreign { id }) => Some((name, Some(id.clone()))),
                _ => None,
            });
        own.into_iter().chain(existing).collect()
    }

    fn wished_assignments(&self) -> BTreeSet<Assignment> {
        let mut wished = BTreeSet::new();
        for role in &self.wished.roles {
            for (_, id) in self.let_in(role) {
                let Some(group) = id else { continue };
                wished.extend(
                    role.permission_sets.iter().map(|set| Assignment {
                        group: group.clone(),
                        permission_set: set.clone(),
                    }),
                );
            }
        }
        wished
    }

    fn assignments(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut seen = BTreeSet::new();
        for role in &self.wished.roles {
            for (name, id) in self.let_in(role) {
                for set in &role.permission_sets {
                    let assigned = id.as_ref().and_then(|id| self.there.assigned.get(id));
                    let is_there = assigned.is_some_and(|sets| sets.contains(set));
                    if is_there || !seen.insert((name, set)) {
                        continue;
                    }
                    let failed = id.as_ref().and_then(|id| self.failed(id, set));
                    if self.may_ask(name, set, failed.as_ref(), "let in") {
                        changes.push(Change::Assign {
                            group: name.clone(),
                            id: id.clone(),
                            permission_set: set.clone(),
                            role: role.role.clone(),
                            failed,
                        });
                    }
                }
            }
        }
        changes
    }

    fn removals(&mut self) -> Vec<Change> {
        if self.center.keep_stale {
            return vec![];
        }
        let wished = self.wished_assignments();
        let rows = self.there.granted.assignments.iter();
        let mut stale: BTreeMap<Assignment, String> =
            rows.map(|row| (assignment(row), row.name.clone())).collect();
        for (name, group) in &self.there.groups {
            let Group::Ours { id, .. } = group else { continue };
            for set in self.there.assigned.get(id).into_iter().flatten() {
                let assignment = Assignment { group: id.clone(), permission_set: set.clone() };
                stale.insert(assignment, name.clone());
            }
        }
        stale.retain(|one, _| !wished.contains(one) && !self.is_reborn(&one.group));
        self.shut_out(stale)
    }

    fn shut_out(&mut self, stale: impl IntoIterator<Item = (Assignment, String)>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (assignment, group) in stale {
            let failed = self.failed(&assignment.group, &assignment.permission_set);
            if self.may_ask(&group, &assignment.permission_set, failed.as_ref(), "shut out") {
                changes.push(Change::Unassign { group, assignment, failed });
            }
        }
        changes
    }

    /// Whether a group is one of ours that a reading has lost and that is about to be made again under its own name:
    /// what is to become of its assignments is seen once it is back.
    fn is_reborn(&self, id: &str) -> bool {
        let kept: BTreeSet<&String> = self.kept().map(|(name, _)| name).collect();
        self.there.granted.groups.iter().any(|row| {
            row.id.as_deref() == Some(id)
                && kept.contains(&row.name)
                && self.there.groups.get(&row.name) == Some(&Group::Missing)
        })
    }

    /// Groups of ours that nobody wishes for any more go, or are left without people where they are to be kept.
    fn deletions(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        let kept: BTreeSet<&String> = self.kept().map(|(name, _)| name).collect();
        for row in self.there.granted.groups.iter().filter(|row| !kept.contains(&row.name)) {
            match self.there.groups.get(&row.name) {
                Some(Group::Foreign { .. } | Group::Leaving) => {}
                Some(Group::Ours { members, .. }) if self.center.keep_stale => {
                    changes.extend(members.iter().map(|member| dismissal(&row.name, member)));
                }
                _ if self.center.keep_stale => {}
                // A group that AWS could not shut out stays: its assignments would be left without it.
                Some(Group::Ours { id, .. }) if self.has_failed(id) => {}
                _ => {
                    let (name, id) = (row.name.clone(), row.id.clone());
                    changes.push(Change::DeleteGroup { name, id });
                }
            }
        }
        changes
    }

    /// How AWS failed in this run.
    fn failed(&self, group: &str, permission_set: &str) -> Option<Attempts> {
        let rows = &self.there.granted.assignments;
        let row =
            rows.iter().find(|row| row.group == group && row.permission_set == permission_set)?;
        row.failed.clone().filter(|failed| failed.run == self.task.run)
    }

    fn has_failed(&self, group: &str) -> bool {
        let mut rows = self.there.granted.assignments.iter().filter(|row| row.group == group);
        rows.any(|row| row.failed.as_ref().is_some_and(|failed| failed.run == self.task.run))
    }

    /// Whether AWS is asked now: once more after it failed, more often while the account is young.
    fn may_ask(
        &mut self,
        group: &str,
        permission_set: &str,
        failed: Option<&Attempts>,
        what: &str,
    ) -> bool {
        let Some(failed) = failed else { return true };
        let most = if self.task.is_young() { 10 } else { 2 };
        if failed.times >= most {
            self.remarks.push(format!("AWS failed to {what} group `{group}`"));
            let set = short(permission_set);
            self.reasons.push(format!("{group} ({set}): {}", failed.reason));
            return false;
        }
        let soon = self.task.now.duration_since(failed.at) < PAUSE;
        self.paused |= soon;
        !soon
    }
}

fn assignment(row: &AssignmentRow) -> Assignment {
    Assignment { group: row.group.clone(), permission_set: row.permission_set.clone() }
}

fn dismissal(group: &str, member: &Member) -> Change {
    Change::Dismiss { group: group.to_owned(), member: member.clone() }
}

/// The groups that a role names and that are not Landfall's own.
fn existing<'a>(
    role: &'a WishedRole,
    center: &'a IdentityCenter,
) -> impl Iterator<Item = &'a String> {
    role.groups.iter().filter(|name| !name.starts_with(&center.group_prefix))
}

/// What is not as wished for though nothing has failed.
pub(crate) fn warnings(task: &Task, seen: &Seen) -> Vec<String> {
    let Some(center) = &task.platform.identity_center else {
        let wished = !task.tenant.wish.access.is_empty();
        let warning = "The platform has no Identity Center: nobody is given access.";
        return wished.then(|| warning.to_owned()).into_iter().collect();
    };
    let wished = wished(task, center).unwrap_or_default();
    let zone = &task.tenant.wish.landing_zone;
    let unmapped = |role: &String| {
        format!(
            "Role `{role}` has no permission set in landing zone `{zone}`: nobody is let in by it."
        )
    };
    let mut warnings: Vec<String> = wished.unmapped.iter().map(unmapped).collect();
    let Seen::There(there) = seen else { return warnings };
    if let Some(step) = &there.unfinished {
        warnings.push(format!("Nobody is newly let in before {step} is done."));
    }
    for role in &wished.roles {
        for (user, user_name) in &role.users {
            if there.users.get(user_name).is_some_and(Option::is_none) {
                let named =
                    if user == user_name { String::new() } else { format!(" as `{user_name}`") };
                warnings.push(format!(
                    "Identity Center does not know user `{user}`{named}: {} gets in once it does.",
                    role.role
                ));
            }
        }
        for group in existing(role, center) {
            if there.groups.get(group) == Some(&Group::Missing) {
                warnings.push(format!(
                    "There is no group `{group}` in Identity Center: {} gets in by it once there is.",
                    role.role
                ));
            }
        }
        for group in role.groups.iter().filter(|name| name.starts_with(&center.group_prefix)) {
            warnings.push(format!(
                "Group `{group}` is called as only Landfall's own groups are: nobody is let in by it."
            ));
        }
    }
    warnings
}
