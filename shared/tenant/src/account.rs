//! What an account of a tenant is called.

use uuid::Uuid;

use crate::{
    Failure, LandingZone, Names, Pattern, Platform, Tenant, Values, alias, check_names,
    facts::tag_facts,
};

/// Numbers that are drawn once and stay a tenant's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Numbers {
    /// The tenant's on its platform.
    pub tenant: u64,
    /// The project's, shared by its tenants.
    pub project: u64,
}

/// Whether a platform's patterns name a tenant's number, or its project's.
#[must_use]
pub fn names_number(platform: &Platform, placeholder: &str) -> bool {
    let patterns = [
        Some(&platform.account_email_pattern),
        Some(&platform.account_name_pattern),
        platform.account_alias_pattern.as_ref(),
    ];
    patterns
        .into_iter()
        .flatten()
        .filter_map(|pattern| Pattern::parse(pattern).ok())
        .any(|pattern| pattern.mentions(placeholder))
}

/// The names to ask for an account with, from the platform's patterns. An address that the tenant wishes for comes
/// first.
pub fn render_names(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
    numbers: Numbers,
) -> Result<Names, Failure> {
    let render = |pattern: &str| render(tenant, zone, numbers, pattern);
    let names = Names {
        email: if let Some(wished) = &tenant.wish.email {
            wished.clone()
        } else {
            let rendered = render(&platform.account_email_pattern)?;
            unused(rendered, tenant.incarnation, &platform.account_email_pattern)
        },
        account_name: render(&platform.account_name_pattern)?,
        alias: None,
        number: numbers.tenant,
        project_number: numbers.project,
    };
    match check_names(&names).first() {
        Some(problem) => Err(Failure::rejected(problem.to_string())),
        None => Ok(names),
    }
}

/// AWS never takes the address of a closed account again: where a pattern makes the same one for a name that was used
/// before, the address says how often.
fn unused(email: String, incarnation: u32, pattern: &str) -> String {
    let differs = Pattern::parse(pattern)
        .is_ok_and(|it| it.mentions("rand") || it.mentions("tenantPlatformNumber"));
    match email.split_once('@') {
        Some((local, domain)) if incarnation > 1 && !differs => {
            format!("{local}-{incarnation}@{domain}")
        }
        _ => email,
    }
}

/// The address that an account is to have before it is closed, if its landing zone says so.
pub fn address_after_closing(
    tenant: &Tenant,
    zone: &LandingZone,
) -> Result<Option<String>, Failure> {
    let Some(wished) = &zone.address_after_closing else { return Ok(None) };
    let numbers = tenant.names.as_ref().map_or_else(Numbers::default, Names::numbers);
    let rendered = render(tenant, zone, numbers, &wished.pattern)?;
    Ok(Some(unused(rendered, tenant.incarnation, &wished.pattern)))
}

