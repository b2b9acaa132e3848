//! How far changes of landing zones and platforms have come.

use std::fmt::Write as _;

use tenant::{RollOutState, RollOutView};

use super::configuration::configured;
use super::instant;
use super::limits::person;
use super::paint::Paint;
use super::table::table;

/// Roll-outs in columns; of a single one, who failed and what happened as well.
#[must_use]
pub fn roll_outs(roll_outs: &[RollOutView], paint: Paint) -> String {
    let rows: Vec<Vec<String>> = roll_outs.iter().map(|one| row(one, paint)).collect();
    let columns = [
        "KIND",
        "NAME",
        "VERSION",
        "STATE",
        "WAVES",
        "TENANTS",
        "DONE",
        "UNDER WAY",
        "FAILED",
        "WAITING",
        "SINCE",
        "",
    ];
    let mut text = table(&columns, &rows);
    let [one] = roll_outs else { return text };
    for (standing, names) in [("failed", &one.failed), ("under way", &one.under_way)] {
        for name in names {
            let _ = writeln!(text, "  {}  {name}", paint.dim(standing));
        }
    }
    if !one.history.is_empty() {
        let entries = one.history.iter();
        let rows: Vec<Vec<String>> = entries
            .map(|entry| vec![instant(entry.at), person(&entry.author), entry.event.clone()])
            .collect();
        let _ = write!(text, "\n{}", table(&["TIME", "AUTHOR", "EVENT"], &rows));
    }
    text
}

fn row(one: &RollOutView, paint: Paint) -> Vec<String> {
    let state = one.state.as_str();
    vec![
        configured(one.kind).to_owned(),
        one.name.clone(),
        one.brings.to_string(),
        match one.state {
            RollOutState::Done => paint.good(state),
            RollOutState::Stopped => paint.bad(state),
            RollOutState::Rolling | RollOutState::Abandoned => state.to_owned(),
        },
        one.waves.to_string(),
        one.tenants.map_or_else(|| "-".to_owned(), |all| all.to_string()),
        one.done.to_string(),
        one.under_way.len().to_string(),
        one.failed.len().to_string(),
        one.waiting.to_string(),
        instant(one.since),
        one.reason.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_roll_out_that_stopped_says_how_far_it_came_and_who_failed() {
        let view: RollOutView = serde_json::from_value(json!({
            "kind": "LandingZone", "name": "production", "brings": 3, "author": "arn:aws:iam::1:user/ada",
            "since": "2026-01-01T11:00:00Z", "state": "stopped", "reason": "1 tenant failed, 0 tolerated",
            "tenants": 6, "waves": 2, "done": 2, "underWay": [], "failed": ["a.b.aws"], "waiting": 3, "version": 9,
            "history": [{"at": "2026-01-01T11:09:00Z", "version": 9, "author": "start-due",
                         "event": "stopped: 1 tenant failed, 0 tolerated", "to": "stopped"}],
            "asOf": "2026-01-01T12:00:00Z"
        }))
        .expect("a roll-out");
        let expected = "\
KIND          NAME        VERSION  STATE    WAVES  TENANTS  DONE  UNDER WAY  FAILED  WAITING  SINCE
landing-zone  production  3        stopped  2      6        2     0          1       3        2026-01-01T11:00:00Z  1 tenant failed, 0 tolerated
  failed  a.b.aws

TIME                  AUTHOR     EVENT
2026-01-01T11:09:00Z  start-due  stopped: 1 tenant failed, 0 tolerated
";
        assert_eq!(roll_outs(std::slice::from_ref(&view), Paint::still(false)), expected);
        assert!(!roll_outs(&[view.clone(), view], Paint::still(false)).contains("TIME"));
    }
}
