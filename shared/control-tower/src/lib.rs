//! Talks to AWS Control Tower about what it governs.
//!
//! Control Tower has no API for one account. What tells whether an account is enrolled are its enabled baselines: they
//! are children of its unit's, and asked for by the account's ARN, so that no answer grows with the organization.

use aws_config::{Region, SdkConfig};
use aws_sdk_controltower::{
    Client,
    error::ProvideErrorMetadata,
    types::{EnabledBaselineFilter, EnabledBaselineSummary, EnablementStatus, RemediationType},
};
use refusal::{Refusal, Row};
use tenant::{Failure, FailureName};

const BUSY: &str = "Control Tower is busy with something else; it is tried again.";

/// What Control Tower answers, and who acts next.
const TABLE: &[Row] = &[
    ("ConflictException", "", FailureName::Throttled, BUSY),
    (
        "ServiceQuotaExceededException",
        "",
        FailureName::Blocked,
        "Control Tower has reached a limit. Ask Landfall's operators to have it raised.",
    ),
    (
        "ResourceNotFoundException",
        "",
        FailureName::Blocked,
        "Control Tower does not know what Landfall asked for. Ask Landfall's operators to look into it.",
    ),
    (
        "ValidationException",
        "",
        FailureName::Defect,
        "Control Tower does not accept what Landfall asked. Its operators have been told.",
    ),
];

/// An open conversation with Control Tower in its home Region.
#[derive(Clone, Debug)]
pub struct ControlTower {
    client: Client,
}

/// How far Control Tower's baselines came on one target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Enabled {
    /// None is enabled.
    Absent,
    /// Control Tower works on one.
    UnderChange,
    /// All are.
    Succeeded,
    /// One failed, by this operation.
    Failed(Option<String>),
}

/// What Control Tower governs of an account and the unit that it stands in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Governance {
    /// The account's baselines: enrolled or not.
    pub account: Enabled,
    /// The unit's: registered or not.
    pub unit: Enabled,
}

/// Control Tower's landing zone: there is one, or none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LandingZone {
    /// Its version, such as `3.3`.
    pub version: String,
    /// Its status: `ACTIVE`, `PROCESSING` or `FAILED`.
    pub status: String,
    /// Whether an account is enrolled by being moved into a registered unit.
    pub enrols_what_is_moved: bool,
}

impl ControlTower {
    /// A conversation in this session.
    #[must_use]
    pub fn new(session: &SdkConfig, home_region: &str) -> Self {
        let session = session.to_builder().region(Region::new(home_region.to_owned())).build();
        Self { client: Client::new(&session) }
    }

    /// What is governed of an account and a unit, both named by their ARNs.
    pub async fn governance(&self, account: &str, unit: &str) -> Result<Governance, Failure> {
        let found = self.enabled(&[account, unit]).await?;
        let of = |target: &str| {
            let own = found.iter().filter(|one| one.target_identifier == target);
            together(&own.collect::<Vec<_>>())
        };
        Ok(Governance { account: of(account), unit: of(unit) })
    }

    /// How far an account, named by its ARN, is enrolled, wherever it stands.
    pub async fn holds(&self, account: &str) -> Result<Enabled, Failure> {
        let found = self.enabled(&[account]).await?;
        Ok(together(&found.iter().collect::<Vec<_>>()))
    }

    /// Whether a unit, named by its ARN, is registered.
    pub async fn registers(&self, unit: &str) -> Result<bool, Failure> {
        Ok(!self.enabled(&[unit]).await?.is_empty())
    }

    /// The baselines of these targets: as many as there are kinds of baselines, and no more.
    async fn enabled(&self, targets: &[&str]) -> Result<Vec<EnabledBaselineSummary>, Failure> {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        let filter = EnabledBaselineFilter::builder().set_target_identifiers(Some(targets)).build();
        let mut pages = self
            .client
            .list_enabled_baselines()
            .filter(filter)
            .include_children(true)
            .into_paginator()
            .items()
            .send();
        let mut enabled = Vec::new();
        while let Some(found) = pages.next().await {
            enabled.push(found.map_err(|error| {
                Refusal::of("controltower:ListEnabledBaselines", &error).failure(TABLE)
            })?);
        }
        Ok(enabled)
    }

