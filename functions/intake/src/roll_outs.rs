//! The operator's view of roll-outs, and what a person does to one.

use entry::Means;
use ledger::Error;
use tenant::{Kind, Page, RollOut, RollOutView, RollOutWish};

use crate::tenants::ATTEMPTS;
use crate::{Refusal, Request, Response};

/// Entries of a roll-out's history in an answer.
const LATEST: i32 = 20;

/// The last roll-out of every landing zone and platform.
pub async fn list(means: &Means) -> Result<Response, Refusal> {
    let mut items = Vec::new();
    for roll_out in means.ledger.roll_outs().await? {
        items.push(view(means, &roll_out).await?);
    }
    Ok(Response::json(200, &Page { items, next: None }))
}

/// Stops, resumes or abandons a roll-out.
pub async fn put(
    means: &Means,
    request: &Request,
    kind: Kind,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let wish = RollOutWish::read(request.json()?).map_err(Refusal::Invalid)?;
    let precondition = request.precondition();
    for _ in 0..ATTEMPTS {
        let before = means.ledger.roll_out(kind, name).await?;
        let before = before
            .ok_or_else(|| Refusal::Missing(format!("roll-out of {} `{name}`", kind.as_str())))?;
        precondition.check(Some(before.version))?;
        let members = means.ledger.tenants_of(before.members()).await?;
        let set = before
            .set(wish.state, &members, &wish.comment, author, means.now())
            .map_err(Refusal::NotNow)?;
        let written = match &set {
            None => Ok(()),
            Some(transition) => means.ledger.turn_roll_out(transition).await,
        };
        match written {
            Ok(()) => {
                let roll_out = set.map_or(before, |transition| transition.roll_out);
                let view = view(means, &roll_out).await?;
                return Ok(Response::json(200, &view).tagged(roll_out.version));
            }
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

async fn view(means: &Means, roll_out: &RollOut) -> Result<RollOutView, Refusal> {
    let (members, history) = tokio::try_join!(
        means.ledger.tenants_of(roll_out.members()),
        means.ledger.roll_out_history(roll_out.kind, &roll_out.name, LATEST),
    )?;
    Ok(RollOutView::of(roll_out, &members, history, means.now()))
}
