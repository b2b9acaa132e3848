//! What an account of a tenant is called and tagged.

use std::collections::BTreeMap;

use crate::{LandingZone, Names, Pattern, PatternError, Platform, Tenant, Values};

/// The tag that says whose an account is; without the platform's prefix.
const TENANT: &str = "tenant";

/// The names to ask for an account with, from the platform's patterns.
pub fn render_names(tenant: &Tenant, platform: &Platform) -> Result<Names, PatternError> {
    let name = &tenant.name;
    let texts = [
        ("workspaceIdentifier", &name.workspace),
        ("projectIdentifier", &name.project),
        ("platform", &name.platform),
    ]
    .map(|(placeholder, value)| (placeholder.to_owned(), value.clone()));
    let values = Values { texts: texts.into(), numbers: BTreeMap::new() };
    let render = |pattern: &str| Pattern::parse(pattern).map(|pattern| pattern.render(&values));
    Ok(Names {
        email: render(&platform.account_email_pattern)?,
        account_name: render(&platform.account_name_pattern)?,
    })
}

/// All our tags of a tenant's account. The tenant's own win over the landing zone's, and ours over both.
#[must_use]
pub fn account_tags(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> BTreeMap<String, String> {
    let own = [
        (TENANT.to_owned(), tenant.id.to_string()),
        ("workspace".to_owned(), tenant.name.workspace.clone()),
        ("project".to_owned(), tenant.name.project.clone()),
        ("landingZone".to_owned(), tenant.wish.landing_zone.clone()),
    ];
    let wished =
        zone.tags.iter().chain(&tenant.wish.tags).map(|(key, value)| (key.clone(), value.clone()));
    wished.chain(own).map(|(key, value)| (format!("{}{key}", platform.tag_prefix), value)).collect()
}
