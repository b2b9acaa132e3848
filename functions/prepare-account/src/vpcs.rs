//! Default VPCs: each is looked at once in its Region, and taken away if AWS alone has been in it.

use std::{collections::BTreeMap, fmt};

use entry::Means;
use futures::{StreamExt, stream};
use region::{DefaultVpc as Found, Error, OptIn, Regions};
use step::{Act, Awaited, Task};
use tenant::{DefaultVpc, Failure, VpcFate};

/// How many Regions are worked on at once.
const AT_ONCE: usize = 8;
/// Seconds until Regions that did not know the account are asked again.
const READY: u32 = 20;

/// The default VPC of one Region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Vpc {
    /// There is none.
    Missing,
    /// There is one.
    There(Found),
    /// The Region does not know the account yet.
    NotReady,
    /// A policy of the organization keeps everybody out of the Region.
    Closed,
}

/// The Regions of an account that is not there yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unborn(Vec<String>);

impl fmt::Display for Unborn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => formatter.write_str("delete the empty default VPC of every enabled Region"),
            regions => {
                write!(formatter, "delete the empty default VPCs of {}", regions.join(", "))
            }
        }
    }
}

/// What becomes of default VPCs, by Region.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settling {
    /// Empty ones, which go.
    pub delete: BTreeMap<String, Found>,
    /// Those in use, which stay, and by what they are used.
    pub keep: BTreeMap<String, String>,
    /// Regions without one.
    pub missing: Vec<String>,
}

impl Settling {
    /// Whether there is nothing to settle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Settling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.delete.is_empty() {
            let regions: Vec<&str> = self.delete.keys().map(String::as_str).collect();
            parts.push(format!("delete the empty default VPCs of {}", regions.join(", ")));
        }
        for (region, used_by) in &self.keep {
            parts.push(format!("leave the default VPC of {region}, which is in use: {used_by}"));
        }
        if !self.missing.is_empty() {
            parts.push(format!("note that {} has no default VPC", self.missing.join(", ")));
        }
        formatter.write_str(&parts.join("; "))
    }
}

/// Whether the Region's default VPC may still have to go.
fn is_unsettled(task: &Task, region: &str) -> bool {
    let record = task.tenant.default_vpcs.get(region);
    record.is_none_or(|record| record.fate == VpcFate::NeedsWidening)
}

/// Looks at the enabled Regions that are not settled.
pub(crate) async fn look(task: &Task, regions: &Regions) -> Result<BTreeMap<String, Vpc>, Failure> {
    let baseline = &task.landing_zone.baseline;
    let settled = !baseline.is_everywhere()
        && baseline.regions.iter().all(|region| !is_unsettled(task, region));
    if baseline.default_vpc == DefaultVpc::Keep || settled {
        return Ok(BTreeMap::new());
    }
    let usable = regions.list().await?.into_iter();
    let looks: Vec<_> = usable
        .filter(|(name, status)| {
            *status == OptIn::Enabled && baseline.covers(name) && is_unsettled(task, name)
        })
        .map(|(name, _)| {
            let region = regions.open(&name);
            async move { (name, region.default_vpc().await) }
        })
        .collect();
    let looks: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
    looks
        .into_iter()
        .map(|(region, found)| match found {
            Ok(found) => Ok((region, found.map_or(Vpc::Missing, Vpc::There))),
            Err(Error::NotReady(_)) => Ok((region, Vpc::NotReady)),
            Err(Error::Closed(_)) => Ok((region, Vpc::Closed)),
            Err(error) => Err(error.into()),
        })
        .collect()
}

