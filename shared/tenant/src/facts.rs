//! What hooks and stacks are told about an account: flat, all texts, by the names that meshStack gives them.

use std::collections::BTreeMap;

use crate::placeholder::{Piece, pieces};
use crate::{Failure, LandingZone, Platform, Tenant, contact};

/// The facts that every account has, by name.
pub const FACTS: [&str; 9] = [
    "AccountName",
    "AccountEmail",
    "AccountId",
    "AccountArn",
    "ProductName",
    "Stage",
    "ContactEmail",
    "CostCenter",
    NUMBER,
];

/// The tenant's number on its platform, which is drawn for whoever is told it.
const NUMBER: &str = "TenantPlatformNumber";

/// The contact that a project's creator is.
const CREATOR: &str = "owner";
/// The tag that `CostCenter` repeats.
const COST_CENTER: &str = "tagCostCenter";

/// The account's ARN: the one fact that not every platform knows.
pub const ACCOUNT_ARN: &str = "AccountArn";

/// All facts about a tenant's account, its tags included; none before there is an account. A fact that the tenant
/// lacks is an empty text; only the ARN is missing where the platform does not name its organization.
#[must_use]
pub fn facts(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> Option<BTreeMap<String, String>> {
    let (account, names) = (tenant.account.as_ref()?, tenant.names.as_ref()?);
    let wish = &tenant.wish;
    let mut facts = tag_facts(tenant, zone);
    let creator = contact(wish, zone, CREATOR).map(|contact| contact.email().to_owned());
    let arn = platform.organization.as_ref().map(|organization| {
        format!(
            "arn:{}:organizations::{}:account/{organization}/{account}",
            platform.partition, platform.management_account
        )
    });
    let own = [
        ("AccountName", Some(names.account_name.clone())),
        ("AccountEmail", Some(names.email.clone())),
        ("AccountId", Some(account.to_string())),
        (ACCOUNT_ARN, arn),
        ("ProductName", Some(tenant.name.workspace.clone())),
        ("Stage", Some(tenant.name.project.clone())),
        ("ContactEmail", Some(creator.unwrap_or_default())),
        ("CostCenter", Some(facts.get(COST_CENTER).cloned().unwrap_or_default())),
        (NUMBER, Some(names.number.to_string())),
    ];
    facts.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Some(facts)
}

/// Whether anybody is told a tenant's number on its platform.
#[must_use]
pub fn tells_number(zone: &LandingZone) -> bool {
    let sets = zone.stack_sets.iter().flat_map(|set| set.parameters.values());
    let stack = zone.access_stack.iter().flat_map(|stack| stack.parameters.values());
    let names = |text: &String| references(text).is_ok_and(|names| names.contains(&NUMBER));
    !zone.hooks.is_empty() || sets.chain(stack).any(names)
}

/// Tags by the names of their facts; the project's win over weaker layers', however either spells the tag. Several
/// values of a tag stand in one text, joined with commas, as wishes write them.
pub(crate) fn tag_facts(tenant: &Tenant, zone: &LandingZone) -> BTreeMap<String, String> {
    let layers = [&zone.tags].into_iter().chain(tenant.wish.layers_of_tags());
    layers.flatten().map(|(key, value)| (tag_fact(key), value.clone())).collect()
}

/// The tag `costCenter`, or `cost-center`, is the fact `tagCostCenter`.
fn tag_fact(key: &str) -> String {
    let words = key.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold("tag".to_owned(), |name, word| {
        let mut rest = word.chars();
        let first = rest.next().into_iter().flat_map(char::to_uppercase);
        name + &first.collect::<String>() + rest.as_str()
    })
}

/// The facts that a text refers to, as in `team-${ProductName}`.
pub fn references(text: &str) -> Result<Vec<&str>, String> {
    let pieces = pieces(text).map_err(|_| "has a `${` without its `}`".to_owned())?;
    let names = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Placeholder(name) => Some(name),
        Piece::Literal(_) => None,
    });
    let known = |name| {
        if is_fact(name) {
            Ok(name)
        } else {
            Err(format!("refers to `{name}`, which is no fact about an account"))
        }
    };
    names.map(known).collect()
}

fn is_fact(name: &str) -> bool {
    FACTS.contains(&name)
        || name.strip_prefix("tag").is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_uppercase())
                && rest.chars().all(char::is_alphanumeric)
        })
}

/// Parameters with the facts that they refer to filled in.
pub fn filled(
    parameters: &BTreeMap<String, String>,
    facts: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let fill = |(parameter, text): (&String, &String)| {
        let pieces = references(text).and_then(|_| pieces(text).map_err(|_| String::new()));
        let pieces = pieces.map_err(|rule| {
            Failure::blocked(
                "The landing zone's parameters can't be read. Ask the foundation's operators.",
                format!("{parameter} {rule}"),
            )
        })?;
        let filled = pieces.into_iter().map(|piece| match piece {
            Piece::Literal(text) => Ok(text),
            Piece::Placeholder(name) => {
                facts.get(name).map(String::as_str).ok_or_else(|| missing(parameter, name))
            }
        });
        Ok((parameter.clone(), filled.collect::<Result<String, Failure>>()?))
    };
    parameters.iter().map(fill).collect()
}

