//! How reliably events arrive: late, doubled, lost, out of order.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::chance::Chance;

/// How unreliable delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Least and greatest delay in virtual seconds.
    pub delay_seconds: [f64; 2],
    /// Probability that an event arrives twice.
    pub duplicate: f64,
    /// Probability that an event never arrives.
    pub lose: f64,
    /// Whether events may overtake each other.
    pub reorder: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delay_seconds: [5.0, 25.0], duplicate: 0.0, lose: 0.0, reorder: false }
    }
}

/// The greatest additional delay of an event that others may overtake, in virtual seconds.
const OVERTAKING: f64 = 120.0;

/// Decides for each event when it arrives, and how often.
#[derive(Debug)]
pub struct Delivery {
    chance: Chance,
    state: Mutex<(Settings, f64)>,
}

impl Delivery {
    /// Delivery with the default settings.
    pub fn new(chance: Chance) -> Self {
        Self { chance, state: Mutex::default() }
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.state.lock().0
    }

    /// Changes the settings.
    pub fn set(&self, settings: Settings) {
        self.state.lock().0 = settings;
    }

    /// For an event of virtual time `now`: the delay of each of its arrivals.
    pub fn delays(&self, now: f64) -> Vec<f64> {
        let mut state = self.state.lock();
        let (settings, latest) = &mut *state;
        if self.chance.happens(settings.lose) {
            return Vec::new();
        }
        let copies = if self.chance.happens(settings.duplicate) { 2 } else { 1 };
        let [from, to] = settings.delay_seconds;
        (0..copies)
            .map(|_| {
                let delay = self.chance.between(from, to);
                if settings.reorder {
                    return delay + self.chance.between(0.0, OVERTAKING);
                }
                *latest = latest.max(now + delay);
                *latest - now
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(settings: Settings) -> Delivery {
        let delivery = Delivery::new(Chance::new(3, 1));
        delivery.set(settings);
        delivery
    }

    #[test]
    fn events_keep_their_order_unless_reordered() {
        let delivery = delivery(Settings::default());
        let arrivals: Vec<_> = (0..50)
            .map(f64::from)
            .flat_map(|now| delivery.delays(now).into_iter().map(move |d| now + d))
            .collect();
        assert!(arrivals.is_sorted());
        delivery.set(Settings { reorder: true, ..Settings::default() });
        let arrivals: Vec<_> = (0..50)
            .map(f64::from)
            .flat_map(|now| delivery.delays(now).into_iter().map(move |d| now + d))
            .collect();
        assert!(!arrivals.is_sorted());
    }

    #[test]
    fn events_are_lost_and_doubled_as_configured() {
        let lost = delivery(Settings { lose: 1.0, ..Settings::default() });
        assert!(lost.delays(0.0).is_empty());
        let doubled = delivery(Settings { duplicate: 1.0, ..Settings::default() });
        assert_eq!(doubled.delays(0.0).len(), 2);
    }
}
