//! The organization itself: features, room for accounts, trail, trusted access.

use aws_config::Region;
use aws_sdk_cloudformation::types::{PermissionModels, StackSetStatus};
use aws_sdk_organizations::types::OrganizationFeatureSet;
use refusal::Refusal;

use super::{Check, Patient, Unanswered};

/// The quota of accounts in an organization.
const ACCOUNTS_QUOTA: &str = "L-29A0C5DF";
/// The service principal that service-managed StackSets work as.
const STACK_SETS: &str = "member.org.stacksets.cloudformation.amazonaws.com";

/// All features are on, and the credentials are the management account's.
pub async fn organization(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "organization";
    let client = aws_sdk_organizations::Client::new(&patient.management);
    let answer = client.describe_organization().send().await;
    let answer =
        answer.map_err(|error| Refusal::of("organizations:DescribeOrganization", &error))?;
    let organization = answer.organization();
    let management = organization.and_then(|one| one.master_account_id()).unwrap_or_default();
    let id = organization.and_then(|one| one.id()).unwrap_or_default();
    let features = organization.and_then(|one| one.feature_set());
    let caller = aws_sdk_sts::Client::new(&patient.management).get_caller_identity().send().await;
    let caller = caller.map_err(|error| Refusal::of("sts:GetCallerIdentity", &error))?;
    if caller.account() != Some(management) {
        return Ok(Check::failing(
            CHECK,
            format!("these credentials are of account {}", caller.account().unwrap_or_default()),
            format!("Name a --profile of the management account {management}."),
        ));
    }
    Ok(Check::when(
        CHECK,
        features == Some(&OrganizationFeatureSet::All),
        format!("{id} has {}", features.map_or("no features", |features| features.as_str())),
        "Turn all features on: aws organizations enable-all-features.",
    ))
}

/// There is room for more accounts.
pub async fn room(patient: &Patient) -> Result<Check, Unanswered> {
    let organizations = aws_sdk_organizations::Client::new(&patient.management);
    let mut pages = organizations.list_accounts().into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page
            .map_err(|error| Refusal::of("organizations:ListAccounts", &error))?
            .accounts()
            .len();
    }
    let quotas = aws_sdk_servicequotas::config::Builder::from(&patient.management)
        .region(Region::new(organizations_region(&patient.region)))
        .build();
    let answer = aws_sdk_servicequotas::Client::from_conf(quotas)
        .get_service_quota()
        .service_code("organizations")
        .quota_code(ACCOUNTS_QUOTA)
        .send()
        .await
        .map_err(|error| Refusal::of("servicequotas:GetServiceQuota", &error))?;
    let most = answer.quota.and_then(|quota| quota.value).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "no organization has so many accounts")]
    let room = (count as f64) < most;
    Ok(Check::when(
        "accounts left",
        room,
        format!("{count} accounts of {most} are used"),
        format!(
            "Ask AWS for more: aws service-quotas request-service-quota-increase --service-code organizations --quota-code {ACCOUNTS_QUOTA}."
        ),
    ))
}

/// A trail logs management events where Organizations' events come up; without it there are no events at all.
pub async fn trail(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "trail";
    let region = organizations_region(&patient.region);
    let config = aws_sdk_cloudtrail::config::Builder::from(&patient.management)
        .region(Region::new(region))
        .build();
    let client = aws_sdk_cloudtrail::Client::from_conf(config);
    let answer = client.describe_trails().include_shadow_trails(true).send().await;
    let answer = answer.map_err(|error| Refusal::of("cloudtrail:DescribeTrails", &error))?;
    for trail in answer.trail_list() {
        let covers =
            trail.is_multi_region_trail() == Some(true) || trail.home_region() == Some(region);
        let name = trail.trail_arn().or(trail.name()).unwrap_or_default();
        if !covers {
            continue;
        }
        let status = client.get_trail_status().name(name).send().await;
        let status = status.map_err(|error| Refusal::of("cloudtrail:GetTrailStatus", &error))?;
        if status.is_logging() == Some(true) {
            return Ok(Check::ok(CHECK, format!("{name} logs in {region}")));
        }
    }
    Ok(Check::failing(
        CHECK,
        format!("no trail logs in {region}, where Organizations' events come up"),
        "Make a multi-Region trail with management events in the management account, and start its logging.",
    ))
}

/// Service-managed StackSets need trusted access; self-managed ones do not.
pub async fn trusted_access(patient: &Patient) -> Result<Check, Unanswered> {
    const CHECK: &str = "trusted access";
    let client = aws_sdk_cloudformation::Client::new(&patient.automation);
    let mut sets =
        client.list_stack_sets().status(StackSetStatus::Active).into_paginator().items().send();
    let mut service_managed = Vec::new();
    while let Some(set) = sets.next().await {
        let set = set.map_err(|error| Refusal::of("cloudformation:ListStackSets", &error))?;
        if set.permission_model() == Some(&PermissionModels::ServiceManaged) {
            service_managed.extend(set.stack_set_name().map(ToOwned::to_owned));
        }
    }
    if service_managed.is_empty() {
        return Ok(Check::ok(CHECK, "not needed: no StackSet is service-managed"));
    }
    let organizations = aws_sdk_organizations::Client::new(&patient.management);
    let mut pages =
        organizations.list_aws_service_access_for_organization().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            Refusal::of("organizations:ListAWSServiceAccessForOrganization", &error)
        })?;
        let mut services = page.enabled_service_principals().iter();
        if services.any(|service| service.service_principal() == Some(STACK_SETS)) {
            return Ok(Check::ok(CHECK, "StackSets may work in the organization"));
        }
    }
    Ok(Check::failing(
        CHECK,
        format!(
            "StackSets may not work in the organization, and {} need it",
            service_managed.join(", ")
        ),
        "Run aws cloudformation activate-organizations-access in the management account.",
    ))
}

/// Where Organizations' events and quotas are, by the partition of a Region.
pub fn organizations_region(region: &str) -> &'static str {
    match region {
        region if region.starts_with("us-gov-") => "us-gov-west-1",
        region if region.starts_with("cn-") => "cn-northwest-1",
        _ => "us-east-1",
    }
}
