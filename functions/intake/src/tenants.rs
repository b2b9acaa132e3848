//! Wishes: written, read, listed, replicated.

use entry::Means;
use jiff::Timestamp;
use ledger::{AGAIN, Error, List, StepRow};
use tenant::{
    Document, HistoryView, LandingZone, Name, Named, Page, PauseView, Phase, Platform, Problem,
    Reader, Refused, Spec, Tenant, TenantSpec, TenantView, Transition, check_access, check_lengths,
    check_tenant, check_tenant_beside, nearest,
};

use crate::request::same;
use crate::{Refusal, Request, Response, steps};

/// How often a write is tried while others change the same row.
pub const ATTEMPTS: u32 = 8;
/// Tenants in one part of a list.
const PAGE: i32 = 100;

/// What became of a wish.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It differs from what was there.
    Changed,
    /// It is as it was.
    Unchanged,
}

impl Outcome {
    /// The HTTP status that says so.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Created => 201,
            Self::Changed => 202,
            Self::Unchanged => 200,
        }
    }
}

/// Writes a wish, and starts its run.
pub async fn put(
    means: &Means,
    request: &Request,
    name: &Name,
    author: &str,
) -> Result<Response, Refusal> {
    let document: Document<TenantSpec> = request.document()?;
    check(means, name, &document).await?;
    let precondition = request.precondition();
    decided(means, || async {
        let (before, incarnation) = Named::living(means.ledger.named(name).await?, name);
        precondition.check(before.as_ref().map(|tenant| tenant.generation))?;
        let wish = document.spec.clone();
        let Some(before) = before else {
            let transition =
                Tenant::requested(name.clone(), incarnation, wish, author, means.now());
            let written = means.ledger.create(&transition).await;
            return Ok(Decision::Written(Outcome::Created, Box::new(transition), written));
        };
        match before.wished(wish, author, means.now()).map_err(Refusal::NotNow)? {
            None => Ok(Decision::Unchanged(Box::new(before))),
            Some(transition) => {
                let written = means.ledger.write(&before, &transition).await;
                Ok(Decision::Written(Outcome::Changed, Box::new(transition), written))
            }
        }
    })
    .await
}

/// What is decided about a tenant.
pub enum Decision {
    /// All is as it is asked for.
    Unchanged(Box<Tenant>),
    /// What is written, and whether the ledger took it.
    Written(Outcome, Box<Transition>, Result<(), Error>),
}

