//! Adoption: a tenant for an account that was there before.
//!
//! Everything that can be known is checked before anything is written: that the account is in the organization and
//! usable, that it never was a tenant's, that Landfall gets in. Two who adopt one account at once meet in the ledger,
//! where only one of them finds that it is nobody's.

use std::collections::BTreeMap;

use entry::Means;
use organization::{Member, Organization};
use role::Roles;
use schemars::JsonSchema;
use serde::Serialize;
use step::{Permission, Site};
use tenant::{
    ACTIVE, AccountId, Adopted, Document, Mode, Name, Named, Platform, Problem, Tenant, TenantSpec,
    Transition,
};

use crate::tenants::{Decision, Outcome, check, decided};
use crate::{Refusal, Request, Response, passes, plans};

/// What adopting looks at: the account, its tags, and whether its access role lets Landfall in.
pub const PERMISSIONS: &[Permission] = &[
    Permission::look(
        Site::Management,
        "organizations:DescribeAccount",
        "arn:${Partition}:organizations::${Management}:account/o-*/*",
    ),
    Permission::look(
        Site::Management,
        "organizations:ListTagsForResource",
        "arn:${Partition}:organizations::${Management}:account/o-*/*",
    ),
    Permission::look(
        Site::Member,
        "iam:GetRole",
        "arn:${Partition}:iam::${Account}:role/${AccessRole}",
    ),
];

/// Makes a tenant of an account, and starts its run.
pub async fn put(
    means: &Means,
    request: &Request,
    platform: &str,
    account: &AccountId,
    author: &str,
) -> Result<Response, Refusal> {
    let (name, document) = read(request, platform)?;
    decided(means, || async {
        let (before, incarnation) = Named::living(means.ledger.named(&name).await?, &name);
        if let Some(tenant) = before {
            if tenant.account.as_ref() == Some(account) {
                return Ok(Decision::Unchanged(Box::new(tenant)));
            }
            return Err(Refusal::Invalid(vec![exists(&tenant)]));
        }
        let transition = adopting(means, (&name, incarnation), &document, account, author).await?;
        let written = means.ledger.adopt(&transition, account).await;
        Ok(Decision::Written(Outcome::Created, Box::new(transition), written))
    })
    .await
}

/// Plans what adopting an account would change in it; nothing is written of it but the plan.
pub async fn plan(
    means: &Means,
    request: &Request,
    platform: &str,
    account: &AccountId,
    author: &str,
) -> Result<Response, Refusal> {
    let (name, document) = read(request, platform)?;
    let (before, incarnation) = Named::living(means.ledger.named(&name).await?, &name);
    if let Some(tenant) = before {
        return Err(Refusal::Invalid(vec![exists(&tenant)]));
    }
    let transition = adopting(means, (&name, incarnation), &document, account, author).await?;
    plans::located(means, transition.tenant).await
}

/// What others have tagged an account with.
#[derive(Debug, JsonSchema, Serialize)]
pub struct AccountTags {
    /// The tags, by key.
    tags: BTreeMap<String, String>,
}

/// The tags of an account that is no tenant's, as AWS has them now.
pub async fn tags(means: &Means, platform: &str, account: &AccountId) -> Result<Response, Refusal> {
    let missing = || Refusal::Missing(format!("account `{account}` that is no tenant's"));
    let found = means.ledger.config::<Platform>(platform).await?;
    let platform = found.ok_or_else(|| Refusal::Missing(format!("platform `{platform}`")))?.spec;
    if means.ledger.owner(account.as_str()).await?.is_some() {
        return Err(missing());
    }
    let sessions = means.sessions(PERMISSIONS, &platform, means.new_id(), None, Mode::Plan);
    let organization = Organization::new(&sessions.look(Site::Management).await?);
    if organization.account(account.as_str()).await?.is_none() {
        return Err(missing());
    }
    let tags = organization.tags(account.as_str()).await?;
    Ok(Response::json(200, &AccountTags { tags }))
}

/// The tenant that a request is about, which is the path's platform's.
pub fn read(request: &Request, platform: &str) -> Result<(Name, Document<TenantSpec>), Refusal> {
    let document: Document<TenantSpec> = request.document()?;
    let name = document.metadata.name();
    match crate::request::same("metadata.platform", &name.platform, platform) {
        Some(problem) => Err(Refusal::Invalid(vec![problem])),
        None => Ok((name, document)),
    }
}

