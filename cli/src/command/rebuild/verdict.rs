//! What is to become of an account after the loss of the ledger: pure, from what accounts say and people wished for.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use tenant::{
    ACTIVE, Claim, Document, LandingZone, Name, Numbers, Platform, Tenant, TenantMetadata,
    TenantSpec, Uuid, incarnation_of, render_names, tenant_id,
};

/// How often a name is tried that only a wish tells.
const TRIED: u32 = 100;

/// What is to become of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The ledger knows its tenant, which is left as it is.
    Known,
    /// Its tenant can be restored.
    Restorable,
    /// Its tenant is restored.
    Restored,
    /// It is closed: its tenant can be put down as deleted.
    Gone,
    /// Its tenant is put down as deleted.
    PutDown,
    /// It can't be told whose it is, or its tenant can't be restored; the remark says why and what to do.
    Unclear,
    /// No tenant's.
    Unmanaged,
    /// A wish for which there is no account.
    Absent,
}

impl Outcome {
    /// The outcome as users read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "is known already",
            Self::Restorable => "can be restored",
            Self::Restored => "restored",
            Self::Gone => "is closed: to be put down as deleted",
            Self::PutDown => "put down as deleted",
            Self::Unclear => "unclear",
            Self::Unmanaged => "no tenant's",
            Self::Absent => "has no account",
        }
    }
}

/// What is to become of an account, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The platform.
    pub platform: String,
    /// The account; none for a wish that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The account's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The tenant's name, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The tenant's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What is to become of it.
    pub outcome: Outcome,
    /// Why, or what to know about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// What its tenant is restored with.
    #[serde(skip)]
    pub document: Option<Document<TenantSpec>>,
    /// How often the name had been used.
    #[serde(skip)]
    pub incarnation: u32,
}

/// What people wished for, by what finds it.
pub struct Wished<'a> {
    names: BTreeMap<String, &'a Document<TenantSpec>>,
    ids: HashMap<Uuid, &'a Document<TenantSpec>>,
    emails: HashMap<String, &'a Document<TenantSpec>>,
}

impl<'a> Wished<'a> {
    /// The wishes for tenants of this platform, with the addresses that it gives their accounts.
    pub fn new(
        documents: impl IntoIterator<Item = &'a Document<TenantSpec>>,
        zones: &HashMap<String, LandingZone>,
        name: &str,
        platform: &Platform,
    ) -> Self {
        let (mut names, mut ids, mut emails) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        for document in documents.into_iter().filter(|it| it.metadata.platform == name) {
            let name = document.metadata.name();
            ids.extend((1..=TRIED).map(|incarnation| (tenant_id(&name, incarnation), document)));
            if let Some(email) = address(document, zones, platform) {
                emails.insert(email.to_lowercase(), document);
            }
            names.insert(name.to_string(), document);
        }
        Self { names, ids, emails }
    }

    /// The tenant that an account's tag proves it to be: by what its other tags say, or by a wish.
    fn proved(&self, claim: &Claim) -> Option<(Name, u32)> {
        claim.named().or_else(|| {
            let id = claim.id()?;
            let name = self.ids.get(&id)?.metadata.name();
            let incarnation = incarnation_of(&name, id)?;
            Some((name, incarnation))
        })
    }
}

/// The address that the account of a wish has, where the platform's pattern needs no number for it.
fn address(
    document: &Document<TenantSpec>,
    zones: &HashMap<String, LandingZone>,
    platform: &Platform,
) -> Option<String> {
    let zone = zones.get(&document.spec.landing_zone)?;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let tenant = Tenant::requested(document.metadata.name(), 1, document.spec.clone(), "", now);
    Some(render_names(&tenant.tenant, zone, platform, Numbers::default()).ok()?.email)
}

/// What is to become of all accounts of a platform, and which wishes have none. Those of one name come in the order in
/// which it was used.
pub fn verdicts(claims: &[Claim], wished: &Wished<'_>) -> Vec<Verdict> {
    let mut open: HashMap<Uuid, Vec<&Claim>> = HashMap::new();
    for claim in claims.iter().filter(|claim| claim.known.is_none()) {
        if let Some(id) = claim.id() {
            open.entry(id).or_default().push(claim);
        }
    }
    let mut all: Vec<Verdict> = claims.iter().map(|claim| verdict(claim, wished, &open)).collect();
    let named: HashSet<&String> = all.iter().filter_map(|one| one.tenant.as_ref()).collect();
    let absent: Vec<Verdict> = wished
        .names
        .iter()
        .filter(|(name, _)| !named.contains(name))
        .map(|(name, document)| Verdict {
            platform: document.metadata.platform.clone(),
            account: None,
            email: None,
            tenant: Some(name.clone()),
            id: None,
            outcome: Outcome::Absent,
            remark: "applying its wish makes one".to_owned(),
            document: None,
            incarnation: 0,
        })
        .collect();
    all.extend(absent);
    all.sort_by(|one, other| {
        let key = |it: &Verdict| (it.tenant.is_none(), it.tenant.clone(), it.incarnation);
        key(one).cmp(&key(other))
    });
    all
}

