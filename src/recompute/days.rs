//! Working days: local days that begin in the small hours.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Most working days that a mark may touch; a longer one is a mistake and loses its end.
const DAYS_A_MARK: usize = 4_000;

/// One working day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDay {
    /// The local date on which it begins.
    pub date: Date,
    /// Unix milliseconds, half-open.
    pub period: Range<i64>,
}

/// The working days of a zone.
#[derive(Debug, Clone)]
pub struct WorkingDays {
    zone: TimeZone,
    starts: SignedDuration,
}

impl WorkingDays {
    /// Days that begin `starts_h` hours after local midnight.
    pub fn new(zone: TimeZone, starts_h: u32) -> Self {
        Self { zone, starts: SignedDuration::from_hours(starts_h.into()) }
    }

    /// The working day of an instant; none beyond years 1 to 9999.
    pub fn of(&self, unix_ms: i64) -> Option<WorkingDay> {
        let at = Timestamp::from_millisecond(unix_ms).ok()?;
        let date = at.checked_sub(self.starts).ok()?.to_zoned(self.zone.clone()).date();
        self.on(date)
    }

    /// The working day that begins on a local date.
    pub fn on(&self, date: Date) -> Option<WorkingDay> {
        let begins = |date: Date| {
            let midnight = date.to_zoned(self.zone.clone()).ok()?.timestamp();
            Some(midnight.checked_add(self.starts).ok()?.as_millisecond())
        };
        Some(WorkingDay { date, period: begins(date)?..begins(date.checked_add(1.day()).ok()?)? })
    }

    /// Every working day that a period touches, each once, ascending.
    pub fn touched(&self, periods: &[RangeInclusive<i64>]) -> Vec<WorkingDay> {
        let mut days = BTreeMap::new();
        for period in periods {
            let mut at = *period.start();
            for _ in 0..DAYS_A_MARK {
                let Some(day) = self.of(at).filter(|_| at <= *period.end()) else { break };
                at = day.period.end;
                days.insert(day.date, day);
            }
        }
        days.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(periods: &[(&str, &str)], expected: Expect) {
        let zone = TimeZone::get("Asia/Tomsk").expect("a zone");
        let ms = |text: &str| text.parse::<Timestamp>().expect("a time").as_millisecond();
        let periods: Vec<_> = periods.iter().map(|(from, to)| ms(from)..=ms(to)).collect();
        let show = |ms| Timestamp::from_millisecond(ms).expect("a time").to_string();
        let days = WorkingDays::new(zone, 4).touched(&periods);
        let lines: Vec<_> = days
            .iter()
            .map(|day| format!("{} {} {}", day.date, show(day.period.start), show(day.period.end)))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn harvest_past_midnight_belongs_to_the_day_before() {
        check(
            &[("2026-08-20T19:30:00Z", "2026-08-20T20:59:59.999Z")],
            expect!["2026-08-20 2026-08-19T21:00:00Z 2026-08-20T21:00:00Z"],
        );
    }

    #[test]
    fn days_touched_twice_are_computed_once() {
        check(
            &[("2026-08-21T02:00:00Z", "2026-08-22T02:00:00Z"), ("2026-08-20T20:00:00Z", "2026-08-20T21:00:00Z")],
            expect![[r#"
                2026-08-20 2026-08-19T21:00:00Z 2026-08-20T21:00:00Z
                2026-08-21 2026-08-20T21:00:00Z 2026-08-21T21:00:00Z
                2026-08-22 2026-08-21T21:00:00Z 2026-08-22T21:00:00Z"#]],
        );
    }
}
