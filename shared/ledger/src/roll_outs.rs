//! Roll-outs: how far each has come, what happened to it, and the tenants that it looks at.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use tenant::{Failure, Kind, RollOut, RollOutEntry, RollOutTransition, Tenant};
use uuid::Uuid;

use crate::{
    Error, Ledger,
    item::{self, Key},
    untold,
};

impl Ledger {
    /// The last roll-out of every landing zone and platform.
    pub async fn roll_outs(&self) -> Result<Vec<RollOut>, Error> {
        let all = Key::roll_out(Kind::Platform, "").pk;
        self.rows(&all, "ROLLOUT#").await
    }

    /// The last roll-out of a landing zone or platform.
    pub async fn roll_out(&self, kind: Kind, name: &str) -> Result<Option<RollOut>, Error> {
        self.get(Key::roll_out(kind, name)).await
    }

    /// A transition of a roll-out: its row and its history entry, unless somebody else was first.
    pub async fn turn_roll_out(&self, transition: &RollOutTransition) -> Result<(), Error> {
        self.transact(self.turned_roll_out(transition)?).await
    }

    /// A roll-out of which runs have ended, and nothing else has happened.
    pub async fn touch_roll_out(&self, roll_out: &RollOut) -> Result<(), Error> {
        self.transact(vec![self.put_roll_out(roll_out)?]).await
    }

    pub(crate) fn turned_roll_out(
        &self,
        transition: &RollOutTransition,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let RollOutTransition { roll_out, entry, notice } = transition;
        let key = Key::roll_out_history(roll_out.kind, &roll_out.name, entry.at, roll_out.version);
        let history = untold::marked(item::write(&key, entry)?, notice.as_ref())?;
        Ok(vec![self.put_roll_out(roll_out)?, self.put_new(history)])
    }

    /// Whoever read one that was deleted meanwhile does not write it anew.
    fn put_roll_out(&self, roll_out: &RollOut) -> Result<TransactWriteItem, Error> {
        let row = item::write(&Key::roll_out(roll_out.kind, &roll_out.name), roll_out)?;
        let before = roll_out.version - 1;
        if before == 0 {
            return Ok(self.put_new(row));
        }
        let put = self
            .put(row)
            .condition_expression("version = :before")
            .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
            .build()
            .map_err(|error| Error::Failure(Failure::defect(error.to_string())))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// What happened to the roll-outs of a landing zone or platform, the latest first.
    pub async fn roll_out_history(
        &self,
        kind: Kind,
        name: &str,
        most: i32,
    ) -> Result<Vec<RollOutEntry>, Error> {
        self.latest(&Key::roll_out(kind, name).sk, "HISTORY#", most).await
    }

    /// These tenants, as far as they are there.
    pub async fn tenants_of(
        &self,
        ids: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Tenant>, Error> {
        let rows = self.present(ids.map(Key::tenant).collect()).await?;
        let tenants = rows.into_values().map(item::read::<Tenant>);
        tenants.map(|tenant| tenant.map(|tenant| (tenant.id, tenant))).collect()
    }
}
