//! Platforms and landing zones: checked against AWS, which is only looked at, before they are written.

mod deletion;
mod history;

use aws_config::SdkConfig;
use control_tower::ControlTower;
use entry::Means;
use futures::future::try_join_all;
use identity_center::Assignments;
use ledger::{ConfigurationPlanRow, Draft, Error, List, Versioned};
use organization::Organization;
use serde::Deserialize;
use serde_json::{Value, json};
use session::Sessions;
use stackset::StackSets;
use step::{Permission, Site};
use tenant::{
    ConfigurationEntry, ConfigurationPlanView, Document, Failure, Kind, LandingZone,
    LandingZoneMetadata, Mode, Page, PermissionModel, Platform, PlatformMetadata, Problem, Reader,
    RoleMapping, RollOut, RollOutRules, Spec, Tenant, Transition, Uuid, check_landing_zone,
    check_platform, kind_of,
};

use crate::request::{Precondition, same};
use crate::tenants::{ATTEMPTS, Outcome, unknown};
use crate::{Refusal, Request, Response, passes, plans};

pub use deletion::{Users, delete};
pub use history::history;

/// How many of the tenants that a change concerns are planned; all are counted.
const PLANNED: usize = 10;
/// How many rows are written at once.
const ABREAST: usize = 16;

/// What intake may look at: whether units and StackSets exist, and what Control Tower governs.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(
        Site::Management,
        "organizations:DescribeOrganizationalUnit",
        "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*",
    ),
    Permission::look(Site::Management, "organizations:ListRoots", "*"),
    Permission::look(Site::Management, "controltower:ListEnabledBaselines", "*"),
    Permission::look(Site::Management, "controltower:ListLandingZones", "*"),
    Permission::look(
        Site::Management,
        "controltower:GetLandingZone",
        "arn:${Partition}:controltower:*:${Management}:landingzone/*",
    ),
    Permission::look(Site::Management, "sso:ListInstances", "*"),
    Permission::look(
        Site::Management,
        "sso:DescribePermissionSet",
        "arn:${Partition}:sso:::instance/*",
    ),
    Permission::look(
        Site::Management,
        "sso:DescribePermissionSet",
        "arn:${Partition}:sso:::permissionSet/*/*",
    ),
    Permission::look(
        Site::Automation,
        "cloudformation:DescribeStackSet",
        "arn:${Partition}:cloudformation:${Region}:${Automation}:stackset/*",
    ),
    Permission::look(
        Site::Automation,
        "cloudformation:DescribeStackSet",
        "arn:${Partition}:cloudformation:${Region}:${Management}:stackset/*",
    ),
];

/// A kind of configuration.
pub trait Configuration: Spec + Clone + PartialEq {
    /// The metadata of a document with this name.
    fn metadata(name: &str) -> Self::Metadata;

    /// The configuration for a plan that is made with it.
    fn draft(self) -> Draft;

    /// Whether a change of the configuration of this name concerns a tenant.
    fn concerns(name: &str, tenant: &Tenant) -> bool;

    /// How its changes reach the tenants that are there.
    fn roll_out(&mut self) -> &mut RollOutRules;

    /// Whether tenants are to be the same with another one: whatever else it says of how changes are rolled out.
    fn is_like(&self, other: &Self) -> bool {
        let mut alike = self.clone();
        alike.roll_out().clone_from(other.clone().roll_out());
        alike == *other
    }
}

impl Configuration for Platform {
    fn metadata(name: &str) -> PlatformMetadata {
        PlatformMetadata { name: name.to_owned() }
    }

    fn draft(self) -> Draft {
        Draft { platform: Some(self), landing_zone: None }
    }

    fn concerns(name: &str, tenant: &Tenant) -> bool {
        tenant.name.platform == name
    }

    fn roll_out(&mut self) -> &mut RollOutRules {
        &mut self.roll_out
    }
}

impl Configuration for LandingZone {
    fn metadata(name: &str) -> LandingZoneMetadata {
        LandingZoneMetadata { name: name.to_owned() }
    }

    fn draft(self) -> Draft {
        Draft { landing_zone: Some(self), platform: None }
    }

    fn concerns(name: &str, tenant: &Tenant) -> bool {
        tenant.wish.landing_zone == name
    }

    fn roll_out(&mut self) -> &mut RollOutRules {
        &mut self.roll_out
    }
}

fn document<S: Configuration>(config: &Versioned<S>) -> Document<S> {
    Document::new(S::metadata(&config.name), config.spec.clone())
}

