//! Makes the roles that others work through, narrows the trust of the access role, deletes default VPCs.
//!
//! What it does: brings the StackSet execution role (who may assume it, what it may do), where Account Factory enrols
//! the account the role that Control Tower takes, and, where the landing zone says so, the access role's trust to what
//! they should be, and takes the default VPC of each Region away if it is empty. It works with the birth session.
//! What it leaves on the record: each change; what became of each Region's default VPC. IAM holds the rest.
//! Why repeating is safe: it looks first and writes whole documents; a VPC that is half gone is taken apart further,
//! and a Region that is settled is not looked at again, so that a default VPC that a person makes stays theirs.
//! Whether it can be undone: by a person; after the downgrade Landfall itself can't change these roles any more, nor
//! delete a VPC.

mod vpcs;

use std::{collections::BTreeMap, fmt};

use entry::Means;
use region::Regions;
use role::Roles;
use serde_json::{Value, json};
use session::Sessions;
use step::{Act, Permission, Place, Site, Step, Task};
use tenant::{Failure, FailureName, Trust};

pub use vpcs::{Settling, Unborn, Vpc};

/// Makes the roles that others work through, narrows the trust of the access role, deletes default VPCs.
#[derive(Debug)]
pub struct PrepareAccount {
    /// The turn's sessions.
    pub sessions: Sessions,
    /// The ledger, where it is kept what became of default VPCs.
    pub means: Means,
}

/// What the roles that Landfall and Control Tower work through say, and the default VPCs that are not settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Who may assume the execution role; none if it does not exist.
    pub execution_trust: Option<Value>,
    /// What the execution role may do.
    pub execution_policy: Option<Value>,
    /// Who may assume the access role.
    pub access_trust: Value,
    /// The role that Control Tower takes; none where Account Factory does not enrol the account.
    pub tower_role: Option<TowerRole>,
    /// The default VPCs of the Regions that are not settled.
    pub vpcs: BTreeMap<String, Vpc>,
}

/// The role that Control Tower takes in an account which it is to enrol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TowerRole {
    /// It is not there.
    Missing,
    /// It is there, and no administrator.
    Powerless,
    /// It is as Control Tower wants it, who makes what it likes of it from then on.
    Ready,
}

/// What prepares an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the execution role.
    CreateExecutionRole,
    /// Say who may assume the execution role.
    TrustAdministration,
    /// Say what the execution role may do.
    AllowStacks,
    /// Make the role that Control Tower takes.
    CreateTowerRole,
    /// Let Control Tower do everything in the account.
    EmpowerTowerRole,
    /// Narrow the access role's trust to Landfall's own roles.
    TightenTrust,
    /// Delete the default VPCs of Regions that are not known yet.
    DeleteVpcs(Unborn),
    /// Settle what becomes of default VPCs.
    SettleVpcs(Settling),
    /// Regions do not know the account yet.
    AwaitRegions(Vec<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DeleteVpcs(regions) => return write!(formatter, "{regions}"),
            Self::SettleVpcs(settling) => return write!(formatter, "{settling}"),
            Self::AwaitRegions(regions) => {
                let regions = regions.join(", ");
                return write!(formatter, "wait until EC2 knows the account in {regions}");
            }
            Self::CreateExecutionRole => "make the StackSet execution role",
            Self::TrustAdministration => {
                "let only the StackSets of the automation account use the execution role"
            }
            Self::AllowStacks => "allow the execution role what the stacks contain",
            Self::CreateTowerRole => "make the role AWSControlTowerExecution for Control Tower",
            Self::EmpowerTowerRole => "let Control Tower do everything in the account",
            Self::TightenTrust => {
                "let only Landfall's roles of the management account use the access role"
            }
        })
    }
}

