//! What happened to landing zones and platforms.

use serde_json::Value;
use tenant::{ChangedField, ConfigurationEntry, Kind};

use super::instant;
use super::limits::person;
use super::table::table;

/// Characters of a value that a line has room for.
const LONGEST: usize = 60;

/// A kind of configuration as the command line spells it.
#[must_use]
pub fn configured(kind: Kind) -> &'static str {
    if kind == Kind::Platform { "platform" } else { "landing-zone" }
}

/// The history of a landing zone or platform: under each change the fields that it made others.
#[must_use]
pub fn configuration_history(entries: &[ConfigurationEntry]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for entry in entries {
        let mut fields = entry.fields().into_iter().map(|field| line(&field));
        rows.push(vec![
            instant(entry.at),
            entry.version.to_string(),
            person(&entry.author),
            entry.event.clone(),
            fields.next().unwrap_or_default(),
        ]);
        rows.extend(fields.map(|field| [vec![String::new(); 4], vec![field]].concat()));
    }
    table(&["TIME", "VERSION", "AUTHOR", "EVENT", "CHANGES"], &rows)
}

fn line(field: &ChangedField) -> String {
    let ChangedField { field, before, after } = field;
    format!("{field}: {} -> {}", value(before.as_ref()), value(after.as_ref()))
}

fn value(value: Option<&Value>) -> String {
    let text = match value {
        None => return "(nothing)".to_owned(),
        Some(Value::String(text)) => text.replace('\n', " "),
        Some(other) => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_change_has_its_fields_under_one_another() {
        let spec = |team: &str, more: &Value| json!({"platform": "aws", "tags": {"team": team, "stage": more}});
        let entry = |version: u64, event: &str, before: Value, after: Value| {
            let mut entry = json!({
                "kind": "LandingZone", "name": "production", "version": version, "event": event,
                "at": "2026-01-01T00:00:00Z", "author": "arn:aws:sts::1:assumed-role/Operator/ada"
            });
            entry["before"] = before;
            entry["after"] = after;
            serde_json::from_value::<ConfigurationEntry>(entry).expect("an entry")
        };
        let (first, second) = (spec("a", &Value::Null), spec("b", &json!("x".repeat(70))));
        let entries = [
            entry(1, "created", Value::Null, first.clone()),
            entry(2, "changed", first, second.clone()),
            entry(3, "deleted", second, Value::Null),
        ];
        let expected = format!(
            "\
TIME                  VERSION  AUTHOR  EVENT    CHANGES
2026-01-01T00:00:00Z  1        ada     created
2026-01-01T00:00:00Z  2        ada     changed  spec.tags.stage: null -> {}…
                                                spec.tags.team: a -> b
2026-01-01T00:00:00Z  3        ada     deleted
",
            "x".repeat(59)
        );
        assert_eq!(configuration_history(&entries), expected);
    }
}
