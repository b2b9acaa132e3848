//! A tenant's wish.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, Spec};
use crate::{Contact, Grant, Name};

/// Names a tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TenantMetadata {
    /// The workspace's identifier: `a-z`, `0-9` and `-`, at most 16 characters unless the platform says otherwise.
    pub workspace: String,
    /// The project's identifier: `a-z`, `0-9` and `-`, at most 30 characters unless the platform says otherwise.
    pub project: String,
    /// The platform's name.
    pub platform: String,
}

impl TenantMetadata {
    /// The tenant's name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(&self.workspace, &self.project, &self.platform)
    }
}

impl From<&Name> for TenantMetadata {
    fn from(name: &Name) -> Self {
        Self {
            workspace: name.workspace.clone(),
            project: name.project.clone(),
            platform: name.platform.clone(),
        }
    }
}

/// A wished-for account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TenantSpec {
    /// The landing zone that the account gets.
    pub landing_zone: String,
    /// The account's e-mail address, where it is not the one of the platform's pattern. Another one takes a code that
    /// AWS mails to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Who is asked about the account, by role: an address, or one with name, title and telephone number. `billing`,
    /// `operations` and `security` are AWS's own alternate contacts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contacts: BTreeMap<String, Contact>,
    /// Tags of the project, without the platform's prefix; they win over all below.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Who may enter the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Grant>,
    /// Tags of what pays for the project; they win over the workspace's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payment_tags: BTreeMap<String, String>,
    /// Tags of the workspace; they win over the landing zone's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workspace_tags: BTreeMap<String, String>,
}

impl TenantSpec {
    /// The tags that the wish comes to: the project's before what pays and the workspace's.
    #[must_use]
    pub fn effective_tags(&self) -> BTreeMap<String, String> {
        let all = self.layers_of_tags().into_iter().flatten();
        all.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Everybody who may enter the account: users and groups.
    #[must_use]
    pub fn people(&self) -> Vec<&str> {
        let grants = self.access.iter();
        grants
            .flat_map(|grant| grant.users.iter().chain(&grant.groups))
            .map(String::as_str)
            .collect()
    }

    /// The tags by who says them; who comes later wins.
    pub(crate) fn layers_of_tags(&self) -> [&BTreeMap<String, String>; 3] {
        [&self.workspace_tags, &self.payment_tags, &self.tags]
    }
}

impl Spec for TenantSpec {
    const KIND: Kind = Kind::Tenant;
    type Metadata = TenantMetadata;
}