fn exists(tenant: &Tenant) -> Problem {
    let has = match &tenant.account {
        Some(account) => format!("is a tenant already, with account {account}"),
        None => "is a tenant already, for which an account is to be made".to_owned(),
    };
    Problem::new(
        "metadata.project",
        &tenant.name.project,
        has,
        "Write another project, or delete that tenant first: an adopted account needs a tenant of its own.",
    )
}

/// The tenant that adopts the account, if everything fits.
async fn adopting(
    means: &Means,
    (name, incarnation): (&Name, u32),
    document: &Document<TenantSpec>,
    account: &AccountId,
    author: &str,
) -> Result<Transition, Refusal> {
    check(means, name, document).await?;
    let platform = means.ledger.config::<Platform>(&name.platform).await?;
    let platform =
        platform.ok_or_else(|| Refusal::Missing(format!("platform `{}`", name.platform)))?.spec;
    let requested =
        Tenant::requested(name.clone(), incarnation, document.spec.clone(), author, means.now());
    let member = adoptable(means, &platform, &requested.tenant, account).await?;
    Ok(requested.adopting(Adopted {
        account: account.clone(),
        since: member.joined,
        name: member.seen.name,
        email: member.seen.email,
    }))
}

/// Refuses an account that is or ever was a tenant's.
async fn owned(means: &Means, account: &AccountId) -> Result<(), Refusal> {
    let Some(owner) = means.ledger.owner(account.as_str()).await? else { return Ok(()) };
    let name = means.ledger.tenant(owner).await?.map(|tenant| tenant.name.to_string());
    let whose = name.unwrap_or_else(|| owner.to_string());
    Err(Refusal::Invalid(vec![Problem::new(
        "account",
        account,
        format!("is or was the account of tenant {whose}"),
        "An account belongs to one tenant for ever: what it cost could not be told apart. Wish for a new account.",
    )]))
}

/// The account, if it can become this tenant's.
async fn adoptable(
    means: &Means,
    platform: &Platform,
    tenant: &Tenant,
    account: &AccountId,
) -> Result<Member, Refusal> {
    let refused = |rule: String, remedy: &str| {
        Refusal::Invalid(vec![Problem::new("account", account, rule, remedy)])
    };
    for (seat, what) in [
        (&platform.management_account, "the organization's management account"),
        (&platform.automation_account, "the account that Landfall runs in"),
    ] {
        if seat == account {
            let remedy =
                "Adopt accounts in which workspaces work, as `landfall get unmanaged` lists them.";
            return Err(refused(format!("is {what}"), remedy));
        }
    }
    owned(means, account).await?;
    let sessions = means.sessions(PERMISSIONS, platform, tenant.id, None, Mode::Plan);
    let session = sessions.look(Site::Management).await?;
    let Some(member) = Organization::new(&session).member(account).await? else {
        return Err(refused(
            "is not in the platform's organization".to_owned(),
            "Invite it into the organization first, or write another account.",
        ));
    };
    if member.seen.state != ACTIVE {
        return Err(refused(
            format!("is {}", member.seen.state),
            "Only an ACTIVE account can be adopted: have AWS Support reopen it, or write another.",
        ));
    }
    let reserved = means.ledger.email(&member.seen.email).await?;
    if let Some(other) = reserved.filter(|row| row.tenant != tenant.id) {
        // Whoever has just adopted the account has reserved its address too.
        owned(means, account).await?;
        let name = means.ledger.tenant(other.tenant).await?.map(|tenant| tenant.name.to_string());
        let whose = name.unwrap_or_else(|| other.tenant.to_string());
        return Err(refused(
            format!("has the address {}, which tenant {whose} has reserved", member.seen.email),
            "Give the account another address at AWS, or delete that tenant first.",
        ));
    }
    let known = Some((account.clone(), member.joined));
    let sessions = means.sessions(PERMISSIONS, platform, tenant.id, known, Mode::Plan);
    let entered = match sessions.look(Site::Member).await {
        Ok(session) => Roles::new(&session).role(platform.access_role_name()).await.map(|_| ()),
        Err(failure) => Err(failure),
    };
    match entered {
        Ok(()) => Ok(member),
        Err(failure) if passes(&failure) => Err(failure.into()),
        Err(failure) => {
            tracing::info!(account.id = %account, failure = %failure, "an account can't be entered");
            Err(refused(
                format!(
                    "does not let Landfall in: its role {} can't be taken",
                    platform.access_role
                ),
                "Make the role in the account, with AdministratorAccess and a trust in the management account's root (docs/RUNBOOK.md, \"Adopting accounts\").",
            ))
        }
    }
}
