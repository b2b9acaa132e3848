//! Adoption: a tenant that begins with an account that was there before.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use tenant::{AccountId, Failure, Transition};

use crate::{
    Error, Ledger,
    accounts::{EmailRow, Owner},
    item::{self, Key},
};

impl Ledger {
    /// A new tenant with an account that was there before: its name, row and first history entry, whose the account
    /// and its address are, all or none; and the account is no longer among the unmanaged. A conflict means that the
    /// name, the account or the address is another tenant's.
    pub async fn adopt(&self, transition: &Transition, account: &AccountId) -> Result<(), Error> {
        let tenant = &transition.tenant;
        let owner = Owner { tenant: tenant.id };
        let mut items = self.creation(transition)?;
        // Never another's, not even one's that is deleted: what an account cost can't be told apart later.
        items.push(self.put_new(item::write(&Key::account(account.as_str()), &owner)?));
        if let Some(names) = &tenant.names {
            let reserved = EmailRow { tenant: tenant.id, asked: None };
            let put = self
                .put(item::write(&Key::email(&names.email), &reserved)?)
                .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
                .expression_attribute_values(":tenant", AttributeValue::S(tenant.id.to_string()))
                .build()
                .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        let listed = Key::unmanaged(&tenant.name.platform, account.as_str());
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(listed.item()))
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        items.push(TransactWriteItem::builder().delete(delete).build());
        self.transact(items).await
    }
}
