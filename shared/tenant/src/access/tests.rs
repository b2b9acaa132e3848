use serde_json::{Value, json};

use super::*;
use crate::{Name, PlatformMetadata, check_landing_zone, check_platform};

const SETS: &str = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef";

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn platform(center: Value) -> Platform {
    let mut document = json!({
        "region": "eu-central-1", "managementAccount": "111111111111",
        "automationAccount": "123456789012",
        "accountEmailPattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com",
        "identityCenter": {
            "instanceArn": "arn:aws:sso:::instance/ssoins-0123456789abcdef",
            "identityStoreId": "d-0123456789", "signInUrl": "https://example.awsapps.com/start",
            "roles": {
                "admin": {"permissionSets": [format!("{SETS}/ps-administrator0")]},
                "reader": {"alias": "view", "permissionSets": [format!("{SETS}/ps-readonly0000000")]}
            }
        }
    });
    for (key, value) in center.as_object().expect("fields") {
        document["identityCenter"][key] = value.clone();
    }
    serde_json::from_value(document).expect("a platform")
}

fn zone(mappings: Value) -> LandingZone {
    serde_json::from_value(json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod",
        "accessRole": {"otherWayIn": "none"}, "roleMappings": mappings
    }))
    .expect("a landing zone")
}

fn tenant(access: Value) -> Tenant {
    let wish = serde_json::from_value(json!({"landingZone": "production", "access": access}));
    let name = Name::new("payments", "checkout", "aws");
    Tenant::requested(name, 1, wish.expect("a wish"), "ada", now()).tenant
}

fn wished(access: Value, mappings: Value, center: Value) -> WishedAccess {
    let platform = platform(center);
    let center = platform.identity_center.expect("Identity Center");
    wished_access(&tenant(access), &zone(mappings), &center, now()).expect("patterns")
}

fn problems(center: Value) -> Vec<String> {
    let metadata = PlatformMetadata { name: "aws".to_owned() };
    let problems = check_platform(&metadata, &platform(center));
    problems.into_iter().map(|problem| problem.field).collect()
}

#[test]
fn grants_of_a_role_come_together_and_those_that_ran_out_count_as_absent() {
    let access = wished(
        json!([
            {"role": "admin", "users": ["ada"]},
            {"role": "admin", "users": ["bob"], "groups": ["platform-team"]},
            {"role": "admin", "users": ["eve"], "until": "2025-12-31T00:00:00Z"},
            {"role": "reader", "groups": ["auditors"]},
            {"role": "guest", "users": ["mallory"]}
        ]),
        json!({}),
        json!({"userNamePattern": "%s@example.com"}),
    );
    let [admin, reader] = &access.roles[..] else { panic!("{access:?}") };
    assert_eq!(admin.group.as_deref(), Some("landfall-payments.checkout.admin"));
    assert_eq!(admin.users.values().collect::<Vec<_>>(), ["ada@example.com", "bob@example.com"]);
    assert_eq!(admin.groups, ["platform-team".to_owned()].into());
    assert_eq!((&reader.group, reader.users.len()), (&None, 0));
    assert_eq!(access.unmapped, ["guest"]);
}

#[test]
fn a_landing_zone_maps_a_role_otherwise_or_not_at_all() {
    let both = json!([{"role": "admin", "users": ["ada"]}, {"role": "reader", "users": ["bob"]}]);
    let set = format!("{SETS}/ps-poweruser000000");
    let mappings = json!({"admin": {"alias": "power", "permissionSets": [set]},
                          "reader": {"permissionSets": []}});
    let access = wished(both, mappings, json!({}));
    assert_eq!(access.roles.len(), 1);
    assert_eq!(access.roles[0].group.as_deref(), Some("landfall-payments.checkout.power"));
    assert_eq!(access.roles[0].permission_sets, [set]);
    assert_eq!(access.unmapped, ["reader"]);
}

#[test]
fn what_can_not_work_is_refused_when_the_platform_is_applied() {
    assert_eq!(problems(json!({})), [""; 0]);
    for (field, wrong) in [
        ("instanceArn", json!("ssoins-0123456789abcdef")),
        ("identityStoreId", json!("d-123")),
        ("signInUrl", json!("example.awsapps.com")),
        ("groupPrefix", json!("")),
        ("groupNamePattern", json!("#{workspaceIdentifier}-#{platformGroupAlias}")),
        ("groupNamePattern", json!("#{workspaceIdentifier}-#{projectIdentifier}")),
        ("groupNamePattern", json!("#{tenantPlatformNumber}")),
        ("userNamePattern", json!("%d")),
        ("roles", json!({})),
        ("roles.admin.permissionSets", json!({"admin": {"permissionSets": []}})),
        ("roles.admin.permissionSets[0]", json!({"admin": {"permissionSets": ["Administrator"]}})),
        (
            "roles.admin.permissionSets[0]",
            json!({"admin": {"permissionSets": ["arn:aws:sso:::permissionSet/ssoins-another000000000/ps-1"]}}),
        ),
        (
            "roles.admin.alias",
            json!({"admin": {"alias": "a b", "permissionSets": [format!("{SETS}/ps-1")]}}),
        ),
    ] {
        let key = field.split('.').next().unwrap_or_default();
        let found = problems(json!({ key: wrong }));
        assert!(found.contains(&format!("spec.identityCenter.{field}")), "{field}: {found:?}");
    }
}

#[test]
fn two_roles_never_share_a_group() {
    let sets = json!([format!("{SETS}/ps-1")]);
    let twins = json!({"admin": {"permissionSets": sets}, "owner": {"alias": "admin", "permissionSets": sets}});
    assert_eq!(
        problems(json!({ "roles": twins })),
        ["spec.identityCenter.roles.admin.alias", "spec.identityCenter.roles.owner.alias"]
    );
    let metadata = crate::LandingZoneMetadata { name: "production".to_owned() };
    let zone = zone(json!({"operator": {"alias": "view", "permissionSets": sets}}));
    let found = check_landing_zone(&metadata, &zone, &platform(json!({})));
    assert_eq!(found[0].field, "spec.roleMappings.operator.alias");
}

#[test]
fn a_grant_names_somebody_and_no_group_of_ours() {
    let spec = |access: Value| tenant(access).wish;
    let mut found = Vec::new();
    check_grants(
        &spec(json!([{"role": "admin"}, {"role": "Admin", "users": [" ada", ""]}])),
        &mut found,
    );
    let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.access[0]",
            "spec.access[1].role",
            "spec.access[1].users[0]",
            "spec.access[1].users[1]"
        ]
    );
    let ours = spec(json!([{"role": "admin", "groups": ["landfall-other.tenant.admin"]}]));
    assert_eq!(check_access(&ours, &platform(json!({})))[0].field, "spec.access[0].groups[0]");
}

#[test]
fn the_console_is_reached_through_the_portal() {
    let center = platform(json!({})).identity_center.expect("Identity Center");
    let account = AccountId::try_from("222222222222".to_owned()).expect("an account id");
    assert_eq!(
        center.sign_in(Some(&account)).console_url.as_deref(),
        Some("https://example.awsapps.com/start/#/console?account_id=222222222222")
    );
    assert_eq!(center.sign_in(None).console_url, None);
}
