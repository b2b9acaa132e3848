//! How much may be under way at once: seats that are taken, given back, and forgotten if nobody gives them back.
//!
//! Whoever finds no seat waits in line, first come, first served, and may sleep there: a seat that is given back calls
//! the first. Who was called and does not come lets the next one pass and keeps the place; a holder that is not seen
//! again in time is forgotten. So nobody who died keeps the others out, and no seat stays empty while somebody waits.

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
    /// When its owner asked or was called last.
    pub seen: Timestamp,
}

/// A row after a seat was given back, and those in line whose turn it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Left {
    /// The row as it is to be written; none if nothing was given back.
    pub row: Option<Seated>,
    /// Who is to be called.
    pub called: Vec<String>,
}

/// What came of asking for a seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seat {
    /// It is the asker's.
    Taken,
    /// So many come first.
    Ahead(usize),
}

/// How long a place in line is kept: longer than the longest pause between two runs.
const PLACE: SignedDuration = SignedDuration::from_hours(36);
/// How long a seat is kept free for somebody in line who has asked or was called.
const AWAKE: SignedDuration = SignedDuration::from_mins(5);
/// How old a sight of somebody may be before it is written anew: of those who are next, for whom seats are kept free, and
/// of all others, who only keep their place. Hundreds who were seen each time would all write one row.
const SIGHT: SignedDuration = SignedDuration::from_mins(2);
const DISTANT_SIGHT: SignedDuration = SignedDuration::from_hours(12);

impl Seats {
    /// What Control Tower does with accounts at once: five by AWS.
    #[must_use]
    pub fn control_tower() -> Self {
        Self { name: "control-tower".to_owned(), most: 5, lease: SignedDuration::from_mins(45) }
    }

    /// Assignments that Identity Center makes or takes away: AWS has room for fifteen, and five are left to others.
    /// An assignment takes half a minute at the most, as a rule.
    #[must_use]
    pub fn account_assignments() -> Self {
        let lease = SignedDuration::from_mins(10);
        Self { name: "account-assignments".to_owned(), most: 10, lease }
    }

    /// Accounts that are being closed: three by AWS. Closing one takes minutes.
    #[must_use]
    pub fn closures() -> Self {
        Self { name: "closures".to_owned(), most: 3, lease: SignedDuration::from_mins(45) }
    }

    /// What Control Tower does with moves into one of its organizational units: one at a time by AWS.
    #[must_use]
    pub fn moves_into(unit: &str) -> Self {
        Self { name: format!("control-tower#{unit}"), most: 1, ..Self::control_tower() }
    }

    /// Accounts that Control Tower lets go of: one at a time by AWS.
    #[must_use]
    pub fn releases() -> Self {
        Self { name: "control-tower-releases".to_owned(), most: 1, ..Self::control_tower() }
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
        let ahead = row.line.iter().filter(earlier);
        let awake = ahead.clone().filter(|(_, place)| place.seen + AWAKE > now).count();
        let ahead = ahead.count();
        if held.is_some() || row.holders.len() + awake < self.most {
            row.line.remove(who);
            if held.is_none_or(|until| until < now + self.lease / 2) {
                row.holders.insert(who.to_owned(), now + self.lease);
                return (Seat::Taken, Some(row));
            }
            return (Seat::Taken, None);
        }
        let seen = row.line.get(who).map(|place| place.seen);
        let sight = if ahead < self.most { SIGHT } else { DISTANT_SIGHT };
        if seen.is_some_and(|seen| now < seen + sight) {
            return (Seat::Ahead(ahead), None);
        }
        row.line.insert(who.to_owned(), Place { since, seen: now });
        (Seat::Ahead(ahead), Some(row))
    }

    /// Gives a seat or a place in line back, and calls as many as there are seats for.
    #[must_use]
    pub fn leave(&self, before: &Seated, who: &str, now: Timestamp) -> Left {
        let mut row = before.clone();
        let held = row.holders.remove(who).is_some();
        if row.line.remove(who).is_none() && !held {
            return Left::default();
        }
        row.holders.retain(|_, until| *until > now);
        let free = self.most.saturating_sub(row.holders.len());
        let mut line: Vec<_> = row.line.iter_mut().collect();
        line.sort_by_key(|(who, place)| (place.since, who.to_owned()));
        let first = line.into_iter().take(free);
        let called = first.map(|(who, place)| {
            place.seen = now;
            who.clone()
        });
        let called = called.collect();
        Left { row: Some(row), called }
    }
}

