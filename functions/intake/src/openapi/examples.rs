//! What the document shows of requests and answers: made from the types themselves, so that it can't be out of date.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use tenant::{
    AccountId, ConfigurationEntry, Document, HistoryLine, HistoryPage, HistoryView, LandingZone,
    LetterView, LettersView, Name, Names, Page, PlanState, PlanView, Platform, Problem, Reader,
    Spec, StepState, StepView, Tenant, TenantMetadata, TenantSpec, TenantView, Versions,
};

use crate::Refusal;
use crate::configuration::Configuration;

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 56)
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn spec<S: Spec>(value: Value) -> Option<S> {
    serde_json::from_value(value).ok()
}

fn wish() -> Option<TenantSpec> {
    spec(json!({
        "landingZone": "production",
        "contacts": { "owner": "ada@example.com", "security": "soc@example.com" },
        "tags": { "costCenter": "4711" }
    }))
}

fn name() -> Name {
    Name::new("payments", "checkout-prod", "aws")
}

/// A tenant that is wished for.
pub(super) fn tenant() -> Value {
    json(&wish().map(|wish| Document::new(TenantMetadata::from(&name()), wish)))
}

fn zone(environment: &str) -> Option<LandingZone> {
    spec::<LandingZone>(json!({
        "platform": "aws", "organizationalUnit": "ou-land-workprod", "tags": { "environment": environment },
        "stackSets": [{
            "name": "landfall-audit-role", "regions": ["eu-central-1"],
            "parameters": { "SecurityAccountId": "333333333333" }
        }],
        "accessRole": { "trust": "tighten", "otherWayIn": { "role": "BreakGlass" } }
    }))
}

/// A landing zone.
pub(super) fn landing_zone() -> Value {
    json(&zone("production").map(|zone| Document::new(LandingZone::metadata("production"), zone)))
}

/// What happened to it: made, changed, deleted.
fn configured() -> Option<[ConfigurationEntry; 3]> {
    let (before, after) = (zone("production")?, zone("live")?);
    let entry = |version, before, after| {
        let at = now() + SignedDuration::from_hours(24 * i64::from(version));
        let of = ("production", u64::from(version));
        ConfigurationEntry::of(of, before, after, "arn:aws:iam::123456789012:user/ada", at)
    };
    Some([
        entry(1_u32, None, Some(&before)),
        entry(2, Some(&before), Some(&after)),
        entry(3, Some(&after), None),
    ])
}

/// The history of a landing zone.
pub(super) fn configuration_history() -> Value {
    json(
        &configured()
            .map(|[created, changed, _]| Page { items: vec![created, changed], next: None }),
    )
}

/// Its end.
pub(super) fn deletion() -> Value {
    json(&configured().map(|[_, _, deleted]| deleted))
}

/// A platform.
pub(super) fn platform() -> Value {
    let platform = spec::<Platform>(json!({
        "region": "eu-central-1", "managementAccount": "111111111111", "automationAccount": "123456789012",
        "accountEmailPattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@example.com"
    }));
    json(&platform.map(|platform| Document::new(Platform::metadata("aws"), platform)))
}

/// What is wanted of a breaker.
pub(super) fn breaker() -> Value {
    json!({ "state": "closed", "comment": "AWS raised the limit, case 4711." })
}

/// Dead letters.
pub(super) fn letters() -> Value {
    let letter = LetterView {
        id: "7d1c6c1e-0f0b-4c53-9a51-5d0f6a4b8c22".to_owned(),
        since: now(),
        from: Some("function landfall-hear-events".to_owned()),
        function: Some("landfall-hear-events".to_owned()),
        about: Some("CreateAccountResult of aws.organizations".to_owned()),
        account: Some("444455556666".to_owned()),
        tenant: Some(name().to_string()),
        error: Some("Blocked: Landfall lacks a permission for this.".to_owned()),
        attempts: Some(3),
        redrivable: true,
        text: "{\"version\":\"1.0\",\"requestContext\":{…}}".to_owned(),
    };
    json(&LettersView { items: vec![letter], waiting: 1 })
}

/// What is wanted of a roll-out.
pub(super) fn roll_out() -> Value {
    json!({ "state": "rolling", "comment": "The role that was in the way is gone." })
}

fn steps() -> Vec<StepView> {
    let done = |step: &str, second: i64, changes: &[&str]| StepView {
        state: StepState::Done,
        since: Some(now() + SignedDuration::from_secs(second)),
        until: Some(now() + SignedDuration::from_secs(second + 2)),
        changes: changes.iter().map(|change| (*change).to_owned()).collect(),
        ..StepView::pending(step)
    };
    vec![
        done("admit", 1, &[]),
        done("create-account", 3, &["account 444455556666 is the tenant's"]),
        StepView { changes: Vec::new(), ..StepView::pending("place-account") },
    ]
}

fn running() -> Option<(Tenant, Vec<tenant::Entry>)> {
    let requested =
        Tenant::requested(name(), 1, wish()?, "arn:aws:iam::123456789012:user/ada", now());
    let started =
        requested.tenant.started(Versions::default(), now() + SignedDuration::from_secs(1)).ok()?;
    let names: Names = serde_json::from_value(json!({
        "email": "aws+payments.checkout-prod@example.com", "accountName": "payments.checkout-prod"
    }))
    .ok()?;
    let named = started.tenant.named(names, now() + SignedDuration::from_secs(2));
    let account = AccountId::try_from("444455556666".to_owned()).ok()?;
    let landed =
        named.tenant.landed(account, "create-account", now() + SignedDuration::from_secs(5));
    let entries = vec![requested.entry, started.entry, named.entry, landed.entry];
    Some((landed.tenant, entries))
}

/// A tenant at work.
pub(super) fn tenant_view() -> Value {
    let as_of = now() + SignedDuration::from_secs(6);
    json(&running().map(|(tenant, _)| TenantView::of(&tenant, steps(), Reader::Requester, as_of)))
}

/// A tenant's history.
pub(super) fn history() -> Value {
    json(&running().map(|(tenant, entries)| HistoryView::of(&tenant, entries, Reader::Requester)))
}

/// A part of all tenants' history.
pub(super) fn all_history() -> Value {
    json(&running().map(|(tenant, entries)| {
        let next = Some(tenant.name.to_string());
        let lines = entries.into_iter().map(|it| HistoryLine::of(&tenant, it, Reader::Operator));
        let as_of = now() + SignedDuration::from_secs(6);
        HistoryPage { items: lines.collect(), next, as_of }
    }))
}

/// A plan.
pub(super) fn plan() -> Value {
    let changes = vec!["move the account from r-land to ou-land-workprod".to_owned()];
    let step =
        StepView { state: StepState::Planned, changes, ..StepView::pending("place-account") };
    let (id, as_of) = (tenant::Uuid::nil(), now());
    let name = name().to_string();
    json(&PlanView::of(id, name, PlanState::Done, vec![step], None, Reader::Requester, as_of))
}

/// A document that has problems.
pub(super) fn invalid() -> Value {
    let problem = Problem::new(
        "spec.landingZone",
        "prodution",
        "is no LandingZone that is known",
        "Did you mean `production`? Known are production, sandbox.",
    );
    let response = Refusal::Invalid(vec![problem]).response();
    serde_json::from_str(&response.body).unwrap_or_default()
}
