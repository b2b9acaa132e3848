//! A tenant with its landing zone and platform, to test steps with.

use serde_json::{Value, json};
use step::Task;
use tenant::{AccountId, Mode, Name, Numbers, Tenant, TenantSpec, render_names};

/// The account of the example once it has one.
pub const ACCOUNT: &str = "222222222222";

/// A task of the tenant `payments.checkout.aws` in the landing zone `production`, without an account.
#[must_use]
pub fn newborn() -> Task {
    let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
    let platform = json!({
        "region": "eu-central-1", "managementAccount": "111111111111", "automationAccount": "123456789012",
        "accountEmailPattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com"
    });
    let landing_zone = json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod", "tags": {"environment": "production"},
        "stackSets": [{"name": "landfall-audit-role", "regions": ["eu-central-1", "us-east-1"]}],
        "accessRole": {"trust": "tighten", "downgrade": "strict", "otherWayIn": "none"}
    });
    let wish: TenantSpec =
        read(json!({"landingZone": "production", "tags": {"costCenter": "4711"}}));
    let tenant =
        Tenant::requested(Name::new("payments", "checkout", "aws"), 1, wish, "ada", now).tenant;
    Task {
        tenant,
        landing_zone: read(landing_zone),
        platform: read(platform),
        part: None,
        mode: Mode::Replicate,
        run: 1,
        now,
        awaited: None,
    }
}

/// The same task once its account is there.
#[must_use]
pub fn landed() -> Task {
    let mut task = newborn();
    let numbers = Numbers { tenant: 1, project: 1 };
    let names =
        render_names(&task.tenant, &task.landing_zone, &task.platform, numbers).expect("patterns");
    let account = AccountId::try_from(ACCOUNT.to_owned()).expect("an account id");
    task.tenant = task.tenant.named(names, task.now).tenant;
    task.tenant = task.tenant.landed(account, "create-account", task.now).tenant;
    task
}

/// The same task where Control Tower enrols what is moved into its unit.
#[must_use]
pub fn by_move(mut task: Task) -> Task {
    task.landing_zone.enrol = true;
    task.platform.control_tower = Some(read(json!({"homeRegion": "eu-central-1"})));
    task
}

/// The same task where Account Factory enrols its accounts.
#[must_use]
pub fn by_account_factory(mut task: Task) -> Task {
    task.landing_zone.enrol = true;
    task.platform.control_tower = Some(read(json!({
        "homeRegion": "eu-central-1",
        "enrolment": {"accountFactory": {
            "productId": "prod-accountfactory",
            "ssoUser": {"email": "cloud@example.com", "firstName": "Cloud", "lastName": "Foundation"}
        }}
    })));
    task
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an example is well formed")
}