/// The alias that an account is to have, if its platform names them: the one that it was given, or the pattern's.
pub fn account_alias(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> Result<Option<String>, Failure> {
    let Some(pattern) = &platform.account_alias_pattern else { return Ok(None) };
    let names = tenant.names.as_ref();
    if let Some(given) = names.and_then(|names| names.alias.as_ref()) {
        return Ok(Some(given.clone()));
    }
    let numbers = names.map_or_else(Numbers::default, Names::numbers);
    let rendered = alias::sanitised(&render(tenant, zone, numbers, pattern)?);
    match alias::refused(&rendered) {
        None => Ok(Some(rendered)),
        Some(rule) => Err(Failure::blocked(
            format!(
                "The account can't have the alias `{rendered}`, which {rule}. Ask Landfall's operators to change the platform's accountAliasPattern."
            ),
            format!("accountAliasPattern {pattern} renders to {rendered}"),
        )),
    }
}

fn render(
    tenant: &Tenant,
    zone: &LandingZone,
    numbers: Numbers,
    pattern: &str,
) -> Result<String, Failure> {
    let values = values(tenant, zone, numbers);
    Pattern::parse(pattern).map(|pattern| pattern.render(&values)).map_err(|error| {
        Failure::blocked(
            "The platform's naming patterns can't be read. Ask Landfall's operators to correct them.",
            error.to_string(),
        )
    })
}

pub(crate) fn values(tenant: &Tenant, zone: &LandingZone, numbers: Numbers) -> Values {
    let name = &tenant.name;
    let own = [
        ("workspaceIdentifier".to_owned(), name.workspace.clone()),
        ("projectIdentifier".to_owned(), name.project.clone()),
        ("platform".to_owned(), name.platform.clone()),
        ("rand".to_owned(), random(tenant.id)),
    ];
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Values {
        texts: tag_facts(tenant, zone).into_iter().chain(own).collect(),
        numbers: [
            ("tenantPlatformNumber".to_owned(), number(numbers.tenant)),
            ("meshProjectId".to_owned(), number(numbers.project)),
        ]
        .into(),
    }
}

/// A hundred letters and digits that stay the tenant's; another tenant of the same name has others.
fn random(id: Uuid) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let parts = (0..7_u8).flat_map(|part| Uuid::new_v5(&id, &[part]).into_bytes());
    parts.take(100).map(|byte| char::from(DIGITS[usize::from(byte) % DIGITS.len()])).collect()
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

    fn numbers() -> Numbers {
        Numbers { tenant: 7, project: 12 }
    }

    #[test]
    fn every_placeholder_has_its_value() {
        let pattern = "a+#{workspaceIdentifier}.#{tagCostCenter}.#{tenantPlatformNumber:%03d}.#{meshProjectId}.#{rand:%.4s}@e.io";
        let rendered =
            render_names(&tenant("4711"), &zone(), &platform(pattern), numbers()).expect("names");
        assert!(rendered.email.starts_with("a+payments.4711.007.12."), "{}", rendered.email);
        assert_eq!(rendered.email.len(), "a+payments.4711.007.12.xxxx@e.io".len());
        assert_eq!(rendered.numbers(), numbers());
        assert!(names_number(&platform(pattern), "tenantPlatformNumber"));
        assert!(!names_number(&platform("a@e.io"), "meshProjectId"));
    }

    #[test]
    fn a_tag_that_makes_no_address_is_refused_with_the_address() {
        let pattern = "#{projectIdentifier}.#{tagCostCenter}@e.io";
        let refused = render_names(&tenant("a b"), &zone(), &platform(pattern), numbers());
        assert!(refused.is_err_and(|failure| failure.user_remark.contains("checkout.a b@e.io")));
    }

    #[test]
    fn an_address_that_is_wished_for_comes_before_the_patterns() {
        let mut tenant = tenant("4711");
        tenant.wish.email = Some("checkout@example.com".to_owned());
        let names = render_names(&tenant, &zone(), &platform("a@e.io"), numbers()).expect("names");
        assert_eq!(names.email, "checkout@example.com");
    }

    #[test]
    fn an_alias_is_made_for_aws_and_never_made_again_once_it_was_given() {
        let mut platform = platform("#{projectIdentifier}@e.io");
        let mut tenant = tenant("4711");
        assert_eq!(account_alias(&tenant, &zone(), &platform), Ok(None));
        platform.account_alias_pattern = Some(
            "Acme.#{workspaceIdentifier}_#{projectIdentifier:%-12S}#{tenantPlatformNumber}"
                .to_owned(),
        );
        let names = render_names(&tenant, &zone(), &platform, numbers()).expect("names");
        tenant.names = Some(names);
        let alias = account_alias(&tenant, &zone(), &platform).expect("an alias");
        assert_eq!(alias.as_deref(), Some("acme-payments-checkout-7"));
        tenant.names.as_mut().expect("names").alias = alias;
        platform.account_alias_pattern = Some("other-#{projectIdentifier}".to_owned());
        let kept = account_alias(&tenant, &zone(), &platform).expect("an alias");
        assert_eq!(kept.as_deref(), Some("acme-payments-checkout-7"));
    }

    #[test]
    fn tenants_of_one_name_have_other_random_letters() {
        let name = Name::new("payments", "checkout", "aws");
        let [first, second] = [1, 2].map(|use_| random(crate::tenant_id(&name, use_)));
        assert_eq!(first.len(), 100);
        assert_ne!(first, second);
    }
}
