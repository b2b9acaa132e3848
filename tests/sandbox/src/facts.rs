//! What is attached to roles, as late as IAM takes to spread it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::authorization::RoleFacts;
use crate::error::Error;
use crate::moto::Moto;
use crate::wire::encoded;

/// How long what was read is taken as present: some writes don't pass the gateway.
const FRESH: Duration = Duration::from_millis(500);

/// The roles and users read so far.
#[derive(Debug, Default)]
pub struct Facts(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    in_force: Arc<RoleFacts>,
    read: Option<Instant>,
    /// When a policy, maybe of this one, was written since.
    written: Option<f64>,
    coming: Option<(Arc<RoleFacts>, f64)>,
}

impl Facts {
    /// What is in force for a role or user at virtual time `now`; a change comes into force
    /// `delay` virtual seconds after it was written, or seen if its writing was not.
    pub async fn of(
        &self,
        moto: &Moto,
        arn: &str,
        now: f64,
        delay: impl FnOnce() -> f64,
    ) -> Result<Arc<RoleFacts>, Error> {
        if let Some(known) = self.0.lock().get_mut(arn) {
            known.ripen(now);
            if known.read.is_some_and(|read| read.elapsed() < FRESH) {
                return Ok(Arc::clone(&known.in_force));
            }
        }
        let path = format!("/landfall/role?arn={}", encoded(arn));
        let read: Arc<RoleFacts> = Arc::new(moto.read(&path).await?);
        let mut all = self.0.lock();
        let known = all.entry(arn.to_owned()).or_insert_with(|| Known {
            in_force: Arc::clone(&read),
            read: None,
            written: None,
            coming: None,
        });
        known.read = Some(Instant::now());
        known.take(read, now, delay);
        Ok(Arc::clone(&known.in_force))
    }

    /// Reads everything again when next asked: a policy was written at virtual time `now`.
    pub fn expire(&self, now: f64) {
        for known in self.0.lock().values_mut() {
            known.read = None;
            known.written = Some(now);
        }
    }
}

impl Known {
    fn ripen(&mut self, now: f64) {
        if let Some((coming, _)) = self.coming.take_if(|(_, at)| *at <= now) {
            self.in_force = coming;
        }
    }

    fn take(&mut self, read: Arc<RoleFacts>, now: f64, delay: impl FnOnce() -> f64) {
        if *read == *self.in_force {
            self.coming = None;
        } else if self.coming.as_ref().is_none_or(|(coming, _)| **coming != *read) {
            let written = self.written.unwrap_or(now);
            let at = self.coming.as_ref().map_or_else(|| written + delay(), |(_, at)| *at);
            self.coming = Some((read, at));
        }
        self.written = None;
        self.ripen(now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(policies: &[serde_json::Value]) -> Arc<RoleFacts> {
        let facts = json!({"exists": true, "account": "1", "identity": policies});
        Arc::new(serde_json::from_value(facts).unwrap())
    }

    #[test]
    fn a_change_comes_into_force_late_and_once() {
        let (before, after) = (facts(&[]), facts(&[json!({"Statement": []})]));
        let mut known =
            Known { in_force: Arc::clone(&before), read: None, written: None, coming: None };
        known.take(Arc::clone(&after), 100.0, || 10.0);
        assert_eq!(known.in_force, before);
        known.take(Arc::clone(&after), 109.0, || 10.0);
        assert_eq!(known.in_force, before);
        known.ripen(110.0);
        assert_eq!(known.in_force, after);
    }

    #[test]
    fn a_change_that_nobody_asked_about_comes_into_force_as_late_after_it_was_written() {
        let after = facts(&[json!({"Statement": []})]);
        let mut known =
            Known { in_force: facts(&[]), read: None, written: Some(100.0), coming: None };
        known.take(Arc::clone(&after), 109.0, || 10.0);
        assert_ne!(known.in_force, after);
        known.ripen(110.0);
        assert_eq!(known.in_force, after);
    }

    #[test]
    fn a_change_taken_back_in_time_never_comes_into_force() {
        let (before, after) = (facts(&[]), facts(&[json!({"Statement": []})]));
        let mut known =
            Known { in_force: Arc::clone(&before), read: None, written: None, coming: None };
        known.take(after, 100.0, || 10.0);
        known.take(Arc::clone(&before), 105.0, || 10.0);
        known.ripen(200.0);
        assert_eq!(known.in_force, before);
    }

    #[test]
    fn without_delay_a_change_is_in_force_at_once() {
        let after = facts(&[json!({"Statement": []})]);
        let mut known = Known { in_force: facts(&[]), read: None, written: None, coming: None };
        known.take(Arc::clone(&after), 100.0, || 0.0);
        assert_eq!(known.in_force, after);
    }
}
