//! Virtual time: fast while nobody works, slow while somebody does, and all parts agree on it.
//!
//! What AWS takes its time for is waited for, and that is sped up. What this machine computes is
//! not: while a function runs or moto is busy, the clock slows down, the more the more work at once,
//! so that a slow or crowded machine makes virtual time longer for nobody. Nor does it where all of
//! the machine stands still for a moment: fast time passes only for as long as the clock is kept. How
//! time passes is written to a small file, which every function reads that needs to know what time it
//! is, and to another that moto maps into its memory, since it asks many times for each call.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::Error;

/// How long nobody may have worked before time runs fast: what lies between two calls is work too.
const QUIET: Duration = Duration::from_millis(15);
/// How much is computed here in a real second, in virtual seconds of whoever works. On AWS each function has a machine of
/// its own. Here hundreds that start at once share one, and all would be out of time before the first is done.
const ROOM: f64 = 128.0;
/// How often it is looked whether somebody works.
const TICK: Duration = Duration::from_millis(4);
/// For how many real seconds time runs fast by itself, unless a tick comes meanwhile.
const LEASE: f64 = 0.03;

/// How fast time passes: virtual seconds in a real one.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// While nobody works.
    pub idle: f64,
    /// While somebody works; never more than while nobody does.
    pub working: f64,
}

impl Speed {
    /// While so many work: in halves of the rate for few, so that it rarely changes.
    fn among(self, workers: usize) -> f64 {
        let workers = f64::from(u32::try_from(workers).unwrap_or(u32::MAX));
        let mut rate = self.working;
        while rate * workers > ROOM {
            rate /= 2.0;
        }
        rate
    }
}

/// The clock of a sandbox.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    speed: Speed,
    started: f64,
    file: PathBuf,
    mapped: File,
    workers: AtomicUsize,
    pace: Mutex<Pace>,
    changed: watch::Sender<()>,
}

/// From `wall` until `end` time passes `rate` times as fast, and it was `epoch` at first.
#[derive(Clone, Copy, Debug)]
struct Pace {
    epoch: f64,
    wall: f64,
    end: f64,
    rate: f64,
    worked: Instant,
}

impl Pace {
    fn now(&self) -> f64 {
        self.at(wall())
    }

    fn at(&self, wall: f64) -> f64 {
        self.epoch + (wall.min(self.end) - self.wall) * self.rate
    }
}

/// Somebody works for as long as this is kept.
#[derive(Debug)]
pub struct Work(Clock);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.0.workers.fetch_sub(1, Ordering::AcqRel);
        self.0.0.pace.lock().worked = Instant::now();
    }
}

impl Clock {
    /// Starts a clock now.
    pub fn start(speed: Speed) -> Result<Self, Error> {
        let speed = Speed { working: speed.working.min(speed.idle), ..speed };
        let now = wall();
        let (rate, worked) = (speed.working, Instant::now());
        let pace = Pace { epoch: now, wall: now, end: f64::INFINITY, rate, worked };
        let file = std::env::temp_dir().join(format!("landfall-clock-{}", Uuid::new_v4().simple()));
        let mapped = file.with_extension("mapped");
        let inner = Inner {
            speed,
            started: now,
            mapped: File::create(&mapped)
                .map_err(Error::io(format!("making {}", mapped.display())))?,
            file,
            workers: AtomicUsize::new(0),
            pace: Mutex::new(pace),
            changed: watch::Sender::new(()),
        };
        inner
            .write_file(&pace)
            .and_then(|()| inner.write_mapped(&pace))
            .map_err(Error::io(format!("writing {}", inner.file.display())))?;
        Ok(Self(Arc::new(inner)))
    }

    /// The epoch in seconds at which virtual and real time were the same.
    pub fn started(&self) -> f64 {
        self.0.started
    }

    /// How many virtual seconds pass in one real second while nobody works.
    pub fn speed(&self) -> f64 {
        self.0.speed.idle
    }

