//! Takes wishes and configuration over HTTP, and answers how they stand.
//!
//! What it does: checks what was sent, writes it to the ledger, and starts the tenant's run at once where it can; a
//! start that fails is start-due's. It changes nothing in AWS.
//! What it leaves on the record: the row with the author, who is the caller as API Gateway proved it.
//! Why repeating is safe: a PUT of what is there already changes nothing; a tenant's id follows from its name.
//! Whether it can be undone: by another PUT.

mod adoptions;
mod answers;
mod awaited;
mod configuration;
mod history;
mod letters;
mod limits;
mod moves;
mod openapi;
mod plans;
mod removals;
mod request;
mod response;
mod restorations;
mod roll_outs;
mod route;
mod steps;
mod surveys;
mod tenants;

use entry::Means;
use letters::Desk;
use tenant::{Failure, FailureName};

pub use adoptions::PERMISSIONS as ADOPTION_PERMISSIONS;
pub use configuration::PERMISSIONS;
pub use openapi::document as openapi;
pub use request::Request;
pub use response::{Refusal, Response};
pub use restorations::PERMISSIONS as RESTORATION_PERMISSIONS;
use route::Route;

/// Answers one request.
pub async fn handle(means: Means, request: Request) -> Result<Response, Failure> {
    let answer = answer(&means, &request).await;
    Ok(answer.unwrap_or_else(|refusal| {
        if let Refusal::Failed(failure) = &refusal {
            tracing::error!(name = %failure.name, failure = %failure, "the request could not be answered");
        }
        refusal.response()
    }))
}

async fn answer(means: &Means, request: &Request) -> Result<Response, Refusal> {
    let route = Route::of(request)?;
    let author = request.author()?;
    match route {
        Route::PutTenant(name) => tenants::put(means, request, &name, author).await,
        Route::GetTenant(name, reader) => tenants::get(means, &name, reader).await,
        Route::ListTenants(workspace, reader) => {
            tenants::list(means, request, workspace.as_deref(), reader).await
        }
        Route::GetHistory(name) => tenants::history(means, &name).await,
        Route::PostReplication(name) => tenants::replicate(means, &name, author).await,
        Route::PostAnswer(name) => answers::post(means, request, &name, author).await,
        Route::DeleteTenant(name) => removals::ask(means, &name, author).await,
        Route::DeleteProject(workspace, project) => {
            removals::ask_together(means, &workspace, &project, author).await
        }
        Route::PostApproval(name) => removals::approve(means, request, &name, author).await,
        Route::PostDecline(name) => removals::decline(means, request, &name, author).await,
        Route::PostPurge(name) => removals::purge(means, &name, author).await,
        Route::PostMove(name) => moves::post(means, request, &name, author).await,
        Route::PutMovePlan(name) => moves::plan(means, request, &name, author).await,
        Route::PutPlan(name) => plans::put(means, request, &name, author).await,
        Route::GetPlan(name, id) => plans::get(means, &name, id).await,
        Route::PostCheck => configuration::check(means, request).await,
        Route::PutPlatformPlan(name) => configuration::plan_platform(means, request, &name).await,
        Route::PutLandingZonePlan(name) => {
            configuration::plan_landing_zone(means, request, &name).await
        }
        Route::GetConfigurationPlan(id) => configuration::get_plan(means, id).await,
        Route::PutLandingZone(name) => {
            configuration::put_landing_zone(means, request, &name, author).await
        }
        Route::GetLandingZone(name) => {
            configuration::get::<tenant::LandingZone>(means, &name).await
        }
        Route::ListLandingZones => configuration::list::<tenant::LandingZone>(means).await,
        Route::PutPlatform(name) => {
            configuration::put_platform(means, request, &name, author).await
        }
        Route::GetPlatform(name) => configuration::get::<tenant::Platform>(means, &name).await,
        Route::ListPlatforms => configuration::list::<tenant::Platform>(means).await,
        Route::DeleteLandingZone(name) => {
            configuration::delete::<tenant::LandingZone>(means, request, &name, author).await
        }
        Route::DeletePlatform(name) => {
            configuration::delete::<tenant::Platform>(means, request, &name, author).await
        }
        Route::GetLandingZoneHistory(name) => {
            configuration::history::<tenant::LandingZone>(means, request, &name).await
        }
        Route::GetPlatformHistory(name) => {
            configuration::history::<tenant::Platform>(means, request, &name).await
        }
        Route::ListHistory => history::all(means, request).await,
        Route::ListLetters => Desk::new(means).list().await,
        Route::PostRedriveAll => Desk::new(means).redrive_all(author).await,
        Route::PostRedrive(id) => Desk::new(means).redrive(&id, author).await,
        Route::PostDiscard(id) => Desk::new(means).discard(request, &id, author).await,
        Route::ListLimits => limits::list(means).await,
        Route::PutBreaker(name) => limits::put_breaker(means, request, &name, author).await,
        Route::ListRollOuts => roll_outs::list(means).await,
        Route::PutRollOut(kind, name) => roll_outs::put(means, request, kind, &name, author).await,
        Route::ListSurveys => surveys::list(means).await,
        Route::PostSurvey(platform) => surveys::ask(means, &platform, author).await,
        Route::ListAwaited => awaited::list(means, request).await,
        Route::ListUnmanaged => surveys::unmanaged(means, request).await,
        Route::PutAdoption(platform, account) => {
            adoptions::put(means, request, &platform, &account, author).await
        }
        Route::PutAdoptionPlan(platform, account) => {
            adoptions::plan(means, request, &platform, &account, author).await
        }
        Route::ListClaims(platform) => restorations::claims(means, request, &platform).await,
        Route::PutRestoration(platform, account) => {
            restorations::put(means, request, &platform, &account, author).await
        }
        Route::PutRestorationCheck(platform, account) => {
            restorations::check(means, request, &platform, &account, author).await
        }
        Route::GetUnmanagedTags(platform, account) => {
            adoptions::tags(means, &platform, &account).await
        }
        Route::GetSchema(kind) => Ok(Response::json(200, &tenant::schema(kind))),
        Route::GetOpenApi => Ok(Response::json(200, &openapi::document())),
    }
}

/// Whether waiting a little may help against a failure.
fn passes(failure: &Failure) -> bool {
    matches!(failure.name, FailureName::Throttled | FailureName::Transient | FailureName::NotReady)
}

#[cfg(test)]
mod tests;
