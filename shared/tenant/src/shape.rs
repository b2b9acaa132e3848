//! Whether a document has the shape of its kind: everything that is wrong at once, with the nearest known name.
//!
//! The JSON Schema that users' editors read is the one that decides here, so that an editor, `landfall lint` and the
//! API never disagree.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{Document, Kind, Problem, Spec, schema};

/// The pattern of account ids, as the schema spells it.
pub(crate) const TWELVE_DIGITS: &str = r"^\d{12}$";

/// The rule that an unknown field breaks.
pub const UNKNOWN_FIELD: &str = "is an unknown field";

/// Reads a document of a known kind, or says everything that is wrong with its shape.
pub fn read<S: Spec>(document: Value) -> Result<Document<S>, Vec<Problem>> {
    let problems = check_shape(S::KIND, &document);
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(document).map_err(|error| {
        let rule = format!("can't be read: {error}");
        let remedy = format!("Compare it with `landfall schema {}`.", S::KIND.as_str());
        vec![Problem::new("(document)", S::KIND.as_str(), rule, remedy)]
    })
}

/// The kind that a document says it is.
pub fn kind_of(document: &Value) -> Result<Kind, Problem> {
    let known = Kind::ALL.map(Kind::as_str);
    let Some(written) = document.get("kind") else {
        return Err(Problem::new(
            "kind",
            "(missing)",
            "must say what the document describes",
            format!("Write one of {}.", known.join(", ")),
        ));
    };
    let named =
        written.as_str().and_then(|text| Kind::ALL.into_iter().find(|kind| kind.as_str() == text));
    named.ok_or_else(|| one_of("kind", written, &known))
}

/// Everything that is wrong with a document's shape.
#[must_use]
pub fn check_shape(kind: Kind, document: &Value) -> Vec<Problem> {
    let root = schema(kind);
    let mut problems = Vec::new();
    Walk { root: &root, problems: &mut problems }.value(&root, document, "");
    problems
}

