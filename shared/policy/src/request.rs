//! What is asked: who, which action, on what, under which circumstances.

use std::collections::HashMap;

/// One request as the policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The IAM action, such as `organizations:MoveAccount`; letter case does not matter.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for an action without resource-level permissions.
    pub resource: &'a str,
    /// The values of the condition keys.
    pub context: &'a Context,
}

/// The principal that makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An IAM user.
    User {
        /// The user's ARN.
        arn: String,
        /// The user's account.
        account: String,
    },
    /// A session of an assumed role.
    Session {
        /// The session's ARN, `arn:aws:sts::…:assumed-role/NAME/SESSION`.
        arn: String,
        /// The ARN of the role itself, with its path.
        role_arn: String,
        /// The role's account.
        account: String,
    },
    /// The root user of an account.
    Root {
        /// The account.
        account: String,
    },
    /// An AWS service by its principal, such as `events.amazonaws.com`.
    Service(String),
    /// An identity provider by its ARN or host name.
    Federated(String),
}

impl Caller {
    /// The account that the caller belongs to; services and identity providers have none.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { account, .. } | Self::Session { account, .. } | Self::Root { account } => {
                Some(account)
            }
            Self::Service(_) | Self::Federated(_) => None,
        }
    }
}

/// The condition keys of a request; names are compared without regard to letter case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    values: HashMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    One(String),
    Many(Vec<String>),
}

impl Context {
    /// Sets a key that has exactly one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.values.insert(key.to_lowercase(), Value::One(value.into()));
    }

    /// Sets a key that can have several values; without any it counts as absent.
    pub fn set_all<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let values = values.into_iter().map(Into::into).collect();
        self.values.insert(key.to_lowercase(), Value::Many(values));
    }

    /// The same context with one more single-valued key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds all keys of `other`, which win over equal ones here.
    pub fn extend(&mut self, other: &Self) {
        self.values.extend(other.values.iter().map(|(key, value)| (key.clone(), value.clone())));
    }

    /// All values of a key, or nothing if it is absent or empty.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.lower(&key.to_lowercase())
    }

    /// All keys in lower case with their values, in the order of their names.
    pub fn entries(&self) -> Vec<(&str, &[String])> {
        let mut entries: Vec<_> =
            self.values.keys().filter_map(|key| Some((key.as_str(), self.lower(key)?))).collect();
        entries.sort_unstable();
        entries
    }

    pub(crate) fn lower(&self, lower_case_key: &str) -> Option<&[String]> {
        match self.values.get(lower_case_key)? {
            Value::One(value) => Some(std::slice::from_ref(value)),
            Value::Many(values) => (!values.is_empty()).then_some(values),
        }
    }

    /// The value that a variable stands for: keys with several values have none.
    pub(crate) fn single(&self, lower_case_key: &str) -> Option<&str> {
        match self.values.get(lower_case_key)? {
            Value::One(value) => Some(value),
            Value::Many(_) => None,
        }
    }
}
