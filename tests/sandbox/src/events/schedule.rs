//! Schedule expressions: `rate(…)` and `cron(…)`, in UTC.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// When a rule is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Every so many seconds.
    Rate(f64),
    /// At the minutes that all fields allow.
    Cron(Box<Cron>),
}

/// The fields of a cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Option<Vec<i16>>,
    months: Vec<i16>,
    weekdays: Option<Vec<i16>>,
    years: Vec<i16>,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Schedule {
    /// Reads an expression; nothing if it is not one that the sandbox knows.
    pub fn parse(expression: &str) -> Option<Self> {
        let inner =
            |name: &str| expression.trim().strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            let (number, unit) = rate.trim().split_once(' ')?;
            let unit = match unit.trim() {
                "minute" | "minutes" => 60.0,
                "hour" | "hours" => 3_600.0,
                "day" | "days" => 86_400.0,
                _ => return None,
            };
            let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
            return Some(Self::Rate(f64::from(number) * unit));
        }
        let fields: Vec<_> = inner("cron")?.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays, years] = fields.as_slice() else {
            return None;
        };
        let some = |field: &str, from, to, names: &[&str]| {
            if field == "?" { Some(None) } else { values(field, from, to, names).map(Some) }
        };
        Some(Self::Cron(Box::new(Cron {
            minutes: values(minutes, 0, 59, &[])?,
            hours: values(hours, 0, 23, &[])?,
            days: some(days, 1, 31, &[])?,
            months: values(months, 1, 12, &MONTHS)?,
            weekdays: some(weekdays, 1, 7, &WEEKDAYS)?,
            years: values(years, 1970, 2199, &[])?,
        })))
    }

    /// The first virtual epoch after `now` at which it is due.
    pub fn after(&self, now: f64) -> Option<f64> {
        match self {
            Self::Rate(seconds) => Some(now + seconds),
            Self::Cron(cron) => cron.after(now),
        }
    }
}

impl Cron {
    fn after(&self, now: f64) -> Option<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "an epoch in minutes fits")]
        let next_minute = ((now / 60.0).floor() as i64 + 1) * 60;
        let from = Timestamp::from_second(next_minute).ok()?.to_zoned(TimeZone::UTC).datetime();
        let mut date = from.date();
        for _ in 0..=1_500 {
            if self.on(date)
                && let Some(found) = self.first(date, from)
            {
                let found = found.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
                #[expect(clippy::cast_precision_loss, reason = "an epoch in seconds fits")]
                return Some(found as f64);
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    fn on(&self, date: Date) -> bool {
        let has = |values: &[i16], value: i16| values.contains(&value);
        let weekday = i16::from(weekday(date.weekday()));
        has(&self.years, date.year())
            && has(&self.months, i16::from(date.month()))
            && self.days.as_ref().is_none_or(|days| has(days, i16::from(date.day())))
            && self.weekdays.as_ref().is_none_or(|days| has(days, weekday))
    }

    fn first(&self, date: Date, from: DateTime) -> Option<DateTime> {
        let times = self
            .hours
            .iter()
            .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        times
            .filter_map(|(hour, minute)| {
                let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
                Some(date.at(hour, minute, 0, 0))
            })
            .find(|time| *time >= from)
    }
}

fn weekday(day: Weekday) -> u8 {
    day.to_sunday_one_offset().unsigned_abs()
}

/// The values that a field allows, in order.
fn values(field: &str, from: i16, to: i16, names: &[&str]) -> Option<Vec<i16>> {
    let number = |text: &str| {
        let position = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let offset = position.and_then(|position| i16::try_from(position).ok());
        offset.map(|offset| offset + from).or_else(|| text.parse().ok())
    };
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok()?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (from, to),
            Some((first, last)) => (number(first)?, number(last)?),
            None if part.contains('/') => (number(range)?, to),
            None => (number(range)?, number(range)?),
        };
        let step = usize::try_from(step).ok().filter(|step: &usize| *step > 0)?;
        all.extend((first..=last).step_by(step));
    }
    all.sort_unstable();
    all.iter().all(|value| (from..=to).contains(value)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, now: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "an epoch in seconds fits")]
        let next = Schedule::parse(expression).unwrap().after(now.as_second() as f64).unwrap();
        crate::clock::timestamp(next).to_string()
    }

    #[test]
    fn a_rate_is_due_after_its_time() {
        assert_eq!(Schedule::parse("rate(1 minute)"), Some(Schedule::Rate(60.0)));
        assert_eq!(Schedule::parse("rate(5 hours)"), Some(Schedule::Rate(18_000.0)));
        assert_eq!(Schedule::parse("rate(0 minutes)"), None);
    }

    #[test]
    fn a_cron_expression_is_due_at_the_next_minute_that_fits() {
        assert_eq!(next("cron(0/15 * * * ? *)", "2026-11-22T13:16:00Z"), "2026-11-22T13:30:00Z");
        assert_eq!(next("cron(0 3 * * ? *)", "2026-11-22T03:00:00Z"), "2026-11-23T03:00:00Z");
        assert_eq!(next("cron(0 8 ? * MON-FRI *)", "2026-11-21T09:00:00Z"), "2026-11-23T08:00:00Z");
        assert_eq!(
            next("cron(30 0 1 JAN,JUL ? *)", "2026-11-22T00:00:00Z"),
            "2027-01-01T00:30:00Z"
        );
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        for expression in ["cron(* * * *)", "rate(1 week)", "cron(61 * * * ? *)", "at(now)"] {
            assert_eq!(Schedule::parse(expression), None, "{expression}");
        }
    }
}