const EXECUTION: &str = "arn:${Partition}:iam::${Account}:role/${ExecutionRole}";
const ACCESS: &str = "arn:${Partition}:iam::${Account}:role/${AccessRole}";
const TOWER: &str = "arn:${Partition}:iam::${Account}:role/AWSControlTowerExecution";
/// The role's name by Control Tower.
const TOWER_ROLE: &str = "AWSControlTowerExecution";
const ADMINISTRATOR: &str = "arn:${Partition}:iam::aws:policy/AdministratorAccess";
const NETWORK: &str = "arn:${Partition}:ec2:*:${Account}:*";
/// The inline policy of the execution role.
const STACKS: &str = "landfall-stacks";

impl Step for PrepareAccount {
    const NAME: &'static str = "prepare-account";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Member, "iam:GetRole", EXECUTION),
        Permission::look(Site::Member, "iam:GetRolePolicy", EXECUTION),
        Permission::look(Site::Member, "iam:GetRole", ACCESS),
        Permission::look(Site::Member, "iam:GetRole", TOWER),
        Permission::look(Site::Member, "iam:ListAttachedRolePolicies", TOWER),
        Permission::act(Site::Member, "iam:CreateRole", TOWER).birth(),
        Permission::act(Site::Member, "iam:AttachRolePolicy", TOWER)
            .when(("ArnEquals", "iam:PolicyARN", ADMINISTRATOR))
            .birth(),
        Permission::look(Site::Member, "account:ListRegions", "*"),
        Permission::look(Site::Member, "ec2:DescribeInternetGateways", "*"),
        Permission::look(Site::Member, "ec2:DescribeNetworkInterfaces", "*"),
        Permission::look(Site::Member, "ec2:DescribeRouteTables", "*"),
        Permission::look(Site::Member, "ec2:DescribeSecurityGroups", "*"),
        Permission::look(Site::Member, "ec2:DescribeSubnets", "*"),
        Permission::look(Site::Member, "ec2:DescribeVpcs", "*"),
        Permission::act(Site::Member, "iam:CreateRole", EXECUTION).birth(),
        Permission::act(Site::Member, "iam:PutRolePolicy", EXECUTION).birth(),
        Permission::act(Site::Member, "iam:UpdateAssumeRolePolicy", EXECUTION).birth(),
        Permission::act(Site::Member, "iam:UpdateAssumeRolePolicy", ACCESS).birth(),
        Permission::act(Site::Member, "ec2:DeleteInternetGateway", NETWORK).birth(),
        Permission::act(Site::Member, "ec2:DeleteSubnet", NETWORK).birth(),
        Permission::act(Site::Member, "ec2:DeleteVpc", NETWORK).birth(),
        Permission::act(Site::Member, "ec2:DetachInternetGateway", NETWORK).birth(),
    ];
    /// None before there is an account.
    type Seen = Option<Seen>;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Option<Seen>, Failure> {
        if task.account().is_none() {
            return Ok(None);
        }
        let session = self.sessions.look(Site::Member).await?;
        let roles = Roles::new(&session);
        let execution = &task.platform.execution_role;
        let execution_trust = roles.role(execution).await?.map(|role| role.trust);
        let execution_policy = match execution_trust {
            Some(_) => roles.inline_document(execution, STACKS).await?,
            None => None,
        };
        let access = task.platform.access_role_name();
        let access = roles
            .role(access)
            .await?
            .ok_or_else(|| Failure::transient(format!("iam:GetRole does not know {access} yet")))?;
        let tower_role = match task.landing_zone.account_factory(&task.platform) {
            Some(_) => Some(tower_role(&roles, &task.place()).await?),
            None => None,
        };
        let vpcs = vpcs::look(task, &Regions::new(&session)).await?;
        let access_trust = access.trust;
        Ok(Some(Seen { execution_trust, execution_policy, access_trust, tower_role, vpcs }))
    }

    fn plan(&self, task: &Task, seen: &Option<Seen>) -> Vec<Change> {
        plan(task, seen.as_ref())
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let session = self.sessions.act(Site::Member).await?;
        let roles = Roles::new(&session);
        let place = task.place();
        let (execution, access) = (&task.platform.execution_role, task.platform.access_role_name());
        match change {
            Change::CreateExecutionRole => {
                let description =
                    "CloudFormation StackSets of the automation account work through it.";
                roles.create(execution, description, &administration_trust(&place)).await?;
            }
            Change::TrustAdministration => {
                let trust = administration_trust(&place);
                let written = roles.trust(execution, &trust).await;
                written.map_err(|failure| by_hand(execution, &trust, failure))?;
            }
            Change::AllowStacks => {
                roles.write_inline(execution, STACKS, &stacks_policy(task)).await?;
            }
            Change::CreateTowerRole => {
                let description = "Control Tower works through it.";
                roles.create(TOWER_ROLE, description, &tower_trust(&place)).await?;
            }
            Change::EmpowerTowerRole => {
                roles.attach(TOWER_ROLE, &place.fill(ADMINISTRATOR)).await?;
            }
            Change::TightenTrust => {
                let trust = tight_trust(&place);
                let written = roles.trust(access, &trust).await;
                written.map_err(|failure| by_hand(access, &trust, failure))?;
            }
            Change::DeleteVpcs(_) => {
                return Err(Failure::defect("an account that is there has Regions of its own"));
            }
            Change::SettleVpcs(settling) => {
                vpcs::settle(task, &self.means, &Regions::new(&session), settling).await?;
            }
            Change::AwaitRegions(regions) => return Ok(vpcs::awaited(task, &regions)),
        }
        Ok(Act::Done)
    }
}

