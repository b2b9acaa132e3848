//! Drift: what a look at the whole organization finds other than wished, without looking into any account.
//!
//! What AWS shows may be old, so a difference counts once two looks, minutes apart, have found it. A tenant that runs,
//! or is about to, is left alone: its run sees more.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, LandingZone, Phase, Platform, StackSet, Tenant, Versions};

/// What can be other than wished.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub enum DriftField {
    /// Whether the account is in the organization and can be used.
    AccountState,
    /// The organizational unit that the account stands in.
    OrganizationalUnit,
    /// The account's name.
    AccountName,
    /// The account's e-mail address.
    Email,
    /// The account's stacks.
    StackSets,
}

impl DriftField {
    /// The field as users read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountState => "accountState",
            Self::OrganizationalUnit => "organizationalUnit",
            Self::AccountName => "accountName",
            Self::Email => "email",
            Self::StackSets => "stackSets",
        }
    }

    /// Whether a look at the account in the organization sees it.
    #[must_use]
    pub fn is_of_the_account(self) -> bool {
        self != Self::StackSets
    }

    /// Whether a run brings it back: no run opens a closed account, and a new address takes a code.
    #[must_use]
    pub fn is_mended_by_a_run(self) -> bool {
        !matches!(self, Self::AccountState | Self::Email)
    }
}

impl fmt::Display for DriftField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What becomes of drift.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftPolicy {
    /// A run brings it back at once.
    #[default]
    Repair,
    /// It is shown and told; the next run, whatever it is for, brings it back.
    Report,
}

/// What becomes of drift, field by field. A suspended account or another e-mail address is only ever reported.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DriftRules {
    /// What becomes of a field that is not named.
    #[serde(default)]
    pub default: DriftPolicy,
    /// What becomes of an account that stands in another organizational unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<DriftPolicy>,
    /// What becomes of an account that is called otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<DriftPolicy>,
    /// What becomes of an account that lacks a stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_sets: Option<DriftPolicy>,
}

impl DriftRules {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What becomes of a field.
    #[must_use]
    pub fn policy(&self, field: DriftField) -> DriftPolicy {
        let said = match field {
            DriftField::AccountState | DriftField::Email => Some(DriftPolicy::Report),
            DriftField::OrganizationalUnit => self.organizational_unit,
            DriftField::AccountName => self.account_name,
            DriftField::StackSets => self.stack_sets,
        };
        said.unwrap_or(self.default)
    }
}

/// One thing that is other than wished, as one look shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// What.
    pub field: DriftField,
    /// Which of several: `<StackSet>/<Region>`.
    pub subject: Option<String>,
    /// What is wished.
    pub wished: String,
    /// What is.
    pub actual: String,
}

impl Difference {
    fn new(field: DriftField, wished: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { field, subject: None, wished: wished.into(), actual: actual.into() }
    }

    /// A stack that an account lacks.
    #[must_use]
    pub fn lacks(set: &str, region: &str) -> Self {
        let subject = Some(format!("{set}/{region}"));
        Self { subject, ..Self::new(DriftField::StackSets, "a stack", "none") }
    }
}

/// One thing that is other than wished, and since when.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deviation {
    /// What.
    pub field: DriftField,
    /// Which of several: `<StackSet>/<Region>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wished.
    pub wished: String,
    /// What is.
    pub actual: String,
    /// When it was seen first.
    pub since: Timestamp,
    /// Whether a second look has seen it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
}

impl Deviation {
    pub(crate) fn first(difference: &Difference, now: Timestamp) -> Self {
        let Difference { field, subject, wished, actual } = difference.clone();
        Self { field, subject, wished, actual, since: now, confirmed: false }
    }

    pub(crate) fn is(&self, difference: &Difference) -> bool {
        self.field == difference.field
            && self.subject == difference.subject
            && self.wished == difference.wished
            && self.actual == difference.actual
    }

    /// The deviation as one look would show it.
    #[must_use]
    pub fn difference(&self) -> Difference {
        let Self { field, subject, wished, actual, .. } = self.clone();
        Difference { field, subject, wished, actual }
    }

    /// What deviates: the field, and which of several.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{} {subject}", self.field),
            None => self.field.to_string(),
        }
    }
}

/// What users read of a tenant's drift.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DriftState {
    /// Nothing is known to be other than wished.
    InSync,
    /// Something is other than wished.
    Drifted,
}

/// A tenant's drift.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct DriftView {
    /// Whether there is any.
    pub state: DriftState,
    /// What is other than wished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Deviation>,
}

impl DriftView {
    /// What two looks have seen.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        let fields: Vec<Deviation> =
            tenant.drift.iter().filter(|deviation| deviation.confirmed).cloned().collect();
        let state = if fields.is_empty() { DriftState::InSync } else { DriftState::Drifted };
        Self { state, fields }
    }

    /// Whether there is any drift.
    #[must_use]
    pub fn is_drifted(&self) -> bool {
        self.state == DriftState::Drifted
    }
}

