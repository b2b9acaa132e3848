//! Reads that are stale for a while after a write, as IAM's and Organizations' are.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::moto::Answer;

/// How many answers are remembered.
const KEPT: usize = 20_000;

/// The greatest delay in virtual seconds.
const GREATEST: f64 = 60.0;

/// How much slower than its median the propagation of a write may be.
const SPREAD: f64 = 1.05;

/// The median delay of each service in virtual seconds; 0 switches staleness off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// IAM's, for reads and for policies.
    pub iam: f64,
    /// Organizations'.
    pub organizations: f64,
    /// Identity Center's.
    pub sso: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { iam: 3.0, organizations: 3.0, sso: 3.0 }
    }
}

impl Settings {
    /// No staleness at all.
    pub const NONE: Self = Self { iam: 0.0, organizations: 0.0, sso: 0.0 };

    fn median(&self, service: &str) -> f64 {
        match service {
            "iam" => self.iam,
            "organizations" => self.organizations,
            "sso" | "identitystore" => self.sso,
            _ => 0.0,
        }
    }
}

/// What identifies a read: account, service and everything asked.
pub type Question = (String, String, Vec<u8>);

/// Remembers answers, and gives them again while a write is not yet seen everywhere.
#[derive(Debug)]
pub struct Staleness {
    chance: Chance,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    settings: Settings,
    writes: HashMap<(String, String), Written>,
    answers: HashMap<Question, Remembered>,
}

/// When each of the writes to a service of an account is seen everywhere.
type Written = Vec<f64>;

/// The last answer with how many writes it saw, and the last one before the write before it.
#[derive(Debug)]
struct Remembered {
    last: (usize, Answer),
    before: Option<Answer>,
}

impl Staleness {
    /// Staleness with these settings.
    pub fn new(chance: Chance, settings: Settings) -> Self {
        Self { chance, state: Mutex::new(State { settings, ..State::default() }) }
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.state.lock().settings
    }

    /// Changes the settings.
    pub fn set(&self, settings: Settings) {
        self.state.lock().settings = settings;
    }

    /// A delay of a service in virtual seconds.
    pub fn delay(&self, service: &str) -> f64 {
        let median = self.settings().median(service);
        if median > 0.0 { self.chance.lognormal(median, SPREAD).min(GREATEST) } else { 0.0 }
    }

    /// Notes a write at virtual time `now`.
    pub fn written(&self, account: &str, service: &str, now: f64) {
        let delay = self.delay(service);
        let mut state = self.state.lock();
        let key = (account.to_owned(), service.to_owned());
        state.writes.entry(key).or_default().push(now + delay);
    }

    /// The answer to give instead of the truth: one from before a write that is not yet seen, or,
    /// if `forced`, the last one from before the last write.
    pub fn answer(&self, question: &Question, now: f64, forced: bool) -> Option<Answer> {
        let state = self.state.lock();
        let remembered = state.answers.get(question)?;
        let (saw, answer) = &remembered.last;
        // Nobody is given an answer from before a write that is seen everywhere.
        match state.written(question).get(*saw) {
            Some(seen_at) if forced || now < *seen_at => Some(answer.clone()),
            None if forced => remembered.before.clone(),
            _ => None,
        }
    }

    /// Remembers a true answer.
    pub fn remember(&self, question: Question, answer: &Answer) {
        let mut state = self.state.lock();
        let count = state.written(&question).len();
        if state.answers.len() >= KEPT {
            state.answers.clear();
        }
        let last = (count, answer.clone());
        let known = state.answers.remove(&question);
        let before = known
            .and_then(|known| if known.last.0 < count { Some(known.last.1) } else { known.before });
        state.answers.insert(question, Remembered { last, before });
    }
}

impl State {
    fn written(&self, (account, service, _): &Question) -> &[f64] {
        self.writes.get(&(account.clone(), service.clone())).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn question() -> Question {
        ("1".to_owned(), "iam".to_owned(), b"GetRole r".to_vec())
    }

    fn answer(text: &'static str) -> Answer {
        Answer::new(Bytes::from_static(text.as_bytes()))
    }

    fn given(staleness: &Staleness, now: f64, forced: bool) -> Option<Bytes> {
        staleness.answer(&question(), now, forced).map(|answer| answer.body().clone())
    }

    #[test]
    fn a_read_is_stale_until_the_write_is_seen() {
        let staleness = Staleness::new(Chance::new(1, 2), Settings::default());
        staleness.remember(question(), &answer("old"));
        staleness.written("1", "iam", 100.0);
        assert_eq!(given(&staleness, 100.0, false).as_deref(), Some(&b"old"[..]));
        assert_eq!(given(&staleness, 100.0 + GREATEST, false), None);
    }

    #[test]
    fn no_answer_is_from_before_a_write_that_is_seen_everywhere() {
        let staleness = Staleness::new(Chance::new(1, 2), Settings::default());
        staleness.remember(question(), &answer("old"));
        staleness.written("1", "iam", 100.0);
        staleness.written("1", "iam", 100.0 + GREATEST);
        assert_eq!(given(&staleness, 100.0 + GREATEST, false), None);
    }

    #[test]
    fn a_read_that_was_never_made_before_is_fresh() {
        let staleness = Staleness::new(Chance::new(1, 2), Settings::default());
        staleness.written("1", "iam", 100.0);
        assert_eq!(given(&staleness, 100.0, false), None);
        staleness.remember(question(), &answer("new"));
        assert_eq!(given(&staleness, 100.0, false), None);
    }

    #[test]
    fn without_staleness_only_a_fault_gives_the_answer_from_before_the_last_write() {
        let staleness = Staleness::new(Chance::new(1, 2), Settings::NONE);
        staleness.remember(question(), &answer("old"));
        staleness.written("1", "iam", 100.0);
        assert_eq!(given(&staleness, 100.0, false), None);
        staleness.remember(question(), &answer("new"));
        assert_eq!(given(&staleness, 200.0, true).as_deref(), Some(&b"old"[..]));
    }
}
