//! The policy language: a JSON document becomes statements that can be asked.

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::decision::Effect;
use crate::pattern::{Pattern, Syntax};
use crate::principal::{Naming, Principal, closest};
use crate::request::Request;

/// Why a document is no policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Error {
    /// The element at fault, such as `Statement[0].Condition.StringEquals`.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Error {
    pub(crate) fn new(path: &str, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// A policy document, compiled.
#[derive(Debug)]
pub struct Document {
    pub(crate) statements: Vec<Statement>,
}

/// One statement; its parts are asked one after the other.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    actions: Except<Pattern>,
    /// Absent in trust policies, where the role itself is meant.
    resources: Option<Except<Pattern>>,
    principals: Option<Except<Principal>>,
    conditions: Vec<Condition>,
}

/// An element or its `Not…` form.
#[derive(Debug)]
struct Except<T> {
    listed: Vec<T>,
    inverted: bool,
}

impl Document {
    /// Compiles a document; version 2008-10-17, also the default, knows no variables.
    pub fn parse(value: &Value) -> Result<Self, Error> {
        let document = object(value, "policy", &["Version", "Id", "Statement"])?;
        let variables = match document.get("Version").map(|version| version.as_str()) {
            Some(Some("2012-10-17")) => true,
            None | Some(Some("2008-10-17")) => false,
            Some(_) => return Err(Error::new("Version", "must be 2012-10-17 or 2008-10-17")),
        };
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(Error::new("Statement", "must be a statement or a list of them")),
        };
        let parse = |(index, statement)| {
            Statement::parse(statement, variables, &format!("Statement[{index}]"))
        };
        let statements = statements.into_iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

impl Statement {
    fn parse(value: &Value, variables: bool, path: &str) -> Result<Self, Error> {
        let statement = object(value, path, &STATEMENT_ELEMENTS)?;
        let effect = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(Error::new(&format!("{path}.Effect"), "must be Allow or Deny")),
        };
        let actions = either(statement, "Action", "NotAction", path, |value, path| {
            let syntax = Syntax { variables: false, wildcards: true };
            let parse = |action: String| Pattern::parse(&action.to_lowercase(), syntax, path);
            strings(value, path)?.into_iter().map(parse).collect()
        })?
        .ok_or_else(|| Error::new(path, "needs Action or NotAction"))?;
        let resources = either(statement, "Resource", "NotResource", path, |value, path| {
            let parse = |arn: String| resource(&arn, variables, path);
            strings(value, path)?.into_iter().map(parse).collect()
        })?;
        let principals = either(statement, "Principal", "NotPrincipal", path, Principal::parse)?;
        let conditions = match statement.get("Condition") {
            None => Vec::new(),
            Some(value) => conditions(value, variables, &format!("{path}.Condition"))?,
        };
        Ok(Self { effect, actions, resources, principals, conditions })
    }

    /// Whether the statement speaks about the request, whoever makes it.
    pub(crate) fn applies(&self, request: &Request) -> bool {
        let action = request.action;
        self.actions.includes(|pattern| pattern.matches(action, request.context))
            && self.resources.as_ref().is_none_or(|resources| {
                resources.includes(|pattern| match request.resource {
                    "*" => pattern.is_star(),
                    arn => pattern.matches(arn, request.context),
                })
            })
            && self.conditions.iter().all(|condition| condition.holds(request.context))
    }

    /// How the statement names the caller; one without principals names nobody.
    pub(crate) fn names(&self, request: &Request, bounded: bool) -> Naming {
        let Some(principals) = &self.principals else { return Naming::Not };
        let naming = closest(&principals.listed, request.caller);
        if !principals.inverted {
            return naming;
        }
        // Documented: NotPrincipal with Deny denies every principal that has a boundary,
        // whomever it lists.
        let always = bounded && self.effect == Effect::Deny;
        if naming >= Naming::Role && !always { Naming::Not } else { Naming::Itself }
    }
}

