//! The look at accounts that events named. An event is never believed: what differs here too is a suspect like any.

use std::collections::HashMap;

use jiff::SignedDuration;
use ledger::{Leg, Position};
use organization::Organization;
use step::Site;
use tenant::{AccountId, Failure};

use crate::{Progress, Survey};

/// Time between two accounts: AWS takes twenty calls a second.
const PACE: SignedDuration = SignedDuration::from_millis(100);

/// Looks at the accounts that are left.
pub(crate) async fn look(
    survey: &Survey<'_>,
    position: &mut Position,
) -> Result<Progress, Failure> {
    while let Some(account) = next(position) {
        if survey.is_over() {
            return Ok(Progress::More);
        }
        look_at(survey, position, &account).await?;
        if let Leg::Named { accounts, .. } = &mut position.leg {
            accounts.pop();
        }
        survey.means.pause(PACE).await;
    }
    Ok(Progress::Done)
}

fn next(position: &Position) -> Option<AccountId> {
    match &position.leg {
        Leg::Named { accounts, .. } => accounts.last().cloned(),
        _ => None,
    }
}

async fn look_at(
    survey: &Survey<'_>,
    position: &mut Position,
    account: &AccountId,
) -> Result<(), Failure> {
    let ledger = &survey.means.ledger;
    let owner = ledger.owner(account.as_str()).await?;
    let tenant = match owner {
        Some(owner) => ledger.tenant(owner).await?,
        None => None,
    };
    if tenant.as_ref().is_some_and(|tenant| tenant.running.is_some()) {
        // Whether the run sees it depends on which came first: it is looked at once the run has ended.
        return Ok(ledger.name_account(survey.name, account).await?);
    }
    let session = survey.sessions.look(Site::Management).await?;
    let member = Organization::new(&session).member(account).await?;
    position.summary.calls.accounts += 1;
    if owner.is_none() {
        let strangers = member.into_iter().filter(|member| !survey.is_a_seat(&member.id)).collect();
        return survey.write_down(position, strangers, &HashMap::new()).await;
    }
    let watch = tenant.and_then(|tenant| survey.watch(&tenant));
    let Some(watch) = watch.filter(|watch| watch.account == *account) else { return Ok(()) };
    let seen = member.map(|member| member.seen);
    let zone = survey.zones.get(&watch.landing_zone);
    let found = watch.differences(seen.as_ref(), zone, survey.platform);
    survey.hold(position, &watch, &found).await
}
