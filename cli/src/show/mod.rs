//! Turns answers into lines: tables, steps that tick off, structured text for programs.

mod board;
mod configuration;
mod letters;
mod limits;
mod live;
mod paint;
mod roll_outs;
mod story;
mod surveys;
mod table;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::options::Format;

pub use board::age;
pub use configuration::{configuration_history, configured};
pub use letters::letters;
pub use limits::limits;
pub use live::Live;
pub use paint::Paint;
pub use roll_outs::roll_outs;
pub use story::{configuration_plan, describe, history, plan};
pub use surveys::{surveys, unmanaged};
pub use table::table;

/// An answer as YAML or JSON; a table is JSON to programs as well.
pub fn structured(format: Format, value: &impl Serialize) -> String {
    match format {
        Format::Yaml => serde_saphyr::to_string(value).unwrap_or_default(),
        Format::Json | Format::Table => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// A duration in at most two units: `8s`, `1m 12s`, `3h 5m`.
#[must_use]
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (0, hours, minutes, _) => format!("{hours}h {minutes}m"),
        (days, hours, ..) => format!("{days}d {hours}h"),
    }
}

/// How long something took, or takes by now.
#[must_use]
pub fn elapsed(since: Timestamp, until: Option<Timestamp>, now: Timestamp) -> String {
    duration(until.unwrap_or(now).duration_since(since))
}

/// An instant to the second.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_the_most() {
        let shown = [0, 8, 72, 3_600 * 3 + 301, 86_400 * 2 + 3_600]
            .map(|seconds| duration(SignedDuration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "8s", "1m 12s", "3h 5m", "2d 1h"]);
    }
}
