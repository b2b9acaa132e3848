//! The clock: the machine's own on AWS, the sandbox's virtual one on a laptop.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Where time comes from.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    System,
    /// A virtual clock as it was read once, and how many times faster it runs than ours.
    Virtual {
        epoch: Timestamp,
        read: Instant,
        speed: f64,
    },
}

impl Clock {
    /// The clock at `url`, or the system's.
    pub(crate) async fn start(url: Option<&str>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Reading {
            epoch: f64,
            speed: f64,
        }
        let Some(url) = url else { return Ok(Self::System) };
        let (host, path) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| format!("`{url}` is no address of a clock"))?;
        let mut stream = TcpStream::connect(host).await?;
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let read = Instant::now();
        let body = answer.find('{').zip(answer.rfind('}')).map(|(from, to)| &answer[from..=to]);
        let reading: Reading = serde_json::from_str(body.unwrap_or_default())?;
        let epoch = Timestamp::UNIX_EPOCH + SignedDuration::try_from_secs_f64(reading.epoch)?;
        Ok(Self::Virtual { epoch, read, speed: reading.speed })
    }

    /// Now, to the millisecond: what is written can be compared with what is read back.
    pub(crate) fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Virtual { epoch, read, speed } => {
                let passed = read.elapsed().as_secs_f64() * speed;
                *epoch + SignedDuration::try_from_secs_f64(passed).unwrap_or_default()
            }
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Passes less than a second.
    #[expect(
        clippy::disallowed_methods,
        reason = "a state machine can't wait for less than a second"
    )]
    pub(crate) async fn pause(&self, time: SignedDuration) {
        let speed = match self {
            Self::System => 1.0,
            Self::Virtual { speed, .. } => *speed,
        };
        let seconds = time.as_secs_f64().clamp(0.0, 1.0) / speed;
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_runs_faster() {
        let clock =
            Clock::Virtual { epoch: Timestamp::UNIX_EPOCH, read: Instant::now(), speed: 1e6 };
        let (first, second) = (clock.now(), clock.now());
        assert!(second >= first);
    }

    #[tokio::test]
    async fn a_pause_is_less_than_a_second_of_the_clock_it_is_asked_of() {
        let clock =
            Clock::Virtual { epoch: Timestamp::UNIX_EPOCH, read: Instant::now(), speed: 50.0 };
        let before = clock.now();
        clock.pause(SignedDuration::from_secs(3600)).await;
        let passed = clock.now().duration_since(before).as_secs_f64();
        assert!((1.0..1000.0).contains(&passed), "{passed}");
    }
}
