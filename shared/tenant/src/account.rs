//! What an account of a tenant is called and tagged.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{Failure, LandingZone, Names, Pattern, Platform, Tenant, Values, check_names};

/// The tag that says whose an account is; without the platform's prefix.
const TENANT: &str = "tenant";

/// Whether a platform's patterns name the tenant's number, which is drawn once.
#[must_use]
pub fn names_number(platform: &Platform) -> bool {
    [&platform.account_email_pattern, &platform.account_name_pattern]
        .into_iter()
        .filter_map(|pattern| Pattern::parse(pattern).ok())
        .any(|pattern| pattern.mentions("tenantPlatformNumber"))
}

/// The names to ask for an account with, from the platform's patterns. `number` is the tenant's on its platform.
pub fn render_names(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
    number: u64,
) -> Result<Names, Failure> {
    let values = values(tenant, zone, number);
    let render = |pattern: &str| {
        Pattern::parse(pattern).map(|pattern| pattern.render(&values)).map_err(|error| {
            Failure::blocked("The platform's naming patterns can't be read. Ask Landfall's operators to correct them.", error.to_string())
        })
    };
    let names = Names {
        email: render(&platform.account_email_pattern)?,
        account_name: render(&platform.account_name_pattern)?,
    };
    match check_names(&names).first() {
        Some(problem) => Err(Failure::rejected(problem.to_string())),
        None => Ok(names),
    }
}

pub(crate) fn values(tenant: &Tenant, zone: &LandingZone, number: u64) -> Values {
    let name = &tenant.name;
    let own = [
        ("workspaceIdentifier".to_owned(), name.workspace.clone()),
        ("projectIdentifier".to_owned(), name.project.clone()),
        ("platform".to_owned(), name.platform.clone()),
        ("rand".to_owned(), random(tenant.id)),
    ];
    let tags = zone.tags.iter().chain(&tenant.wish.tags);
    let tags = tags.map(|(key, value)| (placeholder(key), value.clone()));
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Values {
        texts: tags.chain(own).collect(),
        numbers: [("tenantPlatformNumber".to_owned(), number)].into(),
    }
}

/// The tag `costCenter` is the placeholder `tagCostCenter`.
fn placeholder(key: &str) -> String {
    let mut rest = key.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("tag{first}{}", rest.as_str())
}

/// A hundred letters and digits that nobody guesses from the name and that stay the tenant's.
fn random(id: Uuid) -> String {
    let digits = (0..4_u8).map(|part| Uuid::new_v5(&id, &[part]).simple().to_string());
    digits.collect::<String>().chars().take(100).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, TenantSpec};

    fn tenant(cost_center: &str) -> Tenant {
        let wish: TenantSpec = serde_json::from_value(serde_json::json!({
            "landingZone": "production", "tags": {"costCenter": cost_center}
        }))
        .expect("a wish");
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        Tenant::requested(Name::new("payments", "checkout", "aws"), 1, wish, "ada", now).tenant
    }

    fn zone() -> LandingZone {
        serde_json::from_value(serde_json::json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {}
        }))
        .expect("a landing zone")
    }

    fn platform(email: &str) -> Platform {
        serde_json::from_value(serde_json::json!({
            "region": "eu-central-1", "managementAccount": "111111111111",
            "automationAccount": "123456789012", "accountEmailPattern": email
        }))
        .expect("a platform")
    }

    #[test]
    fn every_placeholder_has_its_value() {
        let pattern = "a+#{workspaceIdentifier}.#{tagCostCenter}.#{tenantPlatformNumber:%03d}.#{rand:%.4s}@e.io";
        let rendered =
            render_names(&tenant("4711"), &zone(), &platform(pattern), 7).expect("names");
        assert!(rendered.email.starts_with("a+payments.4711.007."), "{}", rendered.email);
        assert_eq!(rendered.email.len(), "a+payments.4711.007.xxxx@e.io".len());
        assert!(names_number(&platform(pattern)));
    }

    #[test]
    fn a_tag_that_makes_no_address_is_refused_with_the_address() {
        let pattern = "#{projectIdentifier}.#{tagCostCenter}@e.io";
        let refused = render_names(&tenant("a b"), &zone(), &platform(pattern), 0);
        assert!(refused.is_err_and(|failure| failure.user_remark.contains("checkout.a b@e.io")));
    }
}
