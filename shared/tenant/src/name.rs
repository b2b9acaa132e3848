//! Names and ids of tenants and accounts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A tenant's name, unique among living tenants: `<workspace>.<project>.<platform>`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Name {
    /// The workspace's identifier.
    pub workspace: String,
    /// The project's identifier, unique inside its workspace.
    pub project: String,
    /// The platform's name.
    pub platform: String,
}

impl Name {
    /// A name from its three parts.
    pub fn new(
        workspace: impl Into<String>,
        project: impl Into<String>,
        platform: impl Into<String>,
    ) -> Self {
        Self { workspace: workspace.into(), project: project.into(), platform: platform.into() }
    }

    /// Reads `<workspace>.<project>.<platform>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let name = Self::new(parts.next()?, parts.next()?, parts.next()?);
        (parts.next().is_none() && !text.split('.').any(str::is_empty)).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.workspace, self.project, self.platform)
    }
}

/// A tenant's id, computed from its name and how often that name was used before: twenty clients that wish for the
/// same tenant at once wish for one id.
#[must_use]
pub fn tenant_id(name: &Name, incarnation: u32) -> Uuid {
    const LANDFALL: Uuid = Uuid::from_u128(0x6c61_6e64_6661_6c6c_8000_7465_6e61_6e74);
    Uuid::new_v5(&LANDFALL, format!("{name}#{incarnation}").as_bytes())
}

/// How often a name is thought to have been used at the most.
const MOST_INCARNATIONS: u32 = 1_000;

/// How often a name had been used when its tenant got this id; none if the id is no tenant's of this name.
#[must_use]
pub fn incarnation_of(name: &Name, id: Uuid) -> Option<u32> {
    (1..=MOST_INCARNATIONS).find(|incarnation| tenant_id(name, *incarnation) == id)
}

/// An AWS account's id: twelve digits.
#[derive(
    Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^\d{12}$"))]
pub struct AccountId(String);

impl AccountId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no account id: it must be twelve digits, quoted"))
        }
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_nothing_else_is() {
        let name = Name::new("payments", "checkout-prod", "aws");
        assert_eq!(Name::parse("payments.checkout-prod.aws"), Some(name));
        for wrong in ["", "a.b", "a.b.c.d", "a..c", ".b.c"] {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_same_name_gets_another_id_when_it_is_used_again() {
        let name = Name::new("a", "b", "aws");
        assert_eq!(tenant_id(&name, 1), tenant_id(&name, 1));
        assert_ne!(tenant_id(&name, 1), tenant_id(&name, 2));
        assert_eq!(incarnation_of(&name, tenant_id(&name, 2)), Some(2));
        let other = Name::new("a", "c", "aws");
        assert_eq!(incarnation_of(&name, tenant_id(&other, 1)), None);
    }

    #[test]
    fn an_account_id_is_twelve_digits() {
        assert!(AccountId::try_from("123456789012".to_owned()).is_ok());
        assert!(AccountId::try_from("12345678901".to_owned()).is_err());
        assert!(AccountId::try_from("12345678901a".to_owned()).is_err());
    }
}