/// One platform or landing zone, as it was written.
pub async fn get<S: Configuration>(means: &Means, name: &str) -> Result<Response, Refusal> {
    let config = means.ledger.config::<S>(name).await?;
    let config =
        config.ok_or_else(|| Refusal::Missing(format!("{} `{name}`", S::KIND.as_str())))?;
    Ok(Response::json(200, &document(&config)).tagged(config.version))
}

/// All platforms or landing zones, as they were written.
pub async fn list<S: Configuration>(means: &Means) -> Result<Response, Refusal> {
    let items: Vec<Document<S>> = means.ledger.configs::<S>().await?.iter().map(document).collect();
    Ok(Response::json(200, &Page { items, next: None }))
}

/// Writes a platform whose roles let us in.
pub async fn put_platform(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let spec = checked_platform(means, request.document()?, Some(name)).await?;
    write(means, name, spec, author, &request.precondition()).await
}

/// Writes a landing zone whose unit and StackSets exist.
pub async fn put_landing_zone(
    means: &Means,
    request: &Request,
    name: &str,
    author: &str,
) -> Result<Response, Refusal> {
    let spec = checked_landing_zone(means, request.document()?, Some(name), None).await?;
    write(means, name, spec, author, &request.precondition()).await
}

/// Says which tenants a platform would touch, and how.
pub async fn plan_platform(
    means: &Means,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let spec = checked_platform(means, request.document()?, Some(name)).await?;
    plan(means, name, spec).await
}

/// Says which tenants a landing zone would touch, and how.
pub async fn plan_landing_zone(
    means: &Means,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    let spec = checked_landing_zone(means, request.document()?, Some(name), None).await?;
    plan(means, name, spec).await
}

/// What is asked to be checked: a document, and the platform that it is applied together with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    document: Value,
    #[serde(default)]
    platform: Option<Value>,
}

/// Checks a platform or landing zone as if it were applied, and writes nothing.
pub async fn check(means: &Means, request: &Request) -> Result<Response, Refusal> {
    let check: Check = serde_json::from_value(request.json()?).map_err(|error| {
        let remedy =
            "Send `{\"document\": …}`, with `platform` where that is applied together with it.";
        let rule = format!("can't be read: {error}");
        Refusal::Invalid(vec![Problem::new("(document)", "(body)", rule, remedy)])
    })?;
    let invalid = Refusal::Invalid;
    match kind_of(&check.document).map_err(|problem| invalid(vec![problem]))? {
        Kind::Platform => {
            let document = tenant::read::<Platform>(check.document).map_err(invalid)?;
            checked_platform(means, document, None).await?;
        }
        Kind::LandingZone => {
            let document = tenant::read::<LandingZone>(check.document).map_err(invalid)?;
            let draft =
                check.platform.map(tenant::read::<Platform>).transpose().map_err(invalid)?;
            checked_landing_zone(means, document, None, draft.map(|draft| draft.spec)).await?;
        }
        Kind::Tenant => {
            let remedy = "Ask for a plan of the tenant instead.";
            let problem = Problem::new("kind", "Tenant", "is no configuration", remedy);
            return Err(Refusal::Invalid(vec![problem]));
        }
    }
    Ok(Response::json(200, &json!({ "problems": [] })))
}

async fn checked_platform(
    means: &Means,
    document: Document<Platform>,
    path: Option<&str>,
) -> Result<Platform, Refusal> {
    let Document { metadata, spec, .. } = document;
    let mut problems: Vec<Problem> =
        path.and_then(|path| same("metadata.name", &metadata.name, path)).into_iter().collect();
    problems.extend(check_platform(&metadata, &spec));
    if problems.is_empty() {
        let sessions = sessions(means, &spec);
        problems.extend(closed_roles(&sessions, &spec).await?);
        if problems.is_empty() {
            problems.extend(missing_in_identity_center(&sessions, &spec).await?);
        }
    }
    refuse(problems)?;
    Ok(spec)
}

async fn checked_landing_zone(
    means: &Means,
    document: Document<LandingZone>,
    path: Option<&str>,
    draft: Option<Platform>,
) -> Result<LandingZone, Refusal> {
    let Document { metadata, spec, .. } = document;
    let mut problems: Vec<Problem> =
        path.and_then(|path| same("metadata.name", &metadata.name, path)).into_iter().collect();
    let applied = means.ledger.config::<Platform>(&spec.platform).await?;
    let Some(platform) = draft.or(applied.map(|applied| applied.spec)) else {
        problems.push(unknown::<Platform>(means, "spec.platform", &spec.platform).await?);
        return Err(Refusal::Invalid(problems));
    };
    problems.extend(check_landing_zone(&metadata, &spec, &platform));
    if problems.is_empty() {
        let sessions = sessions(means, &platform);
        problems.extend(missing_in_aws(&sessions, &spec, &platform).await?);
        let mappings = spec.role_mappings.iter();
        problems.extend(
            missing_permission_sets(&sessions, &platform, "spec.roleMappings", mappings).await?,
        );
    }
    refuse(problems)?;
    Ok(spec)
}

