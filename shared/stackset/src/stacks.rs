//! One StackSet's stacks in one account: look, plan, act.

use std::fmt;

use jiff::SignedDuration;
use step::{Act, Awaited, Permission, Site, Task};
use tenant::{AccountId, Failure, FailureName, PermissionModel, StackSet};
use uuid::Uuid;

use crate::{Instance, Operation, Rollout, StackSets};

/// What can be seen of a StackSet's stacks in the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// There is no account yet.
    NotYet,
    /// CloudFormation works on an operation.
    Running(Awaited),
    /// The operation that was awaited did not do its work, and why.
    Failed(String),
    /// Regions by what they lack.
    Regions {
        /// Regions without a stack.
        missing: Vec<String>,
        /// Regions whose stack is not as wished.
        outdated: Vec<String>,
    },
}

/// What brings a StackSet's stacks into the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make stacks.
    Create {
        /// The StackSet.
        set: String,
        /// Where.
        regions: Vec<String>,
    },
    /// Update stacks.
    Update {
        /// The StackSet.
        set: String,
        /// Where.
        regions: Vec<String>,
    },
    /// Wait for an operation.
    Await(Awaited),
    /// Say why there are no stacks.
    Report(String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { set, regions } => {
                write!(formatter, "roll out {set} in {}", regions.join(", "))
            }
            Self::Update { set, regions } => {
                write!(formatter, "update {set} in {}", regions.join(", "))
            }
            Self::Await(awaited) => write!(formatter, "wait for operation {}", awaited.id),
            Self::Report(reason) => write!(formatter, "no stack was made: {reason}"),
        }
    }
}

/// The kind of operation that is awaited.
pub const OPERATION: &str = "stack-set";
/// Seconds between looks if no event comes.
const LOOK: u32 = 120;

pub(crate) const SETS: &str = "arn:${Partition}:cloudformation:${Region}:${Automation}:stackset/*";
/// Service-managed StackSets live in the management account; we are their delegated administrator.
pub(crate) const DELEGATED: &str =
    "arn:${Partition}:cloudformation:${Region}:${Management}:stackset/*";
const TARGETS: &str = "arn:${Partition}:cloudformation:${Region}:${Automation}:stackset-target/*";
const TYPES: &str = "arn:${Partition}:cloudformation:${Region}::type/resource/*";

/// What rolling out needs to be allowed.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(Site::Automation, "cloudformation:DescribeStackInstance", SETS),
    Permission::look(Site::Automation, "cloudformation:DescribeStackSet", SETS),
    Permission::look(Site::Automation, "cloudformation:DescribeStackSetOperation", SETS),
    Permission::look(Site::Automation, "cloudformation:ListStackSetOperationResults", SETS),
    Permission::look(Site::Automation, "cloudformation:DescribeStackInstance", DELEGATED),
    Permission::look(Site::Automation, "cloudformation:DescribeStackSet", DELEGATED),
    Permission::look(Site::Automation, "cloudformation:DescribeStackSetOperation", DELEGATED),
    Permission::look(Site::Automation, "cloudformation:ListStackSetOperationResults", DELEGATED),
    Permission::act(Site::Automation, "cloudformation:CreateStackInstances", SETS),
    Permission::act(Site::Automation, "cloudformation:UpdateStackInstances", SETS),
    Permission::act(Site::Automation, "cloudformation:CreateStackInstances", DELEGATED),
    Permission::act(Site::Automation, "cloudformation:UpdateStackInstances", DELEGATED),
    Permission::act(Site::Automation, "cloudformation:CreateStackInstances", TARGETS),
    Permission::act(Site::Automation, "cloudformation:UpdateStackInstances", TARGETS),
    Permission::act(Site::Automation, "cloudformation:CreateStackInstances", TYPES),
    Permission::act(Site::Automation, "cloudformation:UpdateStackInstances", TYPES),
];

