//! Times as RFC 3339 text in JSON, Unix milliseconds in memory.

use crate::limits::NO_TIME_MS;

/// Reads a time; none when the text is none or lies outside the years 0 to 9999. Below a millisecond is cut off.
pub(crate) fn parse(text: &str) -> Option<i64> {
    parse_plain(text.as_bytes()).or_else(|| parse_any(text))
}

/// Writes a time in UTC with three decimals.
pub(crate) fn format(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.3}"))
}

fn parse_any(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// `2026-08-20T05:12:07Z` with no or three decimals, which is what machines write; none for every other way.
fn parse_plain(text: &[u8]) -> Option<i64> {
    let (seconds, millis) = match text {
        [seconds @ .., b'.', a, b, c, b'Z'] => (seconds, number(&[*a, *b, *c])?),
        [seconds @ .., b'Z'] => (seconds, 0),
        _ => return None,
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2] = seconds else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?);
    // Leap seconds, the last year and days that do not exist are left to the thorough reader.
    if year == 9999 || day == 0 || day > days_of(year, month)? || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute;
    Some((minutes * 60 + second) * 1000 + millis)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn days_of(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Days in the Gregorian calendar. The year is counted from March, so that the leap day is its last: a year
/// then has 365 days and every fourth, not every hundredth, yet every four hundredth one more.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    /// Days before each month of a year that begins in March.
    const BEFORE: [i64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + BEFORE[month as usize - 1] + day - 1 - EPOCH
}

/// `recorded_at` of reports and tasks: what is no time becomes [`NO_TIME_MS`], so that one bad time does not refuse
/// a frame.
pub(crate) mod field {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::NO_TIME_MS;

    pub(crate) fn serialize<S: Serializer>(at_ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        super::format(*at_ms).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(value.as_str().and_then(super::parse).unwrap_or(NO_TIME_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_RECORDED_AT_MS, MIN_RECORDED_AT_MS};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_plain_way_is_read_as_the_thorough_reader_reads_it(
            at_ms in MIN_RECORDED_AT_MS..MAX_RECORDED_AT_MS, whole in any::<bool>(),
            text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,4})?Z",
        ) {
            let written = if whole { format(at_ms / 1000 * 1000).replace(".000", "") } else { format(at_ms) };
            for text in [written, text] {
                if let Some(plain) = parse_plain(text.as_bytes()) {
                    prop_assert_eq!(Some(plain), parse_any(&text), "{}", text);
                }
            }
            prop_assert_eq!(parse(&format(at_ms)), Some(at_ms));
        }
    }

    #[test]
    fn what_machines_write_takes_the_plain_way() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-08-20T05:12:07.000Z", 1_787_202_727_000),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000),
        ] {
            assert_eq!(parse_plain(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_ways_of_rfc_3339_are_read_and_what_is_no_time_is_not() {
        for (text, expected) in [
            ("2026-08-20T12:12:07+07:00", Some(1_787_202_727_000)),
            ("2026-08-20 05:12:07.0009Z", Some(1_787_202_727_000)),
            ("2026-08-20T05:12:60Z", Some(1_787_202_779_000)),
            ("2026-02-30T05:12:07Z", None),
            ("2026-08-20T05:12:07", None),
            ("2026-13-20T05:12:07Z", None),
            ("9999-12-31T23:59:59Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
