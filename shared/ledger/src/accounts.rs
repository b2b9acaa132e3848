//! Accounts and e-mail addresses: whose they are, for ever.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{AccountId, Tenant, Transition};
use uuid::Uuid;

use crate::{
    Error, Item, Ledger, failed,
    item::{self, Key},
};

/// Whose an e-mail address is, and whether an account was asked for with it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EmailRow {
    /// The tenant that reserved the address.
    pub tenant: Uuid,
    /// Since when a CreateAccount with this address may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Owner {
    pub(crate) tenant: Uuid,
}

impl Ledger {
    /// Whose this address is.
    pub async fn email(&self, address: &str) -> Result<Option<EmailRow>, Error> {
        self.get(Key::email(address)).await
    }

    /// Reserves an address for a tenant; a conflict means that it is another's. Safe to repeat.
    pub async fn reserve_email(&self, address: &str, tenant: Uuid) -> Result<(), Error> {
        self.update_email(address, tenant, "SET tenant = :tenant", None).await
    }

    /// Notes that an account is about to be asked for with this address, before it is.
    pub async fn ask(&self, address: &str, tenant: Uuid, now: Timestamp) -> Result<(), Error> {
        self.update_email(address, tenant, "SET tenant = :tenant, asked = :asked", Some(now)).await
    }

    /// Notes that no account was made with this address: AWS said so.
    pub async fn unask(&self, address: &str, tenant: Uuid) -> Result<(), Error> {
        self.update_email(address, tenant, "SET tenant = :tenant REMOVE asked", None).await
    }

    async fn update_email(
        &self,
        address: &str,
        tenant: Uuid,
        expression: &str,
        asked: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut values =
            Item::from([(":tenant".to_owned(), AttributeValue::S(tenant.to_string()))]);
        values.extend(asked.map(|asked| (":asked".to_owned(), item::instant(asked))));
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::email(address).item()))
            .update_expression(expression)
            .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
            .set_expression_attribute_values(Some(values))
            .send()
            .await
            .map_err(|error| failed("dynamodb:UpdateItem", &error))?;
        Ok(())
    }

    /// The account of a tenant is known: its row, its history and whose the account is, all or none. A conflict means
    /// that the row changed, or that the account was ever another tenant's.
    pub async fn land(
        &self,
        before: &Tenant,
        transition: &Transition,
        account: &AccountId,
    ) -> Result<(), Error> {
        let owner = item::write(&Key::account(account.as_str()), &Owner { tenant: before.id })?;
        let put = self
            .put(owner)
            .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(before.id.to_string()))
            .build()
            .map_err(|error| Error::Failure(tenant::Failure::defect(error.to_string())))?;
        let mut items = self.transition(before, transition)?;
        items.push(aws_sdk_dynamodb::types::TransactWriteItem::builder().put(put).build());
        self.transact(items).await
    }

    /// The tenant that this account is or ever was.
    pub async fn owner(&self, account: &str) -> Result<Option<Uuid>, Error> {
        let owner: Option<Owner> = self.get(Key::account(account)).await?;
        Ok(owner.map(|owner| owner.tenant))
    }
}
