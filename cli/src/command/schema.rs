//! `landfall schema KIND`: the JSON Schema that editors complete and check with.

use clap::{Args, ValueEnum};
use tenant::Kind;

use super::Context;
use crate::exit::Exit;

/// A kind of documents as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Documents {
    /// Wished-for accounts.
    #[value(alias = "tenant")]
    Tenants,
    /// What every tenant of them gets.
    #[value(alias = "landing-zone", alias = "landingzones", alias = "landingzone")]
    LandingZones,
    /// Organizations as Landfall sees them.
    #[value(alias = "platform")]
    Platforms,
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The kind of documents.
    pub kind: Documents,
}

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
pub fn run(context: &Context, arguments: &Arguments) -> Exit {
    let schema = tenant::schema(arguments.kind.kind());
    context.terminal.print(serde_json::to_string_pretty(&schema).unwrap_or_default());
    Exit::Ok
}
