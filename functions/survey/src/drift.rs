//! Notes on a tenant's row what a look found.

use ledger::{Error, Position};
use tenant::{Deviation, Difference, DriftField, Failure, Noticed, Tenant, Uuid};

use crate::Survey;

/// Tenants that are looked at once more; those beyond are found again by the next survey.
const SUSPECTS: usize = 5_000;

impl Survey<'_> {
    /// Notes what a look found of a tenant, as far as the look decides it. One of which something differs for the first
    /// time becomes a suspect.
    pub(crate) async fn note(
        &self,
        position: &mut Position,
        tenant: Uuid,
        decides: impl Fn(DriftField, Option<&str>) -> bool,
        differences: &[Difference],
    ) -> Result<(), Failure> {
        let Some(before) = self.means.ledger.tenant(tenant).await? else { return Ok(()) };
        let after = self.write(&before, decides, differences).await?;
        let drift = after.as_ref().map_or(&before.drift, |after| &after.drift);
        let is_suspect = drift.iter().any(|deviation| !deviation.confirmed);
        if is_suspect && !position.suspects.contains(&tenant) && position.suspects.len() < SUSPECTS
        {
            position.suspects.push(tenant);
        }
        Ok(())
    }

    /// Writes what a look found; the tenant after it, or none if nothing was written. Who changed the row meanwhile
    /// knows more: the next survey looks again.
    pub(crate) async fn write(
        &self,
        before: &Tenant,
        decides: impl Fn(DriftField, Option<&str>) -> bool,
        differences: &[Difference],
    ) -> Result<Option<Tenant>, Failure> {
        let rules = self.rules(&before.wish.landing_zone);
        let ledger = &self.means.ledger;
        let noticed = before.looked_at(
            decides,
            differences,
            &rules,
            self.versions(&before.wish.landing_zone),
            self.means.now(),
        );
        let (written, after) = match noticed {
            None => return Ok(None),
            Some(Noticed::Noted(after)) => (ledger.touch(before, &after).await, after),
            Some(Noticed::Happened(transition)) => {
                let written = ledger.write(before, &transition).await;
                (written, transition.tenant)
            }
        };
        match written {
            Ok(()) => Ok(Some(after)),
            Err(Error::Conflict) => Ok(None),
            Err(Error::Failure(failure)) => Err(failure),
        }
    }
}

/// How many of these are drift.
pub(crate) fn confirmed(drift: &[Deviation]) -> usize {
    drift.iter().filter(|deviation| deviation.confirmed).count()
}