/// Decides, and starts the run that follows; decides again while others change the same rows.
pub async fn decided<Deciding: Future<Output = Result<Decision, Refusal>>>(
    means: &Means,
    decide: impl Fn() -> Deciding,
) -> Result<Response, Refusal> {
    for _ in 0..ATTEMPTS {
        match decide().await? {
            Decision::Unchanged(tenant) => return answer(means, &tenant, Outcome::Unchanged).await,
            Decision::Written(outcome, transition, Ok(())) => {
                let tenant = started(means, transition.tenant).await;
                return answer(means, &tenant, outcome).await;
            }
            Decision::Written(_, _, Err(Error::Conflict)) => {}
            Decision::Written(_, _, Err(Error::Failure(failure))) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

/// Starts a tenant's run at once; if that fails, start-due does it within a minute.
pub async fn started(means: &Means, tenant: Tenant) -> Tenant {
    if tenant.running.is_some() {
        return tenant;
    }
    if let Err(failure) = means.start(&tenant).await {
        tracing::warn!(tenant.id = %tenant.id, failure = %failure, "the start failed; it is left to start-due");
        return tenant;
    }
    means.ledger.tenant(tenant.id).await.ok().flatten().unwrap_or(tenant)
}

/// Everything that is wrong with a wish, by itself and beside what there is.
pub async fn check(
    means: &Means,
    name: &Name,
    document: &Document<TenantSpec>,
) -> Result<(), Refusal> {
    let (before, incarnation) = Named::living(means.ledger.named(name).await?, name);
    check_beside(means, (name, incarnation), document, before).await
}

/// The same beside the tenant as it was before, if it was.
pub async fn check_beside(
    means: &Means,
    (name, incarnation): (&Name, u32),
    document: &Document<TenantSpec>,
    before: Option<Tenant>,
) -> Result<(), Refusal> {
    let Document { metadata, spec, .. } = document;
    let mut problems: Vec<Problem> = [
        same("metadata.workspace", &metadata.workspace, &name.workspace),
        same("metadata.project", &metadata.project, &name.project),
        same("metadata.platform", &metadata.platform, &name.platform),
    ]
    .into_iter()
    .flatten()
    .collect();
    problems.extend(check_tenant(metadata, spec));
    let (zone, platform) = means.ledger.configuration(&spec.landing_zone, &name.platform).await?;
    match &platform {
        None => {
            problems.push(unknown::<Platform>(means, "metadata.platform", &name.platform).await?);
        }
        Some(platform) => {
            // What is there already may be longer.
            if before.is_none() {
                problems.extend(check_lengths(metadata, platform.spec.identifier_lengths));
            }
            problems.extend(check_access(spec, &platform.spec));
        }
    }
    match zone {
        None => problems
            .push(unknown::<LandingZone>(means, "spec.landingZone", &spec.landing_zone).await?),
        Some(zone) if zone.spec.platform != name.platform => problems.push(Problem::new(
            "spec.landingZone",
            &spec.landing_zone,
            format!("belongs to platform `{}`, not to `{}`", zone.spec.platform, name.platform),
            "Name a landing zone of the tenant's platform.",
        )),
        Some(zone) => {
            if let Some(platform) = platform.filter(|_| problems.is_empty()) {
                let wished = wished(before.clone(), name, incarnation, spec, means.now());
                problems.extend(check_tenant_beside(
                    &wished,
                    before.as_ref(),
                    &zone.spec,
                    &platform.spec,
                ));
                problems.extend(taken(means, &wished).await?);
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
}

/// The tenant as it would be with this wish.
fn wished(
    before: Option<Tenant>,
    name: &Name,
    incarnation: u32,
    wish: &TenantSpec,
    now: Timestamp,
) -> Tenant {
    match before {
        Some(tenant) => Tenant { wish: wish.clone(), ..tenant },
        None => Tenant::requested(name.clone(), incarnation, wish.clone(), "", now).tenant,
    }
}

/// A problem if the address that is wished for is another tenant's.
async fn taken(means: &Means, tenant: &Tenant) -> Result<Option<Problem>, Refusal> {
    let Some(email) = &tenant.wish.email else { return Ok(None) };
    let row = means.ledger.email(email).await?;
    Ok(row.filter(|row| row.tenant != tenant.id).map(|_| {
        Problem::new(
            "spec.email",
            email,
            "belongs to another tenant",
            "AWS wants an address of its own for each account: write another.",
        )
    }))
}

/// A problem that says which names there are.
pub async fn unknown<S: Spec>(
    means: &Means,
    field: &str,
    written: &str,
) -> Result<Problem, Refusal> {
    let known: Vec<String> =
        means.ledger.configs::<S>().await?.into_iter().map(|config| config.name).collect();
    let meant = nearest(written, known.iter().map(String::as_str));
    let remedy = match (meant, known.is_empty()) {
        (Some(meant), _) => format!("Did you mean `{meant}`? Known are {}.", known.join(", ")),
        (None, false) => format!("Known are {}.", known.join(", ")),
        (None, true) => "None is known yet: apply one first.".to_owned(),
    };
    Ok(Problem::new(field, written, format!("is no {} that is known", S::KIND.as_str()), remedy))
}

/// The tenant of this name, or the one that had it last and may be deleted; not one that has moved.
pub async fn found(means: &Means, name: &Name) -> Result<Tenant, Refusal> {
    match means.ledger.named(name).await? {
        None => Err(Refusal::Missing(format!("tenant `{name}`"))),
        Some(Named { tenant, .. }) if tenant.name != *name => Err(moved(name, &tenant)),
        Some(Named { tenant, .. }) => Ok(tenant),
    }
}

/// There is no tenant of this name any more, since it has another one.
pub fn moved(name: &Name, tenant: &Tenant) -> Refusal {
    Refusal::Missing(format!("tenant `{name}` any more: it was moved, and is `{}`", tenant.name))
}

/// A tenant as its requester may see it.
pub async fn answer(means: &Means, tenant: &Tenant, outcome: Outcome) -> Result<Response, Refusal> {
    let view = view(means, tenant, Reader::Requester).await?;
    let Name { workspace, project, platform } = &tenant.name;
    let location = format!("/workspaces/{workspace}/projects/{project}/tenants/{platform}");
    Ok(Response::json(outcome.status(), &view).tagged(tenant.generation).with("location", location))
}

/// A tenant with the steps of its run, as this reader may see it.
pub async fn view(means: &Means, tenant: &Tenant, reader: Reader) -> Result<TenantView, Refusal> {
    let (rows, (zone, platform)): (Vec<StepRow>, _) = tokio::try_join!(
        means.ledger.steps(tenant.id),
        means.ledger.configuration(&tenant.wish.landing_zone, &tenant.name.platform)
    )?;
    let now = means.now();
    let steps = steps::of_run(tenant, &rows, zone.as_ref().map(|zone| &zone.spec));
    let mut view = TenantView::of(tenant, steps, reader, now);
    view.queue = steps::queue(tenant, &rows, now);
    if view.next_run.is_some_and(|next_run| next_run <= now) {
        view.paused = PauseView::of(means.ledger.breaker(&tenant.name.platform).await?);
    }
    let center = platform.and_then(|platform| platform.spec.identity_center);
    let enters = !tenant.wish.access.is_empty();
    view.sign_in = center.filter(|_| enters).map(|center| center.sign_in(tenant.account.as_ref()));
    Ok(view)
}

/// One tenant with its steps.
pub async fn get(means: &Means, name: &Name, reader: Reader) -> Result<Response, Refusal> {
    let tenant = found(means, name).await?;
    Ok(Response::json(200, &view(means, &tenant, reader).await?).tagged(tenant.generation))
}

/// Where a list of a workspace's tenants, or of all, is to go on.
pub fn after<'a>(
    request: &'a Request,
    workspace: Option<&str>,
) -> Result<Option<&'a str>, Refusal> {
    let after = request.query_string_parameters.get("after").map(String::as_str);
    // Going on from another workspace's name would show that workspace's tenants.
    let inside = |after: &str| {
        let name = after.split_once(AGAIN).map_or(after, |(name, _)| name);
        Name::parse(name)
            .is_some_and(|name| workspace.is_none_or(|workspace| name.workspace == workspace))
    };
    if after.is_some_and(|after| !inside(after)) {
        return Err(Refusal::WrongQuery("`after` is none of this list's `next`."));
    }
    Ok(after)
}

/// Tenants of a workspace, or all, in the order of their names; without their steps.
pub async fn list(
    means: &Means,
    request: &Request,
    workspace: Option<&str>,
    reader: Reader,
) -> Result<Response, Refusal> {
    let after = after(request, workspace)?;
    let list = match request.query_string_parameters.get("deleted").map(String::as_str) {
        None | Some("false") => List::Living,
        Some("true") => List::Deleted,
        Some(_) => return Err(Refusal::WrongQuery("`deleted` is `true` or `false`.")),
    };
    let (tenants, next) = means.ledger.tenants(list, workspace, after, PAGE).await?;
    let now = means.now();
    let items =
        tenants.iter().map(|tenant| TenantView::of(tenant, Vec::new(), reader, now)).collect();
    Ok(Response::json(200, &Page { items, next }))
}

/// What happened to a tenant.
pub async fn history(means: &Means, name: &Name) -> Result<Response, Refusal> {
    let tenant = found(means, name).await?;
    let entries = means.ledger.history(tenant.id).await?;
    Ok(Response::json(200, &HistoryView::of(&tenant, entries, Reader::Requester)))
}

/// Asks for a run now; one that is under way is followed by another.
pub async fn replicate(means: &Means, name: &Name, author: &str) -> Result<Response, Refusal> {
    asked(means, name, |before| before.asked(author, means.now())).await
}

/// Writes a transition that asks for a run, and starts that.
pub async fn asked(
    means: &Means,
    name: &Name,
    transition: impl Fn(&Tenant) -> Transition,
) -> Result<Response, Refusal> {
    let before = found(means, name).await?;
    if before.phase == Phase::Deleted {
        return Err(Refusal::NotNow(Refused::Deleted));
    }
    let after = means.ledger.change(before, |before| Some(transition(before))).await?;
    let tenant = started(means, after.ok_or(Refusal::Busy)?).await;
    answer(means, &tenant, Outcome::Changed).await
}
