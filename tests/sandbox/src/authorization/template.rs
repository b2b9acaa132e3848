//! Texts with `{members}` of the request and `<parts>` of its surroundings.

use serde_json::Value;

use super::members;
use super::protocol::{RequestParts, World};

/// Where a request happens, as far as ARNs say it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub parts: &'a RequestParts<'a>,
    pub world: &'a World,
}

/// A text being built; an ARN given in place of a name ends it.
#[derive(Clone)]
struct Text {
    built: String,
    complete: bool,
}

/// All texts that a template stands for, one for each value of its members; none if a member is
/// missing. Templates joined by ` || ` are tried in order.
pub(super) fn render(template: &str, members: &Value, place: Place) -> Vec<String> {
    template
        .split(" || ")
        .map(|choice| render_one(choice, members, place))
        .find(|texts| !texts.is_empty())
        .unwrap_or_default()
}

fn render_one(template: &str, members: &Value, place: Place) -> Vec<String> {
    let arn = template.starts_with("arn:");
    let mut texts = vec![Text { built: String::new(), complete: false }];
    let mut rest = template;
    while let Some(start) = rest.find(['{', '<']) {
        let close = if rest[start..].starts_with('{') { '}' } else { '>' };
        let Some(length) = rest[start..].find(close) else { break };
        let (literal, name) = (&rest[..start], &rest[start + 1..start + length]);
        let values = match close {
            '}' => member(name, members, place, arn),
            _ => vec![(surrounding(name, place).to_owned(), false)],
        };
        texts = texts
            .iter()
            .flat_map(|text| values.iter().map(|value| text.with(literal, value)))
            .collect();
        rest = &rest[start + length + 1..];
    }
    texts
        .into_iter()
        .map(|text| if text.complete { text.built } else { text.built + rest })
        .collect()
}

impl Text {
    fn with(&self, literal: &str, (value, whole): &(String, bool)) -> Self {
        match (self.complete, whole) {
            (true, _) => self.clone(),
            (false, true) => Self { built: value.clone(), complete: true },
            (false, false) => {
                Self { built: format!("{}{literal}{value}", self.built), complete: false }
            }
        }
    }
}

/// `Path.To.Member|filter=default`: its values, and whether each is an ARN that replaces the rest.
fn member(spelled: &str, members: &Value, place: Place, in_arn: bool) -> Vec<(String, bool)> {
    let (spelled, default) = match spelled.split_once('=') {
        Some((spelled, default)) => (spelled, Some(default)),
        None => (spelled, None),
    };
    let (path, filter) = match spelled.split_once('|') {
        Some((path, filter)) => (path, Some(filter)),
        None => (spelled, None),
    };
    let mut values = members::texts(members, path);
    if values.is_empty() {
        values.extend(default.map(str::to_owned));
    }
    values
        .into_iter()
        .map(|value| {
            if let Some(filter) = filter {
                return filtered(filter, &value, place);
            }
            let whole = in_arn && value.starts_with("arn:");
            (value, whole)
        })
        .collect()
}

fn surrounding<'a>(name: &str, place: Place<'a>) -> &'a str {
    match name {
        "partition" => &place.world.partition,
        "region" => place.parts.region,
        "account" => place.parts.account,
        "organization" => &place.world.organization,
        "management" => &place.world.management,
        _ => "",
    }
}

fn filtered(filter: &str, value: &str, place: Place) -> (String, bool) {
    let last = |value: &str| value.rsplit('/').next().unwrap_or_default().to_owned();
    let is_arn = value.starts_with("arn:");
    match filter {
        // The id of an account, unit, root or policy.
        "organizations" => (organizations_arn(value, place), false),
        // A name, a partial or whole ARN, perhaps with a qualifier.
        "function" | "stackset" | "secret" if is_arn => (value.to_owned(), true),
        "function" => (value.rsplit("function:").next().unwrap_or_default().to_owned(), false),
        // `https://…/ACCOUNT/NAME`.
        "queue" => {
            let mut steps = value.rsplit('/');
            let (name, account) = (steps.next(), steps.next());
            let account = account.filter(|account| !account.is_empty());
            let account = account.unwrap_or(place.parts.account);
            (format!("{account}:{}", name.unwrap_or_default()), false)
        }
        // The bus in a rule's ARN, where the default bus is left out.
        "bus" => match last(value).as_str() {
            "default" => (String::new(), false),
            name => (format!("{name}/"), false),
        },
        // `NAME` or `NAME:ID`.
        "stackset" => (value.split(':').next().unwrap_or_default().to_owned(), false),
        // Whose a StackSet is: the management account's, for whom a delegated administrator calls.
        "administrator" if value == "DELEGATED_ADMIN" => (place.world.management.clone(), false),
        "administrator" => (place.parts.account.to_owned(), false),
        // A key's id, its ARN, or an alias, whose key only KMS knows.
        "key" if value.contains("alias/") => ("*".to_owned(), false),
        "key" if is_arn => (value.to_owned(), true),
        // AWS appends six random characters to a secret's name.
        "secret" => (format!("{value}-??????"), false),
        "log_group" => (
            value.rsplit("log-group:").next().unwrap_or_default().trim_end_matches(":*").to_owned(),
            false,
        ),
        "policy_type" => (value.to_lowercase(), false),
        "host" => (value.trim_start_matches("https://").to_owned(), false),
        "relative" => (value.trim_start_matches('/').to_owned(), false),
        "last" => (last(value), false),
        _ => (value.to_owned(), false),
    }
}

fn organizations_arn(id: &str, place: Place) -> String {
    let World { partition, organization, management, .. } = place.world;
    let start = format!("arn:{partition}:organizations::{management}");
    match id.split_once('-') {
        _ if id.starts_with("arn:") => id.to_owned(),
        Some(("ou", _)) => format!("{start}:ou/{organization}/{id}"),
        Some(("r", _)) => format!("{start}:root/{organization}/{id}"),
        // AWS's own policies belong to nobody.
        Some(("p", name)) if name.starts_with("Full") || name.starts_with("RCPFull") => {
            format!("arn:{partition}:organizations::aws:policy/service_control_policy/{id}")
        }
        Some(("p", _)) => format!("{start}:policy/{organization}/service_control_policy/{id}"),
        _ => format!("{start}:account/{organization}/{id}"),
    }
}
