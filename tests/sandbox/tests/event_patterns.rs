//! Pairs of pattern and event with the verdict of AWS's own matcher.

use sandbox::event_pattern::Pattern;
use serde_json::Value;

const PAIRS: &str = include_str!("vectors/event-patterns.jsonl");

#[test]
fn every_pair_gets_the_verdict_of_aws() {
    let mut wrong = Vec::new();
    for line in PAIRS.lines() {
        let pair: Value = serde_json::from_str(line).expect("JSON");
        let found = match Pattern::parse(&pair["rule"]) {
            Ok(pattern) => Value::Bool(pattern.matches(&pair["event"])),
            Err(_) => Value::String("refused".to_owned()),
        };
        if found != pair["match"] {
            wrong.push(format!("{found} for {line}"));
        }
    }
    assert_eq!(PAIRS.lines().count(), 1917);
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
