//! The clock: the machine's own on AWS, the sandbox's virtual one on a laptop.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// Where time comes from.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    System,
    /// A file says what virtual time it was at which real time, and how many times as fast it has passed since.
    Virtual(PathBuf),
}

impl Clock {
    /// The clock that the file describes, or the system's.
    pub(crate) fn new(file: Option<String>) -> Self {
        file.map_or(Self::System, |file| Self::Virtual(file.into()))
    }

    /// Now, to the millisecond: what is written can be compared with what is read back.
    pub(crate) fn now(&self) -> Timestamp {
        let system = Timestamp::now();
        let now = match self {
            Self::System => system,
            Self::Virtual(file) => read(file, system).unwrap_or(system),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Passes less than a second.
    #[expect(
        clippy::disallowed_methods,
        reason = "a state machine can't wait for less than a second"
    )]
    pub(crate) async fn pause(&self, time: SignedDuration) {
        const BREATH: Duration = Duration::from_millis(2);
        let time = time.clamp(SignedDuration::ZERO, SignedDuration::from_secs(1));
        match self {
            Self::System => tokio::time::sleep(time.unsigned_abs()).await,
            Self::Virtual(_) => {
                let until = self.now() + time;
                while self.now() < until {
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }
}

/// What time it is by the file, when it is `system` by the machine.
fn read(file: &Path, system: Timestamp) -> Option<Timestamp> {
    let text = fs::read_to_string(file).ok()?;
    let mut numbers = text.split(' ').map(|number| number.trim().parse::<f64>().ok());
    let (epoch, wall, rate) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let real = system.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    let passed = SignedDuration::try_from_secs_f64(epoch + (real - wall) * rate).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(passed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(name: &str, rate: f64) -> Clock {
        let file =
            std::env::temp_dir().join(format!("landfall-entry-{name}-{}", std::process::id()));
        let wall = Timestamp::now().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
        fs::write(&file, format!("1000 {wall} {rate}")).expect("a file");
        Clock::Virtual(file)
    }

    fn forget(clock: Clock) {
        if let Clock::Virtual(file) = clock {
            fs::remove_file(file).expect("it is there");
        }
    }

    #[test]
    fn virtual_time_is_what_the_file_says() {
        let clock = clock("now", 1e6);
        let first = clock.now();
        assert!(first.as_second() >= 1000 && first.as_second() < 1_000_000_000, "{first}");
        while clock.now() < first + SignedDuration::from_secs(2000) {}
        forget(clock);
    }

    #[tokio::test]
    async fn a_pause_is_less_than_a_second_of_the_clock_it_is_asked_of() {
        let clock = clock("pause", 50.0);
        let before = clock.now();
        clock.pause(SignedDuration::from_mins(5)).await;
        let passed = clock.now().duration_since(before);
        assert!(passed >= SignedDuration::from_secs(1), "{passed:?}");
        assert!(passed < SignedDuration::from_mins(15), "{passed:?}");
        forget(clock);
    }
}
