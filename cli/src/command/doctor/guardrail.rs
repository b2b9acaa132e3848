//! The guardrail: that it bites an administrator inside a tenant's account, and spares Landfall.

use policy::{Context, Document};
use refusal::Refusal;

use super::identity::{Deed, administrator_may, control_policies};
use super::permissions::{Declared, Foundation, declared};
use super::{Check, Patient, Unanswered, listed};

const CHECK: &str = "guardrail";
const REMEDY: &str = "Attach infra/accounts/guardrail-scp.json to the units that tenants' accounts are in (docs/DEPLOY.md, 4).";

/// What an administrator inside a tenant's account may not do: action and resource.
const BITES: [(&str, &str); 11] = [
    ("iam:AttachRolePolicy", "arn:${Partition}:iam::${Account}:role/${AccessRole}"),
    ("iam:DeleteRole", "arn:${Partition}:iam::${Account}:role/${AccessRole}"),
    ("iam:DeleteRolePermissionsBoundary", "arn:${Partition}:iam::${Account}:role/${AccessRole}"),
    ("iam:UpdateAssumeRolePolicy", "arn:${Partition}:iam::${Account}:role/${AccessRole}"),
    ("iam:PutRolePolicy", "arn:${Partition}:iam::${Account}:role/${ExecutionRole}"),
    ("iam:UpdateAssumeRolePolicy", "arn:${Partition}:iam::${Account}:role/${ExecutionRole}"),
    ("iam:CreatePolicyVersion", "arn:${Partition}:iam::${Account}:policy/landfall-life"),
    (
        "cloudformation:DeleteStack",
        "arn:${Partition}:cloudformation:${Region}:${Account}:stack/StackSet-landfall-access-0/0",
    ),
    (
        "cloudformation:UpdateStack",
        "arn:${Partition}:cloudformation:${Region}:${Account}:stack/StackSet-landfall-access-0/0",
    ),
    ("cloudtrail:StopLogging", "${Trail}"),
    ("organizations:LeaveOrganization", "*"),
];

/// What StackSets do through the execution role.
const STACKS: [(&str, &str); 4] = [
    (
        "cloudformation:CreateStack",
        "arn:${Partition}:cloudformation:${Region}:${Account}:stack/StackSet-landfall-access-0/0",
    ),
    (
        "cloudformation:UpdateStack",
        "arn:${Partition}:cloudformation:${Region}:${Account}:stack/StackSet-landfall-access-0/0",
    ),
    ("iam:CreatePolicyVersion", "arn:${Partition}:iam::${Account}:policy/landfall-life"),
    ("iam:AttachRolePolicy", "arn:${Partition}:iam::${Account}:role/${AccessRole}"),
];

/// A line for each unit that landing zones name, or that the guardrail is attached to.
pub async fn all(patient: &Patient) -> Result<Vec<Check>, Unanswered> {
    let foundation = Foundation::read(patient).await?;
    let declared = declared()?;
    let trail = trail(patient, &foundation).await?;
    let mut units = foundation.units.clone();
    units.extend(attached(patient).await?);
    units.sort();
    units.dedup();
    if units.is_empty() {
        let found = "no landing zone is applied yet, and no policy is called landfall-guardrail";
        return Ok(vec![Check::advice(CHECK, found, REMEDY)]);
    }
    let mut checks = Vec::new();
    for unit in units {
        let scps = control_policies(&patient.management, &unit).await?;
        checks.push(check(&unit, &scps, &foundation, &declared, &trail)?);
    }
    Ok(checks)
}

