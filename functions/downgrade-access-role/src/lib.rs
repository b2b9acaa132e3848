//! Takes from the access role what Landfall does not need for ever.
//!
//! What it does: proves with a session that is limited to the life policy that Landfall can live on it, then bounds
//! the role by it and takes every other policy off, the administrator's last, and looks until it holds.
//! What it leaves on the record: each policy that was taken off.
//! Why repeating is safe: what remains may take policies off and set this one boundary, and nothing else; a half-done
//! downgrade is finished by the same changes.
//! Whether it can be undone: by a person, through the StackSet or the other way in that the landing zone names.

use std::fmt;

use role::{Attached, Role, Roles};
use serde_json::{Value, json};
use session::Sessions;
use step::{Act, Awaited, Permission, Place, Site, Step, Task};
use tenant::{Downgrade, Failure, FailureName};

/// Takes from the access role what Landfall does not need for ever.
#[derive(Debug)]
pub struct DowngradeAccessRole {
    /// The turn's sessions.
    pub sessions: Sessions,
}

/// What the access role may do.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet, or the landing zone leaves the role to others.
    Nothing,
    /// The role's policies and boundary.
    Policies {
        /// Managed policies.
        attached: Vec<Attached>,
        /// Inline policies by name; a document only where it is ours.
        inline: Vec<(String, Option<Value>)>,
        /// The permissions boundary.
        boundary: Option<String>,
    },
}

/// What downgrades the role.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Prove that Landfall can live on the life policy.
    Prove,
    /// Bound the role by the life policy.
    Bound,
    /// Write meshStack's final policy.
    WriteMeshstack,
    /// Take a managed policy off.
    Detach(Attached),
    /// Delete an inline policy.
    Delete(String),
    /// The life policy is not attached yet.
    AwaitLife,
    /// Look until IAM shows what was done.
    Verify,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prove => formatter.write_str("prove that the life policy is enough"),
            Self::Bound => formatter.write_str("bound the access role by the life policy"),
            Self::WriteMeshstack => formatter.write_str("write meshStack's final policy"),
            Self::Detach(policy) => write!(formatter, "take {} off the access role", policy.name),
            Self::Delete(policy) => write!(formatter, "delete {policy} from the access role"),
            Self::Verify => formatter.write_str("look until the downgrade holds"),
            Self::AwaitLife => formatter.write_str("wait for the life policy on the access role"),
        }
    }
}

const ACCESS: &str = "arn:${Partition}:iam::${Account}:role/${AccessRole}";
const EXECUTION: &str = "arn:${Partition}:iam::${Account}:role/${ExecutionRole}";
/// The policy that the `landfall-access` StackSet attaches.
const LIFE: &str = "arn:${Partition}:iam::${Account}:policy/landfall-life";
/// The inline policy of mode `meshstack`.
const MESHSTACK: &str = "meshstack-final";
/// Seconds until what was done can be seen.
const LOOK: u32 = 20;
const ADMINISTRATOR: &str = "AdministratorAccess";

impl Step for DowngradeAccessRole {
    const NAME: &'static str = "downgrade-access-role";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Member, "iam:GetRole", ACCESS),
        Permission::look(Site::Member, "iam:ListAttachedRolePolicies", ACCESS),
        Permission::look(Site::Member, "iam:ListRolePolicies", ACCESS),
        Permission::look(Site::Member, "iam:GetRolePolicy", ACCESS),
        Permission::look(Site::Member, "iam:GetRole", EXECUTION),
        // What remains can only be made less: no other boundary, and the life policy stays.
        Permission::act(Site::Member, "iam:PutRolePermissionsBoundary", ACCESS).when((
            "StringEquals",
            "iam:PermissionsBoundary",
            LIFE,
        )),
        Permission::act(Site::Member, "iam:DetachRolePolicy", ACCESS).when((
            "ArnNotEquals",
            "iam:PolicyARN",
            LIFE,
        )),
        Permission::act(Site::Member, "iam:DeleteRolePolicy", ACCESS),
        Permission::act(Site::Member, "iam:PutRolePolicy", ACCESS).birth(),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        if task.account().is_none() || task.landing_zone.access_role.downgrade == Downgrade::Off {
            return Ok(Seen::Nothing);
        }
        let roles = Roles::new(&self.sessions.look(Site::Member).await?);
        look(&roles, task.platform.access_role_name()).await
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let place = task.place();
        let (access, life) = (task.platform.access_role_name(), place.fill(LIFE));
        match change {
            Change::AwaitLife => {
                return Err(Failure::new(
                    FailureName::NotReady,
                    "The policy that the access role keeps is not there yet; it is looked at again.",
                    format!("{life} is not attached to {access}"),
                ));
            }
            Change::Verify => {
                let awaited = Awaited {
                    kind: "downgrade".to_owned(),
                    id: life,
                    r#for: "IAM to show the downgrade".to_owned(),
                    since: task.awaited.as_ref().map_or(task.now, |awaited| awaited.since),
                };
                return Ok(Act::Pending { awaited, seconds: LOOK });
            }
            Change::Prove => {
                let limited = Roles::new(&self.sessions.limited(&life).await?);
                look(&limited, access).await?;
                limited.role(&task.platform.execution_role).await?;
            }
            Change::Bound => self.roles().await?.bound(access, &life).await?,
            Change::WriteMeshstack => {
                self.roles()
                    .await?
                    .write_inline(access, MESHSTACK, &meshstack_policy(&place))
                    .await?;
            }
            Change::Detach(policy) => self.roles().await?.detach(access, &policy.arn).await?,
            Change::Delete(policy) => self.roles().await?.delete_inline(access, &policy).await?,
        }
        Ok(Act::Done)
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let mode = task.landing_zone.access_role.downgrade;
    match (mode, seen) {
        (Downgrade::Off, _) => vec![],
        (Downgrade::Strict, Seen::Nothing) => {
            vec![Change::Prove, Change::Bound, Change::Detach(administrator(task))]
        }
        (Downgrade::Meshstack, Seen::Nothing) => {
            vec![Change::WriteMeshstack, Change::Detach(administrator(task))]
        }
        (Downgrade::Strict, Seen::Policies { attached, inline, boundary }) => {
            strict(&task.place().fill(LIFE), attached, inline, boundary.as_deref())
        }
        (Downgrade::Meshstack, Seen::Policies { attached, inline, .. }) => {
            meshstack(&meshstack_policy(&task.place()), &task.place().fill(LIFE), attached, inline)
        }
    }
}