impl Default for DriftView {
    fn default() -> Self {
        Self { state: DriftState::InSync, fields: Vec::new() }
    }
}

/// An account as Organizations lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighted {
    /// Its state: `ACTIVE`, `SUSPENDED`, `CLOSED`, …
    pub state: String,
    /// The units that it stands in, the root first; empty where AWS does not say.
    pub units: Vec<String>,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
}

/// An account's state while it can be used.
pub const ACTIVE: &str = "ACTIVE";
/// What an account that is gone is said to be.
pub const GONE: &str = "not in the organization";

/// What a tenant's account is held against: little enough of it that fifty thousand find room.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// The tenant.
    pub tenant: Uuid,
    /// Its account.
    pub account: AccountId,
    /// Its landing zone.
    pub landing_zone: String,
    /// What the account is called, and its address where that is not about to change.
    names: Option<(String, Option<String>)>,
    /// Whether all is as wished as far as Landfall knows: then a difference is drift.
    pub rests: bool,
    /// Whether something was seen to differ before.
    pub deviates: bool,
}

impl Watch {
    /// What is to be watched of a tenant; nothing of one that has no account, runs, or leaves. What it is held against is
    /// present; to one that has not come to that yet, it is no drift.
    #[must_use]
    pub fn of(tenant: &Tenant, present: Versions, now: Timestamp) -> Option<Self> {
        let stays = matches!(tenant.phase, Phase::Ready | Phase::Waiting | Phase::Failed);
        let account = tenant.account.clone().filter(|_| stays && tenant.running.is_none())?;
        // One that waits or has failed runs again within a day, and may lack what it waits for.
        let is_met = tenant.phase == Phase::Ready
            && tenant.observed_generation == tenant.generation
            && tenant.versions == present
            && tenant.next_run.is_none_or(|next| next > now);
        let names = tenant.names.as_ref().map(|names| {
            let keeps = tenant.new_email().is_none();
            (names.account_name.clone(), keeps.then(|| names.email.clone()))
        });
        Some(Self {
            tenant: tenant.id,
            account,
            landing_zone: tenant.wish.landing_zone.clone(),
            names,
            rests: is_met,
            deviates: !tenant.drift.is_empty(),
        })
    }

    /// How the account differs from what is wished; `seen` is none for one that is not in the organization.
    #[must_use]
    pub fn differences(
        &self,
        seen: Option<&Sighted>,
        zone: Option<&LandingZone>,
        platform: &Platform,
    ) -> Vec<Difference> {
        let state = seen.map_or(GONE, |seen| seen.state.as_str());
        let Some(seen) = seen.filter(|_| state == ACTIVE) else {
            return vec![Difference::new(DriftField::AccountState, ACTIVE, state)];
        };
        if !self.rests {
            return Vec::new();
        }
        let mut differences = Vec::new();
        differences.extend(zone.and_then(|zone| misplaced(seen, zone, platform)));
        if let Some((name, email)) = &self.names {
            if *name != seen.name {
                differences.push(Difference::new(DriftField::AccountName, name, &seen.name));
            }
            if let Some(email) = email.as_ref().filter(|it| !it.eq_ignore_ascii_case(&seen.email)) {
                differences.push(Difference::new(DriftField::Email, email, &seen.email));
            }
        }
        differences
    }
}

/// Another unit than the landing zone's. Which unit is the workspace's own is not asked, only where it stands.
fn misplaced(seen: &Sighted, zone: &LandingZone, platform: &Platform) -> Option<Difference> {
    let wished = &zone.organizational_unit;
    let mut nearest_first = seen.units.iter().rev();
    let parent = nearest_first.next()?;
    let above = nearest_first.next();
    let is_there = if platform.allow_hierarchical_organizational_unit_assignment {
        seen.units.contains(wished)
    } else if zone.organizational_unit_per_workspace {
        above == Some(wished)
    } else {
        parent == wished
    };
    let wished = if zone.organizational_unit_per_workspace {
        format!("the workspace's unit beneath {wished}")
    } else {
        wished.clone()
    };
    (!is_there).then(|| Difference::new(DriftField::OrganizationalUnit, wished, parent))
}

/// The StackSet that brings the life policy into accounts.
pub const ACCESS_SET: &str = "landfall-access";

/// The StackSets of which each account of a landing zone has a stack, the one of the life policy first.
#[must_use]
pub fn promised_sets(zone: &LandingZone, platform: &Platform) -> Vec<StackSet> {
    let access = StackSet {
        name: ACCESS_SET.to_owned(),
        regions: vec![platform.region.clone()],
        permission_model: crate::PermissionModel::SelfManaged,
        parameters: std::collections::BTreeMap::default(),
    };
    std::iter::once(access).chain(zone.stack_sets.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