fn plan(task: &Task, seen: Option<&Seen>) -> Vec<Change> {
    let tightens = task.landing_zone.access_role.trust == Trust::Tighten;
    let Some(Seen { execution_trust, execution_policy, access_trust, tower_role, vpcs }) = seen
    else {
        let tighten = tightens.then_some(Change::TightenTrust);
        let enrols = task.landing_zone.account_factory(&task.platform).is_some();
        let tower = if enrols { tower_changes(TowerRole::Missing) } else { vec![] };
        return [Change::CreateExecutionRole, Change::AllowStacks]
            .into_iter()
            .chain(tower)
            .chain(tighten)
            .chain(vpcs::before_birth(task).map(Change::DeleteVpcs))
            .collect();
    };
    let place = task.place();
    let mut changes = Vec::new();
    match execution_trust {
        None => changes.push(Change::CreateExecutionRole),
        Some(trust) if *trust != administration_trust(&place) => {
            changes.push(Change::TrustAdministration);
        }
        Some(_) => {}
    }
    if *execution_policy != Some(stacks_policy(task)) {
        changes.push(Change::AllowStacks);
    }
    changes.extend(tower_role.map(tower_changes).unwrap_or_default());
    if tightens && *access_trust != tight_trust(&place) {
        changes.push(Change::TightenTrust);
    }
    let (settling, unready) = vpcs::plan(task, vpcs);
    if !settling.is_empty() {
        changes.push(Change::SettleVpcs(settling));
    }
    if !unready.is_empty() {
        changes.push(Change::AwaitRegions(unready));
    }
    changes
}

fn tower_changes(role: TowerRole) -> Vec<Change> {
    match role {
        TowerRole::Missing => vec![Change::CreateTowerRole, Change::EmpowerTowerRole],
        TowerRole::Powerless => vec![Change::EmpowerTowerRole],
        TowerRole::Ready => vec![],
    }
}

async fn tower_role(roles: &Roles, place: &Place) -> Result<TowerRole, Failure> {
    if roles.role(TOWER_ROLE).await?.is_none() {
        return Ok(TowerRole::Missing);
    }
    let administrator = place.fill(ADMINISTRATOR);
    let attached = roles.attached(TOWER_ROLE).await?;
    let empowered = attached.iter().any(|policy| policy.arn == administrator);
    Ok(if empowered { TowerRole::Ready } else { TowerRole::Powerless })
}