fn missing(parameter: &str, name: &str) -> Failure {
    if name == ACCOUNT_ARN {
        return no_organization(&format!("The parameter {parameter}"));
    }
    Failure::rejected(format!(
        "The landing zone's parameter {parameter} wants the fact {name}, which the tenant lacks. Write the tag into it."
    ))
}

/// Somebody is to be told an account's ARN, and the platform does not name its organization.
#[must_use]
pub fn no_organization(whom: &str) -> Failure {
    Failure::blocked(
        "The platform does not say which organization it is. Ask the foundation's operators.",
        format!("{whom} is told {ACCOUNT_ARN}: write `organization: o-…` into the platform"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Name, Numbers, TenantSpec, render_names};

    fn platform() -> Platform {
        serde_json::from_value(serde_json::json!({
            "region": "eu-central-1", "managementAccount": "111111111111", "organization": "o-landfall01",
            "automationAccount": "123456789012",
            "accountEmailPattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com"
        }))
        .expect("a platform")
    }

    fn zone() -> LandingZone {
        serde_json::from_value(serde_json::json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {},
            "tags": {"environment": "production", "confidentiality": "internal"}
        }))
        .expect("a landing zone")
    }

    fn landed(wish: serde_json::Value) -> Tenant {
        let wish: TenantSpec = serde_json::from_value(wish).expect("a wish");
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let name = Name::new("payments", "checkout", "aws");
        let tenant = Tenant::requested(name, 1, wish, "ada", now).tenant;
        let numbers = Numbers { tenant: 7, project: 1 };
        let names = render_names(&tenant, &zone(), &platform(), numbers).expect("names");
        let account = AccountId::try_from("222222222222".to_owned()).expect("an account id");
        tenant.named(names, now).tenant.landed(account, "create-account", now).tenant
    }

    #[test]
    fn every_fact_is_a_text_by_the_name_that_meshstack_gives_it() {
        let tenant = landed(serde_json::json!({
            "landingZone": "production", "contacts": {"owner": "ada@example.com"},
            "tags": {"costCenter": "4711", "data-owner": "Ada,Grace", "confidentiality": "secret"}
        }));
        let told = facts(&tenant, &zone(), &platform()).expect("an account");
        let wanted = serde_json::json!({
            "AccountName": "payments.checkout",
            "AccountEmail": "aws+payments.checkout@example.com",
            "AccountId": "222222222222",
            "AccountArn": "arn:aws:organizations::111111111111:account/o-landfall01/222222222222",
            "ProductName": "payments",
            "Stage": "checkout",
            "ContactEmail": "ada@example.com",
            "CostCenter": "4711",
            "TenantPlatformNumber": "7",
            "tagCostCenter": "4711",
            "tagDataOwner": "Ada,Grace",
            "tagEnvironment": "production",
            // The project's tag wins over the weaker layer's.
            "tagConfidentiality": "secret"
        });
        assert_eq!(serde_json::to_value(told).expect("JSON"), wanted);
    }

    #[test]
    fn a_number_is_drawn_for_hooks_and_for_parameters_that_name_it() {
        let with = |more: serde_json::Value| {
            let mut zone = serde_json::to_value(zone()).expect("JSON");
            zone.as_object_mut().expect("fields").extend(more.as_object().expect("more").clone());
            tells_number(&serde_json::from_value(zone).expect("a landing zone"))
        };
        let set = |text: &str| serde_json::json!({"stackSets": [{"name": "audit", "regions": [], "parameters": {"Owner": text}}]});
        assert!(!with(serde_json::json!({})) && !with(set("${Stage}")));
        assert!(with(set("${TenantPlatformNumber}")));
        assert!(with(serde_json::json!({"hooks": [{"name": "tell", "eventBus": "x"}]})));
    }

    #[test]
    fn what_a_tenant_lacks_is_empty_and_before_birth_there_are_no_facts() {
        let tenant = landed(serde_json::json!({"landingZone": "production"}));
        let told = facts(&tenant, &zone(), &platform()).expect("an account");
        assert_eq!((told["ContactEmail"].as_str(), told["CostCenter"].as_str()), ("", ""));
        let unborn = Tenant { account: None, ..tenant };
        assert_eq!(facts(&unborn, &zone(), &platform()), None);
    }

    #[test]
    fn parameters_are_filled_and_what_lacks_is_named() {
        let told = facts(
            &landed(
                serde_json::json!({"landingZone": "production", "tags": {"costCenter": "4711"}}),
            ),
            &zone(),
            &Platform { organization: None, ..platform() },
        )
        .expect("an account");
        let fill = |text: &str| filled(&[("Owner".to_owned(), text.to_owned())].into(), &told);
        assert_eq!(
            fill("${ProductName}/${Stage}-${tagCostCenter}").expect("filled")["Owner"],
            "payments/checkout-4711"
        );
        assert_eq!(fill("as it is").expect("filled")["Owner"], "as it is");
        let lacks = fill("${tagOwner}").expect_err("there is no such tag");
        assert!(lacks.user_remark.contains("wants the fact tagOwner"), "{lacks}");
        let lacks = fill("${AccountArn}").expect_err("the platform names no organization");
        assert!(lacks.system_remark.contains("organization: o-…"), "{lacks}");
        assert!(references("${Accountid}").is_err() && references("${AccountId").is_err());
    }
}
