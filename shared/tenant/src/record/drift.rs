//! How a tenant takes note of drift, and of what a run set right.

use jiff::{SignedDuration, Timestamp};

use super::{Tenant, Transition, Versions};
use crate::{Deviation, Difference, DriftField, DriftPolicy, DriftRules, Watch};

/// How far apart two looks are that count as two: what AWS shows may be as old as that.
pub const SECOND_LOOK: SignedDuration = SignedDuration::from_mins(2);

/// What a look comes to for a tenant's row.
#[derive(Clone, Debug, PartialEq)]
pub enum Noticed {
    /// Something differs for the first time, or did and no longer does: noted, and nothing has happened yet.
    Noted(Tenant),
    /// Drift, or its end.
    Happened(Transition),
}

impl Tenant {
    /// What a look found; none if the row stays as it is. `decides` says of a field, and of which of several, whether
    /// the look would have seen a difference. It is drift once a second look has found it; then the landing zone's
    /// rules say whether a run follows at once. `present` are the versions that are held against.
    #[must_use]
    pub fn looked_at(
        &self,
        decides: impl Fn(DriftField, Option<&str>) -> bool,
        differences: &[Difference],
        rules: &DriftRules,
        present: Versions,
        now: Timestamp,
    ) -> Option<Noticed> {
        let watch = Watch::of(self, present, now)?;
        let decides = |field: DriftField, subject: &Option<String>| {
            let is_meant = watch.rests || field == DriftField::AccountState;
            is_meant && decides(field, subject.as_deref())
        };
        let differences = differences.iter().filter(|found| decides(found.field, &found.subject));
        let (mut drift, gone): (Vec<Deviation>, Vec<Deviation>) =
            self.drift.iter().cloned().partition(|known| {
                !decides(known.field, &known.subject)
                    || differences.clone().any(|found| known.is(found))
            });
        let mut new = Vec::new();
        for found in differences {
            match drift.iter_mut().find(|known| known.is(found)) {
                None => drift.push(Deviation::first(found, now)),
                Some(known) if known.confirmed || now.duration_since(known.since) < SECOND_LOOK => {
                }
                Some(known) => {
                    known.confirmed = true;
                    new.push(known.clone());
                }
            }
        }
        if drift == self.drift {
            return None;
        }
        let ended: Vec<Deviation> = gone.into_iter().filter(|known| known.confirmed).collect();
        if new.is_empty() && ended.is_empty() {
            return Some(Noticed::Noted(Self { drift, version: self.version + 1, ..self.clone() }));
        }
        let repairs = new.iter().any(|one| rules.policy(one.field) == DriftPolicy::Repair);
        let event = said(&new, &ended, repairs);
        Some(Noticed::Happened(self.to(now, "survey", event, |tenant| {
            tenant.drift = drift;
            if repairs {
                tenant.due(now);
            }
        })))
    }

    /// A run found its account other than wished, though all had been as wished and no wish had changed since. Said
    /// once: it is no longer what it was before the run.
    #[must_use]
    pub fn mended(&self, changes: &[String], now: Timestamp) -> Transition {
        let event = format!("drift was set right: {}", changes.join("; "));
        self.to(now, "complete", event, |tenant| tenant.settled = false)
    }

    /// A run that ended has brought back what a run can bring back.
    pub(super) fn undrift(&mut self) {
        self.drift.retain(|known| !known.field.is_mended_by_a_run());
    }
}

fn said(new: &[Deviation], ended: &[Deviation], repairs: bool) -> String {
    let new =
        new.iter().map(|one| format!("{} is {} instead of {}", one.what(), one.actual, one.wished));
    let ended = ended.iter().map(|one| format!("{} is {} again", one.what(), one.wished));
    let all: Vec<String> = new.chain(ended).collect();
    let follows = if repairs { "; a run follows" } else { "" };
    format!("drift: {}{follows}", all.join("; "))
}
