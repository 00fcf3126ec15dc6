//! Times and lengths of time as people write them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// Local time of Tomsk, all the year.
const LOCAL: Offset = Offset::constant(7);

/// Reads an instant: `2026-08-20T04:00:00Z`, or local time as `2026-08-20` or `2026-08-20T11:00`.
///
/// # Errors
/// A sentence with the value and the mend.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    let local = |at: DateTime| TimeZone::fixed(LOCAL).to_timestamp(at).ok();
    let found = text
        .parse()
        .ok()
        .or_else(|| text.parse::<Date>().ok().filter(|_| !text.contains(['T', ' '])).and_then(|d| local(d.into())))
        .or_else(|| text.parse::<DateTime>().ok().and_then(local));
    found.ok_or_else(|| {
        format!("{text:?} is no time; write 2026-08-20T04:00:00Z, or local time as 2026-08-20 or 2026-08-20T11:00")
    })
}

/// Reads a length of time: `60s`, `10m`, `2h`, `3d`; a bare number is seconds.
///
/// # Errors
/// A sentence with the value and the mend.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let total = seconds.zip(number.parse::<u64>().ok()).and_then(|(seconds, number)| number.checked_mul(seconds));
    total.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is no length of time; write 60s, 10m, 2h or 3d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_utc_and_in_local_time() {
        let check = |text: &str, utc: &str| assert_eq!(parse_instant(text).expect(text).to_string(), utc);
        check("2026-08-20T04:00:00Z", "2026-08-20T04:00:00Z");
        check("2026-08-20T11:00:00+07:00", "2026-08-20T04:00:00Z");
        check("2026-08-20T11:00", "2026-08-20T04:00:00Z");
        check("2026-08-20 11:00:30", "2026-08-20T04:00:30Z");
        check("2026-08-20", "2026-08-19T17:00:00Z");
        for wrong in ["", "20.08.2026", "2026-08-32", "noon"] {
            assert!(parse_instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_have_a_unit_or_are_seconds() {
        let check = |text: &str, seconds: u64| assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        check("60s", 60);
        check("90", 90);
        check("10m", 600);
        check("2h", 7_200);
        check("3d", 259_200);
        for wrong in ["", "h", "-1s", "1.5h", "1w", "99999999999999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
