use super::*;
use crate::{
    Document, LandingZone, LandingZoneMetadata, Platform, PlatformMetadata, Tenant, TenantMetadata,
    TenantSpec,
};

fn platform(email: &str) -> Platform {
    serde_json::from_value(serde_json::json!({
        "region": "eu-central-1", "managementAccount": "111111111111",
        "automationAccount": "123456789012", "accountEmailPattern": email
    }))
    .expect("a platform")
}

fn zone(more: serde_json::Value) -> LandingZone {
    let mut spec = serde_json::json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {"otherWayIn": "none"}
    });
    let fields = more.as_object().cloned().expect("fields");
    spec.as_object_mut().expect("a mapping").extend(fields);
    serde_json::from_value(spec).expect("a landing zone")
}

fn tenant(spec: serde_json::Value) -> Tenant {
    let wish: TenantSpec = serde_json::from_value(spec).expect("a wish");
    let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
    let name = crate::Name::new("payments", "checkout", "aws");
    Tenant::requested(name, 1, wish, "ada", now).tenant
}

fn fields(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.field.as_str()).collect()
}

#[test]
fn an_email_pattern_that_can_overflow_is_refused_before_any_account_fails() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let fits = platform("aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com");
    assert_eq!(check_platform(&metadata, &fits), []);
    let overflows = platform("aws+#{workspaceIdentifier}.#{projectIdentifier}@yourcompany.com");
    let problems = check_platform(&metadata, &overflows);
    assert_eq!(fields(&problems), ["spec.accountEmailPattern"]);
    assert!(
        problems[0].rule.contains("can grow to 67 characters; AWS allows 64"),
        "{}",
        problems[0]
    );
}

#[test]
fn surveys_are_hours_apart_and_no_more_than_a_day() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let email = "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com";
    for (hours, wrong) in [(0, true), (1, false), (24, false), (25, true)] {
        let platform = Platform { survey_hours: hours, ..platform(email) };
        let problems = check_platform(&metadata, &platform);
        assert_eq!(fields(&problems) == ["spec.surveyHours"], wrong, "{hours}: {problems:?}");
    }
}

#[test]
fn an_access_role_may_have_a_path_that_policies_can_name() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let email = "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com";
    let with = |role: &str| Platform { access_role: role.to_owned(), ..platform(email) };
    for role in ["/platform/LandfallAccess", "platform/LandfallAccess"] {
        let platform = with(role);
        assert_eq!(check_platform(&metadata, &platform), []);
        assert_eq!(platform.access_role_in_arn(), "platform/LandfallAccess");
        assert_eq!(platform.access_role_name(), "LandfallAccess");
        assert_eq!(platform.access_role_path(), "platform/");
    }
    let plain = with("LandfallAccess");
    assert_eq!((plain.access_role_path(), plain.access_role_name()), ("", "LandfallAccess"));
    for wrong in [
        "arn:aws:iam::111111111111:role/LandfallAccess",
        "/platform/",
        "/plat form/LandfallAccess",
        "/*/LandfallAccess",
        "/platform/OrganizationAccountAccessRole",
        &format!("/{}/LandfallAccess", "p".repeat(64)),
    ] {
        let problems = check_platform(&metadata, &with(wrong));
        assert_eq!(fields(&problems), ["spec.accessRole"], "{wrong}");
    }
}

#[test]
fn an_email_pattern_must_tell_tenants_apart() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let problems = check_platform(&metadata, &platform("aws+#{workspaceIdentifier}@example.com"));
    assert!(problems[0].rule.contains("projectIdentifier"), "{}", problems[0]);
}

#[test]
fn an_alias_pattern_is_tried_with_the_longest_that_tenants_can_be_called() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let mut spec = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    let mut with = |pattern: &str| {
        spec.account_alias_pattern = Some(pattern.to_owned());
        check_platform(&metadata, &spec)
    };
    assert_eq!(with("acme-#{workspaceIdentifier}-#{projectIdentifier}"), []);
    let long = with("the-acme-corporation-#{workspaceIdentifier}-#{projectIdentifier}");
    assert!(long[0].rule.contains("can grow to 68 characters; AWS allows 63"), "{}", long[0]);
    let same = with("acme-#{projectIdentifier}");
    assert!(same[0].rule.contains("workspaceIdentifier"), "{}", same[0]);
    spec.account_alias_pattern = None;
    spec.enforce_account_alias = true;
    assert_eq!(fields(&check_platform(&metadata, &spec)), ["spec.enforceAccountAlias"]);
}

