//! Seven defects of the policies that others publish for this task, and that ours have none of them.
//!
//! Each test asks one question of a faulty document, which must fail it, and of what our templates say. The faulty
//! ones stand in `vectors/faulty.json`, cut down to the defect.

use std::{collections::HashMap, fs, path::Path, sync::LazyLock};

use permissions::declared;
use policy::{Caller, Context, Decision, Document, Layers, Request, decide};
use serde_json::{Value, json};
use step::{Half, Place, Site};

const MANAGEMENT: &str = "111111111111";
const AUTOMATION: &str = "123456789012";
const MEMBER: &str = "222222222222";
const ORGANIZATION: &str = "o-ours";
const ACCESS: &str = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn faulty(name: &str) -> Document {
    static ALL: LazyLock<Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("vectors/faulty.json")).expect("the faulty documents")
    });
    Document::parse(&ALL[name]).expect(name)
}

/// A template of ours with its parameters filled in.
struct Template {
    resources: Value,
    account: &'static str,
    values: HashMap<&'static str, Value>,
    conditions: HashMap<&'static str, bool>,
}

impl Template {
    fn read(path: &str, account: &'static str) -> Self {
        let text = fs::read_to_string(root().join(path)).expect(path);
        let read: Value = serde_saphyr::from_str(&text).expect(path);
        let values = HashMap::from([
            ("ExternalId", json!("secret")),
            ("MeteringExternalId", json!("other-secret")),
            ("AccessRoleName", json!("OrganizationAccountAccessRole")),
            ("AccessRolePath", json!("")),
            ("ExecutionRoleName", json!("AWSCloudFormationStackSetExecutionRole")),
            ("AutomationAccountId", json!(AUTOMATION)),
            ("ManagementAccountId", json!(MANAGEMENT)),
            ("AutomationStackName", json!("landfall")),
            ("CloseTagKeys", json!("landfall:tenant,decommission")),
        ]);
        let conditions = HashMap::from([
            ("EveryUnit", true),
            ("EveryStackSet", true),
            ("HasPrevious", false),
            ("HasPreviousMetering", false),
            ("MakesUnits", false),
            ("ClosesBySecondTag", true),
            ("ClosesByThirdTag", false),
        ]);
        Self { resources: read["Resources"].clone(), account, values, conditions }
    }

    fn with(mut self, parameter: &'static str, values: Value, condition: &'static str) -> Self {
        self.values.insert(parameter, values);
        self.conditions.insert(condition, false);
        self
    }

    /// A part of the template. The reader leaves tags out, so a function is known by the form of its argument.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(name) if self.values.contains_key(name.as_str()) => {
                self.values[name.as_str()].clone()
            }
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => match items.as_slice() {
                [Value::String(condition), yes, no]
                    if self.conditions.contains_key(condition.as_str()) =>
                {
                    let held = self.conditions[condition.as_str()];
                    self.filled(if held { yes } else { no })
                }
                [Value::String(text), Value::Object(given)] if given.contains_key("Key") => {
                    let number = given["Key"][0].as_u64().expect("the number of a key");
                    let keys = self.values["CloseTagKeys"].as_str().unwrap_or_default();
                    let key = keys.split(',').nth(usize::try_from(number).expect("small"));
                    let text = text.replace("${Key}", key.unwrap_or_default());
                    serde_json::from_str(&self.text(&text)).expect("a policy")
                }
                items => items
                    .iter()
                    .map(|item| self.filled(item))
                    .filter(|item| item != "AWS::NoValue")
                    .collect(),
            },
            Value::Object(fields) => {
                fields.iter().map(|(key, field)| (key.clone(), self.filled(field))).collect()
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let pseudo = [
            ("AWS::Partition", "aws"),
            ("AWS::AccountId", self.account),
            ("AWS::Region", "eu-central-1"),
            ("AWS::StackName", "landfall"),
        ];
        let text = pseudo.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        });
        self.values.iter().fold(text, |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value.as_str().unwrap_or_default())
        })
    }

    fn identity(&self, role: &str) -> Vec<Document> {
        let policies = self.filled(&self.resources[role]["Properties"]["Policies"]);
        let policies = policies.as_array().expect("inline policies").clone();
        policies
            .iter()
            .map(|policy| Document::parse(&policy["PolicyDocument"]).expect("a policy"))
            .collect()
    }

    fn document(&self, resource: &str, property: &str) -> Document {
        let value = self.filled(&self.resources[resource]["Properties"][property]);
        Document::parse(&value).expect("a policy")
    }
}

