//! History entries that programs or people are still to be told of.
//!
//! An entry is marked by the transaction that writes it, so what happened is told if and only if it happened; the mark
//! goes once it is told. Whoever dies between the two tells it again.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};
use tenant::{Failure, Told};

use crate::{
    Error, Item, Ledger, failed,
    item::{self, Key, NOTICE, PK, SK, UNTOLD, UNTOLD_INDEX},
};

/// An entry that is still to be told.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Untold {
    pk: String,
    sk: String,
    /// What is to be told.
    pub notice: Told,
}

impl Untold {
    /// Whose history it stands in: a tenant's, or a roll-out's.
    #[must_use]
    pub fn whose(&self) -> &str {
        &self.pk
    }

    /// Where it stands there; what sorts later happened later.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.sk
    }
}

impl Ledger {
    /// Entries that are still to be told, the oldest first. What was told a moment ago may still be among them.
    pub async fn untold(&self, most: i32) -> Result<Vec<Untold>, Error> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(UNTOLD_INDEX)
            .key_condition_expression("#untold = :untold")
            .expression_attribute_names("#untold", UNTOLD)
            .expression_attribute_values(":untold", AttributeValue::S(UNTOLD.to_owned()))
            .limit(most)
            .send()
            .await
            .map_err(|error| failed("dynamodb:Query", &error))?;
        answer.items.unwrap_or_default().into_iter().map(item::read).collect()
    }

    /// These entries are told; saying so twice changes nothing.
    pub async fn told(&self, entries: &[&Untold]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let items = entries.iter().map(|entry| self.unmark(entry)).collect::<Result<_, _>>()?;
        self.transact(items).await
    }

    fn unmark(&self, entry: &Untold) -> Result<TransactWriteItem, Error> {
        let key = Key { pk: entry.pk.clone(), sk: entry.sk.clone() };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .update_expression("REMOVE #untold, #notice")
            .condition_expression("attribute_exists(#pk) AND attribute_exists(#sk)")
            .expression_attribute_names("#untold", UNTOLD)
            .expression_attribute_names("#notice", NOTICE)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// A history entry with the mark that it is to be told, if there is something to tell.
pub(crate) fn marked(mut item: Item, notice: Option<impl Serialize>) -> Result<Item, Error> {
    if let Some(notice) = notice {
        let notice = serde_dynamo::to_attribute_value(notice).map_err(|error| {
            Error::Failure(Failure::defect(format!("a notice can't be written: {error}")))
        })?;
        item.insert(NOTICE.to_owned(), notice);
        item.insert(UNTOLD.to_owned(), AttributeValue::S(UNTOLD.to_owned()));
    }
    Ok(item)
}
