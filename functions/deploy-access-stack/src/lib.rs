//! Makes the landing zone's access stack in the account, before the access role is downgraded.
//!
//! What it does: makes the stack `landfall-access-stack` from the landing zone's template with the birth session, brings
//! it to another template or other parameters, and replaces one that failed. CloudFormation makes the resources on the
//! session's behalf: the session itself may touch that one stack, and anything else only through CloudFormation.
//! What it leaves on the record: what it waits for; the stack carries a tag that says what it was made from.
//! Why repeating is safe: it looks first, and a request that is repeated carries the same token.
//! Whether it can be undone: by a person, who deletes the stack. After the downgrade Landfall can't change it any more.

use std::{collections::BTreeMap, fmt};

use session::Sessions;
use stack::{Condition, Stack, Stacks, Wanted};
use step::{Act, Awaited, Permission, Site, Step, Task};
use tenant::{AccessStack, Failure, facts, filled};
use uuid::Uuid;

/// Makes the landing zone's access stack in the account.
#[derive(Debug)]
pub struct DeployAccessStack {
    /// The turn's sessions.
    pub sessions: Sessions,
}

/// What can be seen of the stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The landing zone has no access stack.
    Unwanted,
    /// There is no account yet.
    NotYet,
    /// The account has no such stack.
    Absent,
    /// The account has the stack, and why it failed if it did.
    There(Stack, Option<String>),
}

/// What brings the stack into the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make it.
    Create,
    /// Bring it to another template or other parameters.
    Update,
    /// Delete one that failed, to make it again.
    Delete(String),
    /// Wait for CloudFormation.
    Await(String),
    /// Say why it could not be made.
    Report(String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => write!(formatter, "make the stack {NAME}"),
            Self::Update => write!(formatter, "update the stack {NAME}"),
            Self::Delete(status) => {
                write!(formatter, "delete the stack {NAME}, which failed: {status}")
            }
            Self::Await(status) => write!(formatter, "wait for CloudFormation: {status}"),
            Self::Report(reason) => write!(formatter, "the stack {NAME} failed: {reason}"),
        }
    }
}

/// The stack's name.
const NAME: &str = "landfall-access-stack";
/// The tag, without the platform's prefix, that says what the stack was made from.
const MADE_FROM: &str = "accessStack";
/// Seconds between looks.
const LOOK: u32 = 20;
/// The kinds of what is awaited.
const MAKING: &str = "make-access-stack";
const DELETION: &str = "delete-access-stack";

const STACK: &str = "arn:${Partition}:cloudformation:*:${Account}:stack/landfall-access-stack/*";

impl Step for DeployAccessStack {
    const NAME: &'static str = "deploy-access-stack";
    const PERMISSIONS: &'static [Permission] = &[
        Permission::look(Site::Member, "cloudformation:DescribeStacks", STACK),
        Permission::look(Site::Member, "cloudformation:DescribeStackEvents", STACK),
        Permission::act(Site::Member, "cloudformation:CreateStack", STACK).birth(),
        Permission::act(Site::Member, "cloudformation:UpdateStack", STACK).birth(),
        Permission::act(Site::Member, "cloudformation:DeleteStack", STACK).birth(),
        Permission::act(Site::Member, "cloudformation:TagResource", STACK).birth(),
        // What the foundation's template makes is the foundation's to know.
        Permission::act(Site::Member, "*", "*").birth().when((
            "ForAnyValue:StringEquals",
            "aws:CalledVia",
            "cloudformation.amazonaws.com",
        )),
    ];
    type Seen = Seen;
    type Change = Change;

    async fn look(&self, task: &Task) -> Result<Seen, Failure> {
        let Some(wanted) = &task.landing_zone.access_stack else { return Ok(Seen::Unwanted) };
        if task.account().is_none() {
            return Ok(Seen::NotYet);
        }
        // What can't be filled in is said before anything is made.
        parameters(task, wanted)?;
        let stacks = Stacks::new(&self.sessions.look(Site::Member).await?, &wanted.region);
        let Some(stack) = stacks.stack(NAME).await? else { return Ok(Seen::Absent) };
        let failed = stack.condition == Condition::Broken || stack.status.contains("ROLLBACK");
        let reason = if failed { stacks.failed_resource(NAME).await? } else { None };
        Ok(Seen::There(stack, reason))
    }

    fn plan(&self, task: &Task, seen: &Seen) -> Vec<Change> {
        plan(task, seen)
    }

    async fn act(&self, task: &Task, change: Change) -> Result<Act, Failure> {
        let Some(wanted) = &task.landing_zone.access_stack else {
            return Err(Failure::defect("the landing zone no longer has an access stack"));
        };
        let (kind, words) = match &change {
            Change::Delete(_) => (DELETION, "CloudFormation to delete the failed access stack"),
            _ => (MAKING, "CloudFormation to make the access stack"),
        };
        let earlier = task.awaited.as_ref();
        let started = Awaited {
            kind: kind.to_owned(),
            id: token(task, kind),
            r#for: words.to_owned(),
            since: earlier.map_or(task.now, |awaited| awaited.since),
        };
        let stacks = Stacks::new(&self.sessions.act(Site::Member).await?, &wanted.region);
        match change {
            Change::Await(_) => {
                let awaited = earlier.cloned().unwrap_or(started);
                return Ok(Act::Pending { awaited, seconds: LOOK });
            }
            Change::Report(reason) => {
                return Err(Failure::blocked(
                    "The landing zone's access stack could not be made in the account. Ask the foundation's operators.",
                    format!("stack {NAME}: {reason}"),
                ));
            }
            Change::Delete(_) => stacks.delete(NAME, &started.id).await?,
            Change::Create | Change::Update => {
                let parameters = parameters(task, wanted)?;
                let tags = [(task.tag(MADE_FROM), made_from(wanted, &parameters))].into();
                let asked = Wanted {
                    name: NAME,
                    template_url: &wanted.template_url,
                    parameters: &parameters,
                    tags: &tags,
                    token: &started.id,
                };
                match change {
                    Change::Create => stacks.create(&asked).await?,
                    _ => stacks.update(&asked).await?,
                }
            }
        }
        Ok(Act::Started { awaited: started, seconds: LOOK })
    }
}