/// Sees what the account has of the StackSet.
pub async fn look(sets: &StackSets, task: &Task, wanted: &StackSet) -> Result<Seen, Failure> {
    let Some(account) = task.account() else { return Ok(Seen::NotYet) };
    if let Some(awaited) = task.awaited.as_ref().filter(|awaited| awaited.kind == OPERATION) {
        match sets.operation(&wanted.name, &awaited.id, account).await? {
            Operation::Running => return Ok(Seen::Running(awaited.clone())),
            Operation::Failed(reason) if !passes(task, &reason) => return Ok(Seen::Failed(reason)),
            // A young account refuses one service after another; what lacks is rolled out again.
            Operation::Failed(_) | Operation::Succeeded | Operation::Unknown => {}
        }
    }
    let (mut missing, mut outdated) = (Vec::new(), Vec::new());
    for region in &wanted.regions {
        match sets.instance(&wanted.name, account, region).await? {
            None => missing.push(region.clone()),
            Some(Instance { under_way: Some(operation), .. }) if !is_awaited(task, &operation) => {
                return Ok(Seen::Running(awaited(task, &wanted.name, operation)));
            }
            Some(instance) if !instance.is_current || instance.parameters != wanted.parameters => {
                outdated.push(region.clone());
            }
            Some(_) => {}
        }
    }
    Ok(Seen::Regions { missing, outdated })
}

/// Whether this is the operation whose end was just seen: a reading that says otherwise is an old one.
fn is_awaited(task: &Task, operation: &str) -> bool {
    task.awaited.as_ref().is_some_and(|awaited| awaited.id == operation)
}

/// An operation as it is awaited. One that follows another goes on with the same wait: patience is for all of them.
fn awaited(task: &Task, set: &str, operation: String) -> Awaited {
    let earlier = task.awaited.as_ref().filter(|awaited| awaited.kind == OPERATION);
    Awaited {
        kind: OPERATION.to_owned(),
        id: operation,
        r#for: format!("CloudFormation to roll out {set}"),
        since: earlier.map_or(task.now, |awaited| awaited.since),
    }
}

/// Whether a failure passes with the account's youth. That a service does not know the account yet can last for hours,
/// and says so itself.
fn passes(task: &Task, reason: &str) -> bool {
    const UNKNOWN: [&str; 4] =
        ["OptInRequired", "SubscriptionRequired", "not subscribed", "needs a subscription"];
    let unknown = UNKNOWN.iter().any(|words| reason.contains(words));
    task.is_young() || (unknown && task.is_younger_than(SignedDuration::from_hours(24)))
}

/// Compares what is seen with what is wanted.
#[must_use]
pub fn plan(wanted: &StackSet, seen: &Seen) -> Vec<Change> {
    let set = wanted.name.clone();
    match seen {
        Seen::NotYet => vec![Change::Create { set, regions: wanted.regions.clone() }],
        Seen::Running(awaited) => vec![Change::Await(awaited.clone())],
        Seen::Failed(reason) => vec![Change::Report(reason.clone())],
        Seen::Regions { missing, .. } if !missing.is_empty() => {
            vec![Change::Create { set, regions: missing.clone() }]
        }
        Seen::Regions { outdated, .. } if !outdated.is_empty() => {
            vec![Change::Update { set, regions: outdated.clone() }]
        }
        Seen::Regions { .. } => vec![],
    }
}

/// Makes one change.
pub async fn act(
    sets: &StackSets,
    task: &Task,
    wanted: &StackSet,
    change: Change,
) -> Result<Act, Failure> {
    let account =
        task.account().ok_or_else(|| Failure::defect("there is no account to roll out into"))?;
    let regions = match &change {
        Change::Await(awaited) => {
            return Ok(Act::Pending { awaited: awaited.clone(), seconds: LOOK });
        }
        Change::Report(reason) => {
            return Err(Failure::new(
                FailureName::Blocked,
                format!(
                    "The stacks of {} could not be made in the account. Ask Landfall's operators to mend their template or parameters.",
                    wanted.name
                ),
                format!("StackSet {}: {reason}", wanted.name),
            ));
        }
        Change::Create { regions, .. } | Change::Update { regions, .. } => regions,
    };
    check_parameters(sets, wanted).await?;
    let action = if matches!(change, Change::Create { .. }) { "create" } else { "update" };
    let operation = operation_id(task, account, &wanted.name, action);
    let rollout = Rollout {
        set: &wanted.name,
        account,
        unit: (wanted.permission_model == PermissionModel::ServiceManaged)
            .then_some(task.landing_zone.organizational_unit.as_str()),
        regions,
        parameters: &wanted.parameters,
        operation: &operation,
    };
    match change {
        Change::Create { .. } => sets.create(&rollout).await?,
        _ => sets.update(&rollout).await?,
    }
    let awaited = awaited(task, &wanted.name, operation);
    Ok(Act::Started { awaited, seconds: LOOK })
}

