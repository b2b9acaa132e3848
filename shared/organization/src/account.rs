//! Accounts where they stand: parents, tags, addresses.

use std::collections::BTreeMap;

use aws_sdk_organizations::{
    error::ProvideErrorMetadata,
    operation::tag_resource::TagResourceError,
    types::{AccountState, AccountStatus, Tag},
};
use refusal::Refusal;
use tenant::{AccountId, Failure};

use crate::{Organization, TABLE, with_reason};

/// An account as Organizations describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its e-mail address.
    pub email: String,
    /// Its name.
    pub name: String,
    /// Its ARN, which names the organization.
    pub arn: String,
    /// The unit, or the root, that it stands in, where Organizations says so.
    pub parent: Option<String>,
    /// Whether it can be used.
    pub standing: Standing,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It can, or soon can.
    Open,
    /// AWS is closing it.
    Closing,
    /// It can't: it is closed, or AWS has suspended it.
    Closed,
}

impl Standing {
    /// By `State`, and by `Status` where there is no `State` yet, which AWS retires.
    fn of(account: &aws_sdk_organizations::types::Account) -> Self {
        match (account.state(), account.status()) {
            (Some(AccountState::Closed | AccountState::Suspended), _)
            | (None, Some(AccountStatus::Suspended)) => Self::Closed,
            (Some(AccountState::PendingClosure), _)
            | (None, Some(AccountStatus::PendingClosure)) => Self::Closing,
            _ => Self::Open,
        }
    }
}

/// An organizational unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its ARN, which names the organization.
    pub arn: String,
    /// Its name, which is unique among its siblings only.
    pub name: String,
}

impl Account {
    fn of(account: aws_sdk_organizations::types::Account) -> Result<Self, Failure> {
        // `o-…/r-…/ou-…/<account>/`
        let parent = account.paths().first().and_then(|path| path.rsplit('/').nth(2));
        let standing = Standing::of(&account);
        Ok(Self {
            standing,
            parent: parent.map(ToOwned::to_owned),
            arn: account.arn.unwrap_or_default(),
            id: AccountId::try_from(account.id.unwrap_or_default()).map_err(Failure::defect)?,
            email: account.email.unwrap_or_default(),
            name: account.name.unwrap_or_default(),
        })
    }
}

