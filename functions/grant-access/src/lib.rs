//! Lets a tenant's people into its account, through IAM Identity Center. It is the last step: nobody enters before all
//! else is done.
//!
//! What it does: keeps a group for each role of the tenant with exactly the people wished for, assigns it and the
//! groups that exist already the role's permission sets in the account, and takes away what it gave and is no longer
//! wished for. Grants that have run out count as no longer wished for.
//! What it leaves on the record: each group before it is made and each assignment before it is asked for, so that it
//! knows what is ours; the request that it waits for; whom it could not find, as warnings.
//! Why repeating is safe: a group is ours if the record has the id that AWS gave it when we made it, or, where that
//! answer got lost, if its description names Landfall and this tenant. An assignment is ours if our group has it in
//! this account, or if the record says that we asked for it. All others stay.
//! Whether it can be undone: by another wish.

mod changes;
mod look;

use std::{collections::BTreeMap, fmt};

use entry::Means;
use identity_center::{Assignment, Assignments, Directory, Made, Operation};
use jiff::SignedDuration;
use ledger::{AssignmentRow, Attempts, GroupRow};
use session::Sessions;
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{
    AccountId, Failure, FailureName, IdentityCenter, Name, Seat, Seats, Uuid, WishedAccess,
    wished_access,
};
use tokio::sync::Mutex;

pub use look::{Group, Member, Seen, There};

/// Lets a tenant's people into its account.
#[derive(Debug)]
pub struct GrantAccess {
    sessions: Sessions,
    means: Means,
    /// Ids of groups that this turn made: a reading may not know them yet.
    made: Mutex<BTreeMap<String, String>>,
}

/// What brings access to what is wished for.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make a group with its people: `userName` and id.
    MakeGroup {
        /// Its display name.
        name: String,
        /// The role that it is for.
        role: String,
        /// Its people.
        users: Vec<(String, String)>,
    },
    /// Take somebody into a group.
    Admit {
        /// The group's display name.
        group: String,
        /// The group's id.
        id: String,
        /// The user's `userName` and id.
        user: (String, String),
    },
    /// Take somebody out of a group.
    Dismiss {
        /// The group's display name.
        group: String,
        /// The membership.
        member: Member,
    },
    /// Assign a group a permission set in the account.
    Assign {
        /// The group's display name.
        group: String,
        /// The group's id; none if it is yet to be made.
        id: Option<String>,
        /// The permission set's ARN.
        permission_set: String,
        /// The role that it is for.
        role: String,
        /// How AWS failed before.
        failed: Option<Attempts>,
    },
    /// Take an assignment away.
    Unassign {
        /// The group's display name.
        group: String,
        /// Group and permission set.
        assignment: Assignment,
        /// How AWS failed before.
        failed: Option<Attempts>,
    },
    /// Delete a group of ours.
    DeleteGroup {
        /// Its display name.
        name: String,
        /// Its id; none if it was never made.
        id: Option<String>,
    },
    /// Wait for what AWS works on, or for a place among those who ask.
    Await(Awaited),
    /// Say what could not be done.
    Report {
        /// For requesters.
        remarks: Vec<String>,
        /// For operators.
        reasons: Vec<String>,
    },
}

/// What a permission set is called where its ARN is too long.
fn short(permission_set: &str) -> &str {
    permission_set.rsplit('/').next().unwrap_or(permission_set)
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeGroup { name, users, .. } if users.is_empty() => {
                write!(formatter, "make group {name}")
            }
            Self::MakeGroup { name, users, .. } => {
                let users: Vec<&str> = users.iter().map(|(name, _)| name.as_str()).collect();
                write!(formatter, "make group {name} with {}", users.join(", "))
            }
            Self::Admit { group, user, .. } => {
                write!(formatter, "take {} into group {group}", user.0)
            }
            Self::Dismiss { group, member } => {
                write!(formatter, "take {} out of group {group}", member.name)
            }
            Self::Assign { group, permission_set, role, .. } => {
                write!(formatter, "let group {group} in as {role} ({})", short(permission_set))
            }
            Self::Unassign { group, assignment, .. } => {
                write!(formatter, "shut group {group} out ({})", short(&assignment.permission_set))
            }
            Self::DeleteGroup { name, .. } => write!(formatter, "delete group {name}"),
            Self::Await(awaited) => write!(formatter, "wait for {}", awaited.r#for),
            Self::Report { remarks, .. } => {
                write!(formatter, "not everybody can be let in: {}", remarks.join("; "))
            }
        }
    }
}

