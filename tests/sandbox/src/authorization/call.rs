//! From a request to its operation, parameters and demands.

use policy::Context;
use serde_json::{Map, Value, json};

use super::cbor;
use super::members;
use super::operations;
use super::protocol::{Api, Protocol, RequestParts, World, cbor_operation, json_operation};
use super::row::{Key, Row};
use super::template::{Place, render};

/// A request that IAM can be asked about.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service as in the signature, such as `states`.
    pub service: String,
    /// The operation's name, such as `StartExecution`.
    pub operation: String,
    /// The Region of the signature.
    pub region: String,
    /// The wire format, in which it is answered too.
    pub protocol: Protocol,
    /// Whether the operation changes something at AWS; taking a session does not.
    pub write: bool,
    /// Whether AWS never asks IAM about it, as for `sts:GetCallerIdentity`.
    pub free: bool,
    /// What IAM is asked, at least one thing.
    pub demands: Vec<Demand>,
    /// The request's parameters.
    pub members: Value,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The IAM action, such as `organizations:MoveAccount`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// The condition keys that the request itself fills.
    pub context: Context,
}

/// Something whose own policy or attributes take part in the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A role that is to be assumed: its trust policy decides.
    Trust(String),
    /// A role or user that is managed: its tags and boundary are condition keys.
    Role(String),
    /// A function that is invoked: its resource policy counts.
    Function(String),
    /// An event bus that gets events: its resource policy counts.
    EventBus(String),
    /// A queue: its resource policy counts.
    Queue(String),
    /// A member account that Organizations is to change: its tags are condition keys.
    Member(String),
}

/// Why a request can't be judged. All of them mean: refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The operation is not in the table.
    #[error(
        "{service}:{operation} is unknown here: \
         add a row to tests/sandbox/src/authorization/operations"
    )]
    NoRow {
        /// The service as in the signature.
        service: String,
        /// The operation, or method and path where only a row could tell it.
        operation: String,
    },
    /// The request names no operation, or its body is broken.
    #[error("the request to {service} can't be read: {reason}")]
    Unreadable {
        /// The service as in the signature.
        service: String,
        /// What is wrong.
        reason: String,
    },
}

impl Call {
    /// Reads a request.
    pub fn of(parts: &RequestParts, world: &World) -> Result<Self, Error> {
        let protocol = Protocol::of(parts);
        let place = Place { parts, world };
        if matches!(parts.service, "execute-api" | "apigateway") {
            return by_path(place, protocol);
        }
        let (row, members) = row_and_members(parts, protocol)?;
        let demands = demands(row, &members, place);
        if demands.is_empty() {
            return Err(unreadable(parts, format!("{} without a resource", row.operation)));
        }
        Ok(Self {
            service: parts.service.to_owned(),
            operation: row.operation.to_owned(),
            region: parts.region.to_owned(),
            protocol,
            write: row.write,
            free: row.free,
            demands,
            members,
        })
    }

    /// The action that the call is known by: that of its first demand.
    pub fn action(&self) -> &str {
        self.demands.first().map_or("", |demand| &demand.action)
    }

    /// The resource of the first demand.
    pub fn resource(&self) -> &str {
        self.demands.first().map_or("*", |demand| &demand.resource)
    }

    /// What must be looked up before the call can be judged.
    pub fn subject(&self) -> Option<Subject> {
        let resource = self.resource().to_owned();
        let is_holder = resource.contains(":role/") || resource.contains(":user/");
        match self.action() {
            "sts:AssumeRole" => Some(Subject::Trust(resource)),
            "lambda:InvokeFunction" => Some(Subject::Function(resource)),
            "events:PutEvents" => Some(Subject::EventBus(resource)),
            action if action.starts_with("sqs:") && resource != "*" => {
                Some(Subject::Queue(resource))
            }
            action if action.starts_with("iam:") && is_holder => Some(Subject::Role(resource)),
            action if self.write && action.starts_with("organizations:") => {
                let is_account = resource.contains(":account/") && !resource.ends_with('*');
                is_account.then_some(Subject::Member(resource))
            }
            _ => None,
        }
    }
}

fn unreadable(parts: &RequestParts, reason: impl Into<String>) -> Error {
    Error::Unreadable { service: parts.service.to_owned(), reason: reason.into() }
}