#[test]
fn mappers_are_read_before_any_account_is_tagged() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let mut spec = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    spec.tag_mappers = [("Stage", "${stage}"), ("Stage", "x"), ("tenant", "x"), ("a!", "x")]
        .map(|(key, value)| crate::TagMapper { key: key.to_owned(), value: value.to_owned() })
        .into();
    assert_eq!(
        fields(&check_platform(&metadata, &spec)),
        [
            "spec.tagMappers[0].value",
            "spec.tagMappers[1].key",
            "spec.tagMappers[2].key",
            "spec.tagMappers[3].key",
        ]
    );
}

#[test]
fn what_takes_no_new_tenants_goes_on_with_those_that_are_there() {
    let tenant = tenant(serde_json::json!({"landingZone": "production"}));
    let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    let open = zone(serde_json::json!({"restrictedTo": ["payments"]}));
    assert_eq!(check_tenant_beside(&tenant, None, &open, &platform), []);
    platform.deprecated = true;
    let closed = zone(serde_json::json!({"disabled": true, "restrictedTo": ["shipping"]}));
    assert_eq!(check_tenant_beside(&tenant, Some(&tenant), &closed, &platform), []);
    assert_eq!(
        fields(&check_tenant_beside(&tenant, None, &closed, &platform)),
        ["metadata.platform", "spec.landingZone", "spec.landingZone"]
    );
    let mut had = tenant.clone();
    had.wish.landing_zone = "sandbox".to_owned();
    assert_eq!(
        fields(&check_tenant_beside(&tenant, Some(&had), &closed, &platform)),
        ["spec.landingZone", "spec.landingZone"]
    );
}

#[test]
fn a_landing_zone_that_is_not_for_a_workspace_lets_nobody_move_there() {
    let had = tenant(serde_json::json!({"landingZone": "production"}));
    let platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    let closed = zone(serde_json::json!({"disabled": true, "restrictedTo": ["payments"]}));
    let at = |workspace: &str| Tenant {
        name: crate::Name::new(workspace, "refunds", "aws"),
        ..had.clone()
    };
    assert_eq!(check_tenant_beside(&at("payments"), Some(&had), &closed, &platform), []);
    let problems = check_tenant_beside(&at("shipping"), Some(&had), &closed, &platform);
    assert_eq!(fields(&problems), ["spec.landingZone"]);
    assert_eq!(problems[0].rule, "is not for workspace `shipping`");
}

#[test]
fn a_project_to_move_to_is_named_as_a_new_one() {
    let lengths = IdentifierLengths::default();
    let wrong = |workspace: &str, project: &str| {
        let to = crate::Name::new(workspace, project, "aws");
        fields(&check_destination(&to, lengths)).join(" ")
    };
    assert_eq!(wrong("payments", "refunds"), "");
    assert_eq!(wrong("Payments", &"r".repeat(31)), "workspace project");
    assert_eq!(wrong("", "a_b"), "workspace project");
}

#[test]
fn all_tags_of_an_account_together_are_fifty_at_most() {
    let tags = |letter: &str, number: usize| {
        let tags: std::collections::BTreeMap<_, _> =
            (0..number).map(|index| (format!("{letter}{index}"), "x".to_owned())).collect();
        serde_json::json!(tags)
    };
    let platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    let zone = zone(serde_json::json!({"tags": tags("zone", 20)}));
    for (number, problems) in [(13, 0), (14, 1)] {
        let tenant = tenant(serde_json::json!({
            "landingZone": "production", "tags": tags("own", 13), "workspaceTags": tags("shared", number)
        }));
        assert_eq!(check_tenant_beside(&tenant, None, &zone, &platform).len(), problems);
    }
}

#[test]
fn a_tag_that_makes_no_name_is_refused_with_the_wish() {
    let tenant = tenant(serde_json::json!({"landingZone": "production", "tags": {"owner": "a b"}}));
    let platform = platform("#{tagOwner:%.8s}.#{rand:%.8s}@e.io");
    let problems = check_tenant_beside(&tenant, None, &zone(serde_json::json!({})), &platform);
    assert_eq!(fields(&problems), ["spec.tags"]);
    assert!(problems[0].rule.contains("a b."), "{}", problems[0]);
}