impl DowngradeAccessRole {
    async fn roles(&self) -> Result<Roles, Failure> {
        Ok(Roles::new(&self.sessions.act(Site::Member).await?))
    }
}

async fn look(roles: &Roles, access: &str) -> Result<Seen, Failure> {
    let Some(Role { boundary, .. }) = roles.role(access).await? else {
        return Err(Failure::transient(format!("iam:GetRole does not know {access} yet")));
    };
    let attached = roles.attached(access).await?;
    let mut inline = Vec::new();
    for name in roles.inline(access).await? {
        let document =
            if name == MESHSTACK { roles.inline_document(access, &name).await? } else { None };
        inline.push((name, document));
    }
    Ok(Seen::Policies { attached, inline, boundary })
}

fn administrator(task: &Task) -> Attached {
    let arn = task.place().fill("arn:${Partition}:iam::aws:policy/AdministratorAccess");
    Attached { name: ADMINISTRATOR.to_owned(), arn }
}

/// The life policy alone, as policy and as boundary.
fn strict(
    life: &str,
    attached: &[Attached],
    inline: &[(String, Option<Value>)],
    boundary: Option<&str>,
) -> Vec<Change> {
    if !attached.iter().any(|policy| policy.arn == life) {
        return vec![Change::AwaitLife];
    }
    let others = attached.iter().filter(|policy| policy.arn != life).cloned().map(Change::Detach);
    let own = inline.iter().map(|(name, _)| Change::Delete(name.clone()));
    let mut changes: Vec<Change> = others.chain(own).collect();
    changes.sort_by_key(is_administrator);
    if boundary != Some(life) {
        changes.insert(0, Change::Bound);
    }
    if !changes.is_empty() {
        changes.insert(0, Change::Prove);
        changes.push(Change::Verify);
    }
    changes
}

/// meshStack's final policy, with the life policy beside it.
fn meshstack(
    wanted: &Value,
    life: &str,
    attached: &[Attached],
    inline: &[(String, Option<Value>)],
) -> Vec<Change> {
    let written = inline
        .iter()
        .any(|(name, document)| name == MESHSTACK && document.as_ref() == Some(wanted));
    let others = attached.iter().filter(|policy| policy.arn != life).cloned().map(Change::Detach);
    let own = inline
        .iter()
        .filter(|(name, _)| name != MESHSTACK)
        .map(|(name, _)| Change::Delete(name.clone()));
    let mut changes: Vec<Change> = others.chain(own).collect();
    changes.sort_by_key(is_administrator);
    if !written {
        changes.insert(0, Change::WriteMeshstack);
    }
    if !changes.is_empty() {
        changes.push(Change::Verify);
    }
    changes
}

/// The administrator goes last: until then there is a way back.
fn is_administrator(change: &Change) -> bool {
    match change {
        Change::Detach(policy) => policy.name == ADMINISTRATOR,
        Change::Delete(name) => name == ADMINISTRATOR,
        _ => false,
    }
}

/// What meshStack leaves its access role, from its guide for AWS. The role can widen itself again.
fn meshstack_policy(place: &Place) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "iam:CreateSAMLProvider", "iam:GetSAMLProvider", "iam:UpdateSAMLProvider",
                    "iam:DeleteSAMLProvider", "iam:ListSAMLProviders"
                ],
                "Resource": place.fill("arn:${Partition}:iam::${Account}:saml-provider/*")
            },
            {
                "Effect": "Allow",
                "Action": [
                    "iam:ListAttachedRolePolicies", "iam:CreateAccountAlias", "iam:ListAccountAliases",
                    "iam:DeleteAccountAlias", "iam:GetRole", "iam:CreateRole", "iam:AttachRolePolicy",
                    "iam:UpdateAssumeRolePolicy"
                ],
                "Resource": "*"
            },
            {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": [
                    "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:ListRolePolicies"
                ],
                "Resource": place.fill(ACCESS)
            }
        ]
    })
}

#[cfg(test)]
mod tests;
