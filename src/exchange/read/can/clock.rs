//! When a log began. Tools write it as their own computer's language and zone have it: `Tue May 27 04:09:35 pm 2014`,
//! `Sam Sep 30 15:06:13.191 2017`, `18.12.2021 14:28:07.062.0`, `2017-09-30 15:06:13`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::super::text::decode;
use super::hex;

/// Latest time taken, microseconds: year 9999, the last one `jiff` takes.
pub(super) const LATEST_US: i64 = 253_402_207_200_000_000;
/// Days of the PEAK and spreadsheet epoch, 1899-12-30, before 1970.
const SPREADSHEET_EPOCH_DAYS: f64 = 25_569.0;
const US_PER_DAY: f64 = 86_400e6;

/// Beginnings of month names in the languages these tools speak, January first.
const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz"],
    &["apr", "avr"],
    &["may", "mai"],
    &["jun", "juin"],
    &["jul", "juil"],
    &["aug", "aoû", "aou"],
    &["sep"],
    &["oct", "okt"],
    &["nov"],
    &["dec", "dez", "déc"],
];

/// A point in time as a head line tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Microseconds since 1970 UTC.
    pub(super) us: i64,
    /// The line names its offset from UTC, so no zone had to be assumed.
    pub(super) with_offset: bool,
}

/// Reads a date with its time of day, local to `zone` unless it names an offset. Order and language of its words do not
/// matter; a numeric date with dots has the day first, one with slashes the month.
pub(super) fn parse(text: &[u8], zone: &TimeZone) -> Option<Told> {
    let (text, _) = decode(text);
    let mut offset = None;
    let (mut year, mut month, mut day, mut time) = (None, None, None, None);
    let mut afternoon = None;
    for word in text.split_whitespace() {
        if word.contains(':') {
            let (clock, after) = word.split_at(word.find(['+', '-', 'Z']).unwrap_or(word.len()));
            time = Some(time_of_day(clock)?);
            offset = offset_s(after);
        } else if word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm") {
            afternoon = Some(word.eq_ignore_ascii_case("pm"));
        } else if let Some((y, m, d)) = numeric_date(word) {
            (year, month, day) = (Some(y), Some(m), Some(d));
        } else if let Ok(number) = word.parse::<i16>() {
            if number > 31 { year = Some(number) } else { day = Some(number as i8) }
        } else {
            // Of two names the first is the weekday.
            month = month_number(word).or(month);
        }
    }
    let (hour, minute, second, micros) = time?;
    let hour = match afternoon {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    let date = Date::new(year?, month?, day?).ok()?;
    let time = Time::new(hour, minute, second, micros * 1000).ok()?;
    let zone = match offset {
        Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
        None => zone.clone(),
    };
    let at = DateTime::from_parts(date, time).to_zoned(zone).ok()?;
    Some(Told { us: at.timestamp().as_microsecond(), with_offset: offset.is_some() })
}

/// Reads days since 1899-12-30 with their fraction, local to `zone`.
pub(super) fn parse_days(text: &[u8], zone: &TimeZone) -> Option<i64> {
    let days: f64 = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    let local_us = (days - SPREADSHEET_EPOCH_DAYS) * US_PER_DAY;
    if !(0.0..LATEST_US as f64).contains(&local_us) {
        return None;
    }
    let as_if_utc = jiff::Timestamp::from_microsecond(local_us.round() as i64).ok()?;
    let local = TimeZone::UTC.to_datetime(as_if_utc);
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

/// `Z`, `+00:00`, `-05:30`.
fn offset_s(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i32>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?).checked_mul(60)?)
}

/// `15:06:13`, `15:06:13.191`, and `15:06:13.191.0`, where a last point divides milliseconds. Fewer than three digits
/// are a count of milliseconds whose zeros were left out: Vector writes three, and so its imitators mean.
fn time_of_day(word: &str) -> Option<(i8, i8, i8, i32)> {
    let mut parts = word.splitn(3, ':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let fraction = format!("{:0>3}", fraction.replace('.', ""));
    let micros = hex::micros(format!("0.{fraction}").as_bytes())?;
    Some((hour, minute, second.parse().ok()?, micros as i32))
}

fn numeric_date(word: &str) -> Option<(i16, i8, i8)> {
    let separator = word.chars().find(|c| matches!(c, '.' | '/' | '-'))?;
    let mut parts = word.split(separator).map(|part| part.parse::<i16>().ok());
    let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month, day) = match separator {
        _ if a > 31 => (a, b, c),
        // Twelve months: a greater number is the day, whoever wrote it.
        '/' if a <= 12 => (c, a, b),
        _ => (c, b, a),
    };
    Some((year, i8::try_from(month).ok()?, i8::try_from(day).ok()?))
}

fn month_number(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let at = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    Some(at as i8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: Option<&str>) {
        let found = parse(text, &TimeZone::UTC).and_then(|told| jiff::Timestamp::from_microsecond(told.us).ok());
        assert_eq!(found.map(|at| at.to_string()).as_deref(), expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn dates_of_several_languages_and_orders_are_read() {
        check(b"Tue May 27 04:09:35 pm 2014", Some("2014-05-27T16:09:35Z"));
        check(b"Tue May 27 12:09:35.120 AM 2014", Some("2014-05-27T00:09:35.12Z"));
        check(b"Sam Sep 30 15:06:13.191 2017", Some("2017-09-30T15:06:13.191Z"));
        check(b"Die M\xE4r 3 08:00:00 2020", Some("2020-03-03T08:00:00Z"));
        check("mer. déc. 9 08:00:00 2020".as_bytes(), Some("2020-12-09T08:00:00Z"));
        check(b"mar mai 26 08:00:00 2020", Some("2020-05-26T08:00:00Z"));
        check(b"18.12.2021 14:28:07.062.1", Some("2021-12-18T14:28:07.0621Z"));
        check(b"2017-09-30 22:06:13.191000", Some("2017-09-30T22:06:13.191Z"));
        check(b"9/30/2017 10:06:13 PM", Some("2017-09-30T22:06:13Z"));
        check(b"2021-06-01 11:43:50.084000+07:00", Some("2021-06-01T04:43:50.084Z"));
        check(b"Tue Jun 01 11:43:50.84 2021", Some("2021-06-01T11:43:50.084Z"));
        check(b"30/9/2017 22:06", Some("2017-09-30T22:06:00Z"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [&b""[..], b"soon", b"Sat Sep 31 10:00:00 2017", b"Sat Sep 30 2017", b"Sat Sep 30 25:00:00 2017"] {
            check(text, None);
        }
    }

    #[test]
    fn days_since_1899_are_local_to_the_zone() {
        let at = |text: &[u8], zone| parse_days(text, &zone).map(|us| us / 1_000_000);
        assert_eq!(at(b"43008.920986006946", TimeZone::UTC), Some(1_506_809_173));
        assert_eq!(at(b"43008.920986006946", TimeZone::fixed(jiff::tz::offset(7))), Some(1_506_809_173 - 7 * 3600));
        assert_eq!(at(b"NaN", TimeZone::UTC), None);
        assert_eq!(at(b"-5", TimeZone::UTC), None);
        assert_eq!(at(b"1e300", TimeZone::UTC), None);
    }
}