impl Seated {
    /// Whether somebody holds a seat.
    #[must_use]
    pub fn holds(&self, who: &str) -> bool {
        self.holders.contains_key(who)
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
        let left = two().leave(&row, "a", at(4));
        assert_eq!(left.called, ["d"]);
        row = left.row.expect("a seat");
        assert_eq!(asked(&mut row, "c", 4), Seat::Ahead(1));
        assert_eq!(asked(&mut row, "d", 5), Seat::Taken);
    }

    #[test]
    fn whoever_is_called_out_of_a_long_sleep_comes_first_and_keeps_nobody_waiting_for_long() {
        let mut row = Seated::default();
        for (who, minutes) in [("a", 0), ("b", 0), ("sleeper", 1), ("c", 25)] {
            asked(&mut row, who, minutes);
        }
        let left = two().leave(&row, "a", at(30));
        assert_eq!(left.called, ["sleeper"]);
        let mut punctual = left.row.clone().expect("a seat");
        assert_eq!(asked(&mut punctual, "c", 31), Seat::Ahead(1));
        assert_eq!(asked(&mut punctual, "sleeper", 32), Seat::Taken);
        let mut late = left.row.expect("a seat");
        assert_eq!(asked(&mut late, "c", 36), Seat::Taken);
        assert_eq!(asked(&mut late, "d", 37), Seat::Ahead(1));
        assert_eq!(asked(&mut late, "sleeper", 41), Seat::Taken);
    }

    #[test]
    fn who_is_not_next_keeps_a_place_and_writes_hardly_ever() {
        let mut row = Seated::default();
        for who in ["a", "b", "c", "d", "e"] {
            asked(&mut row, who, 0);
        }
        assert!(two().take(&row, "d", at(10)).1.is_some(), "a seat may be kept free for it");
        assert_eq!(two().take(&row, "e", at(10)), (Seat::Ahead(2), None));
        asked(&mut row, "a", 12 * 60);
        asked(&mut row, "b", 12 * 60);
        assert!(
            two().take(&row, "e", at(12 * 60)).1.is_some(),
            "places are kept for those who come"
        );
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
        assert_eq!(two().leave(&row, "b", at(31)), Left::default());
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
                    row = two().leave(&row, &who, at(minutes)).row.unwrap_or(row);
                } else {
                    asked(&mut row, &who, minutes);
                }
                let seated = row.holders.values().filter(|until| **until > at(minutes)).count();
                prop_assert!(seated <= 2);
            }
        }

        /// Each of many holds its seat for a while and sleeps longer and longer between two looks.
        #[test]
        fn no_seat_stays_empty_while_somebody_waits(
            holds in proptest::collection::vec(1_i64..30, 1..30),
        ) {
            let mut row = Seated::default();
            let mut looks: BTreeMap<String, i64> =
                (0..holds.len()).map(|number| (format!("{number:02}"), 0)).collect();
            let mut ends: BTreeMap<String, i64> = BTreeMap::new();
            let mut idle = 0;
            for minutes in 0..holds.iter().sum::<i64>() + 60 {
                for who in ends.clone().into_iter().filter(|(_, end)| *end == minutes).map(|(who, _)| who) {
                    ends.remove(&who);
                    let left = two().leave(&row, &who, at(minutes));
                    row = left.row.expect("a seat");
                    for called in left.called {
                        looks.insert(called, minutes + 1);
                    }
                }
                for (who, look) in looks.clone() {
                    if look == minutes {
                        if asked(&mut row, &who, minutes) == Seat::Taken {
                            looks.remove(&who);
                            let number: usize = who.parse().expect("a number");
                            ends.insert(who, minutes + holds[number]);
                        } else {
                            looks.insert(who, minutes + 10 + minutes / 4);
                        }
                    }
                }
                idle += i64::from(!looks.is_empty() && ends.len() < 2);
            }
            prop_assert!(looks.is_empty(), "{looks:?} still wait");
            prop_assert!(idle <= i64::try_from(holds.len()).expect("few"), "{idle} minutes idle");
        }
    }
}
