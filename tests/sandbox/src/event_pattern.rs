//! EventBridge event patterns: compiled once, matched against many events.
//!
//! A pattern and an event are both flattened to fields with dotted names. A field inside arrays
//! remembers which element of each array it comes from, and fields that match together must agree
//! on those elements. What must stay true: the verdict equals that of AWS's own matcher, which
//! takes the fields of a pattern in the order of their names; `exists: false` asks only for fields
//! that agree with the elements chosen so far.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

/// The most combinations that the `$or`s of one pattern may have, AWS's own limit.
const MOST_ALTERNATIVES: usize = 1000;

/// Why a pattern is none, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event pattern at {path}: {reason}")]
pub struct Error {
    /// The element at fault as a JSON pointer, such as `/detail/state`.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Error {
    fn new(path: &str, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    alternatives: Vec<Alternative>,
}

/// Fields by name, all of which have to match.
type Alternative = Vec<Constraint>;

#[derive(Debug, Clone)]
struct Constraint {
    field: String,
    tests: Vec<Test>,
}

#[derive(Debug, Clone)]
enum Test {
    Equals(Value),
    Number(f64),
    Exists(bool),
    Prefix { text: String, ignore_case: bool },
    Suffix { text: String, ignore_case: bool },
    EqualsIgnoringCase(String),
    Wildcard(String),
    Numeric(Vec<(Relation, f64)>),
    Cidr { network: Address, length: u32 },
    AnythingBut(Vec<Test>),
}

#[derive(Debug, Clone, Copy)]
enum Relation {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

#[derive(Debug, Clone, Copy)]
struct Address {
    bits: u128,
    width: u32,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn parse(pattern: &Value) -> Result<Self, Error> {
        let Some(object) = pattern.as_object().filter(|object| !object.is_empty()) else {
            return Err(Error::new("/", "must be an object with at least one field"));
        };
        let mut alternatives = alternatives(object, "", "")?;
        for alternative in &mut alternatives {
            alternative.sort_by(|left, right| left.field.cmp(&right.field));
        }
        Ok(Self { alternatives })
    }

    /// Whether the event has everything that the pattern asks for.
    pub fn matches(&self, event: &Value) -> bool {
        let fields = Fields::of(event);
        self.alternatives.iter().any(|constraints| fields.satisfy(constraints, &Elements::new()))
    }
}

/// The element chosen of each array, by the array's number.
type Elements = BTreeMap<usize, usize>;

/// An event, flattened.
#[derive(Default)]
struct Fields<'e> {
    by_name: BTreeMap<String, Vec<Field<'e>>>,
    arrays: usize,
}

struct Field<'e> {
    value: &'e Value,
    elements: Elements,
}

impl<'e> Fields<'e> {
    fn of(event: &'e Value) -> Self {
        let mut fields = Self::default();
        fields.collect("", event, &mut Elements::new());
        fields
    }

    fn collect(&mut self, name: &str, value: &'e Value, elements: &mut Elements) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    self.collect(&joined(name, key), value, elements);
                }
            }
            Value::Array(array) => {
                let number = self.arrays;
                self.arrays += 1;
                for (index, value) in array.iter().enumerate() {
                    if value.is_object() || value.is_array() {
                        elements.insert(number, index);
                        self.collect(name, value, elements);
                        elements.remove(&number);
                    } else {
                        self.collect(name, value, elements);
                    }
                }
            }
            scalar => {
                let field = Field { value: scalar, elements: elements.clone() };
                self.by_name.entry(name.to_owned()).or_default().push(field);
            }
        }
    }

    fn satisfy(&self, constraints: &[Constraint], chosen: &Elements) -> bool {
        let Some((first, rest)) = constraints.split_first() else { return true };
        let agreeing: Vec<(&Field, Elements)> = self
            .by_name
            .get(&first.field)
            .into_iter()
            .flatten()
            .filter_map(|field| Some((field, agreed(chosen, &field.elements)?)))
            .collect();
        let absent = agreeing.is_empty()
            && first.tests.iter().any(|test| matches!(test, Test::Exists(false)));
        if absent && self.satisfy(rest, chosen) {
            return true;
        }
        agreeing.iter().any(|(field, elements)| {
            first.tests.iter().any(|test| test.accepts(field.value)) && self.satisfy(rest, elements)
        })
    }
}

/// Both choices together, unless they take different elements of the same array.
fn agreed(chosen: &Elements, more: &Elements) -> Option<Elements> {
    let mut both = chosen.clone();
    for (array, index) in more {
        if *both.entry(*array).or_insert(*index) != *index {
            return None;
        }
    }
    Some(both)
}

fn joined(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}

