//! How long AWS takes for an operation, where someone said so.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::chance::Chance;

/// Least and greatest latency by IAM action, in virtual seconds.
pub type Settings = HashMap<String, [f64; 2]>;

/// Latencies of operations; none at first.
#[derive(Debug)]
pub struct Latency {
    chance: Chance,
    settings: Mutex<Settings>,
}

impl Latency {
    /// No latency for anything.
    pub fn new(chance: Chance) -> Self {
        Self { chance, settings: Mutex::default() }
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.settings.lock().clone()
    }

    /// Changes the settings.
    pub fn set(&self, settings: Settings) {
        *self.settings.lock() = settings;
    }

    /// A latency for this action in virtual seconds.
    pub fn of(&self, action: &str) -> f64 {
        let range = self.settings.lock().get(action).copied();
        range.map_or(0.0, |[least, most]| self.chance.between(least, most))
    }
}
