//! How much may be under way at once: seats that are taken, given back, and forgotten if nobody gives them back.
//!
//! Whoever finds no seat waits in line, first come, first served. Both a holder and a waiter are forgotten when they
//! are not seen again in time, so that whoever died never keeps the others out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A limit on how much is under way at once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seats {
    /// The limit's name: its row in the ledger.
    pub name: String,
    /// How many seats there are.
    pub most: usize,
    /// How long a seat is kept for a holder that is not seen again.
    pub lease: SignedDuration,
}

/// Who holds and who waits for a seat.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Seated {
    /// Holders, and until when.
    #[serde(default)]
    pub holders: BTreeMap<String, Timestamp>,
    /// Those in line.
    #[serde(default)]
    pub line: BTreeMap<String, Place>,
}

/// A place in line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// Since when.
    pub since: Timestamp,
    /// When its owner was seen last.
    pub seen: Timestamp,
}

/// What came of asking for a seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seat {
    /// It is the asker's.
    Taken,
    /// So many come first.
    Ahead(usize),
}

/// How long a place in line is kept for somebody who is not seen again: longer than a waiting tenant's next run takes.
const PLACE: SignedDuration = SignedDuration::from_mins(30);
/// How old a sight of somebody in line may be before it is written anew.
const SIGHT: SignedDuration = SignedDuration::from_mins(10);

impl Seats {
    /// What Control Tower does with accounts at once: five by AWS.
    #[must_use]
    pub fn control_tower() -> Self {
        Self { name: "control-tower".to_owned(), most: 5, lease: SignedDuration::from_mins(45) }
    }

    /// What Control Tower does with moves into one of its organizational units: one at a time by AWS.
    #[must_use]
    pub fn moves_into(unit: &str) -> Self {
        Self { name: format!("control-tower#{unit}"), most: 1, ..Self::control_tower() }
    }

    /// Asks for a seat: what came of it, and the row as it is to be written, if it is to be.
    #[must_use]
    pub fn take(&self, before: &Seated, who: &str, now: Timestamp) -> (Seat, Option<Seated>) {
        let mut row = before.clone();
        row.holders.retain(|_, until| *until > now);
        row.line.retain(|_, place| place.seen + PLACE > now);
        let held = row.holders.get(who).copied();
        let since = row.line.get(who).map_or(now, |place| place.since);
        let earlier = |(other, place): &(&String, &Place)| {
            other.as_str() != who && (place.since, other.as_str()) < (since, who)
        };
        let ahead = row.line.iter().filter(earlier).count();
        if held.is_some() || row.holders.len() + ahead < self.most {
            row.line.remove(who);
            if held.is_none_or(|until| until < now + self.lease / 2) {
                row.holders.insert(who.to_owned(), now + self.lease);
                return (Seat::Taken, Some(row));
            }
            return (Seat::Taken, None);
        }
        let seen = row.line.get(who).map(|place| place.seen);
        if seen.is_some_and(|seen| now < seen + SIGHT) {
            return (Seat::Ahead(ahead), None);
        }
        row.line.insert(who.to_owned(), Place { since, seen: now });
        (Seat::Ahead(ahead), Some(row))
    }

    /// Gives a seat or a place in line back: the row as it is to be written, if it is to be.
    #[must_use]
    pub fn leave(&self, before: &Seated, who: &str) -> Option<Seated> {
        let mut row = before.clone();
        let held = row.holders.remove(who).is_some();
        (row.line.remove(who).is_some() || held).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        start + SignedDuration::from_mins(minutes)
    }

    fn two() -> Seats {
        Seats { name: "two".to_owned(), most: 2, lease: SignedDuration::from_mins(40) }
    }

    /// The row after somebody asked, and what they were told.
    fn asked(row: &mut Seated, who: &str, minutes: i64) -> Seat {
        let (seat, after) = two().take(row, who, at(minutes));
        *row = after.unwrap_or_else(|| row.clone());
        seat
    }

    #[test]
    fn seats_go_in_the_order_of_asking() {
        let mut row = Seated::default();
        assert_eq!(asked(&mut row, "a", 0), Seat::Taken);
        assert_eq!(asked(&mut row, "b", 1), Seat::Taken);
        assert_eq!(asked(&mut row, "d", 2), Seat::Ahead(0));
        assert_eq!(asked(&mut row, "c", 3), Seat::Ahead(1));
        row = two().leave(&row, "a").expect("a seat");
        assert_eq!(asked(&mut row, "c", 4), Seat::Ahead(1));
        assert_eq!(asked(&mut row, "d", 5), Seat::Taken);
    }

    #[test]
    fn a_holder_that_died_and_a_waiter_that_left_keep_nobody_out() {
        let mut row = Seated::default();
        for (who, minutes) in [("a", 0), ("b", 0), ("gone", 1), ("c", 2), ("c", 15), ("c", 30)] {
            asked(&mut row, who, minutes);
        }
        assert_eq!(asked(&mut row, "c", 41), Seat::Taken);
    }

    #[test]
    fn a_holder_that_is_seen_keeps_its_seat_and_writes_only_now_and_then() {
        let mut row = Seated::default();
        assert_eq!(asked(&mut row, "a", 0), Seat::Taken);
        assert_eq!(two().take(&row, "a", at(10)), (Seat::Taken, None));
        assert_eq!(asked(&mut row, "a", 30), Seat::Taken);
        assert_eq!(row.holders["a"], at(70));
        assert_eq!(two().leave(&row, "b"), None);
    }

    proptest! {
        #[test]
        fn there_are_never_more_holders_than_seats(
            asking in proptest::collection::vec((0_usize..6, 0_i64..30, prop::bool::ANY), 0..60),
        ) {
            let mut row = Seated::default();
            let mut minutes = 0;
            for (who, later, leaves) in asking {
                minutes += later;
                let who = format!("tenant-{who}");
                if leaves {
                    row = two().leave(&row, &who).unwrap_or(row);
                } else {
                    asked(&mut row, &who, minutes);
                }
                let seated = row.holders.values().filter(|until| **until > at(minutes)).count();
                prop_assert!(seated <= 2);
            }
        }
    }
}
