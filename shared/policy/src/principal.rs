//! The `Principal` element, and how closely it names a caller.

use serde_json::Value;

use crate::document::{Error, strings};
use crate::request::Caller;

/// One entry of a `Principal` or `NotPrincipal` element.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    Anyone,
    Account(String),
    Arn(String),
    Service(String),
    Federated(String),
    CanonicalUser,
}

/// How a statement's principals name the caller, from not at all to as itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// Not at all.
    Not,
    /// By its account, which leaves the decision to the account's own policies.
    Account,
    /// By its role: boundary and session policy of the session still limit the grant.
    Role,
    /// As itself: the grant passes an implicit denial of boundary and session policy.
    Itself,
}

impl Principal {
    pub(crate) fn parse(value: &Value, path: &str) -> Result<Vec<Self>, Error> {
        match value {
            Value::String(text) if text == "*" => Ok(vec![Self::Anyone]),
            Value::Object(kinds) => {
                let mut principals = Vec::new();
                for (kind, names) in kinds {
                    let path = format!("{path}.{kind}");
                    for name in strings(names, &path)? {
                        principals.push(Self::of_kind(kind, name, &path)?);
                    }
                }
                Ok(principals)
            }
            _ => Err(Error::new(path, "must be \"*\" or an object")),
        }
    }

    fn of_kind(kind: &str, name: String, path: &str) -> Result<Self, Error> {
        Ok(match kind {
            "AWS" if name == "*" => Self::Anyone,
            "AWS" if name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Account(name)
            }
            "AWS" if name.starts_with("arn:") && name.ends_with(":root") => {
                Self::Account(name.split(':').nth(4).unwrap_or_default().to_owned())
            }
            "AWS" => Self::Arn(name),
            "Service" => Self::Service(name),
            "Federated" => Self::Federated(name),
            "CanonicalUser" => Self::CanonicalUser,
            _ => return Err(Error::new(path, "unknown kind of principal")),
        })
    }

    fn names(&self, caller: &Caller) -> Naming {
        match (self, caller) {
            // AWS does not document how "*" meets a session policy; a session is taken to be named
            // by its role, so that "*" never widens a session beyond what it was given.
            (Self::Anyone, Caller::Session { .. }) => Naming::Role,
            (Self::Anyone, _) => Naming::Itself,
            (Self::Account(id), Caller::Root { account }) if id == account => Naming::Itself,
            (Self::Account(id), caller) if caller.account() == Some(id) => Naming::Account,
            (Self::Arn(name), Caller::User { arn, .. } | Caller::Session { arn, .. })
                if name == arn =>
            {
                Naming::Itself
            }
            (Self::Arn(name), Caller::Session { role_arn, .. }) if name == role_arn => Naming::Role,
            (Self::Service(name), Caller::Service(service)) if name == service => Naming::Itself,
            (Self::Federated(name), Caller::Federated(provider)) if name == provider => {
                Naming::Itself
            }
            _ => Naming::Not,
        }
    }
}

/// The closest naming of the caller among `principals`.
pub(crate) fn closest(principals: &[Principal], caller: &Caller) -> Naming {
    principals.iter().map(|principal| principal.names(caller)).max().unwrap_or(Naming::Not)
}