fn management() -> Template {
    Template::read("infra/accounts/management.yaml", MANAGEMENT)
}

fn automation() -> Template {
    Template::read("infra/template.yaml", AUTOMATION)
}

fn life() -> Document {
    Template::read("infra/stacksets/landfall-access.yaml", MEMBER)
        .document("Life", "PolicyDocument")
}

fn guardrail() -> Document {
    let text = fs::read_to_string(root().join("infra/accounts/guardrail-scp.json")).expect("it");
    Document::parse(&serde_json::from_str(&text).expect("JSON")).expect("a policy")
}

fn everything() -> Document {
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    Document::parse(&json!({"Version": "2012-10-17", "Statement": all})).expect("a policy")
}

fn session(role_arn: &str) -> Caller {
    let account = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
    Caller::Session { arn: format!("{role_arn}/session"), role_arn: role_arn.to_owned(), account }
}

fn context(caller: &Caller) -> Context {
    let Caller::Session { role_arn, account, .. } = caller else { panic!("no session") };
    Context::default()
        .with("aws:PrincipalArn", role_arn)
        .with("aws:PrincipalAccount", account)
        .with("aws:PrincipalOrgID", ORGANIZATION)
        .with("aws:ResourceOrgID", ORGANIZATION)
}

/// Whether identity policies alone allow something, as if no other layer had a say.
fn may(identity: &[Document], action: &str, resource: &str, context: &Context) -> bool {
    let caller = session("arn:aws:iam::111111111111:role/Landfall");
    let anybody = json!({"Effect": "Allow", "Principal": {"AWS": MANAGEMENT}, "Action": action});
    let trust = Document::parse(&json!({"Version": "2012-10-17", "Statement": anybody}));
    let trust = trust.expect("a trust policy");
    let layers = Layers {
        identity,
        boundary: None,
        session: None,
        scps: &[],
        rcps: &[],
        resource: Some(&trust),
        resource_account: resource.split(':').nth(4).unwrap_or(MANAGEMENT),
    };
    decide(&layers, &Request { caller: &caller, action, resource, context }) == Decision::Allowed
}

/// Whether a role lets a caller in that may take every role.
fn lets_in(trust: &Document, role: &str, caller: &Caller, external_id: &str) -> bool {
    let context = context(caller).with("sts:ExternalId", external_id);
    let layers = Layers {
        identity: &[everything()],
        boundary: None,
        session: None,
        scps: &[],
        rcps: &[],
        resource: Some(trust),
        resource_account: role.split(':').nth(4).unwrap_or_default(),
    };
    let request = Request { caller, action: "sts:AssumeRole", resource: role, context: &context };
    decide(&layers, &request) == Decision::Allowed
}

/// Whether control policies leave something to a caller who is an administrator.
fn left(scp: Document, role: &str, action: &str, resource: &str) -> bool {
    let caller = session(role);
    let context = context(&caller);
    let layers = Layers {
        identity: &[everything()],
        boundary: None,
        session: None,
        scps: &[vec![everything(), scp]],
        rcps: &[],
        resource: None,
        resource_account: MEMBER,
    };
    let request = Request { caller: &caller, action, resource, context: &context };
    decide(&layers, &request) == Decision::Allowed
}

