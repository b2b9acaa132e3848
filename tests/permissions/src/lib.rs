//! Writes what follows from the code, and holds it to it: policies, templates, the API's document.
//!
//! `infra/policies/<step>.json` shows what each step may do, and `infra/policies/declared.json` all declarations as they
//! were made, which `landfall doctor` holds against the roles that exist. The templates' regions between `# generated: …` and
//! `# end` are the roles that sessions are taken from, and the policy that is left after the downgrade.

use std::{fs, path::Path};

use serde_json::{Value, json};
use step::{Class, Half, Permission, Place, Site, Step, document, statements};

/// Everybody who declares permissions.
#[must_use]
pub fn declared() -> Vec<(&'static str, &'static [Permission])> {
    fn of<S: Step>() -> (&'static str, &'static [Permission]) {
        (S::NAME, S::PERMISSIONS)
    }
    vec![
        of::<create_account::CreateAccount>(),
        of::<place_account::PlaceAccount>(),
        of::<prepare_account::PrepareAccount>(),
        of::<deploy_access_stack::DeployAccessStack>(),
        of::<roll_out_access::RollOutAccess>(),
        of::<downgrade_access_role::DowngradeAccessRole>(),
        of::<enrol_account::EnrolAccount>(),
        of::<roll_out_stacks::RollOutStacks>(),
        of::<baseline_regions::BaselineRegions>(),
        of::<raise_quotas::RaiseQuotas>(),
        of::<verify_baseline::VerifyBaseline>(),
        of::<grant_access::GrantAccess>(),
        of::<name_account::NameAccount>(),
        of::<close_account::CloseAccount>(),
        ("intake", intake::PERMISSIONS),
        ("adopt", intake::ADOPTION_PERMISSIONS),
        ("restore", intake::RESTORATION_PERMISSIONS),
        ("survey", survey::PERMISSIONS),
    ]
}

/// A file and what should stand in it.
#[derive(Debug)]
pub struct Written {
    /// The file's path inside the project.
    pub path: String,
    /// What should stand in it.
    pub text: String,
}

/// All files as they should be; `root` is the project's folder.
#[must_use]
pub fn files(root: &Path) -> Vec<Written> {
    let mut files: Vec<Written> = declared()
        .into_iter()
        .map(|(name, permissions)| Written {
            path: format!("infra/policies/{name}.json"),
            text: format!("{:#}\n", policy(permissions)),
        })
        .collect();
    files.push(Written { path: "infra/policies/declared.json".to_owned(), text: all() });
    for path in [
        "infra/accounts/management.yaml",
        "infra/template.yaml",
        "infra/stacksets/landfall-access.yaml",
    ] {
        let text = fs::read_to_string(root.join(path)).unwrap_or_default();
        files.push(Written { path: path.to_owned(), text: regenerated(&text) });
    }
    let text = format!("{:#}\n", intake::openapi());
    files.push(Written { path: "docs/openapi.json".to_owned(), text });
    files
}

/// Every declaration on a line of its own.
fn all() -> String {
    let name = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
    let lines: Vec<String> = declared()
        .into_iter()
        .flat_map(|(step, permissions)| permissions.iter().map(move |one| (step, one)))
        .map(|(step, one)| {
            json!({
                "step": step, "site": name(&one.site), "half": name(&one.half), "class": name(&one.class),
                "action": one.action, "resource": one.resource, "condition": one.condition
            })
            .to_string()
        })
        .collect();
    format!("[\n  {}\n]\n", lines.join(",\n  "))
}

/// One step's permissions as a policy, with a statement id that says where and when they are needed.
fn policy(permissions: &[Permission]) -> Value {
    let place = Place::with(vec![
        ("${Partition}", "aws".to_owned()),
        ("${Management}", "111111111111".to_owned()),
        ("${Automation}", "123456789012".to_owned()),
        ("${Account}", "222222222222".to_owned()),
        ("${AccessRole}", "OrganizationAccountAccessRole".to_owned()),
        ("${ExecutionRole}", "AWSCloudFormationStackSetExecutionRole".to_owned()),
        ("${Region}", "eu-central-1".to_owned()),
    ]);
    let mut all = Vec::new();
    for site in [Site::Automation, Site::Management, Site::Closing, Site::Member] {
        for half in [Half::Look, Half::Act] {
            for class in [Class::Life, Class::Birth] {
                let these = permissions.iter().filter(|permission| {
                    (permission.site, permission.half, permission.class) == (site, half, class)
                });
                for (number, mut statement) in statements(these, &place).into_iter().enumerate() {
                    statement["Sid"] = format!("{site:?}{half:?}{class:?}{}", number + 1).into();
                    all.push(statement);
                }
            }
        }
    }
    document(all)
}

/// A template with its generated regions written anew.
#[must_use]
pub fn regenerated(template: &str) -> String {
    let mut written = String::new();
    let mut skipping = false;
    for line in template.split_inclusive('\n') {
        let words = line.trim();
        if words == "# end" {
            skipping = false;
        }
        if !skipping {
            written.push_str(line);
        }
        if let Some(region) = words.strip_prefix("# generated: ") {
            let indent = line.len() - line.trim_start().len();
            written.push_str(&yaml(&region_statements(region), indent));
            skipping = true;
        }
    }
    written
}

