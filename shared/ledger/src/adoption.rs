//! Adoption: a tenant that begins with an account that was there before; and one that begins anew with its own.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use tenant::{AccountId, Failure, Holder, Tenant, Transition};
use uuid::Uuid;

use crate::{
    Error, Item, Ledger,
    accounts::{EmailRow, Owner},
    item::{self, Key},
    tenants::{history, holding, row},
};

impl Ledger {
    /// A new tenant with an account that was there before: its name, row and first history entry, whose the account
    /// and its address are, all or none; and the account is no longer among the unmanaged. A conflict means that the
    /// name, the account or the address is another tenant's.
    pub async fn adopt(&self, transition: &Transition, account: &AccountId) -> Result<(), Error> {
        let mut items = self.creation(transition)?;
        items.extend(self.possession(&transition.tenant, account)?);
        self.transact(items).await
    }

    /// A tenant that was lost, with its account: all or none, as in an adoption. `holder` is who holds its name or held
    /// it last; a name stays with whoever used it last. A conflict means that the tenant is known, or that the name,
    /// the account or the address is another's.
    pub async fn restore(
        &self,
        transition: &Transition,
        account: &AccountId,
        holder: Option<Holder>,
    ) -> Result<(), Error> {
        let tenant = &transition.tenant;
        let mut items = vec![self.put_new(row(tenant)?), self.put_new(history(None, transition)?)];
        let name = holding(tenant)?;
        match holder {
            None => items.push(self.put_own(name, tenant.id)?),
            Some(holder) if holder.incarnation < tenant.incarnation => {
                items.push(self.put_if(name, "tenant = :tenant", holder.tenant)?);
            }
            Some(_) => {}
        }
        items.extend(self.possession(tenant, account)?);
        self.transact(items).await
    }

    /// Whose the account and its address are, and that it is no longer among the unmanaged.
    fn possession(
        &self,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let owner = Owner { tenant: tenant.id };
        // Never another's, not even one's that is deleted: what an account cost can't be told apart later.
        let owner = item::write(&Key::account(account.as_str()), &owner)?;
        let mut items = vec![self.put_own(owner, tenant.id)?];
        if let Some(names) = &tenant.names {
            let reserved = EmailRow { tenant: tenant.id, asked: None };
            let reserved = item::write(&Key::email(&names.email), &reserved)?;
            items.push(self.put_own(reserved, tenant.id)?);
        }
        let listed = Key::unmanaged(&tenant.name.platform, account.as_str());
        items.push(self.delete(&listed)?);
        Ok(items)
    }

    /// A row that nobody has, or this tenant.
    fn put_own(&self, row: Item, tenant: Uuid) -> Result<TransactWriteItem, Error> {
        self.put_if(row, "attribute_not_exists(pk) OR tenant = :tenant", tenant)
    }

    fn put_if(&self, row: Item, whose: &str, tenant: Uuid) -> Result<TransactWriteItem, Error> {
        let put = self
            .put(row)
            .condition_expression(whose)
            .expression_attribute_values(":tenant", AttributeValue::S(tenant.to_string()))
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
