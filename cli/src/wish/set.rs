//! All documents of a command, read and checked together.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;
use tenant::{
    Document, IdentifierLengths, Kind, LandingZone, Platform, Problem, TenantSpec, UNKNOWN_FIELD,
    check_landing_zone, check_lengths, check_platform, check_tenant, kind_of, read,
};

use super::{Found, Node, Place, Source};
use crate::exit::{Exit, Trouble};

/// One document that a user wrote.
#[derive(Clone, Debug)]
pub enum Wish {
    /// One AWS Organization as Landfall sees it.
    Platform(Box<Document<Platform>>),
    /// What every tenant of it gets.
    LandingZone(Box<Document<LandingZone>>),
    /// A wished-for account.
    Tenant(Box<Document<TenantSpec>>),
}

impl Wish {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Platform(_) => Kind::Platform,
            Self::LandingZone(_) => Kind::LandingZone,
            Self::Tenant(_) => Kind::Tenant,
        }
    }

    /// The name, unique inside its kind.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Platform(document) => document.metadata.name.clone(),
            Self::LandingZone(document) => document.metadata.name.clone(),
            Self::Tenant(document) => document.metadata.name().to_string(),
        }
    }

    fn read(kind: Kind, value: Value) -> Result<Self, Vec<Problem>> {
        Ok(match kind {
            Kind::Platform => Self::Platform(Box::new(read(value)?)),
            Kind::LandingZone => Self::LandingZone(Box::new(read(value)?)),
            Kind::Tenant => Self::Tenant(Box::new(read(value)?)),
        })
    }

    /// What is wrong with it, as far as that can be said here. `elsewhere` is how long identifiers may be on a platform
    /// that is written elsewhere; without it, its API says so.
    fn check(
        &self,
        platforms: &HashMap<String, Platform>,
        elsewhere: Option<IdentifierLengths>,
    ) -> Vec<Problem> {
        match self {
            Self::Platform(document) => check_platform(&document.metadata, &document.spec),
            Self::LandingZone(document) => {
                let known = platforms.get(&document.spec.platform).cloned();
                let mut spec = document.spec.clone();
                if known.is_none() {
                    // They say otherwise what only the platform itself says first; hooks are of its Region and accounts.
                    spec.role_mappings.clear();
                    spec.hooks.clear();
                }
                let platform = known.unwrap_or_else(any_platform);
                check_landing_zone(&document.metadata, &spec, &platform)
            }
            Self::Tenant(document) => {
                let Document { metadata, spec, .. } = document.as_ref();
                let platform = platforms.get(&metadata.platform);
                let lengths =
                    elsewhere.map(|usual| platform.map_or(usual, |it| it.identifier_lengths));
                let too_long = lengths.map(|allowed| check_lengths(metadata, allowed));
                let problems = check_tenant(metadata, spec);
                too_long.unwrap_or_default().into_iter().chain(problems).collect()
            }
        }
    }
}

/// A platform that has everything, for landing zones whose platform is written elsewhere; the API checks them again.
fn any_platform() -> Platform {
    let spec = serde_json::json!({
        "region": "eu-central-1", "managementAccount": "000000000000", "automationAccount": "000000000000",
        "accountEmailPattern": "#{workspaceIdentifier}.#{projectIdentifier}@example.com",
        "controlTower": {"homeRegion": "eu-central-1"}, "contactPhone": "+1 555 0100", "organization": "o-0000000000"
    });
    serde_json::from_value(spec).expect("a platform of defaults")
}

/// All documents of a command.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// In the order in which they are applied: platforms, landing zones, tenants.
    pub all: Vec<Wish>,
}

