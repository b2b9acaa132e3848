//! Restoration: tenants of a ledger that was lost, from what their accounts say and what people wished for.
//!
//! An account's tag names its tenant by an id that is computed from the tenant's name: the tag proves whose the account
//! is, and the wish says what it is to be. What the ledger knows is never written over; two who restore one tenant at
//! once meet in the ledger, as in an adoption.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entry::Means;
use organization::{Member, Organization};
use step::{Permission, Site};
use tenant::{
    ACTIVE, AccountId, Adopted, Claim, Document, Holder, Mode, Name, Named, Page, Platform,
    Problem, Tenant, TenantSpec, Transition, Uuid,
};

use crate::adoptions::read;
use crate::tenants::{Decision, Outcome, answer, check_beside, decided};
use crate::{Refusal, Request, Response};

const ACCOUNTS: &str = "arn:${Partition}:organizations::${Management}:account/o-*/*";

/// What restoring looks at: all accounts, and their tags.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(Site::Management, "organizations:ListAccounts", "*"),
    Permission::look(Site::Management, "organizations:DescribeAccount", ACCOUNTS),
    Permission::look(Site::Management, "organizations:ListTagsForResource", ACCOUNTS),
];

/// States of accounts that are gone for good, or soon are.
const GONE: [&str; 2] = ["CLOSED", "PENDING_CLOSURE"];

/// A page of an organization's accounts, and whose they say that they are.
pub async fn claims(means: &Means, request: &Request, name: &str) -> Result<Response, Refusal> {
    let platform = platform(means, name).await?;
    let after = request.query_string_parameters.get("after").map(|after| {
        let token = URL_SAFE_NO_PAD.decode(after).ok().filter(|token| !token.is_empty());
        token.and_then(|token| String::from_utf8(token).ok())
    });
    let elsewhere = || Refusal::WrongQuery("`after` is none of this list's `next`.");
    let token = after.map(|token| token.ok_or_else(elsewhere)).transpose()?;
    let organization = organization(means, &platform, Uuid::nil()).await?;
    let page = organization.members(token.as_deref()).await?.ok_or_else(elsewhere)?;
    let mut items = Vec::new();
    let seats = [&platform.management_account, &platform.automation_account];
    for Member { id, seen, .. } in page.members {
        if seats.contains(&&id) {
            continue;
        }
        let tags = organization.tags(id.as_str()).await?;
        let known = known(means, &id).await?;
        let bare = Claim {
            platform: name.to_owned(),
            account: id,
            name: seen.name,
            email: seen.email,
            state: seen.state,
            tenant: None,
            workspace: None,
            project: None,
            landing_zone: None,
            known,
        };
        items.push(bare.tagged(&tags, &platform));
    }
    let next = page.next.map(|token| URL_SAFE_NO_PAD.encode(token));
    Ok(Response::json(200, &Page { items, next }))
}

async fn platform(means: &Means, name: &str) -> Result<Platform, Refusal> {
    let platform = means.ledger.config::<Platform>(name).await?;
    Ok(platform.ok_or_else(|| Refusal::Missing(format!("platform `{name}`")))?.spec)
}

async fn organization(
    means: &Means,
    platform: &Platform,
    tenant: Uuid,
) -> Result<Organization, Refusal> {
    let sessions = means.sessions(PERMISSIONS, platform, tenant, None, Mode::Plan);
    Ok(Organization::new(&sessions.look(Site::Management).await?))
}

/// The name of the tenant that the ledger knows an account as.
async fn known(means: &Means, account: &AccountId) -> Result<Option<String>, Refusal> {
    let Some(owner) = means.ledger.owner(account.as_str()).await? else { return Ok(None) };
    Ok(means.ledger.tenant(owner).await?.map(|tenant| tenant.name.to_string()))
}

/// What is to be written for a tenant.
struct Restoration {
    transition: Transition,
    /// Who holds the name, or held it last.
    holder: Option<Holder>,
}

/// What a restoration comes to.
enum Found {
    /// The ledger knows the tenant with this account.
    Known(Box<Tenant>),
    /// It is lost.
    Lost(Box<Restoration>),
}

/// Restores the tenant of an account, and starts its run.
pub async fn put(
    means: &Means,
    request: &Request,
    platform: &str,
    account: &AccountId,
    author: &str,
) -> Result<Response, Refusal> {
    let (name, document) = read(request, platform)?;
    decided(means, || async {
        let lost = match look(means, &name, &document, account, author).await? {
            Found::Known(tenant) => return Ok(Decision::Unchanged(tenant)),
            Found::Lost(lost) => lost,
        };
        let written = means.ledger.restore(&lost.transition, account, lost.holder).await;
        Ok(Decision::Written(Outcome::Created, Box::new(lost.transition), written))
    })
    .await
}

