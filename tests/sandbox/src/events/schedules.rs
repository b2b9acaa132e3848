//! Rules with a schedule: each is a task that fires in virtual time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

use crate::deployment::Rule;
use crate::events::schedule::Schedule;
use crate::events::{rule_arn, scheduled, target};
use crate::gateway::Gateway;

/// The least real time between two firings of a rule.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// Virtual seconds that a firing may be late.
const LATE: f64 = 30.0;

/// The schedules that run now.
#[derive(Debug, Default)]
pub struct Schedules(Mutex<HashMap<String, (Rule, AbortHandle)>>);

impl Schedules {
    /// Starts new schedules, ends removed ones, and leaves unchanged ones alone.
    pub fn deploy(&self, gateway: &Arc<Gateway>, rules: &[Rule]) {
        let mut running = self.0.lock();
        let mut before = std::mem::take(&mut *running);
        for rule in rules.iter().filter(|rule| rule.schedule.is_some()) {
            if !rule.state.starts_with("ENABLED") {
                continue;
            }
            let arn = rule_arn(rule);
            let kept = before.remove(&arn).filter(|(known, task)| {
                if known != rule {
                    task.abort();
                }
                known == rule
            });
            let kept = kept.or_else(|| Some((rule.clone(), start(gateway, rule)?)));
            if let Some(kept) = kept {
                running.insert(arn, kept);
            }
        }
        for (_, task) in before.values() {
            task.abort();
        }
    }
}

fn start(gateway: &Arc<Gateway>, rule: &Rule) -> Option<AbortHandle> {
    let expression = rule.schedule.as_deref()?;
    let Some(schedule) = Schedule::parse(expression) else {
        tracing::warn!(expression, rule = %rule.name, "the sandbox knows no such schedule");
        return None;
    };
    let (gateway, rule) = (Arc::clone(gateway), rule.clone());
    let task = tokio::spawn(async move {
        let mut due = gateway.clock.now();
        while let Some(next) = schedule.after(due) {
            let now = gateway.clock.now();
            tokio::join!(gateway.clock.sleep(next - now), tokio::time::sleep(LEAST_PAUSE));
            target::deliver(&gateway, &rule, &scheduled(&gateway, &rule), false).await;
            // Firings that the machine was too slow for are left out.
            due = next.max(gateway.clock.now() - LATE);
        }
    });
    Some(task.abort_handle())
}