impl Organization {
    /// An account, or none if Organizations does not know it.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, Failure> {
        match self.client.describe_account().account_id(id).send().await {
            Ok(answer) => answer.account.map(Account::of).transpose(),
            Err(error) if error.code() == Some("AccountNotFoundException") => Ok(None),
            Err(error) => Err(Refusal::of("organizations:DescribeAccount", &error).failure(TABLE)),
        }
    }

    /// The account with this e-mail address: a walk over the whole organization, so the last resort.
    pub async fn account_with_email(&self, email: &str) -> Result<Option<Account>, Failure> {
        let mut pages = self.client.list_accounts().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                Refusal::of("organizations:ListAccounts", &error).failure(TABLE)
            })?;
            for account in page.accounts.unwrap_or_default() {
                if account.email().is_some_and(|address| address.eq_ignore_ascii_case(email)) {
                    return Account::of(account).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// The unit that an account stands in, or none if Organizations does not know the account yet.
    pub async fn parent(&self, account: &AccountId) -> Result<Option<String>, Failure> {
        match self.client.list_parents().child_id(account.as_str()).send().await {
            Ok(answer) => {
                Ok(answer.parents.unwrap_or_default().into_iter().find_map(|parent| parent.id))
            }
            Err(error) if error.code() == Some("ChildNotFoundException") => Ok(None),
            Err(error) => Err(Refusal::of("organizations:ListParents", &error).failure(TABLE)),
        }
    }

    /// The units above a unit, the root included, nearest first.
    pub async fn above(&self, unit: &str) -> Result<Vec<String>, Failure> {
        let mut above: Vec<String> = Vec::new();
        while let Some(child) =
            Some(above.last().map_or(unit, String::as_str)).filter(|child| child.starts_with("ou-"))
        {
            let answer = self.client.list_parents().child_id(child).send().await;
            let answer = answer
                .map_err(|error| Refusal::of("organizations:ListParents", &error).failure(TABLE))?;
            match answer.parents.unwrap_or_default().into_iter().find_map(|parent| parent.id) {
                Some(parent) => above.push(parent),
                None => break,
            }
        }
        Ok(above)
    }

    /// The unit of this name beneath another, if there is one.
    pub async fn unit_named(&self, parent: &str, name: &str) -> Result<Option<String>, Failure> {
        let mut pages = self
            .client
            .list_organizational_units_for_parent()
            .parent_id(parent)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let operation = "organizations:ListOrganizationalUnitsForParent";
                unit_refused(&Refusal::of(operation, &error))
            })?;
            let units = page.organizational_units.unwrap_or_default();
            if let Some(unit) = units.into_iter().find(|unit| unit.name() == Some(name)) {
                return Ok(unit.id);
            }
        }
        Ok(None)
    }

    /// Makes a unit beneath another. That there is one of this name already counts as done.
    pub async fn create_unit(&self, parent: &str, name: &str) -> Result<(), Failure> {
        match self.client.create_organizational_unit().parent_id(parent).name(name).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("DuplicateOrganizationalUnitException") => Ok(()),
            Err(error) => {
                Err(unit_refused(&Refusal::of("organizations:CreateOrganizationalUnit", &error)))
            }
        }
    }

    /// Moves an account. That it is there already counts as done.
    pub async fn move_account(
        &self,
        account: &AccountId,
        from: &str,
        to: &str,
    ) -> Result<(), Failure> {
        let answer = self
            .client
            .move_account()
            .account_id(account.as_str())
            .source_parent_id(from)
            .destination_parent_id(to)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("DuplicateAccountException") => Ok(()),
            Err(error) => Err(Refusal::of("organizations:MoveAccount", &error).failure(TABLE)),
        }
    }

    /// An account's tags.
    pub async fn tags(&self, account: &str) -> Result<BTreeMap<String, String>, Failure> {
        let mut pages = self
            .client
            .list_tags_for_resource()
            .resource_id(account)
            .into_paginator()
            .items()
            .send();
        let mut tags = BTreeMap::new();
        while let Some(tag) = pages.next().await {
            let tag = tag.map_err(|error| {
                Refusal::of("organizations:ListTagsForResource", &error).failure(TABLE)
            })?;
            tags.insert(tag.key, tag.value);
        }
        Ok(tags)
    }

    /// Sets tags of an account and leaves its others.
    pub async fn tag(
        &self,
        account: &AccountId,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Failure::defect(error.to_string()))?;
        self.client
            .tag_resource()
            .resource_id(account.as_str())
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| {
                let reason = match error.as_service_error() {
                    Some(TagResourceError::ConstraintViolationException(violation)) => {
                        violation.reason().map(|reason| reason.as_str().to_owned())
                    }
                    _ => None,
                };
                with_reason(Refusal::of("organizations:TagResource", &error), reason.as_deref())
                    .failure(TABLE)
            })?;
        Ok(())
    }

    /// Takes tags off an account.
    pub async fn untag(&self, account: &AccountId, keys: &[String]) -> Result<(), Failure> {
        self.client
            .untag_resource()
            .resource_id(account.as_str())
            .set_tag_keys(Some(keys.to_vec()))
            .send()
            .await
            .map_err(|error| Refusal::of("organizations:UntagResource", &error).failure(TABLE))?;
        Ok(())
    }

    /// A unit, or none if there is none of this id.
    pub async fn unit(&self, id: &str) -> Result<Option<Unit>, Failure> {
        match self.client.describe_organizational_unit().organizational_unit_id(id).send().await {
            Ok(answer) => Ok(answer.organizational_unit.map(|unit| Unit {
                arn: unit.arn.unwrap_or_default(),
                name: unit.name.unwrap_or_default(),
            })),
            Err(error) if error.code() == Some("OrganizationalUnitNotFoundException") => Ok(None),
            Err(error) => {
                Err(Refusal::of("organizations:DescribeOrganizationalUnit", &error).failure(TABLE))
            }
        }
    }

    /// Whether there is such a unit, or root.
    pub async fn has_unit(&self, id: &str) -> Result<bool, Failure> {
        if id.starts_with("r-") {
            let roots = self.client.list_roots().send().await;
            let roots = roots
                .map_err(|error| Refusal::of("organizations:ListRoots", &error).failure(TABLE))?;
            return Ok(roots.roots().iter().any(|root| root.id() == Some(id)));
        }
        Ok(self.unit(id).await?.is_some())
    }
}

/// A refusal around making units, which an installation may have left out.
fn unit_refused(refusal: &Refusal) -> Failure {
    if refusal.is_denied() {
        return Failure::blocked(
            "Landfall may not make organizational units. Ask its operators to allow it, or to change the landing zone's organizationalUnitPerWorkspace.",
            refusal.system_remark(),
        );
    }
    refusal.failure(TABLE)
}