impl Wishes {
    /// Reads and checks files and directories that the API checks once more; all problems of all files come at once.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Trouble> {
        Self::checked(paths, None)
    }

    /// The same where nobody checks them once more.
    pub fn lint(paths: &[PathBuf]) -> Result<Self, Trouble> {
        Self::checked(paths, Some(IdentifierLengths::default()))
    }

    fn checked(paths: &[PathBuf], elsewhere: Option<IdentifierLengths>) -> Result<Self, Trouble> {
        let sources = Source::read_all(paths)?;
        let wishes = Self::of(&sources, elsewhere).map_err(Trouble::problems)?;
        if wishes.all.is_empty() {
            return Err(Trouble::new(Exit::BadInput, "there is no document in what was given"));
        }
        Ok(wishes)
    }

    /// Reads and checks texts.
    pub fn of(
        sources: &[Source],
        elsewhere: Option<IdentifierLengths>,
    ) -> Result<Self, Vec<Found>> {
        let mut found = Vec::new();
        let mut read: Vec<(&Source, Node, Wish)> = Vec::new();
        for source in sources {
            match nodes(source) {
                Err(problem) => found.push(problem),
                Ok(nodes) => {
                    for node in nodes {
                        let value = node.value();
                        match kind_of(&value)
                            .map_err(|problem| vec![problem])
                            .and_then(|kind| Wish::read(kind, value))
                        {
                            Ok(wish) => read.push((source, node, wish)),
                            Err(problems) => found.extend(located(source, &node, problems)),
                        }
                    }
                }
            }
        }
        let platforms: HashMap<String, Platform> = read
            .iter()
            .filter_map(|(_, _, wish)| match wish {
                Wish::Platform(document) => {
                    Some((document.metadata.name.clone(), document.spec.clone()))
                }
                _ => None,
            })
            .collect();
        for (source, node, wish) in &read {
            found.extend(located(source, node, wish.check(&platforms, elsewhere)));
        }
        found.extend(twice(&read));
        if !found.is_empty() {
            let position =
                |found: &Found| sources.iter().position(|source| source.name == found.file);
            found.sort_by_key(|found| (position(found), found.line, found.column));
            return Err(found);
        }
        let mut all: Vec<Wish> = read.into_iter().map(|(_, _, wish)| wish).collect();
        all.sort_by_key(|wish| Kind::ALL.iter().position(|kind| *kind == wish.kind()));
        Ok(Self { all })
    }

    /// The tenants among them.
    pub fn tenants(&self) -> impl Iterator<Item = &Document<TenantSpec>> {
        self.all.iter().filter_map(|wish| match wish {
            Wish::Tenant(document) => Some(&**document),
            _ => None,
        })
    }
}

pub(super) fn nodes(source: &Source) -> Result<Vec<Node>, Found> {
    let options = serde_saphyr::options! {
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    serde_saphyr::from_multiple_with_options::<Node>(text, options).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location().map_or(Place { line: 1, column: 1 }, Place::from);
        let said = error.to_string();
        let said = said.split(" at line").next().unwrap_or(&said).to_owned();
        let problem = Problem::new(
            "(file)",
            &source.name,
            format!("can't be read: {said}"),
            "Write YAML or JSON; several documents are separated by a line `---`.",
        );
        Found::new(source, place, problem)
    })
}

pub(super) fn located(source: &Source, node: &Node, problems: Vec<Problem>) -> Vec<Found> {
    let place = |problem: &Problem| {
        let is_name = problem.rule == UNKNOWN_FIELD;
        if is_name { node.place_of_name(&problem.field) } else { node.place_of(&problem.field) }
    };
    problems.into_iter().map(|problem| Found::new(source, place(&problem), problem)).collect()
}

fn twice(read: &[(&Source, Node, Wish)]) -> Vec<Found> {
    let mut first: HashMap<(&str, String), String> = HashMap::new();
    let mut found = Vec::new();
    for (source, node, wish) in read {
        let here = format!("{}:{}", source.name, node.place_of("metadata").line);
        if let Some(earlier) = first.insert((wish.kind().as_str(), wish.name()), here) {
            let problem = Problem::new(
                "metadata",
                wish.name(),
                format!("is the name of two documents of kind {}", wish.kind().as_str()),
                format!("The other one stands at {earlier}: keep one of them."),
            );
            found.push(Found::new(source, node.place_of("metadata"), problem));
        }
    }
    found
}

#[cfg(test)]
mod tests;
