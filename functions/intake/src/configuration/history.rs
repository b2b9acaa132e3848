//! What happened to one platform or landing zone, also once it is deleted.

use entry::Means;
use tenant::{Page, Spec};

use crate::{Refusal, Request, Response};

/// Entries in one part.
const PAGE: i32 = 100;

/// A part of what happened to a platform or landing zone, the oldest first.
pub async fn history<S: Spec>(
    means: &Means,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let after = request.query_string_parameters.get("after").map(|after| after.parse());
    let after = after
        .transpose()
        .map_err(|_| Refusal::WrongQuery("`after` is none of this history's `next`."))?;
    let behind = after.map(|version| (S::KIND, name, version));
    let (items, more) = means.ledger.config_history(Some((S::KIND, name)), behind, PAGE).await?;
    if items.is_empty() && after.is_none() && means.ledger.config::<S>(name).await?.is_none() {
        return Err(Refusal::Missing(format!("{} `{name}`", S::KIND.as_str())));
    }
    let next = items.last().filter(|_| more).map(|last| last.version.to_string());
    Ok(Response::json(200, &Page { items, next }))
}