/// The known name that was probably meant.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let meant = plain(written);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&meant, &plain(name)), name))
        .filter(|(distance, name)| *distance <= name.len().max(meant.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How other systems let people in by SAML providers and SCIM tokens, which Landfall does not.
const GIVEN_UP: [&str; 13] = [
    "accessToken",
    "awsIdentityStore",
    "awsSso",
    "identityProvider",
    "meshIdB",
    "meshIdentityBroker",
    "saml",
    "samlProvider",
    "samlProviderArn",
    "scim",
    "scimEndpoint",
    "scimToken",
    "ssoAccessToken",
];
const GIVEN_UP_RULE: &str =
    "is not supported: Landfall makes no SAML providers and keeps no SCIM tokens";
const GIVEN_UP_REMEDY: &str = "Write `identityCenter` in the platform instead: it works by the Identity Store API \
     with Landfall's own roles, and needs no token.";

static NO_FIELDS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

struct Walk<'a> {
    root: &'a Value,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, schema: &'a Value, value: &Value, path: &str) {
        if let Some(target) = schema["$ref"].as_str() {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.into_iter().for_each(|target| self.value(target, value, path));
        }
        if let Some(wanted) = schema.get("const") {
            if wanted != value {
                let name = wanted.as_str().unwrap_or_default();
                self.say(path, value, format!("must be `{name}`"), format!("Write `{name}`."));
            }
        } else if let Some(options) = schema["anyOf"].as_array() {
            self.either(options, value, path);
        } else if let Some(options) = schema["oneOf"].as_array() {
            self.option(options, value, path);
        } else {
            let (wanted, optional) = kinds(&schema["type"]);
            match wanted {
                _ if optional && value.is_null() => {}
                Some("object") => self.object(schema, value, path),
                Some("array") => self.array(schema, value, path),
                Some("string") => self.text(schema, value, path),
                Some("integer") => self.integer(value, path),
                Some("boolean") => self.truth(value, path),
                Some("number") if !value.is_number() => {
                    let rule = format!("is {}; a number is wanted", kind_name(value));
                    self.say(path, value, rule, "Write digits only, without quotes.");
                }
                _ => {}
            }
        }
    }

    /// One of several shapes, told apart by what kind of value each is.
    fn either(&mut self, options: &'a [Value], value: &Value, path: &str) {
        let wanted: Vec<(&Value, Option<&str>)> = options
            .iter()
            .map(|option| {
                let target = option["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
                let shape = target.and_then(|pointer| self.root.pointer(pointer));
                (option, shape.unwrap_or(option)["type"].as_str())
            })
            .collect();
        let given: Vec<_> = wanted.iter().filter(|(_, kind)| *kind != Some("null")).collect();
        if value.is_null() && given.len() < wanted.len() {
            return;
        }
        let kind = match value {
            Value::String(_) => "string",
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::Number(_) => "integer",
            _ => "",
        };
        let only = given.first().filter(|_| given.len() == 1);
        let fits = || given.iter().find(|(_, wanted)| *wanted == Some(kind));
        if let Some((option, _)) = only.or_else(fits) {
            self.value(option, value, path);
        } else {
            let counts = given.iter().any(|(_, wanted)| *wanted == Some("integer"));
            let (wanted, remedy) = if counts {
                ("a number or text", "Write digits only, or text.")
            } else {
                ("text or a mapping", "Write it as text, or its fields below it, indented.")
            };
            self.say(path, value, format!("is {}; {wanted} is wanted", kind_name(value)), remedy);
        }
    }

    /// One of several words, or an object with one of several keys.
    fn option(&mut self, options: &'a [Value], value: &Value, path: &str) {
        let words: Vec<&str> =
            options.iter().filter_map(|option| option["const"].as_str()).collect();
        let keys: Vec<&str> =
            options.iter().filter_map(|option| option["required"].get(0)?.as_str()).collect();
        if let Value::Object(fields) = value
            && let Some(option) = options.iter().find(|option| {
                option["required"]
                    .get(0)
                    .and_then(Value::as_str)
                    .is_some_and(|key| fields.contains_key(key))
            })
        {
            return self.value(option, value, path);
        }
        if value.as_str().is_some_and(|word| words.contains(&word)) {
            return;
        }
        let known: Vec<String> = keys
            .iter()
            .map(|key| format!("{{{key}: …}}"))
            .chain(words.iter().map(|word| (*word).to_owned()))
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.problems.push(one_of(path, value, &known));
    }

    fn object(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let Value::Object(fields) = value else {
            return self.say(
                path,
                value,
                format!("is {}; a mapping of fields is wanted", kind_name(value)),
                "Write its fields below it, indented.",
            );
        };
        let known = schema["properties"].as_object().unwrap_or(&NO_FIELDS);
        for (key, field) in fields {
            let at = join(path, key);
            if let Some(schema) = known.get(key) {
                self.value(schema, field, &at);
            } else if schema["additionalProperties"].is_object() {
                self.value(&schema["additionalProperties"], field, &at);
            } else if GIVEN_UP.contains(&key.as_str()) {
                // It may be a secret: it is not repeated.
                self.problems.push(Problem::new(at, "(not shown)", GIVEN_UP_RULE, GIVEN_UP_REMEDY));
            } else {
                let remedy = match nearest(key, known.keys().map(String::as_str)) {
                    Some(name) => format!("Did you mean `{name}`?"),
                    None => format!(
                        "Known are {}.",
                        known.keys().cloned().collect::<Vec<_>>().join(", ")
                    ),
                };
                self.say(&at, field, UNKNOWN_FIELD, remedy);
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(key) {
                let meaning =
                    known.get(key).and_then(|field| field["description"].as_str()).unwrap_or("");
                self.problems.push(Problem::new(
                    join(path, key),
                    "(missing)",
                    "must be there",
                    format!("Write `{key}: …`. {meaning}").trim_end(),
                ));
            }
        }
    }

    fn array(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let Value::Array(items) = value else {
            let rule = format!("is {}; a list is wanted", kind_name(value));
            return self.say(path, value, rule, "Write `[…]`, or items that start with `- `.");
        };
        for (index, item) in items.iter().enumerate() {
            self.value(&schema["items"], item, &format!("{path}[{index}]"));
        }
    }

    fn text(&mut self, schema: &Value, value: &Value, path: &str) {
        let Value::String(text) = value else {
            let remedy = match value {
                Value::Number(_) | Value::Bool(_) => format!("Put it in quotes: \"{value}\"."),
                _ => "Write it as text.".to_owned(),
            };
            return self.say(
                path,
                value,
                format!("is {}; text is wanted", kind_name(value)),
                remedy,
            );
        };
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if schema["pattern"] == TWELVE_DIGITS && !digits {
            self.say(path, value, "is no account id", "Write twelve digits in quotes.");
        }
        if schema["format"] == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
            let remedy = "Write date, time and zone, such as `2026-12-31T18:00:00Z`.";
            self.say(path, value, "is no point in time", remedy);
        }
    }

    fn truth(&mut self, value: &Value, path: &str) {
        if !value.is_boolean() {
            let rule = format!("is {}; true or false is wanted", kind_name(value));
            self.say(path, value, rule, "Write `true` or `false`, without quotes.");
        }
    }

    fn integer(&mut self, value: &Value, path: &str) {
        if value.as_u64().is_none_or(|number| number > u64::from(u32::MAX)) {
            let rule = format!("is {}; a whole number from 0 is wanted", kind_name(value));
            self.say(path, value, rule, "Write digits only, without quotes.");
        }
    }

    fn say(
        &mut self,
        path: &str,
        value: &Value,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let path = if path.is_empty() { "(document)" } else { path };
        self.problems.push(Problem::new(path, shown(value), rule, remedy));
    }
}

fn one_of(path: &str, value: &Value, known: &[&str]) -> Problem {
    let meant = value.as_str().and_then(|written| nearest(written, known.iter().copied()));
    let remedy = match meant {
        Some(name) => format!("Did you mean `{name}`?"),
        None => format!("Write one of {}.", known.join(", ")),
    };
    Problem::new(path, shown(value), format!("is none of {}", known.join(", ")), remedy)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The kind of value that a schema wants, and whether nothing will do too.
fn kinds(written: &Value) -> (Option<&str>, bool) {
    let Value::Array(all) = written else { return (written.as_str(), false) };
    let wanted = all.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
    (wanted, all.iter().any(|kind| kind == "null"))
}

/// A value as a message shows it: short.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{LandingZone, TenantSpec};

    fn tenant() -> Value {
        json!({
            "apiVersion": "landfall/v1", "kind": "Tenant",
            "metadata": {"workspace": "payments", "project": "checkout", "platform": "aws"},
            "spec": {"landingZone": "production"}
        })
    }

    fn zone(access_role: Value) -> Value {
        json!({
            "apiVersion": "landfall/v1", "kind": "LandingZone", "metadata": {"name": "production"},
            "spec": {"platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": access_role}
        })
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut document = tenant();
        document["apiVersion"] = "landfall/v2".into();
        document["metadata"] = json!({"workspace": 7, "projct": "checkout", "platform": "aws"});
        document["spec"]["tags"] = json!({"costCenter": 4711});
        document["spec"]["contacts"] = json!([]);
        let problems = check_shape(Kind::Tenant, &document);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "apiVersion: `landfall/v2` must be `landfall/v1`. Write `landfall/v1`.",
                "metadata.workspace: `7` is a number; text is wanted. Put it in quotes: \"7\".",
                "metadata.projct: `checkout` is an unknown field. Did you mean `project`?",
                "metadata.project: `(missing)` must be there. Write `project: …`. The project's identifier: \
                 `a-z`, `0-9` and `-`, at most 30 characters unless the platform says otherwise.",
                "spec.tags.costCenter: `4711` is a number; text is wanted. Put it in quotes: \"4711\".",
                "spec.contacts: `[]` is a list; a mapping of fields is wanted. Write its fields below it, indented.",
            ]
        );
    }

    #[test]
    fn a_choice_names_its_options() {
        let problems = check_shape(
            Kind::LandingZone,
            &zone(json!({"trust": "tightn", "otherWayIn": "nobody"})),
        );
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "spec.accessRole.trust: `tightn` is none of tighten, keep. Did you mean `tighten`?",
                "spec.accessRole.otherWayIn: `nobody` is none of {role: …}, {permissionSet: …}, none. \
                 Write one of {role: …}, {permissionSet: …}, none.",
            ]
        );
        for right in [json!("none"), json!({"role": "BreakGlass"}), Value::Null] {
            let document = zone(json!({"otherWayIn": right}));
            assert!(read::<LandingZone>(document.clone()).is_ok(), "{document}");
        }
    }

    #[test]
    fn a_truth_in_quotes_is_none() {
        let mut document = zone(json!({"otherWayIn": "none"}));
        document["spec"]["enrol"] = "yes".into();
        let problems = check_shape(Kind::LandingZone, &document);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "spec.enrol: `yes` is text; true or false is wanted. Write `true` or `false`, without quotes."
            ]
        );
        document["spec"]["enrol"] = true.into();
        assert!(read::<LandingZone>(document).is_ok());
    }

    #[test]
    fn ways_in_that_are_given_up_are_refused_with_the_way_to_take_and_without_their_secrets() {
        let document = json!({
            "apiVersion": "landfall/v1", "kind": "Platform", "metadata": {"name": "aws"},
            "spec": {"region": "eu-central-1", "managementAccount": "111111111111",
                     "automationAccount": "123456789012", "accountEmailPattern": "a",
                     "samlProvider": "idb",
                     "identityCenter": {"instanceArn": "a", "identityStoreId": "d", "signInUrl": "u",
                                        "roles": {}, "ssoAccessToken": "SECRET"}}
        });
        let problems = check_shape(Kind::Platform, &document);
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["spec.samlProvider", "spec.identityCenter.ssoAccessToken"]);
        for problem in &problems {
            assert!(problem.remedy.contains("Identity Store API"), "{problem}");
            assert!(!problem.to_string().contains("SECRET"));
        }
    }

    #[test]
    fn optional_values_are_held_to_their_kind_too() {
        let mut document = tenant();
        document["spec"]["access"] = json!([
            {"role": "admin", "users": ["ada"], "until": "tomorrow"},
            {"role": "reader", "users": ["ada"], "until": null},
        ]);
        let lines: Vec<String> =
            check_shape(Kind::Tenant, &document).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "spec.access[0].until: `tomorrow` is no point in time. Write date, time and zone, such as \
              `2026-12-31T18:00:00Z`."
            ]
        );
    }

    #[test]
    fn a_contact_is_an_address_or_more_than_that() {
        let mut document = tenant();
        document["spec"]["contacts"] = json!({
            "owner": "ada@example.com", "security": {"email": "soc@example.com", "phone": "+49 1"}
        });
        assert!(read::<TenantSpec>(document.clone()).is_ok());
        document["spec"]["contacts"] = json!({"owner": 7, "security": {"mail": "soc@example.com"}});
        let lines: Vec<String> =
            check_shape(Kind::Tenant, &document).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "spec.contacts.owner: `7` is a number; text or a mapping is wanted. Write it as text, or its fields \
                 below it, indented.",
                "spec.contacts.security.mail: `soc@example.com` is an unknown field. Did you mean `email`?",
                "spec.contacts.security.email: `(missing)` must be there. Write `email: …`. The e-mail address.",
            ]
        );
    }

    #[test]
    fn what_passes_the_shape_can_be_read() {
        assert!(read::<TenantSpec>(tenant()).is_ok());
    }

    #[test]
    fn an_account_id_is_twelve_digits() {
        let document = json!({
            "apiVersion": "landfall/v1", "kind": "Platform", "metadata": {"name": "aws"},
            "spec": {"region": "eu-central-1", "managementAccount": "1111", "automationAccount": "123456789012",
                     "accountEmailPattern": "a"}
        });
        let problems = check_shape(Kind::Platform, &document);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, "spec.managementAccount");
    }

    #[test]
    fn every_pattern_in_a_schema_is_known_here() {
        fn patterns(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("pattern").and_then(Value::as_str).map(str::to_owned));
                    fields.values().for_each(|field| patterns(field, found));
                }
                Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
                _ => {}
            }
        }
        for kind in Kind::ALL {
            let mut found = Vec::new();
            patterns(&schema(kind), &mut found);
            assert!(found.iter().all(|pattern| pattern == TWELVE_DIGITS), "{found:?}");
        }
    }

    #[test]
    fn a_kind_is_read_first() {
        assert_eq!(kind_of(&tenant()), Ok(Kind::Tenant));
        let wrong = kind_of(&json!({"kind": "tenant"})).expect_err("kinds are capitalised");
        assert_eq!(wrong.remedy, "Did you mean `Tenant`?");
        assert_eq!(kind_of(&json!({})).expect_err("no kind").value, "(missing)");
    }
}
