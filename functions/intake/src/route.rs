//! What can be asked: the routes that the template declares.

use tenant::{AccountId, Kind, Name, Reader, Uuid};

use crate::{Refusal, Request};

/// One route with what its path says.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// A tenant's wish is written.
    PutTenant(Name),
    /// A tenant is wished away.
    DeleteTenant(Name),
    /// All tenants of a project are, whose workspace comes first.
    DeleteProject(String, String),
    /// A deletion is approved.
    PostApproval(Name),
    /// A deletion is declined.
    PostDecline(Name),
    /// A tenant is forgotten.
    PostPurge(Name),
    /// A tenant comes to another project.
    PostMove(Name),
    /// A plan of that is asked for.
    PutMovePlan(Name),
    /// A tenant is read.
    GetTenant(Name, Reader),
    /// Tenants of a workspace are listed, or all.
    ListTenants(Option<String>, Reader),
    /// A tenant's history is read.
    GetHistory(Name),
    /// The history of everything is read.
    ListHistory,
    /// A replication is asked for.
    PostReplication(Name),
    /// What a step waits for is answered.
    PostAnswer(Name),
    /// A plan is asked for.
    PutPlan(Name),
    /// A plan is read.
    GetPlan(Name, Uuid),
    /// Configuration is checked, and not written.
    PostCheck,
    /// A plan of a platform is asked for.
    PutPlatformPlan(String),
    /// A plan of a landing zone is asked for.
    PutLandingZonePlan(String),
    /// A plan of configuration is read.
    GetConfigurationPlan(Uuid),
    /// A landing zone is written.
    PutLandingZone(String),
    /// A landing zone is read.
    GetLandingZone(String),
    /// A landing zone that nobody uses is deleted.
    DeleteLandingZone(String),
    /// What happened to a landing zone is read.
    GetLandingZoneHistory(String),
    /// Landing zones are listed.
    ListLandingZones,
    /// A platform is written.
    PutPlatform(String),
    /// A platform is read.
    GetPlatform(String),
    /// A platform that nobody uses is deleted.
    DeletePlatform(String),
    /// What happened to a platform is read.
    GetPlatformHistory(String),
    /// Platforms are listed.
    ListPlatforms,
    /// Dead letters are listed.
    ListLetters,
    /// All dead letters are sent to their functions again.
    PostRedriveAll,
    /// One is.
    PostRedrive(String),
    /// One is thrown away.
    PostDiscard(String),
    /// What holds tenants back is read.
    ListLimits,
    /// A platform's breaker is opened or closed.
    PutBreaker(String),
    /// How far changes have come is read.
    ListRollOuts,
    /// A roll-out is stopped, resumed or abandoned.
    PutRollOut(Kind, String),
    /// What all tenants wait for is read.
    ListAwaited,
    /// What surveys of the organization found is read.
    ListSurveys,
    /// A survey of a platform's organization is asked for.
    PostSurvey(String),
    /// Accounts that are no tenant's are listed.
    ListUnmanaged,
    /// The tags of an account that is no tenant's are read.
    GetUnmanagedTags(String, AccountId),
    /// An account of a platform becomes a tenant's.
    PutAdoption(String, AccountId),
    /// A plan of that is asked for.
    PutAdoptionPlan(String, AccountId),
    /// A platform's accounts are listed, and whose they say that they are.
    ListClaims(String),
    /// The tenant of an account is restored.
    PutRestoration(String, AccountId),
    /// It is asked what that would come to.
    PutRestorationCheck(String, AccountId),
    /// The JSON Schema of a kind is read.
    GetSchema(Kind),
    /// The `OpenAPI` document of all this is read.
    GetOpenApi,
}

pub(crate) const TENANT: &str = "/workspaces/{workspace}/projects/{project}/tenants/{platform}";
pub(crate) const PROJECT: &str = "/workspaces/{workspace}/projects/{project}";
pub(crate) const TENANTS: &str = "/workspaces/{workspace}/tenants";
pub(crate) const HISTORY: &str =
    "/workspaces/{workspace}/projects/{project}/tenants/{platform}/history";
pub(crate) const REPLICATIONS: &str =
    "/workspaces/{workspace}/projects/{project}/tenants/{platform}/replications";
pub(crate) const ANSWERS: &str =
    "/workspaces/{workspace}/projects/{project}/tenants/{platform}/answers";
pub(crate) const APPROVE: &str =
    "/workspaces/{workspace}/projects/{project}/tenants/{platform}/approve";
