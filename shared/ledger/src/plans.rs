//! Plans: dry runs of a draft, kept for a day.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{Failed, Tenant};
use uuid::Uuid;

use crate::{
    Error, Ledger, StepRow, failed,
    item::{self, Key},
};

/// A plan's row: the tenant as it would be if the draft were applied.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PlanRow {
    /// The plan's id.
    pub id: Uuid,
    /// The tenant with the drafted wish.
    pub tenant: Tenant,
    /// When the plan was asked for.
    pub asked: Timestamp,
    /// When its run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What its run failed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

impl Ledger {
    /// Writes a plan.
    pub async fn write_plan(&self, plan: &PlanRow) -> Result<(), Error> {
        let item = item::write(&Key::plan(plan.id), plan)?;
        self.put_expiring(item::expiring(item, plan.asked, 1)).await
    }

    /// A plan.
    pub async fn plan(&self, id: Uuid) -> Result<Option<PlanRow>, Error> {
        self.get(Key::plan(id)).await
    }

    /// Writes what a step would change.
    pub async fn write_plan_step(
        &self,
        id: Uuid,
        row: &StepRow,
        now: Timestamp,
    ) -> Result<(), Error> {
        let item = item::write(&Key::plan_step(id, &row.step, row.part.as_deref()), row)?;
        self.put_expiring(item::expiring(item, now, 1)).await
    }

    /// What each step of a plan would change.
    pub async fn plan_steps(&self, id: Uuid) -> Result<Vec<StepRow>, Error> {
        self.rows(&Key::plan(id).pk, "STEP#").await
    }

    async fn put_expiring(&self, item: crate::Item) -> Result<(), Error> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| failed("dynamodb:PutItem", &error))?;
        Ok(())
    }
}
