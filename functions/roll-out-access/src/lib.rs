//! Brings the policy that the access role keeps into the account.
//!
//! What it does: makes or updates the account's stack of the StackSet `landfall-access`.
//! What it leaves on the record: the operation that it waits for.
//! Why repeating is safe: the operation's id is its idempotency token.
//! Whether it can be undone: by a person, who takes the account out of the StackSet.

use session::Sessions;
use stackset::{
    StackSets,
    stacks::{self, Change, Seen},
};
use step::{Act, Permission, Site, Step, Task};
use tenant::{ACCESS_SET, BIRTH_ROLE, Failure, PermissionModel, StackSet};

/// Brings the policy that the access role keeps into the account.
#[derive(Debug)]
pub struct RollOutAccess {
    /// The turn's sessions.
    pub sessions: Sessions,
}

impl Step for RollOutAccess {
    const NAME: &'static str = "roll-out-access";
    const PERMISSIONS: &'static [Permission] = stacks::PERMISSIONS;
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        if task.account().is_none() {
            return Ok(Seen::NotYet);
        }
        let sets = StackSets::new(&self.sessions.look(Site::Automation).await?);
        stacks::look(&sets, task, &wanted(task)).await
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        stacks::plan(&wanted(task), seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let sets = StackSets::new(&self.sessions.act(Site::Automation).await?);
        stacks::act(&sets, task, &wanted(task), change).await
    }
}

/// The StackSet with the roles' names, where they are not the usual ones.
fn wanted(task: &Task) -> StackSet {
    let names = [
        ("AccessRoleName", task.platform.access_role_name(), BIRTH_ROLE),
        ("AccessRolePath", task.platform.access_role_path(), ""),
        (
            "ExecutionRoleName",
            task.platform.execution_role.as_str(),
            "AWSCloudFormationStackSetExecutionRole",
        ),
    ];
    let parameters = names
        .into_iter()
        .filter(|(_, name, usual)| name != usual)
        .map(|(parameter, name, _)| (parameter.to_owned(), name.to_owned()))
        .collect();
    StackSet {
        name: ACCESS_SET.to_owned(),
        regions: vec![task.platform.region.clone()],
        permission_model: PermissionModel::SelfManaged,
        parameters,
    }
}