fn row_and_members(
    parts: &RequestParts,
    protocol: Protocol,
) -> Result<(&'static Row, Value), Error> {
    let no_row = |operation: String| Error::NoRow { service: parts.service.to_owned(), operation };
    let named = |operation: &str| {
        operations::by_name(parts.service, operation).ok_or_else(|| no_row(operation.to_owned()))
    };
    let form = String::from_utf8_lossy(parts.body);
    match protocol {
        Protocol::Json10 | Protocol::Json11 => {
            let operation = json_operation(parts.headers);
            let operation = operation.ok_or_else(|| unreadable(parts, "no X-Amz-Target"))?;
            Ok((named(operation)?, json_body(parts)?.unwrap_or_else(|| json!({}))))
        }
        Protocol::Cbor => {
            let row = named(cbor_operation(parts.path).unwrap_or_default())?;
            let members = match parts.body {
                [] => json!({}),
                body => cbor::decode(body).ok_or_else(|| unreadable(parts, "broken CBOR"))?,
            };
            Ok((row, members))
        }
        Protocol::Query | Protocol::Ec2 => {
            let mut members = members::form(if form.is_empty() { parts.query } else { &form });
            let operation = members.as_object_mut().and_then(|form| form.remove("Action"));
            let operation = operation.as_ref().and_then(Value::as_str);
            let operation = operation.ok_or_else(|| unreadable(parts, "no Action"))?;
            Ok((named(operation)?, members))
        }
        Protocol::RestJson | Protocol::RestXml | Protocol::WrappedXml | Protocol::HttpApi => {
            let found = operations::by_route(parts.service, parts.method, parts.path, parts.query);
            let (row, labels) =
                found.ok_or_else(|| no_row(format!("{} {}", parts.method, parts.path)))?;
            // XML bodies name nothing that IAM is asked about, and an invocation's body is no
            // parameter.
            let is_xml = matches!(protocol, Protocol::RestXml | Protocol::WrappedXml);
            let body = if is_xml || row.operation.starts_with("Invoke") {
                None
            } else {
                json_body(parts)?
            };
            Ok((row, members::rest(labels, parts.query, body)))
        }
    }
}

fn json_body(parts: &RequestParts) -> Result<Option<Value>, Error> {
    if parts.body.is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(parts.body) {
        Ok(body @ Value::Object(_)) => Ok(Some(body)),
        Ok(_) => Err(unreadable(parts, "the body is no JSON object")),
        Err(error) => Err(unreadable(parts, error.to_string())),
    }
}

/// API Gateway asks for `execute-api:Invoke` on method and path, and manages itself the same way.
fn by_path(place: Place, protocol: Protocol) -> Result<Call, Error> {
    let Place { parts, world } = place;
    let (partition, region) = (&world.partition, parts.region);
    let path = parts.path;
    let (action, resource, operation) = match (parts.service, &world.api) {
        ("execute-api", Some(Api { account, id, stage })) => (
            "execute-api:Invoke".to_owned(),
            format!(
                "arn:{partition}:execute-api:{region}:{account}:{id}/{stage}/{}{path}",
                parts.method
            ),
            "Invoke",
        ),
        ("execute-api", None) => return Err(unreadable(parts, "no HTTP API is deployed")),
        _ => (
            format!("apigateway:{}", parts.method),
            format!("arn:{partition}:apigateway:{region}::{path}"),
            parts.method,
        ),
    };
    Ok(Call {
        service: parts.service.to_owned(),
        operation: operation.to_owned(),
        region: region.to_owned(),
        protocol,
        write: !matches!(parts.method, "GET" | "HEAD"),
        free: false,
        demands: vec![Demand { action, resource, context: Context::default() }],
        members: json!({"path": path}),
    })
}

/// Everything that a row asks IAM about, for every element if the row goes through a list.
pub(super) fn demands(row: &Row, members: &Value, place: Place) -> Vec<Demand> {
    let mut demands = Vec::new();
    if row.each.is_empty() {
        demands_of(row, members, place, &mut demands);
    }
    for element in elements(members, row.each) {
        demands_of(row, &element, place, &mut demands);
    }
    demands
}

