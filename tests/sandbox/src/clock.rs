//! Virtual time: every wait of the sandbox is shorter by one factor, and all its parts agree on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// A clock that runs `speed` times as fast as the wall clock since the sandbox started.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: f64,
    speed: f64,
}

impl Clock {
    /// Starts a clock now.
    pub fn start(speed: f64) -> Self {
        Self { started: wall(), speed }
    }

    /// The wall-clock epoch in seconds at which virtual and real time were the same.
    pub fn started(&self) -> f64 {
        self.started
    }

    /// How many virtual seconds pass in one real second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Virtual seconds since the epoch.
    pub fn now(&self) -> f64 {
        self.started + (wall() - self.started) * self.speed
    }

    /// Virtual time as a timestamp with milliseconds.
    pub fn timestamp(&self) -> Timestamp {
        timestamp(self.now())
    }

    /// How long `seconds` of virtual time take.
    pub fn real(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.speed).max(0.0))
    }

    /// Waits for `seconds` of virtual time.
    pub async fn sleep(&self, seconds: f64) {
        tokio::time::sleep(self.real(seconds)).await;
    }
}

/// Wall-clock seconds since the epoch.
pub fn wall() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// An epoch in seconds as a timestamp with milliseconds.
pub fn timestamp(epoch: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "an epoch in milliseconds fits an i64")]
    Timestamp::from_millisecond((epoch * 1000.0) as i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_virtual_time_takes_a_second_at_speed_60() {
        assert_eq!(Clock::start(60.0).real(60.0), Duration::from_secs(1));
    }

    #[test]
    fn virtual_time_starts_at_the_wall_clock_and_runs_ahead() {
        let clock = Clock { started: wall() - 10.0, speed: 60.0 };
        let ahead = clock.now() - wall();
        assert!((589.0..=591.0).contains(&ahead), "{ahead}");
    }
}