fn refuse(problems: Vec<Problem>) -> Result<(), Refusal> {
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
}

/// Sessions that can only look, whatever happens.
fn sessions(means: &Means, platform: &Platform) -> Sessions {
    means.sessions(PERMISSIONS, platform, Uuid::nil(), None, Mode::Plan)
}

async fn closed_roles(sessions: &Sessions, platform: &Platform) -> Result<Vec<Problem>, Refusal> {
    let mut problems = Vec::new();
    let roles = [
        (
            Site::Management,
            &platform.management_account,
            "spec.managementAccount",
            "the role LandfallRead there",
            "Deploy infra/accounts/management.yaml in that account, with what the secret landfall-external-id says.",
        ),
        (
            Site::Automation,
            &platform.automation_account,
            "spec.automationAccount",
            "the role LandfallStacks there",
            "Write the account that Landfall is deployed in.",
        ),
    ];
    for (site, account, field, role, remedy) in roles {
        match sessions.look(site).await {
            Ok(_) => {}
            Err(failure) if passes(&failure) => return Err(failure.into()),
            Err(failure) => {
                tracing::info!(failure = %failure, "a role of a platform can't be assumed");
                let rule = format!("is no account that lets Landfall in: {role} can't be assumed");
                problems.push(Problem::new(field, account, rule, remedy));
            }
        }
    }
    Ok(problems)
}

/// Whether the instance has that identity store, and its permission sets are there.
async fn missing_in_identity_center(
    sessions: &Sessions,
    platform: &Platform,
) -> Result<Vec<Problem>, Failure> {
    let Some(center) = &platform.identity_center else { return Ok(Vec::new()) };
    let session = sessions.look(Site::Management).await?;
    let store = Assignments::new(&session, platform, center).identity_store().await?;
    let problem = match store {
        Some(store) if store == center.identity_store_id => None,
        Some(store) => Some(Problem::new(
            "spec.identityCenter.identityStoreId",
            &center.identity_store_id,
            "is not the identity store of the instance",
            format!("Write {store}."),
        )),
        None => Some(Problem::new(
            "spec.identityCenter.instanceArn",
            &center.instance_arn,
            "is no instance that the management account has in that Region",
            "Write what `aws sso-admin list-instances` shows, and the `region` that it is shown in.",
        )),
    };
    if let Some(problem) = problem {
        return Ok(vec![problem]);
    }
    let roles = center.roles.iter();
    missing_permission_sets(sessions, platform, "spec.identityCenter.roles", roles).await
}

async fn missing_permission_sets(
    sessions: &Sessions,
    platform: &Platform,
    field: &str,
    mappings: impl Iterator<Item = (&String, &RoleMapping)>,
) -> Result<Vec<Problem>, Failure> {
    let Some(center) = &platform.identity_center else { return Ok(Vec::new()) };
    let session = sessions.look(Site::Management).await?;
    let assignments = Assignments::new(&session, platform, center);
    let mut problems = Vec::new();
    for (role, mapping) in mappings {
        for (index, arn) in mapping.permission_sets.iter().enumerate() {
            if !assignments.has_permission_set(arn).await? {
                problems.push(Problem::new(
                    format!("{field}.{role}.permissionSets[{index}]"),
                    arn,
                    "does not exist in Identity Center",
                    "Write the ARN of one that `aws sso-admin list-permission-sets` shows.",
                ));
            }
        }
    }
    Ok(problems)
}