fn verdict(claim: &Claim, wished: &Wished<'_>, open: &HashMap<Uuid, Vec<&Claim>>) -> Verdict {
    let bare = Verdict {
        platform: claim.platform.clone(),
        account: Some(claim.account.to_string()),
        email: Some(claim.email.clone()),
        tenant: claim.known.clone(),
        id: claim.id(),
        outcome: Outcome::Known,
        remark: String::new(),
        document: None,
        incarnation: 0,
    };
    let unclear = |remark: String| Verdict { outcome: Outcome::Unclear, remark, ..bare.clone() };
    if claim.known.is_some() {
        return bare;
    }
    let Some(tag) = &claim.tenant else {
        return match wished.emails.get(&claim.email.to_lowercase()) {
            Some(document) => {
                let name = document.metadata.name();
                let account = &claim.account;
                Verdict {
                    tenant: Some(name.to_string()),
                    ..unclear(format!(
                        "has the address of tenant {name}, and no tag says that it is its: if it is, `landfall adopt {account} -f FILE`"
                    ))
                }
            }
            None => Verdict { outcome: Outcome::Unmanaged, ..bare },
        };
    };
    let Some((name, incarnation)) = wished.proved(claim) else {
        return unclear(format!(
            "its tag names tenant {tag}, which neither its other tags nor a wish explain"
        ));
    };
    let named = Verdict { tenant: Some(name.to_string()), incarnation, ..bare.clone() };
    let unclear = |remark: String| Verdict { outcome: Outcome::Unclear, remark, ..named.clone() };
    let others = claim.id().and_then(|id| open.get(&id)).into_iter().flatten();
    let others: Vec<&str> = others
        .filter(|other| other.account != claim.account)
        .map(|other| other.account.as_str())
        .collect();
    if !others.is_empty() {
        return unclear(format!(
            "account {} says the same: take the tag off the one that is not the tenant's",
            others.join(", ")
        ));
    }
    match claim.state.as_str() {
        ACTIVE => {}
        "CLOSED" | "PENDING_CLOSURE" => {
            let zone = claim.landing_zone.clone().unwrap_or_else(|| "unknown".to_owned());
            let wish = wished.names.get(&name.to_string());
            let document = wish.map_or_else(|| bare_wish(&name, zone), |it| Some((*it).clone()));
            return Verdict { outcome: Outcome::Gone, document, ..named };
        }
        state => {
            return unclear(format!("is {state}: have AWS Support reopen it, then rebuild again"));
        }
    }
    let Some(document) = wished.names.get(&name.to_string()) else {
        return unclear("its wish is not among the files: add it with -f".to_owned());
    };
    let zone = &document.spec.landing_zone;
    let remark = match &claim.landing_zone {
        Some(had) if had != zone => format!("landing zone {zone}; the account says {had}"),
        _ => format!("landing zone {zone}"),
    };
    let document = Some((*document).clone());
    Verdict { outcome: Outcome::Restorable, remark, document, ..named }
}

