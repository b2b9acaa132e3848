//! `landfall schema KIND`: the JSON Schema that editors complete and check with.

use tenant::Kind;

use super::Context;
use crate::arguments::{Documents, Schema};
use crate::exit::Exit;

impl Documents {
    /// The kind of documents.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Tenants => Kind::Tenant,
            Self::LandingZones => Kind::LandingZone,
            Self::Platforms => Kind::Platform,
        }
    }
}

/// Prints a kind's schema.
#[must_use]
pub fn run(context: &Context, arguments: &Schema) -> Exit {
    let schema = tenant::schema(arguments.kind.kind());
    context.terminal.print(serde_json::to_string_pretty(&schema).unwrap_or_default());
    Exit::Ok
}