fn plan(task: &Task, seen: &Seen) -> Vec<Change> {
    let Some(wanted) = &task.landing_zone.access_stack else { return vec![] };
    // This run has tried, so that trying again is not the remedy; the next run tries anew.
    let awaits = |kind: &str| task.awaited.as_ref().is_some_and(|awaited| awaited.kind == kind);
    let tried = awaits(MAKING);
    match seen {
        Seen::Unwanted => vec![],
        Seen::NotYet | Seen::Absent => vec![Change::Create],
        Seen::There(stack, reason) => {
            let why = || reason.clone().unwrap_or_else(|| stack.status.clone());
            match stack.condition {
                Condition::Working => vec![Change::Await(stack.status.clone())],
                Condition::Broken if tried => vec![Change::Report(why())],
                Condition::Broken
                    if awaits(DELETION) && stack.status.starts_with("DELETE_FAILED") =>
                {
                    vec![Change::Report(why())]
                }
                Condition::Broken => vec![Change::Delete(why()), Change::Create],
                Condition::Settled if is_as_wanted(task, wanted, stack) => vec![],
                Condition::Settled if tried && stack.status.contains("ROLLBACK") => {
                    vec![Change::Report(why())]
                }
                Condition::Settled => vec![Change::Update],
            }
        }
    }
}

/// Whether a stack was made from what is wanted, and nobody has given it other parameters since.
fn is_as_wanted(task: &Task, wanted: &AccessStack, stack: &Stack) -> bool {
    let Ok(parameters) = parameters(task, wanted) else { return true };
    let same = |(name, value): (&String, &String)| {
        // A secret one is shown as asterisks.
        stack.parameters.get(name).is_none_or(|known| known == value || known == "****")
    };
    stack.tags.get(&task.tag(MADE_FROM)) == Some(&made_from(wanted, &parameters))
        && parameters.iter().all(same)
}

/// The parameters with the account's facts.
fn parameters(task: &Task, wanted: &AccessStack) -> Result<BTreeMap<String, String>, Failure> {
    match facts(&task.tenant, &task.landing_zone, &task.platform) {
        Some(facts) => filled(&wanted.parameters, &facts),
        None => Ok(BTreeMap::new()),
    }
}

/// Names what a stack is made from: its template's address and its parameters.
fn made_from(wanted: &AccessStack, parameters: &BTreeMap<String, String>) -> String {
    let text = format!("{}\n{parameters:?}", wanted.template_url);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
}

/// The same turn repeated asks with the same token, and one that follows with another.
fn token(task: &Task, kind: &str) -> String {
    let earlier = task.awaited.as_ref().map_or("", |awaited| awaited.id.as_str());
    let name = format!("{}/{kind}/{earlier}", task.run);
    Uuid::new_v5(&task.tenant.id, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests;