/// Says which parameters the StackSet's template does not have, better than CloudFormation would.
async fn check_parameters(sets: &StackSets, wanted: &StackSet) -> Result<(), Failure> {
    if wanted.parameters.is_empty() {
        return Ok(());
    }
    // A StackSet that is gone is CloudFormation's to report.
    let Some(known) = sets.parameters(&wanted.name).await? else { return Ok(()) };
    match wanted.parameters.keys().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(unknown) => Err(Failure::blocked(
            format!(
                "The landing zone gives {} a parameter that it does not have. Ask the foundation's operators.",
                wanted.name
            ),
            format!(
                "StackSet {} has no parameter {unknown}; it has {}: change the landing zone or the template",
                wanted.name,
                known.into_iter().collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

/// The operation's id, which is its idempotency token: the same turn repeated names the same operation, and an
/// operation that follows a failed one is another.
fn operation_id(task: &Task, account: &AccountId, set: &str, action: &str) -> String {
    let earlier = task.awaited.as_ref().map_or("", |awaited| awaited.id.as_str());
    let name = format!("{account}/{}/{set}/{action}/{earlier}", task.run);
    Uuid::new_v5(&task.tenant.id, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> StackSet {
        let regions = ["eu-central-1", "us-east-1"].map(ToOwned::to_owned).to_vec();
        StackSet {
            name: "audit".to_owned(),
            regions,
            permission_model: PermissionModel::SelfManaged,
            parameters: std::collections::BTreeMap::new(),
        }
    }

    fn lines(seen: &Seen) -> Vec<String> {
        plan(&wanted(), seen).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_missing_comes_before_what_is_outdated() {
        let missing = vec!["us-east-1".to_owned()];
        let outdated = vec!["eu-central-1".to_owned()];
        let both = Seen::Regions { missing, outdated: outdated.clone() };
        assert_eq!(lines(&both), ["roll out audit in us-east-1"]);
        let rest = Seen::Regions { missing: vec![], outdated };
        assert_eq!(lines(&rest), ["update audit in eu-central-1"]);
        assert_eq!(lines(&Seen::Regions { missing: vec![], outdated: vec![] }), [""; 0]);
    }

    #[test]
    fn a_plan_before_birth_rolls_out_everywhere() {
        assert_eq!(lines(&Seen::NotYet), ["roll out audit in eu-central-1, us-east-1"]);
    }

    #[test]
    fn a_service_that_does_not_know_the_account_yet_has_a_day_and_other_failures_minutes() {
        let (unknown, other) = ("SNS: You are not subscribed to this service.", "it is wrong");
        let mut task = example::landed();
        let landed = task.tenant.account_since.expect("an account");
        for (minutes, of_unknown, of_other) in
            [(14, true, true), (16, true, false), (1441, false, false)]
        {
            task.now = landed + SignedDuration::from_mins(minutes);
            assert_eq!(passes(&task, unknown), of_unknown, "{minutes}");
            assert_eq!(passes(&task, other), of_other, "{minutes}");
        }
    }

    #[test]
    fn a_repeated_turn_names_the_same_operation_and_a_retry_another() {
        let mut task = example::landed();
        let account = task.account().cloned().expect("an account");
        let first = operation_id(&task, &account, "audit", "create");
        assert_eq!(operation_id(&task, &account, "audit", "create"), first);
        task.awaited = Some(Awaited {
            kind: OPERATION.to_owned(),
            id: first.clone(),
            r#for: String::new(),
            since: task.now,
        });
        assert_ne!(operation_id(&task, &account, "audit", "create"), first);
    }
}
