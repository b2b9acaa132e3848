//! Whether what a platform or landing zone names is there: AWS is asked, in sessions that can only look.

use aws_config::SdkConfig;
use control_tower::ControlTower;
use entry::Means;
use identity_center::Assignments;
use organization::Organization;
use serde::Deserialize;
use serde_json::{Value, json};
use session::Sessions;
use stackset::StackSets;
use step::{Permission, Site};
use tenant::{
    Document, Failure, Kind, LandingZone, Mode, PermissionModel, Platform, Problem, RoleMapping,
    Uuid, check_landing_zone, check_platform, kind_of,
};

use crate::request::same;
use crate::tenants::unknown;
use crate::{Refusal, Request, Response, passes};

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

/// A platform whose roles let us in, and whose permission sets are there.
pub(super) async fn checked_platform(
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

/// A landing zone whose unit, StackSets and permission sets are there, on its platform or on the draft of that.
pub(super) async fn checked_landing_zone(
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