fn region_statements(region: &str) -> Vec<Value> {
    // The management account's roles work on every tenant's account; their sessions on one.
    let account = if region.starts_with("management") { "*" } else { "${AWS::AccountId}" };
    // The management account's template calls that account its own, the automation account's by a parameter.
    let in_automation = region.starts_with("automation");
    let management = if in_automation { "${ManagementAccountId}" } else { "${AWS::AccountId}" };
    let place = Place::with(vec![
        ("${Partition}", "${AWS::Partition}".to_owned()),
        ("${Management}", management.to_owned()),
        ("${Automation}", "${AWS::AccountId}".to_owned()),
        ("${Account}", account.to_owned()),
        ("${AccessRole}", "${AccessRolePath}${AccessRoleName}".to_owned()),
        ("${ExecutionRole}", "${ExecutionRoleName}".to_owned()),
        ("${Region}", "${AWS::Region}".to_owned()),
    ]);
    let belongs = |permission: &Permission| match region {
        _ if permission.action == BY_HAND => false,
        "management look" => permission.site == Site::Management && permission.half == Half::Look,
        "management act" => permission.site == Site::Management,
        "automation look" => permission.site == Site::Automation && permission.half == Half::Look,
        "automation act" => permission.site == Site::Automation && permission.half == Half::Act,
        "life" => permission.site == Site::Member && permission.class == Class::Life,
        _ => false,
    };
    let all = declared();
    let these = |half: Half| {
        let of_half = all
            .iter()
            .flat_map(|(_, permissions)| *permissions)
            .filter(|permission| permission.half == half && belongs(permission));
        statements(of_half, &place)
    };
    // The organization's units may all be read; a parameter says between which of them accounts are moved.
    match region {
        "automation look" | "automation act" => {
            these(Half::Look).into_iter().chain(these(Half::Act)).flat_map(limited).collect()
        }
        "management act" => {
            let acts = these(Half::Act).into_iter().flat_map(limited);
            these(Half::Look).into_iter().chain(acts).collect()
        }
        _ => {
            let every = all.iter().flat_map(|(_, permissions)| *permissions);
            statements(every.filter(|permission| belongs(permission)), &place)
        }
    }
}

/// An action that a foundation allows or not: its statement is written by hand, under a condition.
const BY_HAND: &str = "organizations:CreateOrganizationalUnit";

/// Resources that a parameter of the template may narrow: the end of the ARN, the condition under which there is no
/// limit, and the parameter.
const LIMITS: [(&str, &str, &str); 2] = [
    (":ou/o-*/ou-*", "EveryUnit", "OrganizationalUnits"),
    (":stackset/*", "EveryStackSet", "StackSets"),
];

/// A statement, with each resource that a parameter may narrow in one of its own.
fn limited(statement: Value) -> Vec<Value> {
    let resources = match &statement["Resource"] {
        Value::Array(resources) => resources.clone(),
        one => vec![one.clone()],
    };
    let limit = |resource: &Value| {
        let arn = resource.as_str().unwrap_or_default();
        LIMITS.iter().find(|(end, ..)| arn.ends_with(end))
    };
    let (narrowed, free): (Vec<Value>, Vec<Value>) =
        resources.into_iter().partition(|resource| limit(resource).is_some());
    let with = |resource: Value| {
        let mut one = statement.clone();
        one["Resource"] = resource;
        one
    };
    let mut found: Vec<Value> = narrowed
        .into_iter()
        .map(|arn| {
            let limit = limit(&arn).map(|(_, condition, parameter)| (condition, parameter));
            with(json!({ "Limit": limit, "Resource": arn }))
        })
        .collect();
    match free.as_slice() {
        [] => {}
        [one] => found.push(with(one.clone())),
        _ => found.push(with(free.into())),
    }
    found
}

/// Statements as the YAML of a template; a text with a variable becomes `!Sub`.
fn yaml(statements: &[Value], indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines = Vec::new();
    for statement in statements {
        lines.push(format!("- Effect: {}", text(&statement["Effect"])));
        for element in ["Action", "Resource"] {
            match &statement[element] {
                Value::Array(values) => {
                    lines.push(format!("  {element}:"));
                    lines.extend(values.iter().map(|value| format!("    - {}", text(value))));
                }
                Value::Object(narrowed) => {
                    let name =
                        |number: usize| narrowed["Limit"][number].as_str().unwrap_or_default();
                    lines.push(format!("  {element}: !If"));
                    lines.push(format!("    - {}", name(0)));
                    lines.push(format!("    - {}", text(&narrowed["Resource"])));
                    lines.push(format!("    - !Ref {}", name(1)));
                }
                value => lines.push(format!("  {element}: {}", text(value))),
            }
        }
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            lines.push("  Condition:".to_owned());
            for (key, value) in keys.as_object().into_iter().flatten() {
                lines.push(format!("    {operator}: {{\"{key}\": {}}}", quoted(value)));
            }
        }
    }
    lines.into_iter().flat_map(|line| [margin.clone(), line, "\n".to_owned()]).collect()
}

fn text(value: &Value) -> String {
    match value.as_str().unwrap_or_default() {
        "*" => "\"*\"".to_owned(),
        text if text.contains("${") => format!("!Sub {text}"),
        text => text.to_owned(),
    }
}

fn quoted(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if text.contains("${") { format!("!Sub \"{text}\"") } else { format!("\"{text}\"") }
}
