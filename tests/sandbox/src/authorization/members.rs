//! A request's parameters as one JSON document, whatever protocol carried them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The parameters of a form: `Tags.member.1.Key` becomes an array under `Tags`.
pub(super) fn form(text: &str) -> Value {
    let mut tree = Value::Object(Map::new());
    for (name, value) in pairs(text) {
        let steps: Vec<&str> = name.split('.').collect();
        insert(&mut tree, &steps, value);
    }
    listed(tree)
}

/// The parameters of a REST request: labels of the path, then the query, then the body.
pub(super) fn rest(labels: Vec<(String, String)>, query: &str, body: Option<Value>) -> Value {
    let mut members = match body {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let mut queried: Map<String, Value> = Map::new();
    for (name, value) in pairs(query) {
        match queried.get_mut(&name) {
            Some(Value::Array(values)) => values.push(Value::String(value)),
            Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
            None => {
                queried.insert(name, Value::String(value));
            }
        }
    }
    members.extend(queried);
    members.extend(labels.into_iter().map(|(name, value)| (name, Value::String(value))));
    Value::Object(members)
}

/// All values at a dotted path, through every array on the way.
pub(super) fn at<'m>(members: &'m Value, path: &str) -> Vec<&'m Value> {
    let mut found = vec![members];
    for step in path.split('.') {
        found = found.into_iter().flat_map(elements).filter_map(|value| value.get(step)).collect();
    }
    found.into_iter().flat_map(elements).filter(|value| !value.is_null()).collect()
}

/// The texts at a dotted path; numbers and truth values count as their text.
pub(super) fn texts(members: &Value, path: &str) -> Vec<String> {
    at(members, path).into_iter().filter_map(text).collect()
}

/// A scalar as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A percent-encoded text, decoded.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(elements).collect(),
        value => vec![value],
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(&value.replace('+', " ")))
    })
}

fn insert(tree: &mut Value, steps: &[&str], value: String) {
    let Some((first, rest)) = steps.split_first() else {
        *tree = Value::String(value);
        return;
    };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    if let Value::Object(object) = tree {
        insert(object.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// Objects whose keys are numbers become arrays; the words `member` and `entry` vanish.
fn listed(value: Value) -> Value {
    let Value::Object(mut object) = value else { return value };
    if object.len() == 1
        && let Some(inner) = object.remove("member").or_else(|| object.remove("entry"))
    {
        return listed(inner);
    }
    let numbered: Option<Vec<usize>> = object.keys().map(|key| key.parse().ok()).collect();
    match numbered {
        Some(mut numbers) if !numbers.is_empty() => {
            numbers.sort_unstable();
            let take = |number: usize| object.remove(&number.to_string()).map(listed);
            Value::Array(numbers.into_iter().filter_map(take).collect())
        }
        _ => object.into_iter().map(|(key, value)| (key, listed(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_becomes_nested_members() {
        let text = "Action=CreateRole&RoleName=a%2Fb+c&Tags.member.1.Key=k&Tags.member.1.Value=v\
                    &Tags.member.2.Key=l&Filter.1.Value.1=x";
        let members = form(text);
        assert_eq!(
            members,
            json!({
                "Action": "CreateRole", "RoleName": "a/b c",
                "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}],
                "Filter": [{"Value": ["x"]}],
            })
        );
        assert_eq!(texts(&members, "Tags.Key"), ["k", "l"]);
    }

    #[test]
    fn labels_win_over_query_and_query_over_body() {
        let labels = vec![("FunctionName".to_owned(), "f".to_owned())];
        let body = Some(json!({"FunctionName": "g", "Qualifier": "1", "Role": "r"}));
        assert_eq!(
            rest(labels, "Qualifier=2&tagKeys=a&tagKeys=b", body),
            json!({"FunctionName": "f", "Qualifier": "2", "Role": "r", "tagKeys": ["a", "b"]})
        );
    }
}