/// The tenant as it would be restored; nothing is written.
pub async fn check(
    means: &Means,
    request: &Request,
    platform: &str,
    account: &AccountId,
    author: &str,
) -> Result<Response, Refusal> {
    let (name, document) = read(request, platform)?;
    match look(means, &name, &document, account, author).await? {
        Found::Known(tenant) => answer(means, &tenant, Outcome::Unchanged).await,
        Found::Lost(lost) => answer(means, &lost.transition.tenant, Outcome::Unchanged).await,
    }
}

/// The tenant, if the account is its and can be given back to it.
async fn look(
    means: &Means,
    name: &Name,
    document: &Document<TenantSpec>,
    account: &AccountId,
    author: &str,
) -> Result<Found, Refusal> {
    let platform = platform(means, &name.platform).await?;
    let organization = organization(means, &platform, Uuid::nil()).await?;
    let Some(member) = organization.member(account).await? else {
        return Err(refused(
            account,
            "is not in the platform's organization",
            "Invite it into the organization first, or write another account.",
        ));
    };
    let (id, incarnation) = claimed(&organization, &platform, name, account).await?;
    let row = means.ledger.tenant(id).await?;
    match (row, means.ledger.owner(account.as_str()).await?) {
        (Some(tenant), Some(owner)) if owner == id && tenant.account.as_ref() == Some(account) => {
            return Ok(Found::Known(Box::new(tenant)));
        }
        (Some(tenant), _) => return Err(refused_as_known(account, &tenant)),
        (None, Some(owner)) if owner != id => {
            let whose = means.ledger.tenant(owner).await?.map(|tenant| tenant.name.to_string());
            let whose = whose.unwrap_or_else(|| owner.to_string());
            return Err(refused(
                account,
                &format!("is or was the account of tenant {whose}"),
                "An account belongs to one tenant for ever. See whose it is, and take the wrong tag off.",
            ));
        }
        (None, _) => {}
    }
    let is_gone = GONE.contains(&member.seen.state.as_str());
    if !is_gone && member.seen.state != ACTIVE {
        return Err(refused(
            account,
            &format!("is {}", member.seen.state),
            "Have AWS Support reopen it, then restore its tenant.",
        ));
    }
    let named = means.ledger.named(name).await?;
    let holder = named.as_ref().map(|named| named.holder);
    let (alive, _) = Named::living(named, name);
    // One that is gone leaves the name to whoever uses it now, unless it used it later.
    if let Some(other) = alive.filter(|other| !is_gone || other.incarnation < incarnation) {
        return Err(refused_as_known(account, &other));
    }
    if let Some(other) =
        means.ledger.email(&member.seen.email).await?.filter(|row| row.tenant != id)
    {
        return Err(refused(
            account,
            &format!(
                "has the address {}, which tenant {} has reserved",
                member.seen.email, other.tenant
            ),
            "Give the account another address at AWS, or delete that tenant first.",
        ));
    }
    let requested =
        Tenant::requested(name.clone(), incarnation, document.spec.clone(), author, means.now());
    let found = Adopted {
        account: account.clone(),
        since: member.joined,
        name: member.seen.name,
        email: member.seen.email,
    };
    let transition = requested.restoring(found, is_gone);
    if !is_gone {
        // It was there before, as far as rules for new tenants go.
        let before = Some(transition.tenant.clone());
        check_beside(means, (name, incarnation), document, before).await?;
    }
    Ok(Found::Lost(Box::new(Restoration { transition, holder })))
}

/// The tenant's id and how often its name had been used, as the account's tag proves them.
async fn claimed(
    organization: &Organization,
    platform: &Platform,
    name: &Name,
    account: &AccountId,
) -> Result<(Uuid, u32), Refusal> {
    let key = format!("{}tenant", platform.tag_prefix);
    let tags = organization.tags(account.as_str()).await?;
    let tag = tags.get(&key);
    let id = tag.and_then(|id| Uuid::parse_str(id).ok());
    let proved = id.and_then(|id| Some((id, tenant::incarnation_of(name, id)?)));
    proved.ok_or_else(|| {
        let says = tag.map_or_else(|| "is missing".to_owned(), |tag| format!("is `{tag}`"));
        refused(
            account,
            &format!("does not say that it is tenant {name}'s: its tag {key} {says}"),
            "If it is its account, make it so: `landfall adopt ACCOUNT -f FILE`.",
        )
    })
}

fn refused_as_known(account: &AccountId, tenant: &Tenant) -> Refusal {
    let has = match &tenant.account {
        Some(other) => format!("with account {other}"),
        None => "and has no account yet".to_owned(),
    };
    refused(
        account,
        &format!("says that it is tenant {}'s, which is known already {has}", tenant.name),
        "What the ledger knows is left as it is. `landfall describe` and `landfall history` tell of that tenant.",
    )
}

fn refused(account: &AccountId, rule: &str, remedy: &str) -> Refusal {
    Refusal::Invalid(vec![Problem::new("account", account, rule, remedy)])
}
