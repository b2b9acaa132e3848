//! The second look at what differed, one tenant after another: what it finds too is drift.

use jiff::SignedDuration;
use ledger::Position;
use organization::Organization;
use stackset::StackSets;
use step::Site;
use tenant::{AccountId, Deviation, Difference, Failure, Tenant, Watch, promised_sets};

use crate::{Progress, Survey, drift::confirmed};

/// Time between two tenants: AWS takes twenty calls a second.
const PACE: SignedDuration = SignedDuration::from_millis(100);

/// Looks at the suspects once more.
pub(crate) async fn look(
    survey: &Survey<'_>,
    position: &mut Position,
) -> Result<Progress, Failure> {
    while let Some(suspect) = position.suspects.last().copied() {
        if survey.is_over() {
            return Ok(Progress::More);
        }
        if let Some(tenant) = survey.means.ledger.tenant(suspect).await? {
            look_at(survey, position, &tenant).await?;
        }
        position.suspects.pop();
        survey.means.pause(PACE).await;
    }
    Ok(Progress::Done)
}

async fn look_at(
    survey: &Survey<'_>,
    position: &mut Position,
    tenant: &Tenant,
) -> Result<(), Failure> {
    let Some(watch) = survey.watch(tenant) else { return Ok(()) };
    let open: Vec<&Deviation> = tenant.drift.iter().filter(|known| !known.confirmed).collect();
    let mut found = Vec::new();
    if open.iter().any(|known| known.field.is_of_the_account()) {
        let session = survey.sessions.look(Site::Management).await?;
        let member = Organization::new(&session).member(&watch.account).await?;
        position.summary.calls.second_looks += 1;
        let (seen, zone) =
            (member.map(|member| member.seen), survey.zones.get(&watch.landing_zone));
        found.extend(watch.differences(seen.as_ref(), zone, survey.platform));
    }
    for known in open.iter().filter(|known| !known.field.is_of_the_account()) {
        let lacks = lacks(survey, &watch, known).await?;
        position.summary.calls.second_looks += 1;
        found.extend(lacks.then(|| known.difference()));
    }
    // What stands as confirmed already was not looked at again.
    let open: Vec<Difference> = open.into_iter().map(Deviation::difference).collect();
    let decides = |field, subject: Option<&str>| {
        open.iter().any(|known| known.field == field && known.subject.as_deref() == subject)
    };
    found.retain(|one| open.contains(one));
    let after = survey.write(tenant, decides, &found).await?;
    let drifted = after.filter(|after| confirmed(&after.drift) > confirmed(&tenant.drift));
    if let Some(after) = drifted {
        position.summary.drifted += 1;
        let what: Vec<String> = after.drift.iter().map(Deviation::what).collect();
        tracing::warn!(tenant.id = %after.id, fields = what.join(", "), "drifted");
    }
    Ok(())
}

/// Whether the account lacks this stack still.
async fn lacks(survey: &Survey<'_>, watch: &Watch, known: &Deviation) -> Result<bool, Failure> {
    let Some((name, region)) = known.subject.as_deref().and_then(|it| it.rsplit_once('/')) else {
        return Ok(false);
    };
    let zone = survey.zones.get(&watch.landing_zone);
    let sets = zone.map(|zone| promised_sets(zone, survey.platform)).unwrap_or_default();
    let Some(set) = sets.into_iter().find(|set| set.name == name) else { return Ok(false) };
    let session = survey.sessions.look(Site::Automation).await?;
    let account: &AccountId = &watch.account;
    let instance =
        StackSets::of(&session, survey.platform, &set).instance(name, account, region).await?;
    Ok(instance.is_none())
}