fn alternatives(
    object: &Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Vec<Alternative>, Error> {
    let mut found = vec![Alternative::new()];
    for (key, value) in object {
        let path = format!("{path}/{key}");
        let choices = match value {
            Value::Array(choices) if is_or(key, choices) => {
                let mut all = Vec::new();
                for choice in choices.iter().filter_map(Value::as_object) {
                    all.extend(alternatives(choice, name, &path)?);
                }
                all
            }
            Value::Object(inner) if inner.is_empty() => {
                return Err(Error::new(&path, "must have at least one field"));
            }
            Value::Object(inner) => alternatives(inner, &joined(name, key), &path)?,
            Value::Array(tests) if tests.is_empty() => {
                return Err(Error::new(&path, "must have at least one value"));
            }
            Value::Array(tests) => {
                let tests = tests.iter().map(|value| test(value, &path));
                let tests = tests.collect::<Result<_, _>>()?;
                vec![vec![Constraint { field: joined(name, key), tests }]]
            }
            _ => return Err(Error::new(&path, "must be an object or an array")),
        };
        if found.len() * choices.len() > MOST_ALTERNATIVES {
            return Err(Error::new(&path, "too many combinations of $or"));
        }
        found =
            found.iter().flat_map(|left| choices.iter().map(|right| both(left, right))).collect();
    }
    Ok(found)
}

/// `$or` is a field like any other unless its values are two or more objects.
fn is_or(key: &str, choices: &[Value]) -> bool {
    key == "$or" && choices.len() > 1 && choices.iter().all(Value::is_object)
}

fn both(left: &Alternative, right: &Alternative) -> Alternative {
    left.iter().chain(right).cloned().collect()
}

fn test(value: &Value, path: &str) -> Result<Test, Error> {
    let Value::Object(object) = value else { return scalar(value, path) };
    let (kind, operand) = only_entry(object, path)?;
    let path = format!("{path}/{kind}");
    match kind.as_str() {
        "exists" => match operand {
            Value::Bool(exists) => Ok(Test::Exists(*exists)),
            _ => Err(Error::new(&path, "must be true or false")),
        },
        "numeric" => numeric(operand, &path),
        "cidr" => cidr(operand, &path),
        "anything-but" => anything_but(operand, &path),
        _ => text_test(kind, operand, &path),
    }
}

fn only_entry<'v>(
    object: &'v Map<String, Value>,
    path: &str,
) -> Result<(&'v String, &'v Value), Error> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        _ => Err(Error::new(path, "a comparison has exactly one key")),
    }
}

fn scalar(value: &Value, path: &str) -> Result<Test, Error> {
    match value {
        Value::Number(number) => Ok(Test::Number(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(_) | Value::Bool(_) | Value::Null => Ok(Test::Equals(value.clone())),
        Value::Array(_) | Value::Object(_) => {
            Err(Error::new(path, "must be a text, a number, true, false or null"))
        }
    }
}

fn text_test(kind: &str, operand: &Value, path: &str) -> Result<Test, Error> {
    let affix = matches!(kind, "prefix" | "suffix");
    let (operand, ignore_case) = match operand.as_object() {
        Some(object) if affix => match only_entry(object, path)? {
            (key, text) if key == "equals-ignore-case" => (text, true),
            _ => return Err(Error::new(path, "knows only equals-ignore-case")),
        },
        _ => (operand, false),
    };
    let text = || match operand {
        Value::String(text) => Ok(text.clone()),
        _ => Err(Error::new(path, "must be a text")),
    };
    match kind {
        "prefix" => Ok(Test::Prefix { text: text()?, ignore_case }),
        "suffix" => Ok(Test::Suffix { text: text()?, ignore_case }),
        "equals-ignore-case" => Ok(Test::EqualsIgnoringCase(text()?)),
        "wildcard" => match text()? {
            text if text.contains("**") => Err(Error::new(path, "has two stars side by side")),
            text => Ok(Test::Wildcard(text)),
        },
        _ => Err(Error::new(path, "unknown comparison")),
    }
}

fn anything_but(operand: &Value, path: &str) -> Result<Test, Error> {
    let listed = |value: &Value, each: &dyn Fn(&Value) -> Result<Test, Error>| match value {
        Value::Array(values) if values.is_empty() => {
            Err(Error::new(path, "must have at least one value"))
        }
        Value::Array(values) => values.iter().map(each).collect::<Result<Vec<_>, _>>(),
        value => Ok(vec![each(value)?]),
    };
    let tests = match operand {
        Value::Object(object) => {
            let (kind, operand) = only_entry(object, path)?;
            listed(operand, &|value| text_test(kind, value, path))?
        }
        values => listed(values, &|value| scalar(value, path))?,
    };
    Ok(Test::AnythingBut(tests))
}

fn numeric(operand: &Value, path: &str) -> Result<Test, Error> {
    let pairs = match operand {
        Value::Array(pairs) if matches!(pairs.len(), 2 | 4) => pairs,
        _ => return Err(Error::new(path, "must be one or two pairs of operator and number")),
    };
    let bound = |pair: &[Value]| {
        let relation = match pair[0].as_str() {
            Some("<") => Relation::Less,
            Some("<=") => Relation::LessOrEqual,
            Some("=") => Relation::Equal,
            Some(">=") => Relation::GreaterOrEqual,
            Some(">") => Relation::Greater,
            _ => return Err(Error::new(path, format!("unknown operator {}", pair[0]))),
        };
        let number = pair[1].as_f64();
        let number = number.ok_or_else(|| Error::new(path, format!("{} is no number", pair[1])))?;
        Ok((relation, number))
    };
    Ok(Test::Numeric(pairs.chunks(2).map(bound).collect::<Result<_, _>>()?))
}

fn cidr(operand: &Value, path: &str) -> Result<Test, Error> {
    let malformed = || Error::new(path, "must be an address and a prefix length, as 10.0.0.0/8");
    let (network, length) =
        operand.as_str().and_then(|text| text.split_once('/')).ok_or_else(malformed)?;
    let network = address(network).ok_or_else(malformed)?;
    let length = length.parse().ok().filter(|length| *length <= network.width);
    Ok(Test::Cidr { network, length: length.ok_or_else(malformed)? })
}

fn address(text: &str) -> Option<Address> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => Address { bits: u32::from(address).into(), width: 32 },
        IpAddr::V6(address) => Address { bits: address.into(), width: 128 },
    })
}

