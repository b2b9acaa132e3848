//! How fast an account-wide AWS limit may be used: the generic cell rate algorithm on one number.
//!
//! A limit of `rate` per second with a `burst` is kept as one instant, the theoretical arrival time. Whoever wants to
//! call reserves the next slot by moving that instant on by one interval; the answer says when the slot is. The
//! ledger does the same with one conditional update, so that a thousand callers never storm a limit.

use jiff::{SignedDuration, Timestamp};

/// One account-wide limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The limit's name: its row in the ledger.
    pub name: &'static str,
    /// Time between two calls at the full rate.
    pub interval: SignedDuration,
    /// How many calls may go out at once after a pause.
    pub burst: i32,
}

impl Pace {
    /// CreateAccount: 0.1 a second, bursts of three. The interval is 5 % longer than AWS's: a call may come to AWS half
    /// a second later than it went out, as the first one over a new connection does, and none after it is too early.
    pub const CREATE_ACCOUNT: Self =
        Self { name: "create-account", interval: SignedDuration::from_millis(10_500), burst: 3 };

    /// The same by the calls as they go out. A first call that is late by a cold start would else have the fourth come
    /// too early for AWS.
    pub const CREATE_ACCOUNT_CALL: Self =
        Self { name: "create-account-call", ..Self::CREATE_ACCOUNT };

    /// A walk over all accounts of the organization: one at a time.
    pub const WALK: Self =
        Self { name: "list-accounts-walk", interval: SignedDuration::from_secs(20), burst: 1 };

    /// Asking for opt-in Regions: one a second over the organization.
    pub const ENABLE_REGION: Self =
        Self { name: "enable-region", interval: SignedDuration::from_millis(1_050), burst: 1 };

    /// CloseAccount: one in twenty seconds. A call may go out five seconds after its slot, and the next one on time.
    pub const CLOSE_ACCOUNT: Self =
        Self { name: "close-account", interval: SignedDuration::from_secs(26), burst: 1 };

    /// How far slots may run ahead of the steady rate.
    #[must_use]
    pub fn tolerance(&self) -> SignedDuration {
        self.interval * (self.burst - 1)
    }

    /// Reserves the next slot: the new arrival time to keep, and when the slot is.
    #[must_use]
    pub fn reserve(&self, arrival: Option<Timestamp>, now: Timestamp) -> (Timestamp, Timestamp) {
        let base = arrival.filter(|arrival| *arrival >= now).unwrap_or(now);
        let slot = (base - self.tolerance()).max(now);
        (base + self.interval, slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_step() {
        let pace = Pace::CREATE_ACCOUNT;
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let mut arrival = None;
        let waits: Vec<f64> = (0..6)
            .map(|_| {
                let (next, slot) = pace.reserve(arrival, now);
                arrival = Some(next);
                slot.duration_since(now).as_secs_f64()
            })
            .collect();
        for (wait, wanted) in waits.iter().zip([0.0, 0.0, 0.0, 10.5, 21.0, 31.5]) {
            assert!((wait - wanted).abs() < 1e-6, "{waits:?}");
        }
    }

    #[test]
    fn a_pause_gives_the_burst_back() {
        let pace = Pace::CREATE_ACCOUNT;
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let past = now - SignedDuration::from_secs(3600);
        assert_eq!(pace.reserve(Some(past), now).1, now);
    }
}
