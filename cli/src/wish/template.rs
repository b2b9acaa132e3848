//! A tenant's document without a project, from which many tenants are made.

use std::path::PathBuf;

use serde_json::Value;
use tenant::{Document, Kind, Problem, TenantSpec, check_tenant, kind_of, read};

use super::set::{located, nodes};
use super::{Node, Source};
use crate::exit::{Exit, Trouble};

/// What all tenants of one rule have in common.
#[derive(Clone, Debug)]
pub struct Template {
    document: Value,
    /// The platform that it is for.
    pub platform: String,
}

impl Template {
    /// Reads and checks the one template in these files.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Trouble> {
        let mut all: Vec<(Source, Node)> = Vec::new();
        for source in Source::read_all(paths)? {
            let nodes = nodes(&source).map_err(|found| Trouble::problems(vec![found]))?;
            all.extend(nodes.into_iter().map(|node| (source.clone(), node)));
        }
        let [(source, node)] = all.as_slice() else {
            return Err(Trouble::new(
                Exit::BadInput,
                "adopt takes one document of the kind Tenant as its template, without a project",
            ));
        };
        Self::of(node.value())
            .map_err(|problems| Trouble::problems(located(source, node, problems)))
    }

    fn of(document: Value) -> Result<Self, Vec<Problem>> {
        let kind = kind_of(&document).map_err(|problem| vec![problem])?;
        if kind != Kind::Tenant {
            let remedy = "Write what each account is to be: a document of the kind Tenant.";
            return Err(vec![Problem::new("kind", kind.as_str(), "is not Tenant", remedy)]);
        }
        if let Some(project) = document["metadata"].get("project") {
            let project = project.as_str().map_or_else(|| project.to_string(), ToOwned::to_owned);
            return Err(vec![Problem::new(
                "metadata.project",
                project,
                "can't be that of several accounts",
                "Leave it out: each account gives its own, by its name or with --project-tag.",
            )]);
        }
        let mut template = Self { document, platform: String::new() };
        let Document { metadata, spec, .. } = template.tenant("project")?;
        if let Some(email) = spec.email {
            let remedy = "Leave it out: each account keeps the address that it has.";
            let rule = "can't be that of several accounts";
            return Err(vec![Problem::new("spec.email", email, rule, remedy)]);
        }
        template.platform = metadata.platform;
        Ok(template)
    }

    /// The tenant of one account.
    pub fn tenant(&self, project: &str) -> Result<Document<TenantSpec>, Vec<Problem>> {
        let mut document = self.document.clone();
        if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("project".to_owned(), project.into());
        }
        let document: Document<TenantSpec> = read(document)?;
        let problems = check_tenant(&document.metadata, &document.spec);
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(metadata: Value, spec: Value) -> Result<Template, Vec<String>> {
        let document = json!({
            "apiVersion": "landfall/v1", "kind": "Tenant", "metadata": metadata, "spec": spec
        });
        let fields = |problems: Vec<Problem>| problems.into_iter().map(|one| one.field).collect();
        Template::of(document).map_err(fields)
    }

    #[test]
    fn a_template_makes_a_tenant_of_each_project() {
        let metadata = json!({"workspace": "legacy", "platform": "aws"});
        let template = template(metadata, json!({"landingZone": "sandbox"})).expect("a template");
        assert_eq!(template.platform, "aws");
        for project in ["billing", "shop"] {
            let document = template.tenant(project).expect("a tenant");
            assert_eq!(document.metadata.name().to_string(), format!("legacy.{project}.aws"));
        }
    }

    #[test]
    fn what_can_not_be_true_of_several_accounts_is_refused() {
        let zone = json!({"landingZone": "sandbox"});
        let named = json!({"workspace": "legacy", "project": "shop", "platform": "aws"});
        assert_eq!(template(named, zone.clone()).expect_err("a project"), ["metadata.project"]);
        let metadata = json!({"workspace": "legacy", "platform": "aws"});
        let mail = json!({"landingZone": "sandbox", "email": "a@example.com"});
        assert_eq!(template(metadata, mail).expect_err("an address"), ["spec.email"]);
        let wrong = json!({"workspace": "Legacy!", "platform": "aws"});
        assert_eq!(template(wrong, zone.clone()).expect_err("a name"), ["metadata.workspace"]);
        assert!(template(json!("x"), zone).is_err());
    }
}
