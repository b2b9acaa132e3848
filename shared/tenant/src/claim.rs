//! What an account says of whose it is: its tags outlive the ledger.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::tags::TENANT;
use crate::{AccountId, Name, Platform, incarnation_of};

/// An account of the organization, and whose it says that it is.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The platform whose organization it is in.
    pub platform: String,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Its state: `ACTIVE`, `SUSPENDED`, `CLOSED`, …
    pub state: String,
    /// The tenant's id, as the account's tag says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The workspace's identifier, as the account's tag says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The project's identifier, as the account's tag says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The landing zone, as the account's tag says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_zone: Option<String>,
    /// The name of the tenant that the ledger knows it as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

impl Claim {
    /// The same with what these tags say.
    #[must_use]
    pub fn tagged(self, tags: &BTreeMap<String, String>, platform: &Platform) -> Self {
        let tag = |key: &str| tags.get(&format!("{}{key}", platform.tag_prefix)).cloned();
        Self {
            tenant: tag(TENANT),
            workspace: tag("workspace"),
            project: tag("project"),
            landing_zone: tag("landingZone"),
            ..self
        }
    }

    /// The tenant's id, if the tag says one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        Uuid::parse_str(self.tenant.as_deref()?).ok()
    }

    /// The tenant that workspace and project name, and how often that name had been used: only if the id is of just
    /// that.
    #[must_use]
    pub fn named(&self) -> Option<(Name, u32)> {
        let (workspace, project) = (self.workspace.as_ref()?, self.project.as_ref()?);
        let name = Name::new(workspace, project, &self.platform);
        let incarnation = incarnation_of(&name, self.id()?)?;
        Some((name, incarnation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant_id;

    fn claim(tags: &[(&str, &str)]) -> Claim {
        let platform: Platform = serde_json::from_value(serde_json::json!({
            "region": "eu-central-1", "managementAccount": "111111111111",
            "automationAccount": "123456789012", "accountEmailPattern": "a@e.io"
        }))
        .expect("a platform");
        let bare: Claim = serde_json::from_value(serde_json::json!({
            "platform": "aws", "account": "444455556666", "name": "a.b", "email": "a.b@e.io",
            "state": "ACTIVE"
        }))
        .expect("a claim");
        let tags = tags.iter().map(|(key, value)| (format!("landfall:{key}"), (*value).to_owned()));
        bare.tagged(&tags.collect(), &platform)
    }

    #[test]
    fn an_id_proves_the_name_and_how_often_it_was_used() {
        let name = Name::new("a", "b", "aws");
        let id = tenant_id(&name, 3).to_string();
        let told = |id: &str, project: &str| {
            claim(&[("tenant", id), ("workspace", "a"), ("project", project)]).named()
        };
        assert_eq!(told(&id, "b"), Some((name, 3)));
        assert_eq!(told(&id, "c"), None, "it is another tenant's id");
        assert_eq!(told("mine", "b"), None);
        assert_eq!(claim(&[("tenant", &id)]).named(), None);
        assert!(claim(&[("tenant", &id)]).id().is_some());
    }
}
