//! Plans: dry runs of a draft, kept for a day.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenant::{Failed, Kind, LandingZone, Platform, RollOutRules, Tenant};
use uuid::Uuid;

use crate::{
    Error, Ledger, StepRow,
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
    /// The configuration that the plan is made with instead of what is applied.
    #[serde(default)]
    pub draft: Draft,
}

/// Configuration that is not applied.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// A landing zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_zone: Option<LandingZone>,
    /// A platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// The plan of a configuration: which tenants it concerns, and the plans of some of them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationPlanRow {
    /// The plan's id.
    pub id: Uuid,
    /// The kind of configuration.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether there is anything to apply.
    pub differs: bool,
    /// How many tenants it concerns.
    pub concerned: u32,
    /// In which waves it would come to them.
    #[serde(default)]
    pub roll_out: RollOutRules,
    /// The plans of the first of them.
    pub plans: Vec<Uuid>,
    /// When the plan was asked for.
    pub asked: Timestamp,
}

impl Ledger {
    /// Writes a plan.
    pub async fn write_plan(&self, plan: &PlanRow) -> Result<(), Error> {
        let item = item::write(&Key::plan(plan.id), plan)?;
        self.overwrite(item::expiring(item, plan.asked, 1)).await
    }

    /// A plan.
    pub async fn plan(&self, id: Uuid) -> Result<Option<PlanRow>, Error> {
        self.get(Key::plan(id)).await
    }

    /// Writes the plan of a configuration.
    pub async fn write_configuration_plan(&self, plan: &ConfigurationPlanRow) -> Result<(), Error> {
        let item = item::write(&Key::configuration_plan(plan.id), plan)?;
        self.overwrite(item::expiring(item, plan.asked, 1)).await
    }

    /// The plan of a configuration.
    pub async fn configuration_plan(
        &self,
        id: Uuid,
    ) -> Result<Option<ConfigurationPlanRow>, Error> {
        self.get(Key::configuration_plan(id)).await
    }

    /// Writes what a step would change.
    pub async fn write_plan_step(
        &self,
        id: Uuid,
        row: &StepRow,
        now: Timestamp,
    ) -> Result<(), Error> {
        let item = item::write(&Key::plan_step(id, &row.step, row.part.as_deref()), row)?;
        self.overwrite(item::expiring(item, now, 1)).await
    }

    /// What each step of a plan would change.
    pub async fn plan_steps(&self, id: Uuid) -> Result<Vec<StepRow>, Error> {
        self.rows(&Key::plan(id).pk, "STEP#").await
    }
}