fn check(
    unit: &str,
    scps: &[Vec<Document>],
    foundation: &Foundation,
    declared: &[Declared],
    trail: &str,
) -> Result<Check, Unanswered> {
    let context = Context::default();
    let may = |role: &str, action: &str, resource: &str| {
        let resource = foundation.fill(resource).replace("${Trail}", trail);
        let role = foundation.fill(role);
        administrator_may(
            &Deed {
                role: &role,
                action,
                resource: &resource,
                organization: &foundation.organization,
                context: &context,
            },
            scps,
        )
    };
    let access = "arn:${Partition}:iam::${Account}:role/${AccessRole}";
    let execution = "arn:${Partition}:iam::${Account}:role/${ExecutionRole}";
    let mut denied = Vec::new();
    let member = declared.iter().filter(|one| one.site == "member");
    for (role, action, resource) in member
        .map(|one| (access, one.action.as_str(), one.resource.as_str()))
        .chain(STACKS.map(|(action, resource)| (execution, action, resource)))
    {
        if !may(role, action, resource)? {
            denied.push(action);
        }
    }
    if !denied.is_empty() {
        return Ok(Check::failing(
            CHECK,
            format!("control policies over {unit} deny Landfall itself {}", listed(&denied)),
            "Spare the platform's accessRole and executionRole in every control policy over this unit.",
        ));
    }
    let mut open = Vec::new();
    for (action, resource) in BITES {
        if may("arn:${Partition}:iam::${Account}:role/Administrator", action, resource)? {
            open.push(action);
        }
    }
    open.dedup();
    if open.is_empty() {
        let found = format!("bites in {unit} ({} things) and spares Landfall", BITES.len());
        return Ok(Check::ok(CHECK, found));
    }
    let found = format!("an administrator of an account in {unit} may {}", listed(&open));
    // Without any guardrail Landfall works as well; one with holes says what is not so.
    Ok(if open.len() >= 7 {
        Check::advice(CHECK, format!("no guardrail is over {unit}: {found}"), REMEDY)
    } else {
        let remedy = "Say the platform's role names and the trail's name in infra/accounts/guardrail-scp.json, and update the policy (docs/DEPLOY.md, 4).";
        Check::failing(CHECK, found, remedy)
    })
}

/// The units that the policy of our name is attached to.
async fn attached(patient: &Patient) -> Result<Vec<String>, Unanswered> {
    let organizations = aws_sdk_organizations::Client::new(&patient.management);
    let mut policies = organizations
        .list_policies()
        .filter(aws_sdk_organizations::types::PolicyType::ServiceControlPolicy)
        .into_paginator()
        .send();
    let name = format!("{}-guardrail", patient.stack);
    let mut ids = Vec::new();
    while let Some(page) = policies.next().await {
        let page = page.map_err(|error| Refusal::of("organizations:ListPolicies", &error))?;
        let ours = page.policies().iter().filter(|policy| policy.name() == Some(name.as_str()));
        ids.extend(ours.filter_map(|policy| policy.id().map(ToOwned::to_owned)));
    }
    let mut units = Vec::new();
    for id in ids {
        let mut targets =
            organizations.list_targets_for_policy().policy_id(id).into_paginator().send();
        while let Some(page) = targets.next().await {
            let page =
                page.map_err(|error| Refusal::of("organizations:ListTargetsForPolicy", &error))?;
            let ids = page.targets().iter().filter_map(|target| target.target_id());
            units.extend(ids.map(ToOwned::to_owned));
        }
    }
    Ok(units)
}

/// The organization's trail, or one of the name that the guardrail expects.
async fn trail(patient: &Patient, foundation: &Foundation) -> Result<String, Unanswered> {
    let region = super::accounts::organizations_region(&patient.region);
    let config = aws_sdk_cloudtrail::config::Builder::from(&patient.management)
        .region(aws_config::Region::new(region))
        .build();
    let client = aws_sdk_cloudtrail::Client::from_conf(config);
    let answer = client.describe_trails().include_shadow_trails(true).send().await;
    let answer = answer.map_err(|error| Refusal::of("cloudtrail:DescribeTrails", &error))?;
    let ours = answer.trail_list().iter().find(|trail| trail.is_organization_trail() == Some(true));
    Ok(ours.and_then(|trail| trail.trail_arn()).map_or_else(
        || {
            let Foundation { partition, management, region, .. } = foundation;
            format!("arn:{partition}:cloudtrail:{region}:{management}:trail/organization")
        },
        ToOwned::to_owned,
    ))
}
