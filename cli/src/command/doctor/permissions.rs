//! What each step declares, held against the roles that exist.
//!
//! The roles' policies are read and decided here, not by IAM's simulator: that one knows neither the organization's
//! keys nor what a landing zone names, and what is asked is whether the very units and stack sets of the landing zones
//! are within reach.

use policy::{Context, Document};
use refusal::Refusal;
use serde::Deserialize;
use tenant::{LandingZone, PermissionModel, Platform};

use super::identity::{Deed, Role, account_of, control_policies};
use super::roles::STACKS;
use super::{Check, Gap, Patient, Unanswered};

/// All declarations of this release.
const DECLARED: &str = include_str!("../../../../infra/policies/declared.json");
/// An account of which only the form counts.
const SAMPLE: &str = "000000000000";
/// What only a landing zone with a unit for each workspace needs; a parameter of management.yaml allows it.
const MAKES_UNITS: &str = "organizations:CreateOrganizationalUnit";
const LOOKS: &str = "LandfallRead";
const ACTS: &str = "LandfallVend";
const CLOSES: &str = "LandfallClose";

/// One action that a step declares.
#[derive(Clone, Debug, Deserialize)]
pub struct Declared {
    /// The step.
    pub step: String,
    /// The account: `automation`, `management` or `member`.
    pub site: String,
    /// `look` or `act`.
    pub half: String,
    /// The IAM action.
    pub action: String,
    /// The resource's ARN with placeholders.
    pub resource: String,
    /// Operator, key and value.
    pub condition: Option<(String, String, String)>,
}

/// All that the steps of this release declare.
pub fn declared() -> Result<Vec<Declared>, Unanswered> {
    serde_json::from_str(DECLARED)
        .map_err(|error| Unanswered(format!("what the steps declare can't be read: {error}")))
}

/// What the landing zones and platforms name.
#[derive(Debug)]
pub struct Foundation {
    /// The partition of all ARNs.
    pub partition: String,
    /// The organization's id.
    pub organization: String,
    /// The management account.
    pub management: String,
    /// The automation account.
    pub automation: String,
    /// Landfall's Region.
    pub region: String,
    /// Organizational units.
    pub units: Vec<String>,
    /// Whether a landing zone has a unit for each workspace.
    pub makes_units: bool,
    /// StackSets of the automation account.
    pub stack_sets: Vec<String>,
    /// StackSets of the management account, which the automation account administers.
    pub delegated_sets: Vec<String>,
    /// Access roles, as the platforms name them.
    pub access_roles: Vec<String>,
    /// Execution roles.
    pub execution_roles: Vec<String>,
}

