use jiff::Timestamp;
use tenant::{Kind, Name, Tenant, TenantSpec};

use crate::{Key, StepRow, config::span, item, tenants::beginning};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a timestamp")
}

fn tenant() -> Tenant {
    let wish: TenantSpec = serde_json::from_value(serde_json::json!({
        "landingZone": "production", "tags": {"costCenter": "4711"},
        "contacts": {"owner": "ada@example.com", "security": {"email": "soc@example.com", "phone": "+49 1"}}
    }))
    .expect("a wish");
    Tenant::requested(Name::new("payments", "checkout", "aws"), 1, wish, "ada", now()).tenant
}

#[test]
fn a_tenant_is_read_as_it_was_written() {
    let tenant = tenant();
    let item = item::write(&Key::tenant(tenant.id), &tenant).expect("an item");
    assert_eq!(item::read::<Tenant>(item).expect("a tenant"), tenant);
}

#[test]
fn history_sorts_by_time_and_version() {
    let id = tenant().id;
    let earlier = Key::history(id, now(), 9);
    assert!(earlier.sk < Key::history(id, now(), 10).sk);
    assert!(earlier.sk < Key::history(id, now() + jiff::SignedDuration::from_millis(1), 1).sk);
}

#[test]
fn a_part_of_a_history_begins_at_its_instant_and_behind_its_entry() {
    let id = tenant().id;
    let [earlier, last] = [9, 10].map(|version| Key::history(id, now(), version).sk);
    let later = now() + jiff::SignedDuration::from_micros(1_500);
    let from = |since, after| beginning(id, since, after);
    assert!(from(None, None) < earlier && from(Some(now()), None) < earlier);
    assert!(earlier < from(None, Some((now(), 9))) && from(None, Some((now(), 9))) < last);
    assert!(last < from(Some(later), Some((now(), 9))), "whichever is later");
    // Keys are cut to the millisecond, and so is where to begin: nothing of that instant is left out.
    assert!(from(Some(later), None) < Key::history(id, later, 1).sk);
}

#[test]
fn a_step_never_overwrites_the_token_or_the_hint_of_its_row() {
    let row = StepRow {
        token: Some("token".to_owned()),
        hinted: Some(true),
        ..StepRow::new("create-account", None, 1)
    };
    let item = item::write(&Key::step(tenant().id, "create-account", None), &row).expect("an item");
    assert!(!item.contains_key("token") && !item.contains_key("hinted"));
}

#[test]
fn a_part_of_a_configurations_history_is_of_one_name_and_begins_behind_its_entry() {
    let entry = |name: &str, version| Key::config_history(Kind::LandingZone, name, version).sk;
    let of = Some((Kind::LandingZone, "prod"));
    let (from, to) = span(of, None);
    assert!(from < entry("prod", 1) && entry("prod", 999) < to);
    for other in ["pro", "prod-2", "prod2", "sandbox"] {
        assert!(entry(other, 1) < from || to < entry(other, 1), "{other}");
    }
    let (from, _) = span(of, Some((Kind::LandingZone, "prod", 9)));
    assert!(entry("prod", 9) < from && from < entry("prod", 10));
    let (from, to) = span(None, None);
    for kind in [Kind::LandingZone, Kind::Platform] {
        let entry = Key::config_history(kind, "prod", 1).sk;
        assert!(from < entry && entry < to);
    }
}
