//! The whole table, written out with each member's name as its value.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::call::demands;
use super::super::operations::all;
use super::super::row::{Key, Row};
use super::super::template::Place;
use super::{AUTOMATION, NO_HEADERS, WORLD, parts};

const EXPECTED: &str = include_str!("../../../tests/vectors/operations.txt");

/// The value that stands for a member: its name, in the form that its filter wants.
fn sample(path: &str, filter: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    match (name, filter) {
        ("Path", _) => "/Path/".to_owned(),
        ("AliasName", _) => format!("alias/{name}"),
        ("PolicyId", _) => format!("p-{name}"),
        ("RootId", _) => format!("r-{name}"),
        ("OrganizationalUnitId", _) | (_, "organizations") => format!("ou-{name}"),
        (_, "queue") => format!("http://localhost/{AUTOMATION}/{name}"),
        _ => name.to_owned(),
    }
}

fn put(members: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            members.entry(path).or_insert(value);
        }
        Some((first, rest)) => {
            let inner = members.entry(first).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn put_template(members: &mut Map<String, Value>, template: &str) {
    for spelled in template.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let spelled = spelled.split('=').next().unwrap_or(spelled);
        let (path, filter) = spelled.split_once('|').unwrap_or((spelled, ""));
        put(members, path, Value::String(sample(path, filter)));
    }
}

fn put_keys(members: &mut Map<String, Value>, keys: &[Key]) {
    for key in keys {
        match key {
            Key::One(_, template) | Key::Many(_, template) => put_template(members, template),
            Key::Tags(path) => put(members, path, json!([{"Key": "tag", "Value": "value"}])),
            Key::TagKeys(path) => put(members, path, json!(["tag"])),
            Key::Leading(path) => put(members, path, json!({"pk": {"S": "key"}})),
            Key::LeadingQuery => {}
        }
    }
}

fn sample_members(row: &Row) -> Value {
    let mut members = Map::new();
    row.resources.iter().for_each(|template| put_template(&mut members, template));
    put_keys(&mut members, row.keys);
    for also in row.also {
        put_keys(&mut members, also.keys);
        put_template(&mut members, also.resource);
        if !members.contains_key(also.when) {
            put(&mut members, also.when, Value::String(sample(also.when, "")));
        }
    }
    let members = Value::Object(members);
    if row.each.is_empty() { members } else { json!({row.each: [members]}) }
}

#[test]
fn every_row_asks_about_what_the_table_of_vectors_says() {
    let mut found = String::new();
    for (service, row) in all() {
        let parts = parts(service, AUTOMATION, &NO_HEADERS);
        let place = Place { parts: &parts, world: &WORLD };
        let kind = if row.write { "write" } else { "read" };
        for demand in demands(row, &sample_members(row), place) {
            let (action, resource) = (demand.action, demand.resource);
            let line = [service, row.operation, kind, &action, &resource].join(" ");
            found += &line;
            found += "\n";
        }
    }
    let missing: Vec<&str> =
        found.lines().filter(|line| !EXPECTED.lines().any(|known| known == *line)).collect();
    let gone: Vec<&str> =
        EXPECTED.lines().filter(|line| !found.lines().any(|known| known == *line)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "tests/vectors/operations.txt lacks these lines:\n{}\nand should not have these:\n{}",
        missing.join("\n"),
        gone.join("\n")
    );
}

#[test]
fn an_operation_has_one_row_and_each_row_a_whole_arn() {
    let mut seen = HashSet::new();
    for (service, row) in all() {
        assert!(seen.insert((service, row.operation)), "{service}:{} twice", row.operation);
        let parts = parts(service, AUTOMATION, &NO_HEADERS);
        let place = Place { parts: &parts, world: &WORLD };
        let demands = demands(row, &sample_members(row), place);
        assert!(!demands.is_empty(), "{service}:{} asks about nothing", row.operation);
        for demand in demands {
            let broken = demand.resource.contains(['{', '}', '<', '>', '|']);
            assert!(!broken, "{service}:{}: {}", row.operation, demand.resource);
        }
    }
}

#[test]
fn rows_with_a_route_are_found_by_it() {
    use super::super::operations::by_route;
    for (service, row) in all().filter(|(_, row)| !row.route.is_empty()) {
        let (method, path) = row.route.split_once(' ').expect("a method");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.replace(['{', '}', '+'], "");
        let (found, _) = by_route(service, method, &path, query).expect("a row");
        assert_eq!(found.operation, row.operation, "{service} {}", row.route);
    }
}
