//! What a wish may say, alone and beside its landing zone.

use super::{
    LONGEST_ACCOUNT_NAME, LONGEST_EMAIL, Problem, contacts, email_shape, fits_account_name,
    identifier, no_longer, shaped, tags, too_many_tags,
};
use crate::access::check_grants;
use crate::{
    IdentifierLengths, LandingZone, Name, Names, Numbers, Platform, Tenant, TenantMetadata,
    TenantSpec, account_alias, account_tags, contact, render_names,
};

/// What is wrong with a tenant, by itself.
#[must_use]
pub fn check_tenant(metadata: &TenantMetadata, spec: &TenantSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    shaped("metadata.workspace", &metadata.workspace, &mut problems);
    shaped("metadata.project", &metadata.project, &mut problems);
    identifier("metadata.platform", &metadata.platform, 16, &mut problems);
    identifier("spec.landingZone", &spec.landing_zone, 30, &mut problems);
    for (field, written) in [
        ("spec.tags", &spec.tags),
        ("spec.paymentTags", &spec.payment_tags),
        ("spec.workspaceTags", &spec.workspace_tags),
    ] {
        tags(field, written.iter(), 32, &mut problems);
    }
    contacts("spec.contacts", &spec.contacts, &mut problems);
    if let Some(email) = &spec.email {
        email_shape("spec.email", email, &mut problems);
        if !(6..=LONGEST_EMAIL).contains(&email.len()) {
            problems.push(Problem::new(
                "spec.email",
                email,
                format!("has {} characters; AWS takes 6 to {LONGEST_EMAIL}", email.len()),
                "Write another address.",
            ));
        }
    }
    check_grants(spec, &mut problems);
    problems
}

/// Which identifiers of a new tenant are longer than its platform allows.
#[must_use]
pub fn check_lengths(metadata: &TenantMetadata, allowed: IdentifierLengths) -> Vec<Problem> {
    let mut problems = Vec::new();
    no_longer("metadata.workspace", &metadata.workspace, allowed.workspace, &mut problems);
    no_longer("metadata.project", &metadata.project, allowed.project, &mut problems);
    problems
}

/// What is wrong with the project that a tenant is to move to, by itself.
#[must_use]
pub fn check_destination(to: &Name, allowed: IdentifierLengths) -> Vec<Problem> {
    let mut problems = Vec::new();
    let parts = [
        ("workspace", &to.workspace, allowed.workspace),
        ("project", &to.project, allowed.project),
    ];
    for (field, written, longest) in parts {
        shaped(field, written, &mut problems);
        no_longer(field, written, longest, &mut problems);
    }
    problems
}

/// What is wrong with a tenant beside its landing zone and its platform. `tenant` is as it would be with its wish;
/// `had` is the tenant so far: what takes no new tenants goes on with those that are there.
#[must_use]
pub fn check_tenant_beside(
    tenant: &Tenant,
    had: Option<&Tenant>,
    zone: &LandingZone,
    platform: &Platform,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (wish, name) = (&tenant.wish, &tenant.name);
    if platform.deprecated && had.is_none() {
        problems.push(Problem::new(
            "metadata.platform",
            &name.platform,
            "takes no new tenants: it is deprecated",
            "Ask the foundation's team which platform has taken its place.",
        ));
    }
    let chooses = had.is_none_or(|had| had.wish.landing_zone != wish.landing_zone);
    let comes = had.is_none_or(|had| had.name.workspace != name.workspace);
    if zone.disabled && chooses {
        problems.push(Problem::new(
            "spec.landingZone",
            &wish.landing_zone,
            "takes no new tenants: it is disabled",
            "Name another landing zone.",
        ));
    }
    let allowed = zone.restricted_to.is_empty() || zone.restricted_to.contains(&name.workspace);
    if !allowed && (chooses || comes) {
        problems.push(Problem::new(
            "spec.landingZone",
            &wish.landing_zone,
            format!("is not for workspace `{}`", name.workspace),
            "Name another landing zone, or ask the foundation's team to list the workspace in its `restrictedTo`.",
        ));
    }
    contact::check("spec.contacts", &wish.contacts, platform, &mut problems);
    too_many_tags("spec.tags", account_tags(tenant, zone, platform).len(), &mut problems);
    if !problems.is_empty() {
        return problems;
    }
    // What a tag makes of a name is seen first here, with a number that is as good as any.
    let names = render_names(tenant, zone, platform, Numbers::default());
    let refused = names.err().or_else(|| account_alias(tenant, zone, platform).err());
    if let Some(failure) = refused.filter(|_| tenant.names.is_none()) {
        problems.push(Problem::new(
            "spec.tags",
            format!("{:?}", wish.tags),
            format!("make no name for the account: {}", failure.user_remark),
            "Change the tag that the platform's patterns name.",
        ));
    }
    problems
}

/// What is wrong with names as they were rendered.
#[must_use]
pub fn check_names(names: &Names) -> Vec<Problem> {
    let mut problems = Vec::new();
    email_shape("email", &names.email, &mut problems);
    for (field, text, longest) in [
        ("email", &names.email, LONGEST_EMAIL),
        ("accountName", &names.account_name, LONGEST_ACCOUNT_NAME),
    ] {
        let length = text.chars().count();
        if field == "accountName" && !text.chars().all(fits_account_name) {
            problems.push(Problem::new(
                field,
                text,
                "has characters that AWS refuses in an account's name",
                "Use ASCII letters, digits, spaces and punctuation, but not `<` and `>`.",
            ));
        }
        if length > longest || text.is_empty() {
            problems.push(Problem::new(
                field,
                text,
                format!("has {length} characters; AWS takes 1 to {longest}"),
                "Shorten the tag or identifier that makes it so long.",
            ));
        }
    }
    problems
}
