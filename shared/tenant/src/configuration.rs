//! What happened to landing zones and platforms: an entry for each write, with the whole of what stood there before and
//! after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Kind, Spec};

/// One write of a landing zone or platform; it tells by itself of which.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationEntry {
    /// What was written: a landing zone or a platform.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The version that this led to. No two entries of one name have the same, whether it was deleted between them or not.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it: the caller's ARN.
    pub author: String,
    /// What happened.
    pub event: String,
    /// The `spec` before; none if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The `spec` after; none if there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A field that is another than it was.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedField {
    /// Where it stands, such as `spec.tags.team`.
    pub field: String,
    /// What it said; none if it was not there.
    pub before: Option<Value>,
    /// What it says; none if it is not there.
    pub after: Option<Value>,
}

impl ConfigurationEntry {
    /// The entry of a write that leads to a version.
    pub fn of<S: Spec>(
        (name, version): (&str, u64),
        before: Option<&S>,
        after: Option<&S>,
        author: &str,
        now: Timestamp,
    ) -> Self {
        let event = match (before, after) {
            (_, None) => "deleted",
            (Some(_), Some(_)) => "changed",
            (None, Some(_)) if version > 1 => "created again",
            (None, Some(_)) => "created",
        };
        let json = |spec: &S| serde_json::to_value(spec).ok();
        Self {
            kind: S::KIND,
            name: name.to_owned(),
            version,
            at: now,
            author: author.to_owned(),
            event: event.to_owned(),
            before: before.and_then(json),
            after: after.and_then(json),
        }
    }

    /// Whether it says that what it is about is no more.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.after.is_none()
    }

    /// Whether it is about a platform, or about a landing zone that belongs or belonged to it.
    #[must_use]
    pub fn is_of(&self, platform: &str) -> bool {
        match self.kind {
            Kind::Platform => self.name == platform,
            _ => [&self.before, &self.after]
                .into_iter()
                .flatten()
                .any(|spec| spec["platform"].as_str() == Some(platform)),
        }
    }

    /// The fields that a change made others; none where all of it came or went.
    #[must_use]
    pub fn fields(&self) -> Vec<ChangedField> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Vec::new() };
        let [mut before, mut after] = [before, after].map(|spec| {
            let mut leaves = BTreeMap::new();
            gather("spec", spec, &mut leaves);
            leaves
        });
        let fields: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
        fields
            .into_iter()
            .map(|field| {
                let (before, after) = (before.remove(&field), after.remove(&field));
                ChangedField { field, before, after }
            })
            .filter(|field| field.before != field.after)
            .collect()
    }
}

/// What has no parts, by where it stands.
fn gather(field: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(parts) if !parts.is_empty() => {
            for (name, part) in parts {
                gather(&format!("{field}.{name}"), part, leaves);
            }
        }
        Value::Array(parts) if !parts.is_empty() => {
            for (index, part) in parts.iter().enumerate() {
                gather(&format!("{field}[{index}]"), part, leaves);
            }
        }
        leaf => {
            leaves.insert(field.to_owned(), leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::LandingZone;

    fn zone(more: Value) -> LandingZone {
        let mut zone = json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {"otherWayIn": "none"}
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            zone[name] = value.clone();
        }
        serde_json::from_value(zone).expect("a landing zone")
    }

    fn entry(
        version: u64,
        before: Option<&LandingZone>,
        after: Option<&LandingZone>,
    ) -> ConfigurationEntry {
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        ConfigurationEntry::of(("production", version), before, after, "ada", now)
    }

    fn said(before: &Value, after: &Value) -> Vec<String> {
        let (before, after) = (zone(before.clone()), zone(after.clone()));
        let shown = |value: Option<Value>| value.map_or_else(String::new, |it| it.to_string());
        let fields = entry(2, Some(&before), Some(&after)).fields().into_iter();
        fields
            .map(|it| format!("{}: {} -> {}", it.field, shown(it.before), shown(it.after)))
            .collect()
    }

    #[test]
    fn an_entry_says_what_happened_in_a_word() {
        let zone = zone(json!({}));
        let event = |version, before, after| entry(version, before, after).event;
        assert_eq!(event(1, None, Some(&zone)), "created");
        assert_eq!(event(2, Some(&zone), Some(&zone)), "changed");
        assert_eq!(event(3, Some(&zone), None), "deleted");
        assert_eq!(event(4, None, Some(&zone)), "created again");
        assert!(entry(3, Some(&zone), None).is_end() && !entry(4, None, Some(&zone)).is_end());
    }

    #[test]
    fn a_change_names_the_fields_that_are_others_and_no_more() {
        assert_eq!(
            said(
                &json!({"tags": {"team": "a", "stage": "prod"}}),
                &json!({"tags": {"team": "b", "stage": "prod"}})
            ),
            ["spec.tags.team: \"a\" -> \"b\""]
        );
        let audit = |regions: Value| json!({"stackSets": [{"name": "audit", "regions": regions}]});
        assert_eq!(
            said(&audit(json!(["eu-central-1"])), &audit(json!(["eu-central-1", "eu-west-1"]))),
            ["spec.stackSets[0].regions[1]:  -> \"eu-west-1\""]
        );
        assert_eq!(said(&json!({}), &json!({})), [] as [String; 0]);
    }

    #[test]
    fn what_comes_or_goes_as_a_whole_names_no_fields() {
        let zone = zone(json!({}));
        assert!(entry(1, None, Some(&zone)).fields().is_empty());
        assert!(entry(2, Some(&zone), None).fields().is_empty());
    }

    #[test]
    fn an_entry_is_of_the_platforms_that_its_landing_zone_belongs_or_belonged_to() {
        let (here, there) = (zone(json!({})), zone(json!({"platform": "gov"})));
        let moved = entry(2, Some(&here), Some(&there));
        assert!(moved.is_of("aws") && moved.is_of("gov") && !moved.is_of("production"));
    }
}
