//! The operator's view of the organization: what surveys found, and the accounts that are no tenant's.

use entry::Means;
use ledger::{Scope, Versioned, Wanted};
use tenant::{AccountId, Page, Platform, SurveyView};

use crate::{Refusal, Request, Response};

/// Surveys in an answer.
const LATEST: i32 = 20;
/// Accounts in one part of a list.
const PAGE: i32 = 100;

/// The surveys of all platforms.
pub async fn list(means: &Means) -> Result<Response, Refusal> {
    let mut items = Vec::new();
    for platform in means.ledger.configs::<Platform>().await? {
        items.push(view(means, &platform).await?);
    }
    Ok(Response::json(200, &Page { items, next: None }))
}

/// Asks for a survey, which begins within a minute; one under way is followed by another.
pub async fn ask(means: &Means, name: &str, author: &str) -> Result<Response, Refusal> {
    let platform = means.ledger.config::<Platform>(name).await?;
    let platform = platform.ok_or_else(|| Refusal::Missing(format!("platform `{name}`")))?;
    let wanted = Wanted { by: author.to_owned(), at: means.now() };
    means.ledger.want_survey(name, &wanted).await?;
    Ok(Response::json(202, &view(means, &platform).await?))
}

async fn view(means: &Means, platform: &Versioned<Platform>) -> Result<SurveyView, Refusal> {
    let now = means.now();
    let (row, ended) = tokio::try_join!(
        means.ledger.survey(&platform.name),
        means.ledger.survey_summaries(&platform.name, LATEST),
    )?;
    Ok(SurveyView {
        platform: platform.name.clone(),
        next: row.next(platform.spec.survey_hours, now),
        under_way: row
            .position
            .filter(|position| position.scope != Scope::Named)
            .map(|position| position.summary),
        ended,
        as_of: now,
    })
}

/// The accounts that are no tenant's, in the order of platforms and accounts.
pub async fn unmanaged(means: &Means, request: &Request) -> Result<Response, Refusal> {
    let after = request.query_string_parameters.get("after").map(String::as_str);
    let place = after.map(|after| after.split_once('.').filter(|(_, id)| is_account(id)));
    if place == Some(None) {
        return Err(Refusal::WrongQuery("`after` is none of this list's `next`."));
    }
    let ((mut items, next), platforms) = tokio::try_join!(
        means.ledger.unmanaged(place.flatten(), PAGE, means.now()),
        means.ledger.configs::<Platform>(),
    )?;
    // Those of a platform that is deleted are nobody's to adopt, and forgotten within days.
    items.retain(|one| platforms.iter().any(|platform| platform.name == one.platform));
    Ok(Response::json(200, &Page { items, next }))
}

fn is_account(id: &str) -> bool {
    AccountId::try_from(id.to_owned()).is_ok()
}