    /// The file that says how time passes: `epoch wall rate`, in seconds.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The same and until when, as five numbers of eight bytes, least first: `epoch`, `wall`, `end` and `rate`, and what
    /// their bits come to by exclusive or, so that whoever reads while they are written knows it.
    pub fn mapped_file(&self) -> PathBuf {
        self.0.file.with_extension("mapped")
    }

    /// The file in which moto says how many of its parts work: eight bytes, least first.
    pub fn workers_file(&self) -> PathBuf {
        self.0.file.with_extension("workers")
    }

    /// Virtual seconds since the epoch.
    pub fn now(&self) -> f64 {
        self.0.pace.lock().now()
    }

    /// Virtual time as a timestamp with milliseconds.
    pub fn timestamp(&self) -> Timestamp {
        timestamp(self.now())
    }

    /// The least real time that `seconds` of virtual time take.
    pub fn least(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.0.speed.idle).max(0.0))
    }

    /// Waits for `seconds` of virtual time.
    pub async fn sleep(&self, seconds: f64) {
        let until = self.now() + seconds;
        let mut changed = self.0.changed.subscribe();
        loop {
            let pace = *self.0.pace.lock();
            let left = (until - pace.now()) / pace.rate;
            if left <= 0.0 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs_f64(left)) => {}
                _ = changed.changed() => {}
            }
        }
    }

    /// Lets virtual time be so many seconds later at once. Whoever waits for a time in between finds it over.
    pub fn leap(&self, seconds: f64) {
        let mut pace = self.0.pace.lock();
        *pace = self.0.onward(&pace, seconds.max(0.0), pace.rate);
        self.0.tell(&pace);
    }

    /// Says that somebody works, for as long as the answer is kept.
    pub fn work(&self) -> Work {
        let inner = &self.0;
        let workers = inner.workers.fetch_add(1, Ordering::AcqRel) + 1;
        let present = inner.pace.lock().rate;
        inner.turn(inner.speed.among(workers).min(present));
        Work(self.clone())
    }

    /// Takes the clock's files away when the process ends, which drops no clock that a task holds.
    pub fn leave_nothing(&self) {
        self.0.leave_nothing();
    }

    /// Lets time run fast whenever nobody has worked for a moment, for as long as the sandbox runs.
    pub async fn keep(self) {
        let moto = self.workers_file();
        loop {
            tokio::time::sleep(TICK).await;
            let inner = &self.0;
            let workers = inner.workers.load(Ordering::Acquire).saturating_add(counted(&moto));
            let mut pace = inner.pace.lock();
            if workers > 0 {
                pace.worked = Instant::now();
            }
            let quiet = pace.worked.elapsed() > QUIET;
            drop(pace);
            inner.turn(if quiet { inner.speed.idle } else { inner.speed.among(workers) });
        }
    }
}

impl Inner {
    /// Lets time pass at this rate from now on.
    #[expect(clippy::float_cmp, reason = "a rate is one of few, each computed in one way")]
    fn turn(&self, rate: f64) {
        let mut pace = self.pace.lock();
        if pace.rate != rate {
            *pace = self.onward(&pace, 0.0, rate);
            self.tell(&pace);
        } else if pace.end.is_finite() {
            *pace = self.onward(&pace, 0.0, rate);
            self.written(self.write_mapped(&pace));
        }
    }

    /// How time passes from now on, after a leap of so many seconds.
    fn onward(&self, pace: &Pace, leap: f64, rate: f64) -> Pace {
        let wall = wall();
        let end = if rate > self.speed.working { wall + LEASE } else { f64::INFINITY };
        Pace { epoch: pace.at(wall) + leap, wall, end, rate, worked: pace.worked }
    }

    /// Tells everybody that time passes otherwise.
    fn tell(&self, pace: &Pace) {
        self.written(self.write_file(pace).and_then(|()| self.write_mapped(pace)));
        self.changed.send_replace(());
    }