#[test]
fn defect_1_the_role_that_reads_costs_trusts_whoever_meters_and_not_itself() {
    let role = "arn:aws:iam::111111111111:role/LandfallMetering";
    let meter = session("arn:aws:iam::123456789012:role/landfall-meter");
    let good = |trust: &Document, secret: &str| {
        lets_in(trust, role, &meter, secret) && !lets_in(trust, role, &session(role), secret)
    };
    assert!(!good(&faulty("metering trusts the role that is to be taken"), "secret"));
    let ours = management().document("LandfallMetering", "AssumeRolePolicyDocument");
    assert!(good(&ours, "other-secret"));
    assert!(!lets_in(&ours, role, &meter, "secret"), "metering has an external id of its own");
}

#[test]
fn defect_2_the_way_into_member_accounts_ends_at_the_organization() {
    let good = |identity: &[Document]| {
        let ours = context(&session("arn:aws:iam::111111111111:role/LandfallVend"));
        let foreign = ours.clone().with("aws:ResourceOrgID", "o-foreign");
        may(identity, "sts:AssumeRole", ACCESS, &ours)
            && !may(identity, "sts:AssumeRole", ACCESS, &foreign)
    };
    assert!(!good(&[faulty("every role of the name, wherever it is")]));
    assert!(good(&management().identity("LandfallRead")));
    assert!(good(&management().identity("LandfallVend")));
}

#[test]
fn defect_3_any_one_of_the_tags_lets_an_account_be_closed() {
    let good = |identity: &[Document]| {
        let account = "arn:aws:organizations::111111111111:account/o-ours/222222222222";
        let with = |keys: &[&str]| {
            let untagged = context(&session("arn:aws:iam::111111111111:role/LandfallClose"));
            let tagged = keys.iter().fold(untagged, |context, key| {
                context.with(&format!("aws:ResourceTag/{key}"), "anything")
            });
            may(identity, "organizations:CloseAccount", account, &tagged)
        };
        with(&["landfall:tenant"])
            && with(&["decommission"])
            && with(&["landfall:tenant", "decommission"])
            && !with(&["another"])
            && !with(&[])
    };
    assert!(!good(&[faulty("two tags in one condition")]));
    assert!(good(&management().identity("LandfallClose")));
}

#[test]
fn defect_4_no_role_lacks_an_action_that_a_step_declares() {
    let place = Place::with(vec![
        ("${Partition}", "aws".to_owned()),
        ("${Management}", MANAGEMENT.to_owned()),
        ("${Automation}", AUTOMATION.to_owned()),
        ("${Account}", MEMBER.to_owned()),
        ("${AccessRole}", "OrganizationAccountAccessRole".to_owned()),
        ("${ExecutionRole}", "AWSCloudFormationStackSetExecutionRole".to_owned()),
        ("${Region}", "eu-central-1".to_owned()),
    ]);
    let lacks = |of: &dyn Fn(Site, Half) -> Option<Vec<Document>>| -> Vec<&str> {
        let mut lacking = Vec::new();
        for permission in declared().iter().flat_map(|(_, permissions)| *permissions) {
            let Some(identity) = of(permission.site, permission.half) else { continue };
            let mut context = context(&session("arn:aws:iam::111111111111:role/Landfall"));
            context.set("aws:ResourceTag/landfall:tenant", "some tenant's");
            if let Some((operator, key, value)) = permission.condition
                && !operator.contains("Not")
            {
                context.set(key, place.fill(value));
            }
            let resource = place.fill(permission.resource);
            if !may(&identity, permission.action, &resource, &context) {
                lacking.push(permission.action);
            }
        }
        lacking
    };
    let theirs = lacks(&|site, _| match site {
        Site::Management | Site::Closing => Some(vec![faulty("the management account's role")]),
        Site::Automation => Some(vec![faulty("stack sets and functions, whosever they are")]),
        Site::Member => None,
    });
    for action in [
        "organizations:ListCreateAccountStatus",
        "cloudformation:DescribeStackInstance",
        "cloudformation:DescribeStackSetOperation",
        "cloudformation:ListStackSetOperationResults",
    ] {
        assert!(theirs.contains(&action), "{action} is declared by no step");
    }
    // Units are made where a parameter says so: the test after says that they are not elsewhere.
    let mut makes_units = management();
    makes_units.conditions.insert("MakesUnits", true);
    let ours = lacks(&|site, half| match (site, half) {
        (Site::Management, Half::Look) => Some(management().identity("LandfallRead")),
        (Site::Management, Half::Act) => Some(makes_units.identity("LandfallVend")),
        (Site::Automation, _) => Some(automation().identity("LandfallStacks")),
        // It closes what has one of its tags.
        (Site::Closing, _) => Some(management().identity("LandfallClose")),
        (Site::Member, _) => None,
    });
    assert_eq!(ours, [""; 0]);
}