/// All that is left of the wish of a tenant that is no more.
fn bare_wish(name: &Name, landing_zone: String) -> Option<Document<TenantSpec>> {
    let spec = serde_json::from_value(serde_json::json!({ "landingZone": landing_zone })).ok()?;
    Some(Document::new(TenantMetadata::from(name), spec))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn platform() -> Platform {
        serde_json::from_value(json!({
            "region": "eu-central-1", "managementAccount": "111111111111",
            "automationAccount": "123456789012",
            "accountEmailPattern": "aws+#{workspaceIdentifier}.#{projectIdentifier}@e.io"
        }))
        .expect("a platform")
    }

    fn zones() -> HashMap<String, LandingZone> {
        let zone =
            json!({"platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {}});
        [("sandbox".to_owned(), serde_json::from_value(zone).expect("a landing zone"))].into()
    }

    fn wish(project: &str) -> Document<TenantSpec> {
        bare_wish(&Name::new("w", project, "aws"), "sandbox".to_owned()).expect("a wish")
    }

    fn claim(account: &str, project: &str, more: serde_json::Value) -> Claim {
        let id = tenant_id(&Name::new("w", project, "aws"), 1);
        let mut claim = json!({
            "platform": "aws", "account": account, "name": "it", "state": "ACTIVE",
            "email": format!("aws+w.{project}@e.io"), "tenant": id, "workspace": "w",
            "project": project, "landingZone": "sandbox"
        });
        let more = more.as_object().expect("fields").clone();
        claim.as_object_mut().expect("fields").extend(more);
        serde_json::from_value(claim).expect("a claim")
    }

    fn judged(claims: &[Claim], wishes: &[Document<TenantSpec>]) -> Vec<Verdict> {
        verdicts(claims, &Wished::new(wishes, &zones(), "aws", &platform()))
    }

    fn only(claim: Claim, wishes: &[Document<TenantSpec>]) -> Verdict {
        judged(&[claim], wishes).into_iter().find(|one| one.account.is_some()).expect("one")
    }

    const ONE: &str = "444455556666";
    const OTHER: &str = "777788889999";

    #[test]
    fn an_account_whose_tag_is_its_tenants_id_is_restored_with_the_wish() {
        let found = only(claim(ONE, "a", json!({})), &[wish("a"), wish("b")]);
        assert_eq!(
            (found.outcome, found.tenant.as_deref()),
            (Outcome::Restorable, Some("w.a.aws"))
        );
        assert_eq!((found.document, found.incarnation), (Some(wish("a")), 1));
        // The wish explains the id as well as workspace and project do.
        let bare = claim(ONE, "a", json!({"workspace": null, "project": null}));
        assert_eq!(only(bare, &[wish("a")]).outcome, Outcome::Restorable);
        let moved = only(claim(ONE, "a", json!({"landingZone": "production"})), &[wish("a")]);
        assert_eq!(moved.remark, "landing zone sandbox; the account says production");
    }

    #[test]
    fn what_the_ledger_knows_is_left_alone() {
        let known = claim(ONE, "a", json!({"known": "w.a.aws"}));
        assert_eq!(only(known, &[wish("a")]).outcome, Outcome::Known);
    }

    #[test]
    fn whose_wish_or_name_is_missing_is_said_and_not_restored() {
        assert!(only(claim(ONE, "a", json!({})), &[]).remark.contains("not among the files"));
        let forged = claim(ONE, "a", json!({"project": "b"}));
        let found = only(forged, &[wish("b")]);
        assert_eq!((found.outcome, found.document), (Outcome::Unclear, None));
        let nonsense = only(claim(ONE, "a", json!({"tenant": "mine"})), &[wish("a")]);
        assert!(nonsense.remark.contains("names tenant mine"), "{}", nonsense.remark);
    }

    #[test]
    fn two_accounts_that_say_the_same_are_both_left() {
        let claims = [claim(ONE, "a", json!({})), claim(OTHER, "a", json!({"email": "x@e.io"}))];
        let found = judged(&claims, &[wish("a")]);
        assert!(found.iter().all(|one| one.outcome == Outcome::Unclear && one.document.is_none()));
        assert!(found[0].remark.contains("take the tag off"), "{}", found[0].remark);
    }

    #[test]
    fn an_account_without_a_tag_is_nobodys_or_asked_about_by_its_address() {
        let bare = json!({"tenant": null, "workspace": null, "project": null});
        let stranger = claim(ONE, "b", bare.clone());
        assert_eq!(only(stranger, &[wish("a")]).outcome, Outcome::Unmanaged);
        let found = only(claim(ONE, "a", bare), &[wish("a")]);
        assert_eq!(found.outcome, Outcome::Unclear);
        assert!(found.remark.contains("landfall adopt 444455556666"), "{}", found.remark);
    }

    #[test]
    fn a_closed_account_counts_its_name_as_used_before_the_one_that_used_it_again() {
        let closed = claim(ONE, "a", json!({"state": "CLOSED"}));
        let again = tenant_id(&Name::new("w", "a", "aws"), 2);
        let second = claim(OTHER, "a", json!({"tenant": again, "email": "aws+w.a-2@e.io"}));
        let found = judged(&[second, closed.clone()], &[wish("a")]);
        let outcomes: Vec<Outcome> = found.iter().map(|one| one.outcome).collect();
        assert_eq!(outcomes, [Outcome::Gone, Outcome::Restorable]);
        assert!(only(closed, &[]).document.is_some(), "no wish is needed for it");
        let suspended = claim(ONE, "a", json!({"state": "SUSPENDED"}));
        assert_eq!(only(suspended, &[wish("a")]).outcome, Outcome::Unclear);
    }

    #[test]
    fn a_wish_without_an_account_is_named() {
        let found = judged(&[claim(ONE, "a", json!({}))], &[wish("a"), wish("b")]);
        let absent: Vec<_> = found.iter().filter(|one| one.outcome == Outcome::Absent).collect();
        assert_eq!(absent.len(), 1);
        assert_eq!(absent[0].tenant.as_deref(), Some("w.b.aws"));
    }
}