pub(crate) const DECLINE: &str =
    "/workspaces/{workspace}/projects/{project}/tenants/{platform}/decline";
pub(crate) const PLANS: &str = "/workspaces/{workspace}/projects/{project}/plans/{platform}";
pub(crate) const PLAN: &str = "/workspaces/{workspace}/projects/{project}/plans/{platform}/{id}";
pub(crate) const ALL_TENANTS: &str = "/operator/tenants";
pub(crate) const ANY_TENANT: &str =
    "/operator/workspaces/{workspace}/projects/{project}/tenants/{platform}";
pub(crate) const PURGE: &str =
    "/operator/workspaces/{workspace}/projects/{project}/tenants/{platform}/purge";
pub(crate) const ALL_HISTORY: &str = "/operator/history";
pub(crate) const MOVE: &str =
    "/operator/workspaces/{workspace}/projects/{project}/tenants/{platform}/move";
pub(crate) const MOVE_PLAN: &str =
    "/operator/workspaces/{workspace}/projects/{project}/tenants/{platform}/move/plan";
pub(crate) const LETTERS: &str = "/operator/letters";
pub(crate) const REDRIVE_ALL: &str = "/operator/letters/redrive";
pub(crate) const REDRIVE: &str = "/operator/letters/{id}/redrive";
pub(crate) const DISCARD: &str = "/operator/letters/{id}/discard";
pub(crate) const LIMITS: &str = "/operator/limits";
pub(crate) const BREAKER: &str = "/operator/limits/{platform}/breaker";
pub(crate) const ROLL_OUTS: &str = "/operator/rollouts";
pub(crate) const PLATFORM_ROLL_OUT: &str = "/operator/rollouts/platforms/{name}";
pub(crate) const LANDING_ZONE_ROLL_OUT: &str = "/operator/rollouts/landing-zones/{name}";
pub(crate) const AWAITED: &str = "/operator/awaited";
pub(crate) const SURVEYS: &str = "/operator/surveys";
pub(crate) const SURVEY: &str = "/operator/surveys/{platform}";
pub(crate) const UNMANAGED: &str = "/operator/unmanaged";
pub(crate) const UNMANAGED_TAGS: &str = "/operator/unmanaged/{platform}/{account}/tags";
pub(crate) const ADOPTION: &str = "/operator/adoptions/{platform}/{account}";
pub(crate) const ADOPTION_PLAN: &str = "/operator/adoptions/{platform}/{account}/plan";
pub(crate) const CLAIMS: &str = "/operator/claims/{platform}";
pub(crate) const RESTORATION: &str = "/operator/restorations/{platform}/{account}";
pub(crate) const RESTORATION_CHECK: &str = "/operator/restorations/{platform}/{account}/check";
pub(crate) const CHECKS: &str = "/operator/checks";
pub(crate) const PLATFORM_PLANS: &str = "/operator/plans/platforms/{name}";
pub(crate) const LANDING_ZONE_PLANS: &str = "/operator/plans/landing-zones/{name}";
pub(crate) const CONFIGURATION_PLAN: &str = "/operator/plans/{id}";
pub(crate) const LANDING_ZONE: &str = "/landing-zones/{name}";
pub(crate) const LANDING_ZONE_HISTORY: &str = "/landing-zones/{name}/history";
pub(crate) const LANDING_ZONES: &str = "/landing-zones";
pub(crate) const PLATFORM: &str = "/platforms/{name}";
pub(crate) const PLATFORM_HISTORY: &str = "/platforms/{name}/history";
pub(crate) const PLATFORMS: &str = "/platforms";
pub(crate) const SCHEMA: &str = "/schemas/{kind}";
pub(crate) const OPENAPI: &str = "/openapi.json";