/// The elements of a list, or `Name` and `Value` of a map's entries.
fn elements(members: &Value, member: &str) -> Vec<Value> {
    match members.get(member) {
        Some(Value::Array(elements)) => elements.clone(),
        Some(Value::Object(entries)) => {
            entries.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
        }
        _ => Vec::new(),
    }
}

fn demands_of(row: &Row, members: &Value, place: Place, demands: &mut Vec<Demand>) {
    let mut add = |action: &str, resource: String, context: &Context| {
        let demand = Demand { action: action.to_owned(), resource, context: context.clone() };
        if !demands.contains(&demand) {
            demands.push(demand);
        }
    };
    let context = context(row.keys, members, place);
    let mut resources: Vec<String> =
        row.resources.iter().flat_map(|template| render(template, members, place)).collect();
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    if let Some(action) = row.action {
        let action = match action {
            "" => format!("{}:{}", operations::prefix(place.parts.service), row.operation),
            action => action.to_owned(),
        };
        for resource in &resources {
            add(&action, resource.clone(), &context);
        }
    }
    let tagged = context.get("aws:TagKeys").is_some();
    if tagged && !row.tagging.is_empty() {
        for resource in &resources {
            add(row.tagging, resource.clone(), &context);
        }
    }
    for also in row.also {
        if members::at(members, also.when).is_empty() {
            continue;
        }
        let mut context = context.clone();
        context.extend(&self::context(also.keys, members, place));
        for resource in render(also.resource, members, place) {
            add(also.action, resource, &context);
        }
    }
}

fn context(keys: &[Key], members: &Value, place: Place) -> Context {
    let mut context = Context::default();
    for key in keys {
        match key {
            Key::One(name, template) => {
                if let Some(value) = render(template, members, place).into_iter().next() {
                    context.set(name, value);
                }
            }
            Key::Many(name, template) => context.set_all(name, render(template, members, place)),
            Key::Tags(path) => {
                let tags = tags(members, path);
                for (name, value) in &tags {
                    context.set(&format!("aws:RequestTag/{name}"), value);
                }
                context.set_all("aws:TagKeys", tags.into_iter().map(|(name, _)| name));
            }
            Key::TagKeys(path) => context.set_all("aws:TagKeys", members::texts(members, path)),
            Key::Leading(path) => {
                let keys = members::at(members, path);
                context.set_all("dynamodb:LeadingKeys", keys.into_iter().filter_map(partition_key));
            }
            Key::LeadingQuery => {
                context.set_all("dynamodb:LeadingKeys", queried_partition_key(members));
            }
        }
    }
    context
}

/// Tags as a list of pairs, however the service spells them, or as a map.
fn tags(members: &Value, path: &str) -> Vec<(String, String)> {
    let either =
        |tag: &Value, names: [&str; 2]| names.iter().find_map(|name| members::text(tag.get(name)?));
    let pair = |tag: &Value| {
        Some((either(tag, ["Key", "key"])?, either(tag, ["Value", "value"]).unwrap_or_default()))
    };
    let mut tags = Vec::new();
    for tag in members::at(members, path) {
        match (pair(tag), tag) {
            (Some(pair), _) => tags.push(pair),
            (None, Value::Object(map)) => tags.extend(map_of_tags(map)),
            _ => {}
        }
    }
    tags
}

fn map_of_tags(map: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    map.iter().filter_map(|(name, value)| Some((name.clone(), members::text(value)?)))
}

/// The value of attribute `pk`, or of the only attribute that a key has.
fn partition_key(item: &Value) -> Option<String> {
    let item = item.as_object()?;
    let only = || item.values().next().filter(|_| item.len() == 1);
    attribute(item.get("pk").or_else(only)?)
}

fn attribute(value: &Value) -> Option<String> {
    value.as_object()?.values().next().and_then(members::text)
}

/// The value that a key condition expression compares its first key with.
fn queried_partition_key(members: &Value) -> Option<String> {
    let expression = members.get("KeyConditionExpression")?.as_str()?;
    let (_, after) = expression.split_once('=')?;
    let end = |character: char| character.is_whitespace() || character == ')';
    let placeholder = after.trim_start().split(end).next()?;
    attribute(members.get("ExpressionAttributeValues")?.get(placeholder)?)
}