/// The kinds of operations that are awaited.
const ASSIGNMENT: &str = "account-assignment";
const REMOVAL: &str = "account-assignment-removal";
/// What is awaited while others have all places.
const PLACE: &str = "account-assignment-place";
/// What is awaited before AWS is asked again.
const RETRY: &str = "account-assignment-retry";
/// What is awaited while a tenant that has moved keeps a group of this name.
const LEAVING: &str = "account-assignment-group";
/// Seconds between looks at a request: no event tells that it ended.
const LOOK: u32 = 5;
/// Seconds between looks at what others do.
const CROWDED: u32 = 60;
/// How long after AWS failed it is asked again.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// How long a reading may be older than what AWS said.
const STALE: SignedDuration = SignedDuration::from_mins(2);

const INSTANCE: &str = "arn:${Partition}:sso:::instance/*";
const SETS: &str = "arn:${Partition}:sso:::permissionSet/*/*";
const ACCOUNT: &str = "arn:${Partition}:sso:::account/${Account}";
const MEMBERS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";
const STORE: &str = "arn:${Partition}:identitystore::${Management}:identitystore/*";
const GROUPS: &str = "arn:${Partition}:identitystore:::group/*";
const USERS: &str = "arn:${Partition}:identitystore:::user/*";
const MEMBERSHIPS: &str = "arn:${Partition}:identitystore:::membership/*";

impl Step for GrantAccess {
    const NAME: &'static str = "grant-access";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Management, "identitystore:GetGroupId", STORE),
        Permission::look(Site::Management, "identitystore:GetGroupId", GROUPS),
        Permission::look(Site::Management, "identitystore:DescribeGroup", STORE),
        Permission::look(Site::Management, "identitystore:DescribeGroup", GROUPS),
        Permission::look(Site::Management, "identitystore:ListGroupMemberships", STORE),
        Permission::look(Site::Management, "identitystore:ListGroupMemberships", GROUPS),
        Permission::look(Site::Management, "identitystore:ListGroupMemberships", MEMBERSHIPS),
        Permission::look(Site::Management, "identitystore:GetUserId", STORE),
        Permission::look(Site::Management, "identitystore:GetUserId", USERS),
        Permission::look(Site::Management, "identitystore:DescribeUser", STORE),
        Permission::look(Site::Management, "identitystore:DescribeUser", USERS),
        Permission::look(Site::Management, "sso:ListAccountAssignmentsForPrincipal", INSTANCE),
        Permission::look(Site::Management, "sso:DescribeAccountAssignmentCreationStatus", INSTANCE),
        Permission::look(Site::Management, "sso:DescribeAccountAssignmentDeletionStatus", INSTANCE),
        Permission::look(Site::Management, "organizations:DescribeAccount", MEMBERS),
        Permission::act(Site::Management, "identitystore:CreateGroup", STORE),
        Permission::act(Site::Management, "identitystore:DeleteGroup", STORE),
        Permission::act(Site::Management, "identitystore:DeleteGroup", GROUPS),
        Permission::act(Site::Management, "identitystore:CreateGroupMembership", STORE),
        Permission::act(Site::Management, "identitystore:CreateGroupMembership", GROUPS),
        Permission::act(Site::Management, "identitystore:CreateGroupMembership", USERS),
        Permission::act(Site::Management, "identitystore:DeleteGroupMembership", STORE),
        Permission::act(Site::Management, "identitystore:DeleteGroupMembership", GROUPS),
        Permission::act(Site::Management, "identitystore:DeleteGroupMembership", USERS),
        Permission::act(Site::Management, "identitystore:DeleteGroupMembership", MEMBERSHIPS),
        Permission::act(Site::Management, "sso:CreateAccountAssignment", INSTANCE),
        Permission::act(Site::Management, "sso:CreateAccountAssignment", SETS),
        Permission::act(Site::Management, "sso:CreateAccountAssignment", ACCOUNT),
        Permission::act(Site::Management, "sso:DeleteAccountAssignment", INSTANCE),
        Permission::act(Site::Management, "sso:DeleteAccountAssignment", SETS),
        Permission::act(Site::Management, "sso:DeleteAccountAssignment", ACCOUNT),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        look::look(&self.sessions, &self.means, task).await
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        changes::plan(task, seen)
    }

    fn warnings(&self, task: &Task, seen: &Seen) -> Vec<String> {
        changes::warnings(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        match change {
            Change::Await(awaited) => {
                let is_others = [PLACE, LEAVING].contains(&awaited.kind.as_str());
                let seconds = if is_others { CROWDED } else { LOOK };
                return Ok(Act::Pending { awaited, seconds });
            }
            Change::Report { remarks, reasons } => {
                return Err(Failure::blocked(
                    format!(
                        "Not everybody could be let in: {}. Ask Landfall's operators to look into it.",
                        remarks.join("; ")
                    ),
                    reasons.join("; "),
                ));
            }
            _ => {}
        }
        let center = center(task)?;
        let session = self.sessions.act(Site::Management).await?;
        let directory = Directory::new(&session, &task.platform, center);
        let assignments = Assignments::new(&session, &task.platform, center);
        match change {
            Change::MakeGroup { name, role, users } => {
                self.make_group(&directory, task, name, role, users).await
            }
            Change::Admit { id, user, .. } => {
                directory.add_member(&id, &user.1).await?;
                Ok(Act::Done)
            }
            Change::Dismiss { member, .. } => {
                directory.remove_member(&member.membership).await?;
                Ok(Act::Done)
            }
            Change::DeleteGroup { name, id } => {
                if let Some(id) = id {
                    directory.delete_group(&id).await?;
                }
                self.means.ledger.forget_group(task.tenant.id, &name).await?;
                Ok(Act::Done)
            }
            Change::Assign { group, id, permission_set, failed, .. } => {
                let id = match id {
                    Some(id) => Some(id),
                    None => self.made.lock().await.get(&group).cloned(),
                };
                let id = id
                    .ok_or_else(|| Failure::transient(format!("group {group} is not known yet")))?;
                let assignment = Assignment { group: id, permission_set };
                self.ask(&assignments, task, Operation::Assign, group, assignment, failed).await
            }
            Change::Unassign { group, assignment, failed } => {
                self.ask(&assignments, task, Operation::Unassign, group, assignment, failed).await
            }
            Change::Await(_) | Change::Report { .. } => Ok(Act::Done),
        }
    }
}