    /// Why an operation on a baseline failed, as far as Control Tower still knows.
    pub async fn reason(&self, operation: &str) -> Result<String, Failure> {
        let answer =
            self.client.get_baseline_operation().operation_identifier(operation).send().await;
        match answer {
            Ok(answer) => Ok(answer
                .baseline_operation
                .and_then(|operation| operation.status_message)
                .unwrap_or_else(|| "no reason was given".to_owned())),
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                Ok(format!("operation {operation} is forgotten"))
            }
            Err(error) => {
                Err(Refusal::of("controltower:GetBaselineOperation", &error).failure(TABLE))
            }
        }
    }

    /// The landing zone, or none where Control Tower was never set up in this Region.
    pub async fn landing_zone(&self) -> Result<Option<LandingZone>, Failure> {
        let listed =
            self.client.list_landing_zones().send().await.map_err(|error| {
                Refusal::of("controltower:ListLandingZones", &error).failure(TABLE)
            })?;
        let arn = listed.landing_zones.into_iter().find_map(|zone| zone.arn);
        let Some(arn) = arn else { return Ok(None) };
        let answer =
            self.client.get_landing_zone().landing_zone_identifier(arn).send().await.map_err(
                |error| Refusal::of("controltower:GetLandingZone", &error).failure(TABLE),
            )?;
        Ok(answer.landing_zone.map(|zone| LandingZone {
            status: zone.status().map_or_else(String::new, |status| status.as_str().to_owned()),
            enrols_what_is_moved: zone
                .remediation_types()
                .contains(&RemediationType::InheritanceDrift),
            version: zone.version,
        }))
    }
}

/// Several baselines of one target as one.
fn together(found: &[&EnabledBaselineSummary]) -> Enabled {
    let status = |one: &EnabledBaselineSummary| {
        one.status_summary.as_ref().and_then(|summary| summary.status.clone())
    };
    if found.is_empty() {
        return Enabled::Absent;
    }
    if found.iter().any(|one| status(one) == Some(EnablementStatus::UnderChange)) {
        return Enabled::UnderChange;
    }
    match found.iter().find(|one| status(one) == Some(EnablementStatus::Failed)) {
        Some(failed) => Enabled::Failed(
            failed
                .status_summary
                .as_ref()
                .and_then(|summary| summary.last_operation_identifier.clone()),
        ),
        None => Enabled::Succeeded,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_controltower::types::EnablementStatusSummary;

    use super::*;

    fn baseline(status: EnablementStatus) -> EnabledBaselineSummary {
        let summary = EnablementStatusSummary::builder()
            .status(status)
            .last_operation_identifier("op")
            .build();
        EnabledBaselineSummary::builder()
            .arn("arn:aws:controltower:eu-central-1:111111111111:enabledbaseline/X")
            .baseline_identifier("arn:aws:controltower:eu-central-1::baseline/Y")
            .target_identifier("arn:aws:organizations::111111111111:account/o-1/222222222222")
            .status_summary(summary)
            .build()
            .expect("a baseline")
    }

    #[test]
    fn an_account_is_enrolled_once_all_of_its_baselines_are_enabled() {
        use EnablementStatus::{Failed, Succeeded, UnderChange};
        let of = |statuses: &[EnablementStatus]| {
            let found: Vec<_> = statuses.iter().cloned().map(baseline).collect();
            together(&found.iter().collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), Enabled::Absent);
        assert_eq!(of(&[Succeeded, Succeeded]), Enabled::Succeeded);
        assert_eq!(of(&[Failed, UnderChange]), Enabled::UnderChange);
        assert_eq!(of(&[Succeeded, Failed]), Enabled::Failed(Some("op".to_owned())));
    }
}