#[test]
fn defect_5_stack_sets_and_functions_are_named_or_at_least_ours() {
    let reach = |identity: &[Document], set: &str| {
        let context = context(&session("arn:aws:iam::123456789012:role/LandfallStacks"));
        let arn = format!("arn:aws:cloudformation:eu-central-1:{set}:0");
        may(identity, "cloudformation:CreateStackInstances", &arn, &context)
    };
    let invokes = |identity: &[Document]| {
        let context = context(&session("arn:aws:iam::123456789012:role/LandfallStacks"));
        let function = "arn:aws:lambda:eu-central-1:123456789012:function:payroll";
        may(identity, "lambda:InvokeFunction", function, &context)
    };
    let theirs = [faulty("stack sets and functions, whosever they are")];
    assert!(reach(&theirs, "999999999999:stackset/theirs") && invokes(&theirs));
    let ours = automation().identity("LandfallStacks");
    assert!(reach(&ours, "123456789012:stackset/landfall-access"));
    assert!(!reach(&ours, "999999999999:stackset/theirs") && !invokes(&ours));
    let named = json!(["arn:aws:cloudformation:eu-central-1:123456789012:stackset/landfall-*:*"]);
    let narrow = automation().with("StackSets", named, "EveryStackSet").identity("LandfallStacks");
    assert!(reach(&narrow, "123456789012:stackset/landfall-access"));
    assert!(!reach(&narrow, "123456789012:stackset/another"));
}

#[test]
fn a_list_of_units_ends_where_accounts_are_moved() {
    let unit = "arn:aws:organizations::111111111111:ou/o-ours/ou-a-tenants";
    let narrow = management()
        .with("OrganizationalUnits", json!([unit]), "EveryUnit")
        .identity("LandfallVend");
    let context = context(&session("arn:aws:iam::111111111111:role/LandfallVend"));
    let moves = |resource: &str| may(&narrow, "organizations:MoveAccount", resource, &context);
    assert!(moves(unit));
    assert!(moves("arn:aws:organizations::111111111111:root/o-ours/r-a"));
    assert!(!moves("arn:aws:organizations::111111111111:ou/o-ours/ou-a-security"));
    assert!(may(
        &management().identity("LandfallVend"),
        "organizations:MoveAccount",
        "arn:aws:organizations::111111111111:ou/o-ours/ou-a-security",
        &context
    ));
}

#[test]
fn units_are_made_only_where_a_parameter_says_so() {
    let context = context(&session("arn:aws:iam::111111111111:role/LandfallVend"));
    let unit = "arn:aws:organizations::111111111111:ou/o-ours/ou-a-tenants";
    let makes = |template: Template| {
        let identity = template.identity("LandfallVend");
        may(&identity, "organizations:CreateOrganizationalUnit", unit, &context)
    };
    assert!(!makes(management()));
    let mut asked = management();
    asked.conditions.insert("MakesUnits", true);
    assert!(makes(asked));
}

