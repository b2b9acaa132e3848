//! What holds tenants back on a platform.

use std::fmt::Write as _;

use tenant::{BreakerState, LimitsView};

use super::paint::Paint;
use super::table::{pad, table};
use super::{duration, instant};

/// A platform's limits.
#[must_use]
pub fn limits(limits: &LimitsView, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&limits.platform));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {}{value}", pad(&paint.dim(name), 14));
    };
    let breaker = &limits.breaker;
    let word = match breaker.state {
        BreakerState::Closed => paint.good("closed"),
        BreakerState::Open => paint.bad("open: no accounts are created"),
        BreakerState::Paused => paint.bad("paused: nothing begins"),
    };
    let since = breaker.since.map(|since| format!(" since {}", instant(since)));
    let author = breaker.author.as_ref().map(|author| format!(", by {}", person(author)));
    line("breaker", format!("{word}{}{}", since.unwrap_or_default(), author.unwrap_or_default()));
    if let Some(reason) = &breaker.reason {
        line("", paint.dim(reason));
    }
    let opens = &breaker.opens_after;
    line(
        "failures",
        format!(
            "{} in a row; {} within {} min open the breaker",
            breaker.failures.len(),
            opens.failures,
            opens.within_minutes
        ),
    );
    for failure in &breaker.failures {
        let said = format!("{}  {}  {}", instant(failure.at), failure.name, failure.reason);
        line("", paint.dim(&said));
    }
    let daily = &limits.daily;
    line(
        "new accounts",
        format!(
            "{} of {} on {} (UTC); counted anew at {}",
            daily.used,
            daily.limit,
            daily.day,
            instant(daily.renews_at)
        ),
    );
    let queue = &limits.queue;
    line(
        "queue",
        format!(
            "{} wait; whoever comes now has a turn in {}",
            queue.waiting,
            duration(queue.next_slot.duration_since(limits.as_of))
        ),
    );
    if !breaker.history.is_empty() {
        let rows: Vec<Vec<String>> = breaker
            .history
            .iter()
            .map(|entry| vec![instant(entry.at), person(&entry.author), entry.event.clone()])
            .collect();
        let _ = write!(text, "\n{}", table(&["TIME", "AUTHOR", "EVENT"], &rows));
    }
    text
}

/// The last part of an ARN, or a part of Landfall.
pub(super) fn person(author: &str) -> String {
    author.rsplit([':', '/']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_open_breaker_says_why_and_what_would_open_it() {
        let view: LimitsView = serde_json::from_value(json!({
            "platform": "aws", "asOf": "2026-01-01T12:00:00Z",
            "breaker": {
                "state": "open", "reason": "AWS allows the organization no more accounts (ACCOUNT_LIMIT_EXCEEDED)",
                "author": "create-account", "since": "2026-01-01T11:00:00Z", "version": 1,
                "opensAfter": {"failures": 5, "withinMinutes": 60},
                "failures": [{"tenant": "00000000-0000-0000-0000-000000000000", "name": "a.b.aws", "run": 1,
                              "reason": "ACCOUNT_LIMIT_EXCEEDED", "at": "2026-01-01T11:00:00Z"}],
                "history": [{"at": "2026-01-01T11:00:00Z", "version": 1, "author": "create-account",
                             "event": "opened: full", "to": "open"}]
            },
            "daily": {"day": "2026-01-01", "limit": 100, "used": 3, "renewsAt": "2026-01-02T00:00:00Z"},
            "queue": {"waiting": 2, "nextSlot": "2026-01-01T12:00:21Z"}
        }))
        .expect("limits");
        let expected = "\
aws
  breaker       open: no accounts are created since 2026-01-01T11:00:00Z, by create-account
                AWS allows the organization no more accounts (ACCOUNT_LIMIT_EXCEEDED)
  failures      1 in a row; 5 within 60 min open the breaker
                2026-01-01T11:00:00Z  a.b.aws  ACCOUNT_LIMIT_EXCEEDED
  new accounts  3 of 100 on 2026-01-01 (UTC); counted anew at 2026-01-02T00:00:00Z
  queue         2 wait; whoever comes now has a turn in 21s

TIME                  AUTHOR          EVENT
2026-01-01T11:00:00Z  create-account  opened: full
";
        assert_eq!(limits(&view, Paint::still(false)), expected);
    }
}