/// As Control Tower wants it: the management account, whose roles it takes this one from.
fn tower_trust(place: &Place) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": place.fill("arn:${Partition}:iam::${Management}:root")},
            "Action": "sts:AssumeRole"
        }]
    })
}

/// The account with a pattern, never a role's ARN: a role that is made again has a new unique id.
fn trust(account: &str, patterns: Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": account},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:PrincipalArn": patterns}}
        }]
    })
}

fn administration_trust(place: &Place) -> Value {
    let role =
        "arn:${Partition}:iam::${Automation}:role/AWSCloudFormationStackSetAdministrationRole";
    trust(&place.fill("arn:${Partition}:iam::${Automation}:root"), place.fill(role).into())
}

fn tight_trust(place: &Place) -> Value {
    let roles = ["LandfallRead", "LandfallVend"]
        .map(|role| place.fill("arn:${Partition}:iam::${Management}:role/") + role);
    trust(&place.fill("arn:${Partition}:iam::${Management}:root"), json!(roles))
}

/// Once the access role is downgraded, no trust can be written through it: whoever can is told all of it.
fn by_hand(role: &str, trust: &Value, failure: Failure) -> Failure {
    let is_refused = failure.name == FailureName::Blocked;
    if !is_refused {
        return failure;
    }
    Failure::blocked(
        format!(
            "Landfall can no longer say who may take the role {role}, since it gave that right up. Ask Landfall's operators to write the role's trust by hand."
        ),
        format!("write the trust of {role}: {trust} ({})", failure.system_remark),
    )
}

/// What the stacks contain, by the names that our templates give, and what the platform adds for its own. The role
/// can't touch itself, and of the access role only whether the life policy is attached.
fn stacks_policy(task: &Task) -> Value {
    let place = task.place();
    let own = |text: &str| place.fill(&format!("arn:${{Partition}}:{text}"));
    let mut statements = vec![
        json!({
            "Sid": "Stacks", "Effect": "Allow", "Action": "cloudformation:*",
            "Resource": own("cloudformation:*:${Account}:stack/StackSet-*")
        }),
        json!({
            "Sid": "OwnRolesAndPolicies", "Effect": "Allow",
            "Action": [
                "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateRole",
                "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole",
                "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListPolicyVersions",
                "iam:ListRolePolicies", "iam:PassRole", "iam:PutRolePolicy", "iam:TagPolicy", "iam:TagRole",
                "iam:UntagPolicy", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"
            ],
            "Resource": [own("iam::${Account}:role/landfall-*"), own("iam::${Account}:policy/landfall-*")]
        }),
        json!({
            "Sid": "LifePolicyOnTheAccessRole", "Effect": "Allow",
            "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            "Resource": place.fill(ACCESS),
            "Condition": {"ArnEquals": {"iam:PolicyARN": own("iam::${Account}:policy/landfall-life")}}
        }),
        json!({
            "Sid": "OwnAlarms", "Effect": "Allow", "Action": ["sns:*", "events:*"],
            "Resource": [own("sns:*:${Account}:landfall-*"), own("events:*:${Account}:rule/landfall-*")]
        }),
        json!({
            "Sid": "Recorder", "Effect": "Allow",
            "Action": ["config:*", "iam:CreateServiceLinkedRole"],
            "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"iam:AWSServiceName": "config.amazonaws.com"}}
        }),
    ];
    if !task.platform.stack_actions.is_empty() {
        statements.push(json!({
            "Sid": "PlatformsOwn", "Effect": "Allow", "Action": task.platform.stack_actions, "Resource": "*"
        }));
    }
    statements.push(json!({
        "Sid": "NeverItself", "Effect": "Deny", "Action": "iam:*", "Resource": place.fill(EXECUTION)
    }));
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests;
