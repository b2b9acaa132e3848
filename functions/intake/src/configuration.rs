//! Platforms and landing zones: checked against AWS, which is only looked at, before they are written.

mod check;
mod deletion;
mod history;
mod plan;

use entry::Means;
use futures::future::try_join_all;
use ledger::{Draft, Error, List, Versioned};
use tenant::{
    ConfigurationEntry, Document, LandingZone, LandingZoneMetadata, Page, Platform,
    PlatformMetadata, RollOut, RollOutRules, Spec, Tenant, Transition,
};

use crate::request::Precondition;
use crate::tenants::{ATTEMPTS, Outcome};
use crate::{Refusal, Request, Response};
use check::{checked_landing_zone, checked_platform};
use plan::plan;

pub use check::{PERMISSIONS, check};
pub use deletion::{Users, delete};
pub use history::history;
pub use plan::get_plan;

/// How many of the tenants that a change concerns are planned; all are counted.
const PLANNED: usize = 10;
/// How many rows are written at once.
const ABREAST: usize = 16;

/// A kind of configuration.
pub trait Configuration: Spec + Clone + PartialEq {
    /// The metadata of a document with this name.
    fn metadata(name: &str) -> Self::Metadata;

    /// The configuration for a plan that is made with it.
    fn draft(self) -> Draft;

    /// Whether a change of the configuration of this name concerns a tenant.
    fn concerns(name: &str, tenant: &Tenant) -> bool;

    /// How its changes reach the tenants that are there.
    fn roll_out(&mut self) -> &mut RollOutRules;

    /// Whether tenants are to be the same with another one: whatever else it says of how changes are rolled out.
    fn is_like(&self, other: &Self) -> bool {
        let mut alike = self.clone();
        alike.roll_out().clone_from(other.clone().roll_out());
        alike == *other
    }
}

impl Configuration for Platform {
    fn metadata(name: &str) -> PlatformMetadata {
        PlatformMetadata { name: name.to_owned() }
    }

    fn draft(self) -> Draft {
        Draft { platform: Some(self), landing_zone: None }
    }

    fn concerns(name: &str, tenant: &Tenant) -> bool {
        tenant.name.platform == name
    }

    fn roll_out(&mut self) -> &mut RollOutRules {
        &mut self.roll_out
    }
}

impl Configuration for LandingZone {
    fn metadata(name: &str) -> LandingZoneMetadata {
        LandingZoneMetadata { name: name.to_owned() }
    }

    fn draft(self) -> Draft {
        Draft { landing_zone: Some(self), platform: None }
    }

    fn concerns(name: &str, tenant: &Tenant) -> bool {
        tenant.wish.landing_zone == name
    }

    fn roll_out(&mut self) -> &mut RollOutRules {
        &mut self.roll_out
    }
}

fn document<S: Configuration>(config: &Versioned<S>) -> Document<S> {
    Document::new(S::metadata(&config.name), config.spec.clone())
}

/// One platform or landing zone, as it was written.
pub async fn get<S: Configuration>(means: &Means, name: &str) -> Result<Response, Refusal> {
    let config = means.ledger.config::<S>(name).await?;
    let config =
        config.ok_or_else(|| Refusal::Missing(format!("{} `{name}`", S::KIND.as_str())))?;
    Ok(Response::json(200, &document(&config)).tagged(config.version))
}

/// All platforms or landing zones, as they were written.
pub async fn list<S: Configuration>(means: &Means) -> Result<Response, Refusal> {
    let items: Vec<Document<S>> = means.ledger.configs::<S>().await?.iter().map(document).collect();
    Ok(Response::json(200, &Page { items, next: None }))
}

/// Writes a platform whose roles let us in.
pub async fn put_platform(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let spec = checked_platform(means, request.document()?, Some(name)).await?;
    write(means, name, spec, author, &request.precondition()).await
}

/// Writes a landing zone whose unit and StackSets exist.
pub async fn put_landing_zone(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let spec = checked_landing_zone(means, request.document()?, Some(name), None).await?;
    write(means, name, spec, author, &request.precondition()).await
}

