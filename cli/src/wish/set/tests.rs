use super::*;

const PLATFORM: &str = "\
apiVersion: landfall/v1
kind: Platform
metadata: {name: aws}
spec:
  region: eu-central-1
  managementAccount: \"111111111111\"
  automationAccount: \"123456789012\"
  accountEmailPattern: aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com
";

const ZONE: &str = "\
apiVersion: landfall/v1
kind: LandingZone
metadata: {name: production}
spec:
  platform: aws
  organizationalUnit: ou-land-workprod
  accessRole: {otherWayIn: none}
";

const TENANT: &str = "\
apiVersion: landfall/v1
kind: Tenant
metadata: {workspace: payments, project: checkout, platform: aws}
spec: {landingZone: production}
";

fn wishes(texts: &[&str]) -> Result<Wishes, Vec<Found>> {
    let sources: Vec<Source> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Source { name: format!("{index}.yaml"), text: (*text).to_owned() })
        .collect();
    Wishes::of(&sources, Some(IdentifierLengths::default()))
}

/// The one problem of a text: its field, value and place; every problem has a rule and a remedy.
fn problem(text: &str) -> (String, String, usize, usize) {
    let found = wishes(&[text]).expect_err("a problem");
    assert_eq!(found.len(), 1, "{found:#?}");
    let one = found.into_iter().next().expect("one");
    assert!(!one.problem.rule.is_empty() && !one.problem.remedy.is_empty());
    (one.problem.field, one.problem.value, one.line, one.column)
}

fn at(field: &str, value: &str, line: usize, column: usize) -> (String, String, usize, usize) {
    (field.to_owned(), value.to_owned(), line, column)
}

#[test]
fn documents_come_in_the_order_in_which_they_are_applied() {
    let all = format!("{TENANT}---\n{ZONE}---\n{PLATFORM}");
    let kinds: Vec<Kind> = wishes(&[&all]).expect("documents").all.iter().map(Wish::kind).collect();
    assert_eq!(kinds, [Kind::Platform, Kind::LandingZone, Kind::Tenant]);
}

#[test]
fn json_is_read_as_well() {
    let json = "{\"apiVersion\":\"landfall/v1\",\"kind\":\"Tenant\",\n\t\"metadata\":{\"workspace\":\"a\",\
                \"project\":\"b\",\"platform\":\"aws\"},\"spec\":{\"landingZone\":\"production\"}}";
    assert_eq!(wishes(&[json]).expect("a document").all[0].name(), "a.b.aws");
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_known_name() {
    let text = TENANT.replace("spec: {landingZone: production}", "spec:\n  landingZon: production");
    let found = wishes(&[&text]).expect_err("two problems");
    assert_eq!(found[0].problem.field, "spec.landingZone");
    assert_eq!((found[0].line, found[0].column), (4, 1));
    assert_eq!(found[1].problem.remedy, "Did you mean `landingZone`?");
    assert_eq!((found[1].line, found[1].column), (5, 3));
}

#[test]
fn a_wrong_type_is_refused() {
    let text = PLATFORM.replace("\"111111111111\"", "111111111111");
    assert_eq!(problem(&text), at("spec.managementAccount", "111111111111", 6, 22));
    let text = PLATFORM.replace("\"111111111111\"", "012345678901");
    assert!(wishes(&[&text]).is_ok(), "a leading zero is kept");
}

#[test]
fn an_identifier_that_is_too_long_is_refused() {
    let text = TENANT.replace("payments", "payments-and-receipts");
    assert_eq!(problem(&text), at("metadata.workspace", "payments-and-receipts", 3, 23));
    let platform = format!("{PLATFORM}  identifierLengths: {{workspace: 21, project: 24}}\n");
    assert!(wishes(&[&platform, &text]).is_ok(), "the platform beside it allows more");
}

#[test]
fn an_email_pattern_that_can_overflow_is_refused() {
    let text = PLATFORM.replace("example.com", "our-own-company.example.com");
    let (field, _, line, column) = problem(&text);
    assert_eq!((field.as_str(), line, column), ("spec.accountEmailPattern", 8, 24));
}

#[test]
fn a_tenant_that_stands_there_twice_is_refused() {
    let found = wishes(&[TENANT, TENANT]).expect_err("twice");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].file, "1.yaml");
    assert!(found[0].problem.remedy.contains("0.yaml:3"), "{}", found[0].problem);
}

#[test]
fn text_that_is_no_yaml_is_refused_where_it_breaks() {
    let (field, _, line, _) = problem("kind: Tenant\nspec: {landingZone: [production\n");
    assert_eq!(field, "(file)");
    assert!(line >= 2);
    let (field, ..) = problem("kind: Tenant\nkind: Tenant\n");
    assert_eq!(field, "(file)", "a key that stands there twice");
}

#[test]
fn a_kind_that_nobody_knows_is_refused() {
    assert_eq!(problem("kind: Tennant\n"), at("kind", "Tennant", 1, 7));
    assert_eq!(problem("metadata: {}\n"), at("kind", "(missing)", 1, 1));
}

#[test]
fn all_problems_of_all_files_come_at_once() {
    let platform = PLATFORM.replace("eu-central-1", "eu-central-1\n  colour: blue");
    let tenant = TENANT.replace("payments", "Payments");
    let found = wishes(&[&platform, &tenant, "nothing"]).expect_err("three problems");
    let files: Vec<&str> = found.iter().map(|found| found.file.as_str()).collect();
    assert_eq!(files, ["0.yaml", "1.yaml", "2.yaml"]);
}

#[test]
fn what_is_written_as_yaml_is_read_back() {
    let set = wishes(&[TENANT]).expect("a tenant");
    let document = set.tenants().next().expect("one");
    let again = wishes(&[&crate::show::structured(crate::options::Format::Yaml, document)])
        .expect("its own YAML");
    assert_eq!(again.tenants().next(), Some(document));
}

#[test]
fn a_landing_zone_alone_is_not_told_what_only_its_platform_knows() {
    let mappings =
        "  roleMappings: {reader: {permissionSets: [arn:aws:sso:::permissionSet/ssoins-0/ps-0]}}\n";
    let zone = format!("{ZONE}{mappings}");
    assert!(wishes(&[&zone]).is_ok());
    let found = wishes(&[PLATFORM, &zone]).expect_err("its platform has no Identity Center");
    assert_eq!(found[0].problem.field, "spec.roleMappings");
    let machine = "arn:aws:states:us-east-1:333333333333:stateMachine:network";
    let zone = format!("{ZONE}  hooks: [{{name: network, stateMachine: \"{machine}\"}}]\n");
    assert!(wishes(&[&zone]).is_ok());
    let found = wishes(&[PLATFORM, &zone]).expect_err("its platform is in another Region");
    let fields: Vec<&str> = found.iter().map(|one| one.problem.field.as_str()).collect();
    assert!(fields.contains(&"spec.hooks[0].stateMachine"), "{fields:?}");
}
