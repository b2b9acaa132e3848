//! An account's tags: whose they are, what they are made from, and what AWS takes.

use std::collections::BTreeMap;

use thiserror::Error;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use uuid::Uuid;

use crate::facts::tag_facts;
use crate::placeholder::{Piece, pieces};
use crate::{Concern, LandingZone, Platform, Tenant, contact};

/// The most tags of an account, by AWS.
pub(crate) const MOST_TAGS: usize = 50;
/// The most characters of a key with its prefix, by AWS.
pub(crate) const LONGEST_KEY: usize = 128;
/// The most characters of a value, by AWS.
pub(crate) const LONGEST_VALUE: usize = 256;

/// The tag that says whose an account is; without the platform's prefix.
pub(crate) const TENANT: &str = "tenant";
/// The tag that says which alternate contacts are ours.
pub(crate) const CONTACTS: &str = "contacts";
/// Keys that Landfall writes itself, without the platform's prefix.
pub(crate) const OWN: [&str; 5] = [TENANT, "workspace", "project", "landingZone", CONTACTS];

/// What a tag's value may be made from, besides `tag<Name>` for the tags that users write.
const PLACEHOLDERS: [&str; 6] = [
    "workspaceIdentifier",
    "projectIdentifier",
    "platform",
    "landingZoneIdentifier",
    "landingZoneName",
    "contactMail",
];
/// What stands for a value that is not known.
const NONE: &str = "none";

/// A tag's value as `tagMappers` write it: text with placeholders such as `${workspaceIdentifier}`. It has no formats.
#[derive(Clone, Debug, PartialEq)]
pub struct TagTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Placeholder(String),
}

/// Why a tag's value can't be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TagTemplateError {
    /// A `${` without its `}`.
    #[error("`${{` at column {0} has no closing `}}`")]
    Unclosed(usize),
    /// A placeholder that nobody knows.
    #[error("`{0}` is no placeholder of tags; known are {known} and tag<Name>", known = PLACEHOLDERS.join(", "))]
    Unknown(String),
}

impl TagTemplate {
    /// Reads a value.
    pub fn parse(text: &str) -> Result<Self, TagTemplateError> {
        let part = |piece| match piece {
            Piece::Literal(text) => Ok(Part::Literal(text.to_owned())),
            // The workspace's older name.
            Piece::Placeholder("customerIdentifier") => {
                Ok(Part::Placeholder("workspaceIdentifier".to_owned()))
            }
            Piece::Placeholder(name) => {
                let name = name.trim();
                let is_tag = name
                    .strip_prefix("tag")
                    .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()));
                if is_tag || PLACEHOLDERS.contains(&name) {
                    Ok(Part::Placeholder(name.to_owned()))
                } else {
                    Err(TagTemplateError::Unknown(name.to_owned()))
                }
            }
        };
        let pieces = pieces(text).map_err(TagTemplateError::Unclosed)?;
        let parts = pieces.into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(Self { parts })
    }

    /// The value with its placeholders filled, as AWS takes it; what is not known is `none`.
    #[must_use]
    pub fn render(&self, values: &BTreeMap<String, String>) -> String {
        let text: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Placeholder(name) => values.get(name).map_or(NONE, String::as_str),
            })
            .collect();
        sanitised(&text, LONGEST_VALUE)
    }
}

/// Whether Organizations takes this character in a tag: `\p{L}`, `\p{Z}`, `\p{N}` and `_.:/=+-@`.
pub(crate) fn fits(one: char) -> bool {
    let group = one.general_category_group();
    let known = [
        GeneralCategoryGroup::Letter,
        GeneralCategoryGroup::Separator,
        GeneralCategoryGroup::Number,
    ];
    known.contains(&group) || "_.:/=+-@".contains(one)
}

/// A text as AWS takes it: cut, and `_` for what it refuses.
fn sanitised(text: &str, longest: usize) -> String {
    text.chars().take(longest).map(|one| if fits(one) { one } else { '_' }).collect()
}

/// The tags that users wrote, without a prefix: the project's before what pays, the workspace's and the landing zone's.
#[must_use]
pub fn written_tags(tenant: &Tenant, zone: &LandingZone) -> BTreeMap<String, String> {
    let mut tags = zone.tags.clone();
    tags.extend(tenant.wish.effective_tags());
    tags
}