/// What a tenant's wish for access comes to.
fn wished(task: &Task, center: &IdentityCenter) -> Result<WishedAccess, Failure> {
    wished_access(&task.tenant, &task.landing_zone, center, task.now)
}

fn center(task: &Task) -> Result<&IdentityCenter, Failure> {
    let center = task.platform.identity_center.as_ref();
    center.ok_or_else(|| Failure::defect("the platform has no Identity Center"))
}

/// How the description of every group begins that we make for a tenant: it proves whose a group is whose id we never
/// learned.
fn mark(tenant: Uuid) -> String {
    format!("{MARK}{tenant}.")
}

const MARK: &str = "Landfall's, for tenant ";

/// The tenant that a group was made for, by its description.
fn marked(description: &str) -> Option<Uuid> {
    let (tenant, _) = description.strip_prefix(MARK)?.split_once('.')?;
    Uuid::parse_str(tenant).ok()
}

/// How the description of a group ends: with what its tenant was called when it was made.
fn said(name: &Name) -> String {
    format!(" of {name}.")
}

impl GrantAccess {
    /// The step for one turn.
    #[must_use]
    pub fn new(sessions: Sessions, means: Means) -> Self {
        Self { sessions, means, made: Mutex::default() }
    }

    async fn make_group(
        &self,
        directory: &Directory,
        task: &Task,
        name: String,
        role: String,
        users: Vec<(String, String)>,
    ) -> Result<Act, Failure> {
        let ledger = &self.means.ledger;
        let tenant = task.tenant.id;
        let mut row = GroupRow { name: name.clone(), role: role.clone(), id: None };
        ledger.note_group(tenant, row.clone()).await?;
        let description = format!("{} Role {role}{}", mark(tenant), said(&task.tenant.name));
        let id = match directory.make_group(&name, &description).await? {
            Made::Group(id) => id,
            Made::Taken => self.made_before(directory, task, &name).await?,
        };
        row.id = Some(id.clone());
        ledger.note_group(tenant, row).await?;
        for (_, user) in users {
            directory.add_member(&id, &user).await?;
        }
        self.made.lock().await.insert(name, id);
        Ok(Act::Done)
    }