#[test]
fn identifiers_longer_than_their_limit_are_refused() {
    let metadata = TenantMetadata {
        workspace: "a".repeat(17),
        project: "Checkout".to_owned(),
        platform: "aws".to_owned(),
    };
    let spec: TenantSpec =
        serde_json::from_value(serde_json::json!({"landingZone": "production"})).expect("a tenant");
    let problems = check_tenant(&metadata, &spec);
    let too_long = check_lengths(&metadata, IdentifierLengths::default());
    assert_eq!(fields(&[too_long, problems].concat()), ["metadata.workspace", "metadata.project"]);
}

#[test]
fn a_platform_says_how_long_identifiers_may_be() {
    let metadata = TenantMetadata {
        workspace: "a".repeat(17),
        project: "p".repeat(31),
        platform: "aws".to_owned(),
    };
    let too_long = |allowed| fields(&check_lengths(&metadata, allowed)).join(" ");
    let mut allowed = IdentifierLengths::default();
    assert_eq!(too_long(allowed), "metadata.workspace metadata.project");
    allowed.project = 31;
    assert_eq!(too_long(allowed), "metadata.workspace");
}

#[test]
fn longer_identifiers_may_make_a_pattern_too_long_for_aws() {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let mut spec = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    assert_eq!(check_platform(&metadata, &spec), []);
    spec.identifier_lengths.project = 50;
    let problems = check_platform(&metadata, &spec);
    assert_eq!(fields(&problems), ["spec.accountEmailPattern", "spec.accountNamePattern"]);
    spec.identifier_lengths.workspace = 51;
    assert!(
        fields(&check_platform(&metadata, &spec)).contains(&"spec.identifierLengths.workspace")
    );
}

#[test]
fn a_strict_downgrade_needs_another_way_in() {
    let zone = zone(serde_json::json!({"accessRole": {}}));
    assert_eq!(fields(&checked(&zone, None)), ["spec.accessRole.otherWayIn"]);
}

fn checked(zone: &LandingZone, organization: Option<&str>) -> Vec<Problem> {
    let metadata = LandingZoneMetadata { name: "production".to_owned() };
    let platform = Platform {
        organization: organization.map(ToOwned::to_owned),
        ..platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io")
    };
    check_landing_zone(&metadata, zone, &platform)
}

#[test]
fn a_hook_is_one_thing_in_the_platforms_region() {
    let function = "arn:aws:lambda:eu-central-1:222222222222:function:register:live";
    let machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:network";
    let right = zone(serde_json::json!({"hooks": [
        {"name": "register", "lambda": function}, {"name": "network", "stateMachine": machine},
        {"name": "tell", "eventBus": "foundation"},
        {"name": "tell-others", "eventBus": "arn:aws:events:eu-central-1:222222222222:event-bus/x"}
    ]}));
    assert_eq!(checked(&right, Some("o-landfall01")), []);
    assert_eq!(fields(&checked(&right, None)), ["spec.hooks"]);
    let wrong = zone(serde_json::json!({"hooks": [
        {"name": "nothing"},
        {"name": "both", "lambda": function, "eventBus": "foundation"},
        {"name": "elsewhere", "lambda": function.replace("central", "west")},
        {"name": "of-others", "stateMachine": machine.replace("123456789012", "222222222222")},
        {"name": "of-others", "lambda": "register"}
    ]}));
    assert_eq!(
        fields(&checked(&wrong, Some("o-landfall01"))),
        [
            "spec.hooks[0]",
            "spec.hooks[1]",
            "spec.hooks[2].lambda",
            "spec.hooks[3].stateMachine",
            "spec.hooks[4].name",
            "spec.hooks[4].lambda"
        ]
    );
}

#[test]
fn parameters_refer_to_known_facts_only() {
    let stacks = |text: &str| {
        zone(serde_json::json!({
            "stackSets": [{"name": "audit", "regions": ["eu-central-1"], "parameters": {"Owner": text}}],
            "accessStack": {"templateUrl": "https://example.com/a.yaml", "region": "eu-central-1",
                            "parameters": {"Owner": text}}
        }))
    };
    let both = ["spec.stackSets[0].parameters.Owner", "spec.accessStack.parameters.Owner"];
    for right in ["${ProductName}-${Stage}", "${tagCostCenter}", "plain", "$100"] {
        assert_eq!(checked(&stacks(right), None), [], "{right}");
    }
    for wrong in ["${accountId}", "${AccountId", "${tagcost}", "${}"] {
        assert_eq!(fields(&checked(&stacks(wrong), None)), both, "{wrong}");
    }
    assert_eq!(fields(&checked(&stacks("${AccountArn}"), None)), both);
    assert_eq!(checked(&stacks("${AccountArn}"), Some("o-landfall01")), []);
}