/// All routes: what the template must declare.
pub const ROUTES: [(&str, &str); 53] = [
    ("PUT", TENANT),
    ("GET", TENANT),
    ("DELETE", TENANT),
    ("DELETE", PROJECT),
    ("POST", APPROVE),
    ("POST", DECLINE),
    ("GET", TENANTS),
    ("GET", HISTORY),
    ("POST", REPLICATIONS),
    ("POST", ANSWERS),
    ("PUT", PLANS),
    ("GET", PLAN),
    ("GET", ALL_TENANTS),
    ("GET", ANY_TENANT),
    ("POST", PURGE),
    ("GET", ALL_HISTORY),
    ("POST", MOVE),
    ("PUT", MOVE_PLAN),
    ("GET", LETTERS),
    ("POST", REDRIVE_ALL),
    ("POST", REDRIVE),
    ("POST", DISCARD),
    ("GET", LIMITS),
    ("PUT", BREAKER),
    ("GET", ROLL_OUTS),
    ("PUT", PLATFORM_ROLL_OUT),
    ("PUT", LANDING_ZONE_ROLL_OUT),
    ("GET", AWAITED),
    ("GET", SURVEYS),
    ("POST", SURVEY),
    ("GET", UNMANAGED),
    ("GET", UNMANAGED_TAGS),
    ("PUT", ADOPTION),
    ("PUT", ADOPTION_PLAN),
    ("GET", CLAIMS),
    ("PUT", RESTORATION),
    ("PUT", RESTORATION_CHECK),
    ("POST", CHECKS),
    ("PUT", PLATFORM_PLANS),
    ("PUT", LANDING_ZONE_PLANS),
    ("GET", CONFIGURATION_PLAN),
    ("PUT", LANDING_ZONE),
    ("GET", LANDING_ZONE),
    ("DELETE", LANDING_ZONE),
    ("GET", LANDING_ZONE_HISTORY),
    ("GET", LANDING_ZONES),
    ("PUT", PLATFORM),
    ("GET", PLATFORM),
    ("DELETE", PLATFORM),
    ("GET", PLATFORM_HISTORY),
    ("GET", PLATFORMS),
    ("GET", SCHEMA),
    ("GET", OPENAPI),
];

impl Route {
    /// The route of a request.
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        let (method, path) = request.route_key.split_once(' ').unwrap_or((&request.route_key, ""));
        let name = || identifier(request, "name");
        Ok(match (method, path) {
            ("PUT", TENANT) => Self::PutTenant(tenant_name(request)?),
            ("GET", TENANT) => Self::GetTenant(tenant_name(request)?, Reader::Requester),
            ("DELETE", TENANT) => Self::DeleteTenant(tenant_name(request)?),
            ("DELETE", PROJECT) => Self::DeleteProject(
                identifier(request, "workspace")?,
                identifier(request, "project")?,
            ),
            ("POST", APPROVE) => Self::PostApproval(tenant_name(request)?),
            ("POST", DECLINE) => Self::PostDecline(tenant_name(request)?),
            ("POST", PURGE) => Self::PostPurge(tenant_name(request)?),
            ("POST", MOVE) => Self::PostMove(tenant_name(request)?),
            ("PUT", MOVE_PLAN) => Self::PutMovePlan(tenant_name(request)?),
            ("GET", TENANTS) => {
                Self::ListTenants(Some(identifier(request, "workspace")?), Reader::Requester)
            }
            ("GET", HISTORY) => Self::GetHistory(tenant_name(request)?),
            ("POST", REPLICATIONS) => Self::PostReplication(tenant_name(request)?),
            ("POST", ANSWERS) => Self::PostAnswer(tenant_name(request)?),
            ("PUT", PLANS) => Self::PutPlan(tenant_name(request)?),
            ("GET", PLAN) => Self::GetPlan(tenant_name(request)?, plan_id(request)?),
            ("GET", ALL_TENANTS) => Self::ListTenants(None, Reader::Operator),
            ("GET", ANY_TENANT) => Self::GetTenant(tenant_name(request)?, Reader::Operator),
            ("GET", ALL_HISTORY) => Self::ListHistory,
            ("GET", LETTERS) => Self::ListLetters,
            ("POST", REDRIVE_ALL) => Self::PostRedriveAll,
            ("POST", REDRIVE) => Self::PostRedrive(letter_id(request)?),
            ("POST", DISCARD) => Self::PostDiscard(letter_id(request)?),
            ("GET", LIMITS) => Self::ListLimits,
            ("PUT", BREAKER) => Self::PutBreaker(identifier(request, "platform")?),
            ("GET", ROLL_OUTS) => Self::ListRollOuts,
            ("PUT", PLATFORM_ROLL_OUT) => Self::PutRollOut(Kind::Platform, name()?),
            ("PUT", LANDING_ZONE_ROLL_OUT) => Self::PutRollOut(Kind::LandingZone, name()?),
            ("GET", AWAITED) => Self::ListAwaited,
            ("GET", SURVEYS) => Self::ListSurveys,
            ("POST", SURVEY) => Self::PostSurvey(identifier(request, "platform")?),
            ("GET", UNMANAGED) => Self::ListUnmanaged,
            ("GET", UNMANAGED_TAGS) => {
                Self::GetUnmanagedTags(identifier(request, "platform")?, account(request)?)
            }
            ("PUT", ADOPTION) => {
                Self::PutAdoption(identifier(request, "platform")?, account(request)?)
            }
            ("PUT", ADOPTION_PLAN) => {
                Self::PutAdoptionPlan(identifier(request, "platform")?, account(request)?)
            }
            ("GET", CLAIMS) => Self::ListClaims(identifier(request, "platform")?),
            ("PUT", RESTORATION) => {
                Self::PutRestoration(identifier(request, "platform")?, account(request)?)
            }
            ("PUT", RESTORATION_CHECK) => {
                Self::PutRestorationCheck(identifier(request, "platform")?, account(request)?)
            }
            ("POST", CHECKS) => Self::PostCheck,
            ("PUT", PLATFORM_PLANS) => Self::PutPlatformPlan(name()?),
            ("PUT", LANDING_ZONE_PLANS) => Self::PutLandingZonePlan(name()?),
            ("GET", CONFIGURATION_PLAN) => Self::GetConfigurationPlan(plan_id(request)?),
            ("PUT", LANDING_ZONE) => Self::PutLandingZone(name()?),
            ("GET", LANDING_ZONE) => Self::GetLandingZone(name()?),
            ("DELETE", LANDING_ZONE) => Self::DeleteLandingZone(name()?),
            ("GET", LANDING_ZONE_HISTORY) => Self::GetLandingZoneHistory(name()?),
            ("GET", LANDING_ZONES) => Self::ListLandingZones,
            ("PUT", PLATFORM) => Self::PutPlatform(name()?),
            ("GET", PLATFORM) => Self::GetPlatform(name()?),
            ("DELETE", PLATFORM) => Self::DeletePlatform(name()?),
            ("GET", PLATFORM_HISTORY) => Self::GetPlatformHistory(name()?),
            ("GET", PLATFORMS) => Self::ListPlatforms,
            ("GET", SCHEMA) => Self::GetSchema(kind(request.path("kind"))?),
            ("GET", OPENAPI) => Self::GetOpenApi,
            _ => return Err(unknown(&request.raw_path)),
        })
    }
}

