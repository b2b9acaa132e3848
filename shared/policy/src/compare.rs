//! Dates, numbers and addresses as condition operators compare them.

use std::net::IpAddr;

/// Seconds since the epoch of a W3C date of any precision, or of epoch seconds themselves.
pub(crate) fn date(text: &str) -> Option<f64> {
    // Four digits are a year, more are seconds.
    if text.len() > 4
        && let Ok(seconds) = text.parse::<f64>()
    {
        return Some(seconds);
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i32>().ok();
    let year = number(0..4)?;
    let month = if text.len() >= 7 { number(5..7)? } else { 1 };
    let day = if text.len() >= 10 { number(8..10)? } else { 1 };
    let midnight = f64::from(days_since_epoch(year, month, day)) * 86_400.0;
    Some(midnight + text.get(11..).map_or(Some(0.0), seconds_of_day)?)
}

/// The seconds of `HH:MM[:SS[.fff]]` with `Z`, an offset, or neither (which means UTC).
fn seconds_of_day(text: &str) -> Option<f64> {
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let mut seconds = 0.0;
    let mut unit = 3600.0;
    for part in text[..end].split(':') {
        seconds += part.parse::<f64>().ok()? * unit;
        unit /= 60.0;
    }
    let offset = &text[end..];
    let sign = match offset.chars().next() {
        Some('+') => 1.0,
        Some('-') => -1.0,
        _ => return Some(seconds),
    };
    let hours = offset.get(1..3)?.parse::<f64>().ok()?;
    let minutes = offset.get(4..6).map_or(Ok(0.0), str::parse::<f64>).ok()?;
    Some(seconds - sign * (hours * 3600.0 + minutes * 60.0))
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March.
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Whether `address` lies in `range`, an address with or without a prefix length.
pub(crate) fn in_range(address: &str, range: &str) -> bool {
    let (network, length) = match range.split_once('/') {
        Some((network, length)) => (network, length.parse::<u32>().ok()),
        None => (range, None),
    };
    let (Some((address, width)), Some((network, network_width))) = (bits(address), bits(network))
    else {
        return false;
    };
    let length = length.unwrap_or(network_width);
    width == network_width
        && length <= width
        && (length == 0 || (address >> (width - length)) == (network >> (width - length)))
}

fn bits(text: &str) -> Option<(u128, u32)> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some((u32::from(address).into(), 32)),
        IpAddr::V6(address) => Some((address.into(), 128)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_any_precision_and_zone_are_seconds() {
        let noon = Some(1_781_524_800.0);
        assert_eq!(date("2026-06-15T12:00:00Z"), noon);
        assert_eq!(date("2026-06-15T14:00:00+02:00"), noon);
        assert_eq!(date("2026-06-15T08:30:00-03:30"), noon);
        assert_eq!(date("1781524800"), noon);
        assert_eq!(date("2026-06-15T12:00:00.5Z"), Some(1_781_524_800.5));
        assert_eq!(date("2026-06-15"), Some(1_781_481_600.0));
        assert_eq!(date("2026"), Some(1_767_225_600.0));
        assert_eq!(date("1970-01-01"), Some(0.0));
        assert_eq!(date("2024-02-29"), Some(1_709_164_800.0));
        assert_eq!(date("soon"), None);
    }

    #[test]
    fn an_address_lies_in_its_range_and_family_only() {
        assert!(in_range("203.0.113.10", "203.0.113.0/24"));
        assert!(in_range("203.0.113.10", "203.0.113.10"));
        assert!(in_range("203.0.113.10", "0.0.0.0/0"));
        assert!(!in_range("203.0.114.10", "203.0.113.0/24"));
        assert!(in_range("2001:db8::1", "2001:db8::/32"));
        assert!(!in_range("2001:db8::1", "0.0.0.0/0"));
        assert!(!in_range("203.0.113.10", "203.0.113.0/33"));
    }
}