/// What Control Tower lacks to enrol a landing zone's accounts.
async fn ungoverned(
    organization: &Organization,
    session: &SdkConfig,
    zone: &LandingZone,
    platform: &Platform,
) -> Result<Vec<Problem>, Failure> {
    let Some(wished) = platform.control_tower.as_ref().filter(|_| zone.enrol) else {
        return Ok(vec![]);
    };
    let tower = ControlTower::new(session, &wished.home_region);
    let Some(found) = tower.landing_zone().await? else {
        return Ok(vec![Problem::new(
            "spec.enrol",
            true,
            format!("can't be: there is no Control Tower in {}", wished.home_region),
            "Write the Region that it was set up in as the platform's `controlTower.homeRegion`.",
        )]);
    };
    let mut problems = Vec::new();
    if zone.enrols_by_move(platform) && !found.enrols_what_is_moved {
        problems.push(Problem::new(
            "spec.enrol",
            true,
            format!(
                "can't be: Control Tower (landing zone {}) does not enrol what is moved into a unit",
                found.version
            ),
            "Turn on auto-enrollment in its settings (version 3.1 or newer), or write `enrolment: {accountFactory: …}` \
             in the platform's `controlTower`.",
        ));
    }
    let unit = &zone.organizational_unit;
    if let Some(known) = organization.unit(unit).await?
        && !tower.registers(&known.arn).await?
    {
        problems.push(Problem::new(
            "spec.organizationalUnit",
            unit,
            "is not registered with Control Tower, which is to enrol the accounts",
            "Register it in Control Tower, or write the id of a unit that is.",
        ));
    }
    Ok(problems)
}

async fn missing_in_aws(
    sessions: &Sessions,
    zone: &LandingZone,
    platform: &Platform,
) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    let session = sessions.look(Site::Management).await?;
    let organization = Organization::new(&session);
    problems.extend(ungoverned(&organization, &session, zone, platform).await?);
    if !organization.has_unit(&zone.organizational_unit).await? {
        problems.push(Problem::new(
            "spec.organizationalUnit",
            &zone.organizational_unit,
            "does not exist in the organization",
            "Write the id of a unit that `aws organizations list-organizational-units-for-parent` shows.",
        ));
    }
    if zone.stack_sets.is_empty() {
        return Ok(problems);
    }
    let session = sessions.look(Site::Automation).await?;
    for (index, set) in zone.stack_sets.iter().enumerate() {
        let field = format!("spec.stackSets[{index}]");
        let service_managed = set.permission_model == PermissionModel::ServiceManaged;
        let stack_sets = StackSets::of(&session, platform, set);
        let Some(known) = stack_sets.parameters(&set.name).await? else {
            let (rule, remedy) = if service_managed {
                (
                    "is no service-managed StackSet that the automation account administers",
                    "Create it with SERVICE_MANAGED permissions, or write the name of one that \
                     `aws cloudformation list-stack-sets --call-as DELEGATED_ADMIN` shows.",
                )
            } else {
                (
                    "does not exist in the automation account",
                    "Create the StackSet first, or write the name of one that \
                     `aws cloudformation list-stack-sets` shows.",
                )
            };
            problems.push(Problem::new(format!("{field}.name"), &set.name, rule, remedy));
            continue;
        };
        for parameter in set.parameters.keys().filter(|name| !known.contains(*name)) {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            problems.push(Problem::new(
                format!("{field}.parameters.{parameter}"),
                parameter,
                "is no parameter of the StackSet",
                format!(
                    "Known are {}.",
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                ),
            ));
        }
    }
    Ok(problems)
}

/// Begins the plans of the first tenants that a change concerns, and counts them all.
async fn plan<S: Configuration>(
    means: &Means,
    name: &str,
    mut spec: S,
) -> Result<Response, Refusal> {
    let before = means.ledger.config::<S>(name).await?;
    let differs = before.is_none_or(|before| !before.spec.is_like(&spec));
    let (concerned, first) = if differs {
        concerned(means, |tenant| S::concerns(name, tenant)).await?
    } else {
        (0, Vec::new())
    };
    let begun = first.into_iter().map(|tenant| plans::begin(means, tenant, spec.clone().draft()));
    let plans = try_join_all(begun).await?.into_iter().map(|plan| plan.id).collect();
    let plan = ConfigurationPlanRow {
        id: means.new_id(),
        kind: S::KIND,
        name: name.to_owned(),
        differs,
        concerned,
        roll_out: spec.roll_out().clone(),
        plans,
        asked: means.now(),
    };
    means.ledger.write_configuration_plan(&plan).await?;
    let location = format!("/operator/plans/{}", plan.id);
    Ok(Response::json(202, &view(means, &plan).await?).with("location", location))
}

/// How many tenants a change concerns, and the first of them.
async fn concerned(
    means: &Means,
    concerns: impl Fn(&Tenant) -> bool,
) -> Result<(u32, Vec<Tenant>), Refusal> {
    let (mut count, mut first, mut after) = (0, Vec::new(), None);
    loop {
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), 100).await?;
        for tenant in tenants.into_iter().filter(|tenant| concerns(tenant)) {
            count += 1;
            if first.len() < PLANNED {
                first.push(tenant);
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok((count, first)),
        }
    }
}