fn plan_id(request: &Request) -> Result<Uuid, Refusal> {
    let id = request.path("id");
    Uuid::parse_str(id).map_err(|_| Refusal::Missing(format!("plan `{id}`")))
}

fn letter_id(request: &Request) -> Result<String, Refusal> {
    let id = request.path("id");
    match Uuid::parse_str(id) {
        Ok(id) => Ok(id.to_string()),
        Err(_) => Err(Refusal::Missing(format!(
            "letter `{id}`: an id has the form 0b7f1e4c-8a52-4c8a-9f0e-0f4c4a4f8a11. List the letters"
        ))),
    }
}

fn account(request: &Request) -> Result<AccountId, Refusal> {
    let id = request.path("account").to_owned();
    AccountId::try_from(id.clone()).map_err(|_| Refusal::Missing(format!("account `{id}`")))
}

/// What comes by the route that takes everything.
fn unknown(path: &str) -> Refusal {
    let methods: Vec<&str> =
        ROUTES.iter().filter(|(_, known)| fits(known, path)).map(|(method, _)| *method).collect();
    if methods.is_empty() {
        Refusal::Missing(format!("path `{path}`"))
    } else {
        Refusal::WrongMethod(methods)
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    template.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| wanted == part || (wanted.starts_with('{') && !part.is_empty()))
    }) && parts.next().is_none()
}

fn tenant_name(request: &Request) -> Result<Name, Refusal> {
    Ok(Name::new(
        identifier(request, "workspace")?,
        identifier(request, "project")?,
        identifier(request, "platform")?,
    ))
}

/// A name in a path.
fn identifier(request: &Request, part: &str) -> Result<String, Refusal> {
    let text = request.path(part);
    if !is_identifier(text) {
        return Err(Refusal::Missing(format!("{part} `{text}`")));
    }
    Ok(text.to_owned())
}

/// What can be no name of ours names nothing: dots would make two names look like one.
pub(crate) fn is_identifier(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

fn kind(text: &str) -> Result<Kind, Refusal> {
    let plain =
        |text: &str| text.to_ascii_lowercase().replace('-', "").trim_end_matches('s').to_owned();
    let found = Kind::ALL.into_iter().find(|kind| plain(kind.as_str()) == plain(text));
    found.ok_or_else(|| Refusal::Missing(format!("kind `{text}`")))
}