    /// A group whose making was answered into the void, or that a reading did not show yet.
    async fn made_before(
        &self,
        directory: &Directory,
        task: &Task,
        name: &str,
    ) -> Result<String, Failure> {
        let unseen = || Failure::transient(format!("group {name} is there and can't be seen yet"));
        let id = directory.group_named(name).await?.ok_or_else(unseen)?;
        let group = directory.group(&id).await?.ok_or_else(unseen)?;
        let ours = group.description.starts_with(&mark(task.tenant.id));
        if ours { Ok(id) } else { Err(unseen()) }
    }

    /// Asks AWS for an assignment, or for its removal, as soon as there is a place among those who ask.
    async fn ask(
        &self,
        assignments: &Assignments,
        task: &Task,
        operation: Operation,
        name: String,
        assignment: Assignment,
        failed: Option<Attempts>,
    ) -> Result<Act, Failure> {
        let account =
            task.account().ok_or_else(|| Failure::defect("there is no account to enter"))?;
        let ledger = &self.means.ledger;
        let (tenant, holder) = (task.tenant.id, task.tenant.id.to_string());
        let seats = &Seats::account_assignments();
        if ledger.take_seat(seats, &holder, self.means.now()).await? != Seat::Taken {
            return Ok(Act::Pending { awaited: place(task), seconds: CROWDED });
        }
        let mut row = AssignmentRow {
            group: assignment.group.clone(),
            name: name.clone(),
            permission_set: assignment.permission_set.clone(),
            said: None,
            failed,
        };
        ledger.note_assignment(tenant, row.clone()).await?;
        match request(assignments, account, operation, &assignment).await {
            Ok(Some(id)) => {
                let (kind, r#for) = match operation {
                    Operation::Assign => (ASSIGNMENT, format!("AWS to let group {name} in")),
                    Operation::Unassign => (REMOVAL, format!("AWS to shut group {name} out")),
                };
                let awaited = Awaited { kind: kind.to_owned(), id, r#for, since: task.now };
                Ok(Act::Started { awaited, seconds: LOOK })
            }
            Ok(None) => {
                self.means.leave_seat(seats, tenant, PLACE).await?;
                let Assignment { group, permission_set } = &assignment;
                ledger.forget_assignment(tenant, group, permission_set).await?;
                Ok(Act::Done)
            }
            // What a person has to mend keeps nobody else out: it is reported last of all.
            Err(failure) if failure.name == FailureName::Blocked => {
                self.means.leave_seat(seats, tenant, PLACE).await?;
                row.failed = Some(attempt(task, row.failed.as_ref(), failure.system_remark));
                ledger.note_assignment(tenant, row).await?;
                Ok(Act::Pending { awaited: retry(task), seconds: 1 })
            }
            Err(failure) => {
                self.means.leave_seat(seats, tenant, PLACE).await?;
                Err(failure)
            }
        }
    }
}

async fn request(
    assignments: &Assignments,
    account: &AccountId,
    operation: Operation,
    assignment: &Assignment,
) -> Result<Option<String>, Failure> {
    match operation {
        Operation::Assign => assignments.assign(account, assignment).await.map(Some),
        Operation::Unassign => assignments.unassign(account, assignment).await,
    }
}

/// One failure more in this run.
fn attempt(task: &Task, before: Option<&Attempts>, reason: String) -> Attempts {
    let times = before.filter(|before| before.run == task.run).map_or(0, |before| before.times);
    Attempts { run: task.run, times: times + 1, reason, at: task.now }
}

/// Waits for a place; since when outlives the turns.
fn place(task: &Task) -> Awaited {
    waiting(task, PLACE, "its turn to be let in")
}

/// Waits before AWS is asked again.
fn retry(task: &Task) -> Awaited {
    waiting(task, RETRY, "AWS to be asked again")
}

/// Waits until a tenant that has moved has given a group up.
fn leaving(task: &Task, group: &str) -> Awaited {
    waiting(task, LEAVING, &format!("group {group} to be given up by a tenant that was moved"))
}

fn waiting(task: &Task, kind: &str, r#for: &str) -> Awaited {
    let earlier = task.awaited.as_ref().filter(|awaited| awaited.kind == kind);
    Awaited {
        kind: kind.to_owned(),
        id: task.tenant.id.to_string(),
        r#for: r#for.to_owned(),
        since: earlier.map_or(task.now, |awaited| awaited.since),
    }
}

#[cfg(test)]
mod tests;