    fn written(&self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::error!(%error, file = %self.file.display(), "the clock can't be written");
        }
    }

    fn write_file(&self, Pace { epoch, wall, rate, .. }: &Pace) -> io::Result<()> {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{epoch:?} {wall:?} {rate:?}"))?;
        fs::rename(next, &self.file)
    }

    fn write_mapped(&self, Pace { epoch, wall, end, rate, .. }: &Pace) -> io::Result<()> {
        let [epoch, wall, end, rate] = [epoch, wall, end, rate].map(|number| number.to_bits());
        let numbers = [epoch, wall, end, rate, epoch ^ wall ^ end ^ rate].map(u64::to_le_bytes);
        self.mapped.write_all_at(numbers.as_flattened(), 0)
    }

    fn leave_nothing(&self) {
        let _ = fs::remove_file(&self.file);
        for extension in ["mapped", "workers"] {
            let _ = fs::remove_file(self.file.with_extension(extension));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.leave_nothing();
    }
}

/// The number in a file of eight bytes; 0 if there is none.
fn counted(file: &Path) -> usize {
    let bytes = fs::read(file).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, |bytes| usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX))
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

    fn clock(idle: f64, working: f64) -> Clock {
        Clock::start(Speed { idle, working }).expect("a clock")
    }

    #[tokio::test]
    async fn time_runs_fast_while_nobody_works_and_slow_while_somebody_does() {
        let clock = clock(10_000.0, 1.0);
        let kept = tokio::spawn(clock.clone().keep());
        let before = clock.now();
        clock.sleep(600.0).await;
        assert!(clock.now() - before >= 600.0);
        let work = clock.work();
        let (before, real) = (clock.now(), Instant::now());
        tokio::time::sleep(Duration::from_millis(60)).await;
        let passed = clock.now() - before;
        assert!(passed <= real.elapsed().as_secs_f64() + 0.01, "{passed}");
        drop(work);
        clock.sleep(600.0).await;
        kept.abort();
    }

    #[tokio::test]
    async fn fast_time_passes_only_while_the_clock_is_kept() {
        let clock = clock(10_000.0, 1.0);
        let kept = tokio::spawn(clock.clone().keep());
        clock.sleep(600.0).await;
        let before = clock.now();
        // Nothing runs meanwhile, as where the machine stands still.
        std::thread::sleep(Duration::from_millis(300));
        let passed = clock.now() - before;
        assert!(passed <= 10_000.0 * LEASE + 1.0, "{passed}");
        clock.sleep(600.0).await;
        kept.abort();
    }

    #[test]
    fn the_more_work_at_once_the_slower_time_passes() {
        let speed = Speed { idle: 200.0, working: 8.0 };
        let rates = [0, 1, 16, 17, 32, 150].map(|workers| speed.among(workers).to_string());
        assert_eq!(rates, ["8", "8", "8", "4", "4", "0.5"]);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_time_that_is_leapt_over_finds_it_over() {
        let clock = clock(1.0, 1.0);
        let waits = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(86_400.0).await }
        });
        let before = clock.now();
        tokio::time::sleep(Duration::from_millis(20)).await;
        clock.leap(90_000.0);
        waits.await.expect("it ends");
        assert!(clock.now() - before >= 90_000.0);
    }

    #[test]
    fn the_file_tells_the_same_time() {
        let clock = clock(60.0, 8.0);
        let text = fs::read_to_string(clock.file()).expect("a file");
        let numbers: Vec<f64> = text.split(' ').map(|one| one.parse().expect("a number")).collect();
        let told = numbers[0] + (wall() - numbers[1]) * numbers[2];
        assert!((told - clock.now()).abs() < 1.0, "{told}");
        let file = clock.file().to_owned();
        drop(clock);
        assert!(!file.exists());
    }

    #[test]
    fn who_works_is_counted_in_a_file() {
        let file = std::env::temp_dir().join(format!("landfall-{}", Uuid::new_v4()));
        assert_eq!(counted(&file), 0);
        fs::write(&file, 3_u64.to_le_bytes()).expect("a file");
        assert_eq!(counted(&file), 3);
        fs::remove_file(&file).expect("it is there");
    }
}
