//! What users write: one document per platform, landing zone and tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod landing_zone;
mod platform;
mod roll_out;
mod wish;

pub use landing_zone::{
    AccessRole, AccessStack, AddressAfterClosing, Baseline, DefaultVpc, Downgrade, Hook,
    HookTarget, LandingZone, LandingZoneMetadata, OtherWayIn, PasswordPolicy, PermissionModel,
    Quota, StackSet, Trust,
};
pub use platform::{
    AccountFactory, BIRTH_ROLE, BreakerLimits, ControlTower, Enrolment, IdentifierLengths, Limits,
    Platform, PlatformMetadata, SsoUser, TagMapper,
};
pub use roll_out::{Amount, RollOutRules};
pub use wish::{TenantMetadata, TenantSpec};

/// The kinds of documents.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Kind {
    /// One AWS Organization as Landfall sees it.
    Platform,
    /// What every tenant of it gets.
    LandingZone,
    /// A wished-for account.
    Tenant,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Platform, Self::LandingZone, Self::Tenant];

    /// The kind as documents spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "Platform",
            Self::LandingZone => "LandingZone",
            Self::Tenant => "Tenant",
        }
    }
}

/// The content of one kind of document.
pub trait Spec: serde::de::DeserializeOwned + Serialize + JsonSchema {
    /// The kind that this is the content of.
    const KIND: Kind;
    /// What names a document of this kind.
    type Metadata: serde::de::DeserializeOwned + Serialize + JsonSchema;
}

/// A document as users write it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", bound = "")]
#[schemars(rename = "{S}Document")]
pub struct Document<S: Spec> {
    /// The version of the format: `landfall/v1`.
    #[schemars(extend("const" = "landfall/v1"))]
    pub api_version: String,
    /// What the document describes.
    pub kind: Kind,
    /// What names it.
    pub metadata: S::Metadata,
    /// What is wished.
    pub spec: S,
}

impl<S: Spec> Document<S> {
    /// The format's version.
    pub const API_VERSION: &'static str = "landfall/v1";

    /// A document around its content.
    pub fn new(metadata: S::Metadata, spec: S) -> Self {
        Self { api_version: Self::API_VERSION.to_owned(), kind: S::KIND, metadata, spec }
    }
}

/// The JSON Schema of a kind, as served, shipped and used by editors.
#[must_use]
pub fn schema(kind: Kind) -> serde_json::Value {
    fn of<S: Spec>() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Document<S>).to_value();
        schema["title"] = S::KIND.as_str().into();
        schema["properties"]["kind"] = serde_json::json!({ "const": S::KIND.as_str() });
        schema
    }
    match kind {
        Kind::Platform => of::<Platform>(),
        Kind::LandingZone => of::<LandingZone>(),
        Kind::Tenant => of::<TenantSpec>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_read_as_it_is_written() {
        let text = serde_json::json!({
            "apiVersion": "landfall/v1", "kind": "Tenant",
            "metadata": {"workspace": "payments", "project": "checkout", "platform": "aws"},
            "spec": {"landingZone": "production", "tags": {"costCenter": "4711"}}
        });
        let document: Document<TenantSpec> =
            serde_json::from_value(text.clone()).expect("a tenant");
        assert_eq!(document.metadata.name().to_string(), "payments.checkout.aws");
        assert_eq!(serde_json::to_value(&document).expect("JSON"), text);
    }

    #[test]
    fn every_kind_has_a_schema_that_refuses_unknown_fields() {
        for kind in Kind::ALL {
            let schema = schema(kind);
            assert_eq!(schema["properties"]["kind"]["const"], kind.as_str());
            assert_eq!(schema["additionalProperties"], false, "{}", kind.as_str());
        }
    }
}