impl Foundation {
    /// Reads what is applied; before anything is, the defaults.
    pub async fn read(patient: &Patient) -> Result<Self, Unanswered> {
        let organizations = aws_sdk_organizations::Client::new(&patient.management);
        let answer = organizations.describe_organization().send().await;
        let answer =
            answer.map_err(|error| Refusal::of("organizations:DescribeOrganization", &error))?;
        let organization = answer.organization();
        let caller =
            aws_sdk_sts::Client::new(&patient.automation).get_caller_identity().send().await;
        let caller = caller.map_err(|error| Refusal::of("sts:GetCallerIdentity", &error))?;
        let arn = caller.arn().unwrap_or_default();
        let (mut zones, mut platforms) = (Vec::new(), Vec::new());
        if let Some(api) = &patient.api {
            zones = api.configs::<LandingZone>().await.unwrap_or_default();
            platforms = api.configs::<Platform>().await.unwrap_or_default();
        }
        let once = |mut names: Vec<String>| {
            names.sort();
            names.dedup();
            names
        };
        let or = |names: Vec<String>, default: &str| {
            if names.is_empty() { vec![default.to_owned()] } else { once(names) }
        };
        let platform = |of: fn(&Platform) -> &String| {
            platforms.iter().map(|platform| of(&platform.spec).clone()).collect::<Vec<_>>()
        };
        let sets = |model: PermissionModel| {
            let all = zones.iter().flat_map(|zone| &zone.spec.stack_sets);
            all.filter(move |set| set.permission_model == model).map(|set| set.name.clone())
        };
        let mut stack_sets = vec!["landfall-access".to_owned()];
        stack_sets.extend(sets(PermissionModel::SelfManaged));
        Ok(Self {
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            organization: organization.and_then(|one| one.id()).unwrap_or_default().to_owned(),
            management: organization
                .and_then(|one| one.master_account_id())
                .unwrap_or_default()
                .to_owned(),
            automation: caller.account().unwrap_or_default().to_owned(),
            region: patient.region.clone(),
            units: once(zones.iter().map(|zone| zone.spec.organizational_unit.clone()).collect()),
            makes_units: zones.iter().any(|zone| {
                serde_json::to_value(&zone.spec)
                    .is_ok_and(|spec| spec["organizationalUnitPerWorkspace"] == true)
            }),
            stack_sets: once(stack_sets),
            delegated_sets: once(sets(PermissionModel::ServiceManaged).collect()),
            access_roles: or(platform(|spec| &spec.access_role), "OrganizationAccountAccessRole"),
            execution_roles: or(
                platform(|spec| &spec.execution_role),
                "AWSCloudFormationStackSetExecutionRole",
            ),
        })
    }

    /// The resources that a declaration means here.
    fn resources(&self, declared: &str) -> Vec<String> {
        let arn = self.fill(declared).replace("/o-*/", &format!("/{}/", self.organization));
        let each = |pattern: &str, names: Vec<String>| {
            names.iter().map(|name| arn.replace(pattern, name)).collect()
        };
        let units = |kind: &str| -> Vec<String> {
            self.units.iter().filter(|unit| unit.starts_with(kind)).cloned().collect()
        };
        if arn.ends_with("/ou-*") {
            each("ou-*", units("ou-"))
        } else if arn.ends_with("/r-*") {
            vec![arn.replace("r-*", "r-0000")]
        } else if arn.contains(":account/") && arn.ends_with("/*") {
            vec![format!("{}{SAMPLE}", arn.trim_end_matches('*'))]
        } else if arn.ends_with(":stackset/*") {
            let own = Some(&self.stack_sets).filter(|_| account_of(&arn) == self.automation);
            let others = Some(&self.delegated_sets).filter(|_| account_of(&arn) == self.management);
            let sets = own.into_iter().chain(others).flatten();
            each("stackset/*", sets.map(|name| format!("stackset/{name}:0")).collect())
        } else {
            vec![arn]
        }
    }

    /// Fills a declaration's placeholders, those of a member account with a sample.
    pub fn fill(&self, text: &str) -> String {
        let execution = self.execution_roles.first().map_or("", String::as_str);
        text.replace("${Partition}", &self.partition)
            .replace("${Management}", &self.management)
            .replace("${Automation}", &self.automation)
            .replace("${Region}", &self.region)
            .replace("${Account}", SAMPLE)
            .replace("${AccessRole}", &self.access_role())
            .replace("${ExecutionRole}", execution)
    }

    /// The access role with its path, without a slash in front.
    pub fn access_role(&self) -> String {
        self.access_roles.first().map_or("", String::as_str).trim_start_matches('/').to_owned()
    }
}