/// All our tags of a tenant's account: ours win over the platform's mappers, and these over what users wrote.
#[must_use]
pub fn account_tags(
    tenant: &Tenant,
    zone: &LandingZone,
    platform: &Platform,
) -> BTreeMap<String, String> {
    let name = &tenant.name;
    let written = written_tags(tenant, zone);
    let zone_name = zone.display_name.as_ref().unwrap_or(&tenant.wish.landing_zone);
    let owner = contact(&tenant.wish, zone, "owner").map(|owner| owner.email().to_owned());
    let values: BTreeMap<String, String> = [
        ("workspaceIdentifier", name.workspace.clone()),
        ("projectIdentifier", name.project.clone()),
        ("platform", name.platform.clone()),
        ("landingZoneIdentifier", tenant.wish.landing_zone.clone()),
        ("landingZoneName", zone_name.clone()),
        ("contactMail", owner.unwrap_or_else(|| NONE.to_owned())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .chain(tag_facts(tenant, zone))
    .collect();
    // A mapper that can't be read was refused when the platform was written.
    let mapped = platform.tag_mappers.iter().filter_map(|mapper| {
        let template = TagTemplate::parse(&mapper.value).ok()?;
        Some((mapper.key.clone(), template.render(&values)))
    });
    let contacts = crate::alternate_contacts(&tenant.wish, zone, platform);
    let concerns: Vec<&str> = contacts.keys().map(|concern| concern.as_str()).collect();
    let own = own_tags(tenant.id, tenant).into_iter();
    let own = own.chain((!concerns.is_empty()).then(|| (CONTACTS.to_owned(), concerns.join(" "))));
    let all = written.into_iter().chain(mapped).chain(own);
    all.map(|(key, value)| (format!("{}{key}", platform.tag_prefix), value)).collect()
}

fn own_tags(id: Uuid, tenant: &Tenant) -> [(String, String); 4] {
    [
        (TENANT.to_owned(), id.to_string()),
        ("workspace".to_owned(), tenant.name.workspace.clone()),
        ("project".to_owned(), tenant.name.project.clone()),
        ("landingZone".to_owned(), tenant.wish.landing_zone.clone()),
    ]
}

/// The alternate contacts that an account's tags say are ours.
#[must_use]
pub fn our_contacts(tags: &BTreeMap<String, String>, platform: &Platform) -> Vec<Concern> {
    let written = tags.get(&format!("{}{CONTACTS}", platform.tag_prefix));
    let named = written.map_or("", String::as_str).split(' ').collect::<Vec<_>>();
    Concern::ALL.into_iter().filter(|concern| named.contains(&concern.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Name, TenantSpec};

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("a document")
    }

    fn tenant(spec: Value) -> Tenant {
        let wish: TenantSpec = read(spec);
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        Tenant::requested(Name::new("payments", "checkout", "aws"), 1, wish, "ada", now).tenant
    }

    fn zone(tags: Value) -> LandingZone {
        read(json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {}, "tags": tags,
            "displayName": "Production (EU)"
        }))
    }

    fn platform(mappers: Value) -> Platform {
        read(json!({
            "region": "eu-central-1", "managementAccount": "111111111111", "contactPhone": "+49 30 1",
            "automationAccount": "123456789012", "accountEmailPattern": "a@e.io", "tagMappers": mappers
        }))
    }

    #[test]
    fn the_project_wins_over_what_pays_and_that_over_the_workspace_and_that_over_the_landing_zone()
    {
        let wish = json!({
            "landingZone": "production", "tags": {"a": "project"},
            "paymentTags": {"a": "payment", "b": "payment"},
            "workspaceTags": {"a": "workspace", "b": "workspace", "c": "workspace"}
        });
        let zone = zone(json!({"a": "zone", "b": "zone", "c": "zone", "d": "zone"}));
        let written = written_tags(&tenant(wish), &zone);
        let values: Vec<&str> = written.values().map(String::as_str).collect();
        assert_eq!(values, ["project", "payment", "workspace", "zone"]);
    }

    #[test]
    fn mappers_fill_placeholders_and_keep_to_what_aws_takes() {
        let mappers = json!([
            {"key": "ProductName", "value": "${customerIdentifier}"},
            {"key": "Stage", "value": "${projectIdentifier}"},
            {"key": "ManagedBy", "value": "Landfall"},
            {"key": "Zone", "value": "${landingZoneName}/${landingZoneIdentifier}"},
            {"key": "Owner", "value": "${contactMail}"},
            {"key": "Center", "value": "cc-${tagCostCenter}-${tagUnknown}"},
            {"key": "tenant", "value": "mine"}
        ]);
        let wish = json!({
            "landingZone": "production", "tags": {"costCenter": "4711", "Stage": "theirs"},
            "contacts": {"owner": "ada@example.com", "billing": "money@example.com"}
        });
        let tenant = tenant(wish);
        let tags = account_tags(&tenant, &zone(json!({})), &platform(mappers));
        let lines: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            lines,
            [
                "landfall:Center=cc-4711-none".to_owned(),
                "landfall:ManagedBy=Landfall".to_owned(),
                "landfall:Owner=ada@example.com".to_owned(),
                "landfall:ProductName=payments".to_owned(),
                "landfall:Stage=checkout".to_owned(),
                "landfall:Zone=Production _EU_/production".to_owned(),
                "landfall:contacts=billing".to_owned(),
                "landfall:costCenter=4711".to_owned(),
                "landfall:landingZone=production".to_owned(),
                "landfall:project=checkout".to_owned(),
                format!("landfall:tenant={}", tenant.id),
                "landfall:workspace=payments".to_owned(),
            ]
        );
        assert_eq!(our_contacts(&tags, &platform(json!([]))), [Concern::Billing]);
    }

    #[test]
    fn what_is_no_placeholder_is_refused_and_never_rendered() {
        for wrong in ["${nobody}", "${workspaceIdentifier", "${paymentIdentifier}", "${tagcost}"] {
            assert!(TagTemplate::parse(wrong).is_err(), "{wrong}");
        }
        let plain = TagTemplate::parse("$5 {fixed} #{rand}").expect("a text");
        assert_eq!(plain.render(&BTreeMap::new()), "_5 _fixed_ __rand_");
    }

    proptest! {
        #[test]
        fn a_rendered_value_is_always_one_that_aws_takes(
            text in "\\PC{0,300}", value in "\\PC{0,300}",
        ) {
            let Ok(template) = TagTemplate::parse(&format!("{}${{contactMail}}", text.replace('$', ""))) else {
                return Ok(());
            };
            let shown = template.render(&[("contactMail".to_owned(), value)].into());
            prop_assert!(shown.chars().count() <= LONGEST_VALUE);
            prop_assert!(shown.chars().all(fits));
        }
    }
}