impl Test {
    fn accepts(&self, value: &Value) -> bool {
        let text = |accepts: &dyn Fn(&str) -> bool| value.as_str().is_some_and(accepts);
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::Number(wanted) => {
                value.as_f64().is_some_and(|number| Relation::Equal.holds(number, *wanted))
            }
            Self::Exists(wanted) => *wanted,
            Self::Prefix { text: prefix, ignore_case: false } => {
                text(&|text| text.starts_with(prefix.as_str()))
            }
            Self::Prefix { text: prefix, ignore_case: true } => {
                text(&|text| text.to_lowercase().starts_with(&prefix.to_lowercase()))
            }
            Self::Suffix { text: suffix, ignore_case: false } => {
                text(&|text| text.ends_with(suffix.as_str()))
            }
            Self::Suffix { text: suffix, ignore_case: true } => {
                text(&|text| text.to_lowercase().ends_with(&suffix.to_lowercase()))
            }
            Self::EqualsIgnoringCase(wanted) => {
                text(&|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Self::Wildcard(wanted) => {
                text(&|text| wildcard_covers(wanted.as_bytes(), text.as_bytes()))
            }
            Self::Numeric(bounds) => value.as_f64().is_some_and(|number| {
                bounds.iter().all(|(relation, bound)| relation.holds(number, *bound))
            }),
            Self::Cidr { network, length } => {
                text(&|text| address(text).is_some_and(|address| address.is_in(*network, *length)))
            }
            Self::AnythingBut(tests) => !tests.iter().any(|test| test.accepts(value)),
        }
    }
}

impl Relation {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            #[expect(clippy::float_cmp, reason = "both sides are read from JSON")]
            Self::Equal => left == right,
            Self::GreaterOrEqual => left >= right,
            Self::Greater => left > right,
        }
    }
}

impl Address {
    fn is_in(self, network: Self, length: u32) -> bool {
        let shift = network.width - length;
        self.width == network.width && (length == 0 || self.bits >> shift == network.bits >> shift)
    }
}

/// Matching that backs up to the last star only; a backslash takes the next byte as it is.
fn wildcard_covers(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut last_star = None;
    loop {
        let step = match pattern[at..] {
            [] if from == text.len() => return true,
            [] => None,
            [b'*', ..] => {
                at += 1;
                last_star = Some((at, from));
                continue;
            }
            [b'\\', escaped, ..] => Some((escaped, 2)),
            [literal, ..] => Some((literal, 1)),
        };
        match step {
            Some((byte, length)) if text.get(from) == Some(&byte) => {
                at += length;
                from += 1;
            }
            _ => match last_star {
                Some((after_star, taken)) if taken < text.len() => {
                    last_star = Some((after_star, taken + 1));
                    at = after_star;
                    from = taken + 1;
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absence_is_asked_of_the_element_that_the_other_fields_chose() {
        let pattern = json!({"tags": {"key": ["owner"], "value": [{"exists": false}]}});
        let pattern = Pattern::parse(&pattern).expect("a pattern");
        let bare = json!({"tags": [{"key": "team", "value": "a"}, {"key": "owner"}]});
        let full = json!({"tags": [{"key": "team"}, {"key": "owner", "value": "a"}]});
        assert!(pattern.matches(&bare));
        assert!(!pattern.matches(&full));
    }

    #[test]
    fn a_broken_pattern_is_refused_by_the_path_of_what_is_wrong() {
        let refusal =
            |pattern: Value| Pattern::parse(&pattern).expect_err("no pattern").to_string();
        assert_eq!(
            refusal(json!({"detail": {"state": [{"prefx": "RUN"}]}})),
            "event pattern at /detail/state/prefx: unknown comparison"
        );
        assert_eq!(
            refusal(json!({"source": "aws.organizations"})),
            "event pattern at /source: must be an object or an array"
        );
        assert_eq!(
            refusal(json!({})),
            "event pattern at /: must be an object with at least one field"
        );
    }
}
