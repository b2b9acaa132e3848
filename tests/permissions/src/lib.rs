//! Writes policies and templates from what the steps declare, and holds them to it.
//!
//! `infra/policies/<step>.json` shows what each step may do. The templates' regions between `# generated: …` and
//! `# end` are the roles that sessions are taken from, and the policy that is left after the downgrade.

use std::{fs, path::Path};

use serde_json::Value;
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
        of::<roll_out_access::RollOutAccess>(),
        of::<downgrade_access_role::DowngradeAccessRole>(),
        of::<roll_out_stacks::RollOutStacks>(),
        ("intake", intake::PERMISSIONS),
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
    for path in [
        "infra/accounts/management.yaml",
        "infra/template.yaml",
        "infra/stacksets/landfall-access.yaml",
    ] {
        let text = fs::read_to_string(root.join(path)).unwrap_or_default();
        files.push(Written { path: path.to_owned(), text: regenerated(&text) });
    }
    files
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
    for site in [Site::Automation, Site::Management, Site::Member] {
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
    let place = Place::with(vec![
        ("${Partition}", "${AWS::Partition}".to_owned()),
        ("${Management}", "${AWS::AccountId}".to_owned()),
        ("${Automation}", "${AWS::AccountId}".to_owned()),
        ("${Account}", "${AWS::AccountId}".to_owned()),
        ("${AccessRole}", "${AccessRoleName}".to_owned()),
        ("${ExecutionRole}", "${ExecutionRoleName}".to_owned()),
        ("${Region}", "${AWS::Region}".to_owned()),
    ]);
    let belongs = |permission: &Permission| match region {
        "management look" => permission.site == Site::Management && permission.half == Half::Look,
        "management act" => permission.site == Site::Management,
        "automation look" => permission.site == Site::Automation && permission.half == Half::Look,
        "automation act" => permission.site == Site::Automation && permission.half == Half::Act,
        "life" => permission.site == Site::Member && permission.class == Class::Life,
        _ => false,
    };
    let all = declared();
    let these = all
        .iter()
        .flat_map(|(_, permissions)| *permissions)
        .filter(|permission| belongs(permission));
    statements(these, &place)
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