/// A line for each role that has all it needs, and one for each gap.
pub async fn all(patient: &Patient) -> Result<Vec<Check>, Unanswered> {
    let foundation = Foundation::read(patient).await?;
    let declared = declared()?;
    let scps = control_policies(&patient.management, &foundation.automation).await?;
    let mut checks = Vec::new();
    for (name, account, scps) in [
        (LOOKS, &patient.management, &[][..]),
        (ACTS, &patient.management, &[]),
        (CLOSES, &patient.management, &[]),
        (STACKS, &patient.automation, &scps),
    ] {
        // That it is missing is said among the roles.
        let Some(role) = Role::read(account, name).await? else { continue };
        let needs = needs(name, &declared, &foundation);
        let gaps = gaps(name, &role, &needs, &foundation, scps)?;
        if gaps.is_empty() {
            let count = needs.len();
            checks.push(Check::ok(
                "permissions",
                format!("{name} may do all {count} things that steps need"),
            ));
        }
        checks.extend(gaps);
    }
    Ok(checks)
}

/// One thing that a role must be allowed.
#[derive(Debug)]
struct Need {
    action: String,
    resource: String,
    condition: Option<(String, String, String)>,
    steps: Vec<String>,
}

fn needs(role: &str, declared: &[Declared], foundation: &Foundation) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let mut add = |action: &str, resource: String, condition, step: &str| {
        let same = needs.iter_mut().find(|need| {
            need.action == action && need.resource == resource && need.condition == condition
        });
        match same {
            Some(need) if need.steps.iter().any(|known| known == step) => {}
            Some(need) => need.steps.push(step.to_owned()),
            None => needs.push(Need {
                action: action.to_owned(),
                resource,
                condition,
                steps: vec![step.to_owned()],
            }),
        }
    };
    for one in declared {
        let wanted = match (one.site.as_str(), one.half.as_str()) {
            _ if one.action == MAKES_UNITS && !foundation.makes_units => false,
            ("management", "look") => role == LOOKS || role == ACTS,
            ("management", _) => role == ACTS,
            ("automation", _) => role == STACKS,
            ("closing", _) => role == CLOSES,
            _ => false,
        };
        if wanted {
            for resource in foundation.resources(&one.resource) {
                add(&one.action, resource, one.condition.clone(), &one.step);
            }
        }
    }
    if role == LOOKS || role == ACTS {
        for name in &foundation.access_roles {
            let name = name.trim_start_matches('/');
            let arn = format!("arn:{}:iam::{SAMPLE}:role/{name}", foundation.partition);
            add("sts:AssumeRole", arn, None, "every step in a member account");
        }
    }
    needs
}

fn gaps(
    name: &str,
    role: &Role,
    needs: &[Need],
    foundation: &Foundation,
    scps: &[Vec<Document>],
) -> Result<Vec<Check>, Unanswered> {
    let mut gaps = Vec::new();
    for need in needs {
        let context = context(need, foundation);
        let deed = Deed {
            role: &role.arn,
            action: &need.action,
            resource: &need.resource,
            organization: &foundation.organization,
            context: &context,
        };
        if role.may(&deed, scps)? {
            continue;
        }
        let Need { action, resource, steps, .. } = need;
        let who = steps.join(", ");
        let found = format!("{name} may not {action} on {resource}, which {who} needs");
        let gap = Gap {
            role: name.to_owned(),
            action: action.clone(),
            resource: resource.clone(),
            steps: steps.clone(),
        };
        gaps.push(Check {
            gap: Some(gap),
            ..Check::failing("permissions", found, remedy(name, need))
        });
    }
    Ok(gaps)
}

fn remedy(role: &str, need: &Need) -> String {
    if need.action == MAKES_UNITS {
        "Say CreateOrganizationalUnits=yes to infra/accounts/management.yaml.".to_owned()
    } else if need.resource.contains(":ou/") {
        format!(
            "Add {} to the parameter OrganizationalUnits of infra/accounts/management.yaml.",
            need.resource
        )
    } else if need.resource.contains(":stackset/") {
        let set = need.resource.trim_end_matches(":0");
        format!("Add {set}:* to the parameter StackSets of infra/template.yaml.")
    } else if need.action == "sts:AssumeRole" {
        "Say the platform's accessRole, with its path, in the parameter AccessRoleName of infra/accounts/management.yaml.".to_owned()
    } else if role == STACKS {
        "Deploy this release's infra/template.yaml, and look for a control policy over the automation account.".to_owned()
    } else {
        "Deploy this release's infra/accounts/management.yaml.".to_owned()
    }
}

