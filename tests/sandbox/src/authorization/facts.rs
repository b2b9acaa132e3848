//! What the sandbox knows about callers and roles, as moto's side tells it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Who holds an access key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PrincipalFacts {
    /// The caller's account.
    pub account: String,
    /// The ARN of the user, session or root.
    pub arn: String,
    /// `role-session`, `user` or `root`.
    pub kind: String,
    /// The ARN of the session's role.
    #[serde(default)]
    pub role_arn: Option<String>,
    /// The policy that was passed when the session was made.
    #[serde(default)]
    pub session_policy: Option<Value>,
}

/// What is attached to a role or user, and where its account is in the organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RoleFacts {
    /// Whether there is such a role or user.
    pub exists: bool,
    /// Its account.
    pub account: String,
    /// Its ARN, path included; it was looked for by its name perhaps.
    #[serde(default)]
    pub arn: Option<String>,
    /// The trust policy of a role.
    #[serde(default)]
    pub trust: Option<Value>,
    /// All identity policies, inline and managed.
    #[serde(default)]
    pub identity: Vec<Value>,
    /// The permissions boundary.
    #[serde(default)]
    pub boundary: Option<Vec<Value>>,
    /// The ARN of the permissions boundary.
    #[serde(default)]
    pub boundary_arn: Option<String>,
    /// The unique id, such as `AROA…`.
    #[serde(default)]
    pub id: Option<String>,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The service control policies over the account, one list for each level from the root down;
    /// none for the management account.
    #[serde(default)]
    pub scps: Vec<Vec<Value>>,
    /// The organization's id.
    #[serde(default)]
    pub org_id: Option<String>,
    /// The account's paths in the organization.
    #[serde(default)]
    pub org_paths: Vec<String>,
}