/// The plan of a configuration as far as it is made.
pub async fn get_plan(means: &Means, id: Uuid) -> Result<Response, Refusal> {
    let plan = means.ledger.configuration_plan(id).await?;
    let plan = plan.ok_or_else(|| Refusal::Missing(format!("plan `{id}` of a configuration")))?;
    Ok(Response::json(200, &view(means, &plan).await?))
}

async fn view(
    means: &Means,
    plan: &ConfigurationPlanRow,
) -> Result<ConfigurationPlanView, Refusal> {
    let of_tenant = async |id: &Uuid| match means.ledger.plan(*id).await? {
        Some(plan) => plans::view(means, &plan, Reader::Operator).await.map(Some),
        None => Ok::<_, Refusal>(None),
    };
    let found = try_join_all(plan.plans.iter().map(of_tenant)).await?;
    Ok(ConfigurationPlanView {
        id: plan.id,
        kind: plan.kind,
        name: plan.name.clone(),
        differs: plan.differs,
        concerned: plan.concerned,
        roll_out: plan.roll_out.clone(),
        plans: found.into_iter().flatten().collect(),
        as_of: means.now(),
    })
}

async fn write<S: Configuration>(
    means: &Means,
    name: &str,
    spec: S,
    author: &str,
    precondition: &Precondition,
) -> Result<Response, Refusal> {
    for _ in 0..ATTEMPTS {
        let before = means.ledger.config::<S>(name).await?;
        let version = before.as_ref().map(|before| before.version);
        precondition.check(version)?;
        let outcome = match &before {
            None => Outcome::Created,
            Some(before) if before.spec == spec => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        if let Some(before) = before.as_ref().filter(|_| outcome == Outcome::Unchanged) {
            return Ok(Response::json(outcome.status(), &document(before)).tagged(before.version));
        }
        let last = match version {
            Some(version) => version,
            None => last_version::<S>(means, name).await?,
        };
        let next = last + 1;
        let alike = before.as_ref().filter(|before| before.spec.is_like(&spec));
        let config = Versioned {
            name: name.to_owned(),
            version: next,
            changed: alike.map_or(next, |before| before.changed),
            spec: spec.clone(),
            author: author.to_owned(),
            at: means.now(),
        };
        let earlier = before.as_ref().map(|before| &before.spec);
        let entry = ConfigurationEntry::of((name, next), earlier, Some(&spec), author, config.at);
        // Nobody can have wished for what was never there. What is there again may have been wished for while it was
        // deleted, and whoever did runs now.
        let roll_out = if last > 0 && alike.is_none() {
            let earlier = means.ledger.roll_out(S::KIND, name).await?;
            let change = (S::KIND, name, next);
            Some(RollOut::begun(change, earlier.as_ref(), author, means.now()))
        } else {
            None
        };
        match means.ledger.configure(&config, &entry, roll_out.as_ref()).await {
            Ok(()) => {
                return Ok(Response::json(outcome.status(), &document(&config)).tagged(next));
            }
            // Its roll-out has come on meanwhile, or somebody else has written it.
            Err(Error::Conflict) => {}
            Err(Error::Failure(failure)) => return Err(failure.into()),
        }
    }
    Err(Refusal::Busy)
}

/// The version that a name had last; versions go on where what had it was deleted, so that none means two things.
async fn last_version<S: Spec>(means: &Means, name: &str) -> Result<u64, Refusal> {
    let last = means.ledger.last_config_entry(S::KIND, name).await?;
    Ok(last.map_or(0, |last| last.version))
}

/// Asks for a run of every tenant that something concerns; start-due starts them, some each minute.
pub async fn ask_for_runs(
    means: &Means,
    concerns: impl Fn(&Tenant) -> bool,
    run: impl Fn(&Tenant) -> Transition,
) -> Result<(), Refusal> {
    let mut after = None;
    loop {
        let (tenants, next) =
            means.ledger.tenants(List::Living, None, after.as_deref(), 100).await?;
        let concerned: Vec<Tenant> =
            tenants.into_iter().filter(|tenant| concerns(tenant)).collect();
        for some in concerned.chunks(ABREAST) {
            let writes: Vec<_> = some.iter().map(|tenant| ask(means, tenant, &run)).collect();
            try_join_all(writes).await?;
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn ask(
    means: &Means,
    tenant: &Tenant,
    run: &impl Fn(&Tenant) -> Transition,
) -> Result<(), Refusal> {
    means.ledger.change(tenant.clone(), |tenant| Some(run(tenant))).await?;
    Ok(())
}