/// The keys that a declaration's condition names, so that it holds.
fn context(need: &Need, foundation: &Foundation) -> Context {
    let mut context = Context::default().with("aws:ResourceTag/landfall:tenant", "sample");
    if let Some((operator, key, value)) = &need.condition
        && !operator.contains("Not")
        && operator != "Null"
    {
        context.set(key, foundation.fill(value));
    }
    // Organizations' resources belong to the management account, whatever account they are about.
    if account_of(&need.resource).is_empty() {
        context.set("aws:ResourceAccount", foundation.management.clone());
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foundation() -> Foundation {
        Foundation {
            partition: "aws".to_owned(),
            organization: "o-1".to_owned(),
            management: "111111111111".to_owned(),
            automation: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            units: vec!["ou-a-1".to_owned(), "r-a".to_owned()],
            makes_units: false,
            stack_sets: vec!["landfall-access".to_owned()],
            delegated_sets: vec!["guard".to_owned()],
            access_roles: vec!["/platform/Access".to_owned()],
            execution_roles: vec!["Execution".to_owned()],
        }
    }

    #[test]
    fn what_steps_declare_means_the_units_and_stack_sets_that_landing_zones_name() {
        let resources = |text: &str| foundation().resources(text);
        assert_eq!(
            resources("arn:${Partition}:organizations::${Management}:ou/o-*/ou-*"),
            ["arn:aws:organizations::111111111111:ou/o-1/ou-a-1"]
        );
        assert_eq!(
            resources("arn:${Partition}:organizations::${Management}:account/o-*/*"),
            ["arn:aws:organizations::111111111111:account/o-1/000000000000"]
        );
        assert_eq!(
            resources("arn:${Partition}:cloudformation:${Region}:${Automation}:stackset/*"),
            ["arn:aws:cloudformation:eu-central-1:123456789012:stackset/landfall-access:0"]
        );
        assert_eq!(
            resources("arn:${Partition}:cloudformation:${Region}:${Management}:stackset/*"),
            ["arn:aws:cloudformation:eu-central-1:111111111111:stackset/guard:0"]
        );
        assert_eq!(resources("*"), ["*"]);
    }

    #[test]
    fn units_are_made_only_for_landing_zones_that_have_one_for_each_workspace() {
        let declared = [Declared {
            step: "place-account".to_owned(),
            site: "management".to_owned(),
            half: "act".to_owned(),
            action: MAKES_UNITS.to_owned(),
            resource: "arn:${Partition}:organizations::${Management}:ou/o-*/ou-*".to_owned(),
            condition: None,
        }];
        let asked = |makes_units| {
            let needs = needs(ACTS, &declared, &Foundation { makes_units, ..foundation() });
            needs.iter().any(|need| need.action == MAKES_UNITS)
        };
        assert!(asked(true) && !asked(false));
    }

    #[test]
    fn every_look_is_asked_of_both_roles_and_every_act_of_one() {
        let declared = declared().expect("what the steps declare");
        let of = |role: &str| needs(role, &declared, &foundation());
        let has = |role: &str, action: &str| of(role).iter().any(|need| need.action == action);
        assert!(has(LOOKS, "organizations:ListParents") && has(ACTS, "organizations:ListParents"));
        assert!(!has(LOOKS, "organizations:MoveAccount") && has(ACTS, "organizations:MoveAccount"));
        assert!(has(STACKS, "cloudformation:CreateStackInstances"));
        let access = of(LOOKS).into_iter().find(|need| need.action == "sts:AssumeRole");
        let arn = access.map(|need| need.resource);
        assert_eq!(arn.as_deref(), Some("arn:aws:iam::000000000000:role/platform/Access"));
    }
}