/// What is to be settled, and the Regions that are not ready for it.
pub(crate) fn plan(task: &Task, vpcs: &BTreeMap<String, Vpc>) -> (Settling, Vec<String>) {
    let (mut settling, mut unready) = (Settling::default(), Vec::new());
    for (region, vpc) in vpcs {
        match vpc {
            Vpc::Missing => settling.missing.push(region.clone()),
            Vpc::There(Found { used_by: Some(used_by), .. }) => {
                settling.keep.insert(region.clone(), used_by.clone());
            }
            // It could not be deleted before; whoever helps deletes it, and that is seen.
            Vpc::There(_) if task.tenant.default_vpcs.contains_key(region) => {}
            Vpc::There(found) => {
                settling.delete.insert(region.clone(), found.clone());
            }
            Vpc::NotReady => unready.push(region.clone()),
            Vpc::Closed => {}
        }
    }
    (settling, unready)
}

/// What will be done in an account that is not there yet.
pub(crate) fn before_birth(task: &Task) -> Option<Unborn> {
    let baseline = &task.landing_zone.baseline;
    let regions = if baseline.is_everywhere() { Vec::new() } else { baseline.regions.clone() };
    (baseline.default_vpc == DefaultVpc::Delete).then_some(Unborn(regions))
}

/// Takes the empty VPCs away and keeps on the tenant's row what became of each. One Region that refuses does not keep
/// the others from being settled.
pub(crate) async fn settle(
    task: &Task,
    means: &Means,
    regions: &Regions,
    settling: Settling,
) -> Result<(), Failure> {
    let Settling { delete, keep, missing } = settling;
    let deletions: Vec<_> = delete
        .into_iter()
        .map(|(name, vpc)| {
            let region = regions.open(&name);
            async move { (name, region.delete_vpc(&vpc).await) }
        })
        .collect();
    let deletions: Vec<_> = stream::iter(deletions).buffer_unordered(AT_ONCE).collect().await;
    let mut fates: BTreeMap<String, VpcFate> =
        missing.into_iter().map(|region| (region, VpcFate::Gone)).collect();
    fates.extend(keep.into_keys().map(|region| (region, VpcFate::Kept)));
    let mut refused = None;
    for (region, deleted) in deletions {
        match deleted {
            Ok(()) => {
                fates.insert(region, VpcFate::Gone);
            }
            Err(Error::Denied(failure)) => {
                tracing::warn!(region, %failure, "a default VPC needs widening");
                fates.insert(region, VpcFate::NeedsWidening);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if !fates.is_empty() {
        let event = told(&fates);
        let transition = task.tenant.cleared(fates, event, means.now());
        means.ledger.write(&task.tenant, &transition).await?;
    }
    refused.map_or(Ok(()), |error| Err(error.into()))
}

/// What became of the VPCs, in a sentence.
fn told(fates: &BTreeMap<String, VpcFate>) -> String {
    let of = |fate: VpcFate| -> Vec<&str> {
        let these = fates.iter().filter(|(_, other)| **other == fate);
        these.map(|(region, _)| region.as_str()).collect()
    };
    [
        (VpcFate::Gone, "no default VPC is left in"),
        (VpcFate::Kept, "the default VPC stays, since it is in use, in"),
        (VpcFate::NeedsWidening, "the default VPC can't be deleted any more in"),
    ]
    .into_iter()
    .map(|(fate, words)| (of(fate), words))
    .filter(|(regions, _)| !regions.is_empty())
    .map(|(regions, words)| format!("{words} {}", regions.join(", ")))
    .collect::<Vec<_>>()
    .join("; ")
}

/// Waits for Regions that do not know the account yet: the permissions to delete VPCs end with the downgrade.
pub(crate) fn awaited(task: &Task, regions: &[String]) -> Act {
    const KIND: &str = "region-ready";
    let known = task.awaited.as_ref().filter(|awaited| awaited.kind == KIND);
    let awaited = Awaited {
        kind: KIND.to_owned(),
        id: task.account().map(ToString::to_string).unwrap_or_default(),
        r#for: format!("EC2 to know the account in {}", regions.join(", ")),
        since: known.map_or(task.now, |awaited| awaited.since),
    };
    Act::Pending { awaited, seconds: READY }
}