impl<T> Except<T> {
    fn includes(&self, hit: impl Fn(&T) -> bool) -> bool {
        self.listed.iter().any(hit) != self.inverted
    }
}

fn object<'v>(
    value: &'v Value,
    path: &str,
    known: &[&str],
) -> Result<&'v Map<String, Value>, Error> {
    let object = value.as_object().ok_or_else(|| Error::new(path, "must be an object"))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Error::new(&format!("{path}.{key}"), "unknown element")),
        None => Ok(object),
    }
}

fn either<T>(
    statement: &Map<String, Value>,
    element: &str,
    inverse: &str,
    path: &str,
    parse: impl Fn(&Value, &str) -> Result<Vec<T>, Error>,
) -> Result<Option<Except<T>>, Error> {
    let (name, value, inverted) = match (statement.get(element), statement.get(inverse)) {
        (None, None) => return Ok(None),
        (Some(value), None) => (element, value, false),
        (None, Some(value)) => (inverse, value, true),
        (Some(_), Some(_)) => {
            return Err(Error::new(path, format!("{element} and {inverse} exclude each other")));
        }
    };
    Ok(Some(Except { listed: parse(value, &format!("{path}.{name}"))?, inverted }))
}

fn resource(arn: &str, variables: bool, path: &str) -> Result<Pattern, Error> {
    // A variable counts only after the fifth colon.
    let head = arn.match_indices(':').nth(4).map_or(arn.len(), |(index, _)| index);
    let variables = variables && !arn[..head].contains("${");
    Pattern::parse(arn, Syntax { variables, wildcards: true }, path)
}

fn conditions(value: &Value, variables: bool, path: &str) -> Result<Vec<Condition>, Error> {
    let operators = value.as_object().ok_or_else(|| Error::new(path, "must be an object"))?;
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let path = format!("{path}.{operator}");
        let keys = keys.as_object().ok_or_else(|| Error::new(&path, "must be an object"))?;
        for (key, values) in keys {
            let values = strings(values, &format!("{path}.{key}"))?;
            conditions.push(Condition::parse(operator, key, &values, variables, &path)?);
        }
    }
    Ok(conditions)
}

/// One text or a list of them; numbers and truth values count as their text.
pub(crate) fn strings(value: &Value, path: &str) -> Result<Vec<String>, Error> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Error::new(path, "must be a text or a list of texts")),
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(statement: Value) -> String {
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        Document::parse(&document).expect_err("no policy").to_string()
    }

    #[test]
    fn a_broken_document_is_refused_by_the_path_of_what_is_wrong() {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let with = |key: &str, value: Value| {
            let mut statement = allow.clone();
            statement[key] = value;
            refusal(statement)
        };
        assert_eq!(with("Effect", json!("allow")), "Statement[0].Effect: must be Allow or Deny");
        assert_eq!(with("Efect", json!("Allow")), "Statement[0].Efect: unknown element");
        assert_eq!(
            with("NotAction", json!("*")),
            "Statement[0]: Action and NotAction exclude each other"
        );
        assert_eq!(
            with("Principal", json!({"Aws": "*"})),
            "Statement[0].Principal.Aws: unknown kind of principal"
        );
        assert_eq!(
            with("Condition", json!({"StringIs": {"a": "b"}})),
            "Statement[0].Condition.StringIs: unknown condition operator"
        );
        assert_eq!(
            with("Condition", json!({"StringEquals": {"a": {}}})),
            "Statement[0].Condition.StringEquals.a: must be a text or a list of texts"
        );
        assert_eq!(refusal(json!({"Effect": "Allow"})), "Statement[0]: needs Action or NotAction");
        assert_eq!(
            Document::parse(&json!({"Version": "2026-01-01", "Statement": []}))
                .expect_err("no such version")
                .to_string(),
            "Version: must be 2012-10-17 or 2008-10-17"
        );
    }
}