/// Says which tenants a platform would touch, and how.
pub async fn plan_platform(
    means: &Means,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let spec = checked_platform(means, request.document()?, Some(name)).await?;
    plan(means, name, spec).await
}

/// Says which tenants a landing zone would touch, and how.
pub async fn plan_landing_zone(
    means: &Means,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let spec = checked_landing_zone(means, request.document()?, Some(name), None).await?;
    plan(means, name, spec).await
}

/// How many tenants a change concerns, and the first of them.
async fn concerned(
    means: &Means,
    concerns: impl Fn(&Tenant) -> bool,
) -> Result<(u32, Vec<Tenant>), Refusal> {
    let (mut count, mut first, mut after) = (0, Vec::new(), None);
    loop {
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), 100).await?;
        for tenant in tenants.into_iter().filter(|tenant| concerns(tenant)) {
            count += 1;
            if first.len() < PLANNED {
                first.push(tenant);
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok((count, first)),
        }
    }
}

async fn write<S: Configuration>(
    means: &Means,
    name: &str,
    spec: S,
    author: &str,
    precondition: &Precondition,
) -> Result<Response, Refusal> {
    for _ in 0..ATTEMPTS {
        let before = means.ledger.config::<S>(name).await?;
        let version = before.as_ref().map(|before| before.version);
        precondition.check(version)?;
        let outcome = match &before {
            None => Outcome::Created,
            Some(before) if before.spec == spec => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        if let Some(before) = before.as_ref().filter(|_| outcome == Outcome::Unchanged) {
            return Ok(Response::json(outcome.status(), &document(before)).tagged(before.version));
        }
        let last = match version {
            Some(version) => version,
            None => last_version::<S>(means, name).await?,
        };
        let next = last + 1;
        let alike = before.as_ref().filter(|before| before.spec.is_like(&spec));
        let config = Versioned {
            name: name.to_owned(),
            version: next,
            changed: alike.map_or(next, |before| before.changed),
            spec: spec.clone(),
            author: author.to_owned(),
            at: means.now(),
        };
        let earlier = before.as_ref().map(|before| &before.spec);
        let entry = ConfigurationEntry::of((name, next), earlier, Some(&spec), author, config.at);
        // Nobody can have wished for what was never there. What is there again may have been wished for while it was
        // deleted, and whoever did runs now.
        let roll_out = if last > 0 && alike.is_none() {
            let earlier = means.ledger.roll_out(S::KIND, name).await?;
            let change = (S::KIND, name, next);
            Some(RollOut::begun(change, earlier.as_ref(), author, means.now()))
        } else {
            None
        };
        match means.ledger.configure(&config, &entry, roll_out.as_ref()).await {
            Ok(()) => {
                return Ok(Response::json(outcome.status(), &document(&config)).tagged(next));
            }
            // Its roll-out has come on meanwhile, or somebody else has written it.
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

/// The version that a name had last; versions go on where what had it was deleted, so that none means two things.
async fn last_version<S: Spec>(means: &Means, name: &str) -> Result<u64, Refusal> {
    let last = means.ledger.last_config_entry(S::KIND, name).await?;
    Ok(last.map_or(0, |last| last.version))
}

/// Asks for a run of every tenant that something concerns; start-due starts them, some each minute.
pub async fn ask_for_runs(
    means: &Means,
    concerns: impl Fn(&Tenant) -> bool,
    run: impl Fn(&Tenant) -> Transition,
) -> Result<(), Refusal> {
    let mut after = None;
    loop {
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), 100).await?;
        let concerned: Vec<Tenant> =
            tenants.into_iter().filter(|tenant| concerns(tenant)).collect();
        for some in concerned.chunks(ABREAST) {
            let writes: Vec<_> = some.iter().map(|tenant| ask(means, tenant, &run)).collect();
            try_join_all(writes).await?;
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn ask(
    means: &Means,
    tenant: &Tenant,
    run: &impl Fn(&Tenant) -> Transition,
) -> Result<(), Refusal> {
    means.ledger.change(tenant.clone(), |tenant| Some(run(tenant))).await?;
    Ok(())
}