#[test]
fn defect_6_the_downgraded_role_can_not_become_an_administrator_again() {
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    let other = "arn:aws:iam::222222222222:role/Other";
    let itself = "arn:aws:iam::222222222222:policy/landfall-life";
    let ways = [
        ("iam:CreateRole", other),
        ("iam:AttachRolePolicy", other),
        ("iam:AttachRolePolicy", ACCESS),
        ("iam:PutRolePolicy", ACCESS),
        ("iam:PutRolePolicy", other),
        ("iam:UpdateAssumeRolePolicy", ACCESS),
        ("iam:UpdateAssumeRolePolicy", other),
        ("iam:CreatePolicyVersion", itself),
        ("iam:SetDefaultPolicyVersion", itself),
        ("iam:DeleteRolePermissionsBoundary", ACCESS),
        ("iam:PutRolePermissionsBoundary", ACCESS),
        ("iam:PassRole", other),
    ];
    let open = |policy: Document| -> Vec<(&str, &str)> {
        let identity = [policy];
        let context = context(&session(ACCESS))
            .with("iam:PolicyARN", administrator)
            .with("iam:PermissionsBoundary", administrator);
        ways.into_iter()
            .filter(|(action, resource)| may(&identity, action, resource, &context))
            .collect()
    };
    assert!(open(faulty("what is left after the downgrade")).len() >= 6);
    assert_eq!(open(life()), []);
}

/// The names of the states that may come after a state, whatever leads there.
fn following(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(following).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, field)| match field.as_str() {
                Some(name) if key == "Next" || key == "Default" => vec![name.to_owned()],
                _ => following(field),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn defect_7_control_towers_role_is_made_before_the_downgrade_and_control_policies_let_it() {
    let role = "arn:aws:iam::222222222222:role/AWSControlTowerExecution";
    // The downgraded role could not make it any more, so the step that enters as administrator must come first.
    let context = context(&session(ACCESS));
    assert!(!may(&[life()], "iam:CreateRole", role, &context));
    let path = root().join("infra/statemachines/replicate-tenant.asl.yaml");
    let machine: Value =
        serde_saphyr::from_str(&fs::read_to_string(path).expect("the machine")).expect("YAML");
    let start = machine["StartAt"].as_str().unwrap_or_default();
    let mut reached = vec![start.to_owned()];
    let mut seen = 0;
    while let Some(state) = reached.get(seen).cloned() {
        seen += 1;
        let ways = following(&machine["States"][&state]);
        let new =
            ways.into_iter().filter(|next| next != "PrepareAccount" && !reached.contains(next));
        let new: Vec<String> = new.collect();
        reached.extend(new);
    }
    assert!(machine["States"]["DowngradeAccessRole"].is_object());
    assert!(!reached.contains(&"DowngradeAccessRole".to_owned()), "{reached:?}");
    assert!(!left(faulty("nobody makes roles"), ACCESS, "iam:CreateRole", role));
    assert!(left(guardrail(), ACCESS, "iam:CreateRole", role));
    let administrator = "arn:aws:iam::222222222222:role/Administrator";
    assert!(!left(guardrail(), administrator, "iam:CreateRole", role));
}

#[test]
fn the_guardrail_fits_and_spares_nobody_whom_a_tenant_can_become() {
    let text = fs::read_to_string(root().join("infra/accounts/guardrail-scp.json")).expect("it");
    assert!(text.len() <= 10_240, "AWS takes 10,240 characters, whitespace included");
    let read: Value = serde_json::from_str(&text).expect("JSON");
    let administrator = "arn:aws:iam::222222222222:role/Administrator";
    let spared: Vec<&str> = read["Statement"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["Condition"]["ArnNotLike"]["aws:PrincipalArn"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert!(!spared.is_empty());
    for pattern in spared {
        let role =
            pattern.replace("arn:*:iam::*", "arn:aws:iam::222222222222").replace('*', "mine");
        for action in ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"] {
            assert!(!left(guardrail(), administrator, action, &role), "{action} on {role}");
        }
    }
}
