//! Instants as the service counts them: Unix milliseconds for machines, microseconds for the database.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};

/// The database counts microseconds from here: 2000-01-01T00:00:00Z, in Unix milliseconds.
const POSTGRES_EPOCH_MS: i64 = 946_684_800_000;

/// Now, in Unix milliseconds.
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Unix milliseconds as the database counts, microseconds since 2000. Saturates at the ends of the `i64` range.
pub fn postgres_micros(unix_ms: i64) -> i64 {
    unix_ms.saturating_sub(POSTGRES_EPOCH_MS).saturating_mul(1_000)
}

/// The database's microseconds as Unix milliseconds.
pub fn unix_ms(postgres_micros: i64) -> i64 {
    postgres_micros.div_euclid(1_000).saturating_add(POSTGRES_EPOCH_MS)
}

/// Unix milliseconds as text for people; the bare number beyond years 1 to 9999.
pub fn display_ms(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(|_| unix_ms.to_string(), |at| format!("{at:.3}"))
}

/// The local days of a zone. Asked for the day of one sample after another, it looks the zone up once a day.
#[derive(Debug, Clone)]
pub struct LocalDays {
    zone: TimeZone,
    day: Date,
    /// Unix milliseconds in which `day` lasts, half-open.
    lasts: std::ops::Range<i64>,
}

impl LocalDays {
    /// Days of `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, day: Date::ZERO, lasts: 0..0 }
    }

    /// The local day of an instant; none beyond years 1 to 9999.
    pub fn of(&mut self, unix_ms: i64) -> Option<Date> {
        if !self.lasts.contains(&unix_ms) {
            let at = Timestamp::from_millisecond(unix_ms).ok()?.to_zoned(self.zone.clone());
            let start = at.start_of_day().ok()?;
            let end = start.tomorrow().ok()?;
            self.lasts = start.timestamp().as_millisecond()..end.timestamp().as_millisecond();
            self.day = at.date();
        }
        Some(self.day)
    }

    /// The local day that holds both instants; none where they lie on two days, or beyond years 1 to 9999.
    pub fn of_both(&mut self, earlier_ms: i64, later_ms: i64) -> Option<Date> {
        self.of(earlier_ms).filter(|_| self.lasts.contains(&later_ms))
    }
}

/// Days since 2000-01-01, as the database counts dates.
pub fn postgres_days(day: Date) -> i32 {
    let epoch = Date::constant(2000, 1, 1);
    epoch.until(day).map_or(0, |span| span.get_days())
}

/// The date of a count of days since 2000-01-01.
pub fn date_of_postgres_days(days: i32) -> Option<Date> {
    Date::constant(2000, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_tomsk_begins_seven_hours_before_greenwich() {
        let zone = TimeZone::get("Asia/Tomsk").expect("the zone data is built in");
        let mut days = LocalDays::new(zone);
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        assert_eq!(days.of(at("2026-08-19T16:59:59.999Z")), Some(Date::constant(2026, 8, 19)));
        assert_eq!(days.of(at("2026-08-19T17:00:00Z")), Some(Date::constant(2026, 8, 20)));
        assert_eq!(days.of(at("2026-08-19T16:00:00Z")), Some(Date::constant(2026, 8, 19)));
        assert_eq!(days.of(i64::MAX), None);
        let evening = at("2026-08-20T16:59:59.999Z");
        assert_eq!(days.of_both(at("2026-08-19T17:00:00Z"), evening), Some(Date::constant(2026, 8, 20)));
        assert_eq!(days.of_both(evening, evening + 1), None);
        assert_eq!(days.of_both(i64::MIN, evening), None);
    }

    #[test]
    fn database_instants_and_dates_convert_back() {
        for at in [0, POSTGRES_EPOCH_MS, 1_787_202_727_123, -1] {
            assert_eq!(unix_ms(postgres_micros(at)), at);
        }
        let day = Date::constant(2026, 8, 20);
        assert_eq!(date_of_postgres_days(postgres_days(day)), Some(day));
        assert_eq!(postgres_days(Date::constant(1999, 12, 31)), -1);
    }
}