fn problems_of(tower: serde_json::Value) -> Vec<Problem> {
    let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    platform.control_tower = Some(serde_json::from_value(tower).expect("a Control Tower"));
    check_platform(&PlatformMetadata { name: "aws".to_owned() }, &platform)
}

#[test]
fn control_tower_needs_a_region_and_account_factory_a_product_and_a_person() {
    use serde_json::json;
    assert_eq!(problems_of(json!({"homeRegion": "eu-central-1"})), []);
    assert_eq!(
        fields(&problems_of(json!({"homeRegion": "Frankfurt"}))),
        ["spec.controlTower.homeRegion"]
    );
    let factory = |id: &str, email: &str, name: &str| {
        json!({"homeRegion": "us-gov-west-1", "enrolment": {"accountFactory": {"productId": id,
            "ssoUser": {"email": email, "firstName": name, "lastName": "Foundation"}}}})
    };
    assert_eq!(problems_of(factory("prod-be2kwmlhqyo3o", "cloud@example.com", "Cloud")), []);
    let at = "spec.controlTower.enrolment.accountFactory";
    assert_eq!(
        fields(&problems_of(factory("be2kwmlhqyo3o", "cloud", " "))),
        [
            format!("{at}.productId"),
            format!("{at}.ssoUser.email"),
            format!("{at}.ssoUser.firstName")
        ]
    );
}

fn problems_in(baseline: serde_json::Value, quotas: serde_json::Value) -> Vec<Problem> {
    let zone: LandingZone = serde_json::from_value(serde_json::json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod",
        "baseline": baseline, "quotas": quotas, "accessRole": {"otherWayIn": "none"}
    }))
    .expect("a landing zone");
    let metadata = LandingZoneMetadata { name: "production".to_owned() };
    check_landing_zone(&metadata, &zone, &platform("#{projectIdentifier}@e.io"))
}

#[test]
fn a_baseline_that_aws_would_refuse_is_refused_with_the_remedy() {
    use serde_json::json;
    let key = "arn:aws:kms:eu-central-1:222222222222:key/mrk-1";
    let everywhere = "arn:aws:kms:#{region}:222222222222:key/mrk-1";
    for (baseline, wrong) in [
        (json!({"regions": ["eu-central-1"], "defaultVpc": "delete"}), vec![]),
        (json!({"regions": ["all"], "ebsEncryption": true, "ebsKey": everywhere}), vec![]),
        (json!({"s3PublicAccessBlock": true}), vec![]),
        (json!({"ebsEncryption": true}), vec!["spec.baseline.regions"]),
        (json!({"regions": ["all", "eu-central-1"]}), vec!["spec.baseline.regions"]),
        (json!({"regions": ["frankfurt"]}), vec!["spec.baseline.regions[0]"]),
        (
            json!({"optInRegions": ["ap-east-1", "ap-east-1"]}),
            vec!["spec.baseline.optInRegions[1]"],
        ),
        (
            json!({"regions": ["all"], "ebsEncryption": true, "ebsKey": key}),
            vec!["spec.baseline.ebsKey"],
        ),
        (json!({"regions": ["all"], "ebsKey": everywhere}), vec!["spec.baseline.ebsKey"]),
        (
            json!({"regions": ["eu-west-1"], "ebsEncryption": true, "ebsKey": "alias/ours"}),
            vec!["spec.baseline.ebsKey"],
        ),
        (
            json!({"passwordPolicy": {"minimumLength": 4, "remembered": 25}}),
            vec![
                "spec.baseline.passwordPolicy.minimumLength",
                "spec.baseline.passwordPolicy.remembered",
            ],
        ),
    ] {
        let problems = problems_in(baseline.clone(), json!([]));
        assert_eq!(fields(&problems), wrong, "{baseline}");
    }
}

