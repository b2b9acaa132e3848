//! Where faults can be injected: the n-th call of an action in a step.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;
use serde::Serialize;

use crate::lineage::Lineage;

/// A place in a run at which a call is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Point {
    /// State machine, or nothing for a door.
    pub machine: Option<String>,
    /// Step or door.
    pub step: String,
    /// IAM action.
    pub action: String,
    /// Which call of this action it is in the step, from 1.
    pub occurrence: u32,
}

/// The calls counted and the points seen so far.
#[derive(Debug, Default)]
pub struct Points {
    counts: Mutex<HashMap<(Lineage, String), u32>>,
    seen: Mutex<BTreeSet<Point>>,
}

impl Points {
    /// Counts a call; calls are counted apart for each tenant, run, step and part, and those of a
    /// door for each invocation.
    pub fn count(&self, lineage: &Lineage, action: &str) -> u32 {
        let Some(step) = &lineage.step else { return 0 };
        let invocation = lineage.invocation.clone().filter(|_| lineage.tenant.is_none());
        let key = Lineage { invocation, ..lineage.clone() };
        let occurrence = {
            let mut counts = self.counts.lock();
            let count = counts.entry((key, action.to_owned())).or_default();
            *count += 1;
            *count
        };
        self.seen.lock().insert(Point {
            machine: lineage.machine.clone(),
            step: step.clone(),
            action: action.to_owned(),
            occurrence,
        });
        occurrence
    }

    /// All points seen so far, in order.
    pub fn seen(&self) -> Vec<Point> {
        self.seen.lock().iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(tenant: &str, run: u64, invocation: &str) -> Lineage {
        Lineage {
            machine: Some("m".into()),
            step: Some("admit".into()),
            tenant: Some(tenant.into()),
            run: Some(run),
            invocation: Some(invocation.into()),
            ..Lineage::default()
        }
    }

    #[test]
    fn calls_are_counted_over_the_invocations_of_a_step_and_apart_by_tenant_and_run() {
        let points = Points::default();
        assert_eq!(points.count(&lineage("a", 1, "i"), "sts:AssumeRole"), 1);
        assert_eq!(points.count(&lineage("a", 1, "j"), "sts:AssumeRole"), 2);
        assert_eq!(points.count(&lineage("b", 1, "k"), "sts:AssumeRole"), 1);
        assert_eq!(points.count(&lineage("a", 2, "l"), "sts:AssumeRole"), 1);
        assert_eq!(points.seen().len(), 2);
    }

    #[test]
    fn a_doors_calls_are_counted_anew_in_each_invocation() {
        let points = Points::default();
        let door = |invocation: &str| Lineage {
            step: Some("intake".into()),
            invocation: Some(invocation.into()),
            ..Lineage::default()
        };
        assert_eq!(points.count(&door("i"), "dynamodb:GetItem"), 1);
        assert_eq!(points.count(&door("i"), "dynamodb:GetItem"), 2);
        assert_eq!(points.count(&door("j"), "dynamodb:GetItem"), 1);
    }

    #[test]
    fn a_persons_call_is_no_point() {
        let points = Points::default();
        assert_eq!(points.count(&Lineage::default(), "sts:AssumeRole"), 0);
        assert!(points.seen().is_empty());
    }
}
