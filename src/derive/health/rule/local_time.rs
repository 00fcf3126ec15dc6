//! Hours, months and days of the week as people on the spot count them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Offsets of time zones change on such boundaries and no others.
const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;

/// The local clock of a zone. Asked for one sample after another, it looks the zone up once a quarter of an hour.
pub(super) struct LocalTime {
    zone: TimeZone,
    quarter: i64,
    offset_ms: i64,
    /// Days since 1970-01-01 and their month.
    day: i64,
    month: f64,
}

impl LocalTime {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, quarter: i64::MIN, offset_ms: 0, day: i64::MIN, month: f64::NAN }
    }

    /// The instant as local milliseconds since 1970-01-01T00:00.
    fn local_ms(&mut self, at_ms: i64) -> i64 {
        let quarter = at_ms.div_euclid(QUARTER_MS);
        if quarter != self.quarter {
            self.quarter = quarter;
            self.offset_ms =
                Timestamp::from_millisecond(at_ms).map_or(0, |at| i64::from(self.zone.to_offset(at).seconds()) * 1_000);
        }
        at_ms + self.offset_ms
    }

    /// Hour of the day with its fraction, 0 to 24.
    pub(super) fn hour(&mut self, at_ms: i64) -> f64 {
        self.local_ms(at_ms).rem_euclid(DAY_MS) as f64 / 3_600_000.0
    }

    /// Day since 1970-01-01.
    pub(super) fn day(&mut self, at_ms: i64) -> i64 {
        self.local_ms(at_ms).div_euclid(DAY_MS)
    }

    /// 1 Monday to 7 Sunday.
    pub(super) fn weekday(&mut self, at_ms: i64) -> f64 {
        // 1970-01-01 was a Thursday.
        (self.day(at_ms) + 3).rem_euclid(7) as f64 + 1.0
    }

    /// 1 January to 12 December.
    pub(super) fn month(&mut self, at_ms: i64) -> f64 {
        let day = self.day(at_ms);
        if day != self.day {
            self.day = day;
            let noon = Timestamp::from_millisecond(day * DAY_MS);
            self.month = noon.map_or(f64::NAN, |at| f64::from(at.to_zoned(TimeZone::UTC).month()));
        }
        self.month
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harvest_past_midnight_is_the_next_local_day() {
        let mut clock = LocalTime::new(TimeZone::get("Asia/Tomsk").expect("the zone data is built in"));
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        let seen = |clock: &mut LocalTime, text| {
            let at = at(text);
            (clock.month(at), clock.weekday(at), clock.hour(at))
        };
        // 2026-08-31 was a Monday.
        assert_eq!(seen(&mut clock, "2026-08-31T16:30:00Z"), (8.0, 1.0, 23.5));
        assert_eq!(seen(&mut clock, "2026-08-31T17:15:00Z"), (9.0, 2.0, 0.25));
        assert_eq!(seen(&mut clock, "1969-12-31T16:59:00Z"), (12.0, 3.0, 23.0 + 59.0 / 60.0));
        assert_eq!(clock.day(at("1970-01-01T17:00:00Z")), 1);
    }
}