#[test]
fn a_quota_is_known_by_its_codes_and_stands_there_once() {
    use serde_json::json;
    let vcpus = json!({
        "service": "ec2", "code": "L-1216C47A", "regions": ["eu-central-1"], "value": 300
    });
    assert_eq!(problems_in(json!({}), json!([vcpus])), []);
    let twice = problems_in(json!({}), json!([vcpus, vcpus]));
    assert_eq!(fields(&twice), ["spec.quotas[1].code"]);
    let odd = json!([{"service": "EC2", "code": "vCPUs", "regions": [], "value": -1}]);
    assert_eq!(
        fields(&problems_in(json!({}), odd)),
        [
            "spec.quotas[0].service",
            "spec.quotas[0].code",
            "spec.quotas[0].regions",
            "spec.quotas[0].value"
        ]
    );
}

#[test]
fn a_landing_zone_enrols_where_its_platform_knows_control_tower() {
    let mut platform = platform("#{workspaceIdentifier}.#{projectIdentifier}@e.io");
    let zone = |unit: &str| {
        serde_json::from_value::<LandingZone>(serde_json::json!({
            "platform": "aws", "organizationalUnit": unit, "enrol": true,
            "accessRole": {"otherWayIn": "none"}
        }))
        .expect("a landing zone")
    };
    let metadata = LandingZoneMetadata { name: "production".to_owned() };
    let problems = check_landing_zone(&metadata, &zone("ou-land-workprod"), &platform);
    assert_eq!(fields(&problems), ["spec.enrol"]);
    let tower = serde_json::json!({"homeRegion": "eu-central-1"});
    platform.control_tower = Some(serde_json::from_value(tower).expect("a Control Tower"));
    assert_eq!(check_landing_zone(&metadata, &zone("ou-land-workprod"), &platform), []);
    let in_root = check_landing_zone(&metadata, &zone("r-land"), &platform);
    assert_eq!(fields(&in_root), ["spec.enrol"]);
    let mut apart = zone("ou-land-workprod");
    apart.organizational_unit_per_workspace = true;
    let problems = check_landing_zone(&metadata, &apart, &platform);
    assert_eq!(fields(&problems), ["spec.organizationalUnitPerWorkspace"]);
    assert!(zone("ou-land-workprod").enrols_by_move(&platform));
    assert_eq!(zone("ou-land-workprod").account_factory(&platform), None);
}

#[test]
fn the_shapes_of_documents_stay_as_users_know_them() {
    let text = serde_json::json!({
        "apiVersion": "landfall/v1", "kind": "LandingZone", "metadata": {"name": "production"},
        "spec": {"platform": "aws", "organizationalUnit": "ou-land-workprod",
                 "tags": {"environment": "prod"},
                 "stackSets": [{"name": "audit", "regions": ["eu-central-1"], "parameters": {}}],
                 "accessRole": {"trust": "tighten", "downgrade": "strict", "otherWayIn": "none"}}
    });
    let document: Document<LandingZone> =
        serde_json::from_value(text.clone()).expect("a landing zone");
    assert_eq!(serde_json::to_value(document).expect("JSON"), text);
}

#[test]
fn an_address_after_closing_can_be_mailed_to_and_is_other_for_each_tenant() {
    let metadata = LandingZoneMetadata { name: "production".to_owned() };
    let platform = platform("aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com");
    let said = |pattern: &str, days: u32| {
        let wished = serde_json::json!({"pattern": pattern, "withinDays": days});
        let zone = zone(serde_json::json!({ "addressAfterClosing": wished }));
        check_landing_zone(&metadata, &zone, &platform)
    };
    let good = "closed+#{workspaceIdentifier}.#{projectIdentifier}@a.io";
    assert_eq!(said(good, 7), []);
    assert_eq!(said("closed+#{rand:%.12s}@example.com", 30), []);
    let of_pattern = ["spec.addressAfterClosing.pattern"];
    for wrong in [
        "closed+#{workspaceIdentifier}@example.com",
        "closed+#{workspaceIdentifier}.#{projectIdentifier}@a-long-domain.example.com",
        "closed+#{tenantPlatformNumber}@example.com",
        "no-address-#{rand:%.12s}",
    ] {
        let problems = said(wrong, 7);
        assert!(fields(&problems).iter().all(|field| *field == of_pattern[0]), "{problems:?}");
        assert!(!problems.is_empty(), "{wrong}");
    }
    assert_eq!(fields(&said(&platform.account_email_pattern, 7)), of_pattern);
    for days in [0, 31] {
        assert_eq!(fields(&said(good, days)), ["spec.addressAfterClosing.withinDays"]);
    }
}
