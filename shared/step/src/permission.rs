//! Permissions, declared beside the step that needs them.
//!
//! One declaration has five uses: the function's and roles' policies in the templates, the session policy of every
//! AssumeRole, the policy that is left after the downgrade, the doctor's simulation, and the documentation.

use serde_json::{Value, json};
use tenant::{AccountId, Platform};

/// Which account an action works on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Site {
    /// The account that Landfall runs in.
    Automation,
    /// The organization's management account.
    Management,
    /// The management account, through the role that closes accounts and does nothing else.
    Closing,
    /// The tenant's account.
    Member,
}

/// Which half of a step needs an action.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Half {
    /// Reading.
    Look,
    /// Changing.
    Act,
}

/// How long an action is needed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Once, to raise an account.
    Birth,
    /// For ever.
    Life,
}

/// A condition on a permission: operator, key, value.
pub type Condition = (&'static str, &'static str, &'static str);

/// One action that a step needs, on one resource.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// The account.
    pub site: Site,
    /// The half of the step.
    pub half: Half,
    /// How long.
    pub class: Class,
    /// The IAM action.
    pub action: &'static str,
    /// The resource's ARN, with `${Partition}`, `${Management}`, `${Automation}`, `${Account}`, `${AccessRole}`,
    /// `${ExecutionRole}` and `${Region}` for what differs between installations.
    pub resource: &'static str,
    /// When it applies.
    pub condition: Option<Condition>,
}

impl Permission {
    /// A permission to read.
    #[must_use]
    pub const fn look(site: Site, action: &'static str, resource: &'static str) -> Self {
        Self { site, half: Half::Look, class: Class::Life, action, resource, condition: None }
    }

    /// A permission to change, for ever.
    #[must_use]
    pub const fn act(site: Site, action: &'static str, resource: &'static str) -> Self {
        Self { site, half: Half::Act, class: Class::Life, action, resource, condition: None }
    }

    /// A permission that is needed only to raise an account.
    #[must_use]
    pub const fn birth(self) -> Self {
        Self { class: Class::Birth, ..self }
    }

    /// A permission under a condition.
    #[must_use]
    pub const fn when(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

/// What fills the placeholders of a permission.
#[derive(Clone, Debug)]
pub struct Place {
    values: Vec<(&'static str, String)>,
}

impl Place {
    /// The values of a platform and, once known, of a tenant's account.
    #[must_use]
    pub fn of(platform: &Platform, account: Option<&AccountId>) -> Self {
        let account = account.map_or_else(|| "*".to_owned(), ToString::to_string);
        Self {
            values: vec![
                ("${Partition}", platform.partition.clone()),
                ("${Management}", platform.management_account.to_string()),
                ("${Automation}", platform.automation_account.to_string()),
                ("${Account}", account),
                ("${AccessRole}", platform.access_role_in_arn().to_owned()),
                ("${ExecutionRole}", platform.execution_role.clone()),
                ("${Region}", platform.region.clone()),
            ],
        }
    }

    /// Other values, such as a template's own `${AWS::AccountId}`.
    #[must_use]
    pub fn with(values: Vec<(&'static str, String)>) -> Self {
        Self { values }
    }

    /// Fills a text.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// The statements that allow these permissions, alike ones together.
#[must_use]
pub fn statements<'a>(
    permissions: impl IntoIterator<Item = &'a Permission>,
    place: &Place,
) -> Vec<Value> {
    let mut groups: Vec<(String, Option<Condition>, Vec<&str>)> = Vec::new();
    for permission in permissions {
        let resource = place.fill(permission.resource);
        let known = groups
            .iter_mut()
            .find(|(other, condition, _)| *other == resource && *condition == permission.condition);
        match known {
            Some((_, _, actions)) if actions.contains(&permission.action) => {}
            Some((_, _, actions)) => actions.push(permission.action),
            None => groups.push((resource, permission.condition, vec![permission.action])),
        }
    }
    // Resources that allow the same actions stand in one statement: session policies are short of room.
    let mut merged: Vec<(Vec<String>, Option<Condition>, Vec<&str>)> = Vec::new();
    for (resource, condition, mut actions) in groups {
        actions.sort_unstable();
        match merged.iter_mut().find(|(_, other, same)| *other == condition && *same == actions) {
            Some((resources, _, _)) => resources.push(resource),
            None => merged.push((vec![resource], condition, actions)),
        }
    }
    merged
        .into_iter()
        .map(|(resources, condition, actions)| {
            let mut statement = json!({
                "Effect": "Allow", "Action": one_or_many(actions), "Resource": one_or_many(resources)
            });
            if let Some((operator, key, value)) = condition {
                statement["Condition"] = json!({ operator: { key: place.fill(value) } });
            }
            statement
        })
        .collect()
}

/// A policy document around statements.
#[must_use]
pub fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn one_or_many<T: Into<Value> + Clone>(mut values: Vec<T>) -> Value {
    if values.len() == 1 { values.remove(0).into() } else { values.into() }
}
