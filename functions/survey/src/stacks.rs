//! The look at all stacks of the StackSets that landing zones promise.

use std::collections::{BTreeMap, HashSet};

use jiff::SignedDuration;
use ledger::{Leg, Position};
use stackset::StackSets;
use step::Site;
use tenant::{Difference, DriftField, Failure, FailureName, StackSet, Watch, promised_sets};

use crate::{Progress, Survey};

/// Time between two pages.
const PACE: SignedDuration = SignedDuration::from_millis(250);

/// A StackSet, and the Regions in which each landing zone that promises it does so.
struct Promise {
    set: StackSet,
    regions: BTreeMap<String, Vec<String>>,
}

/// Looks at all stacks of the StackSets that were not seen yet. One StackSet is looked at within one turn.
pub(crate) async fn look(
    survey: &Survey<'_>,
    position: &mut Position,
) -> Result<Progress, Failure> {
    let Leg::Stacks { seen } = &position.leg else { return Ok(Progress::Done) };
    let mut seen = seen.clone();
    let promises = promises(survey);
    let open: Vec<&Promise> =
        promises.values().filter(|promise| !seen.contains(&promise.set.name)).collect();
    if open.is_empty() {
        return Ok(Progress::Done);
    }
    let watches: Vec<Watch> =
        survey.watched().await?.watches.into_values().filter(|watch| watch.rests).collect();
    for promise in open {
        if survey.is_over() {
            return Ok(Progress::More);
        }
        match places(survey, position, &promise.set).await {
            Ok(places) => {
                let so_far = position.summary.stacks.unwrap_or(0);
                let found = u32::try_from(places.len()).unwrap_or(u32::MAX);
                position.summary.stacks = Some(so_far.saturating_add(found));
                for watch in &watches {
                    hold(survey, position, promise, &places, watch).await?;
                }
            }
            // The runs of the tenants that want it say what is wrong with it.
            Err(failure) if failure.name == FailureName::Blocked => {
                tracing::warn!(set = promise.set.name, failure = %failure, "its stacks can't be listed");
            }
            Err(failure) => return Err(failure),
        }
        seen.push(promise.set.name.clone());
        position.leg = Leg::Stacks { seen: seen.clone() };
    }
    Ok(Progress::Done)
}

fn promises(survey: &Survey<'_>) -> BTreeMap<String, Promise> {
    let mut promises: BTreeMap<String, Promise> = BTreeMap::new();
    for (zone, spec) in &survey.zones {
        for set in promised_sets(spec, survey.platform) {
            let regions = set.regions.clone();
            let promise = promises
                .entry(set.name.clone())
                .or_insert_with(|| Promise { set, regions: BTreeMap::new() });
            promise.regions.insert(zone.clone(), regions);
        }
    }
    promises
}

/// Account and Region of every stack of a StackSet.
async fn places(
    survey: &Survey<'_>,
    position: &mut Position,
    set: &StackSet,
) -> Result<HashSet<(String, String)>, Failure> {
    let session = survey.sessions.look(Site::Automation).await?;
    let sets = StackSets::of(&session, survey.platform, set);
    let (mut places, mut token) = (HashSet::new(), None);
    loop {
        let page = sets.list(&set.name, token.as_deref()).await?;
        position.summary.calls.stacks += 1;
        places.extend(page.places);
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(places),
        }
        survey.means.pause(PACE).await;
    }
}

async fn hold(
    survey: &Survey<'_>,
    position: &mut Position,
    promise: &Promise,
    places: &HashSet<(String, String)>,
    watch: &Watch,
) -> Result<(), Failure> {
    let Some(regions) = promise.regions.get(&watch.landing_zone) else { return Ok(()) };
    let name = &promise.set.name;
    let lacking =
        |region: &&String| !places.contains(&(watch.account.to_string(), (*region).clone()));
    let found: Vec<Difference> =
        regions.iter().filter(lacking).map(|region| Difference::lacks(name, region)).collect();
    if !found.is_empty() {
        position.summary.differing += 1;
    }
    if found.is_empty() && !watch.deviates {
        return Ok(());
    }
    let decides = |field: DriftField, subject: Option<&str>| {
        field == DriftField::StackSets
            && subject.and_then(|subject| subject.rsplit_once('/')).is_some_and(|it| it.0 == name)
    };
    survey.note(position, watch.tenant, decides, &found).await
}
