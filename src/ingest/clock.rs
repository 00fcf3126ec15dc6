//! Machine clocks, believed or corrected.
//!
//! A unit without a fix says 1970 or 1980; an old receiver is 1,024 weeks behind; a dead battery makes the year
//! 2080. Such a time is replaced before it opens chunks all over the centuries, marked, and kept beside. A record
//! that is merely old is believed: backlogs of weeks are normal.

use crate::config::Clock;
use crate::store::TimeCorrection;

/// GPS receivers of the first generation count weeks modulo this.
const ROLLOVER_MS: i64 = 1_024 * 7 * 86_400_000;
/// Longest believable pause between two records of one frame whose clock is wrong; longer ones are a clock that
/// was set in between.
const STEP_MAX_MS: i64 = 3_600_000;
/// Stands in for a step that cannot be believed: the usual rate of a working machine.
const STEP_DEFAULT_MS: i64 = 1_000;

/// Times that the database can hold.
const CALENDAR_MS: std::ops::RangeInclusive<i64> = wire::limits::MIN_RECORDED_AT_MS..=wire::limits::MAX_RECORDED_AT_MS;

/// Which times are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockRules {
    /// Before this no time is believed, Unix milliseconds.
    pub earliest_ms: i64,
    /// How far a clock may run ahead of arrival.
    pub future_tolerance_ms: i64,
    /// How old a record may be after a rollover is undone.
    pub backlog_ms: i64,
}

impl ClockRules {
    /// The rules of the settings.
    pub fn of(clock: &Clock) -> Self {
        Self {
            earliest_ms: clock.earliest.as_millisecond(),
            future_tolerance_ms: i64::from(clock.future_tolerance_s) * 1_000,
            backlog_ms: i64::from(clock.backlog_days) * 86_400_000,
        }
    }

    fn believes(&self, at_ms: i64, received_at_ms: i64) -> bool {
        at_ms >= self.earliest_ms && at_ms <= received_at_ms.saturating_add(self.future_tolerance_ms)
    }

    fn undo_rollover(&self, at_ms: i64, received_at_ms: i64) -> Option<i64> {
        let shifted = at_ms.checked_add(ROLLOVER_MS)?;
        let recent = shifted >= received_at_ms.saturating_sub(self.backlog_ms);
        (recent && self.believes(shifted, received_at_ms)).then_some(shifted)
    }
}

/// Corrects the times of a frame in place and says how; empty where every clock is believed.
///
/// Wrong times are placed by their neighbours in the frame, keeping the distances that the wrong clock still
/// measured; where a frame has no believable time at all, its last record is placed `age_ms` before arrival.
pub(super) fn correct(times: &mut [i64], age_ms: u64, received_at_ms: i64, rules: &ClockRules) -> Vec<TimeCorrection> {
    if times.iter().all(|at| rules.believes(*at, received_at_ms)) {
        return Vec::new();
    }
    let raw = times.to_vec();
    let corrections: Vec<_> = times
        .iter_mut()
        .map(|time| {
            if rules.believes(*time, received_at_ms) {
                return TimeCorrection { quality: 0, raw_ms: None };
            }
            let raw_ms = Some(*time).filter(|at| CALENDAR_MS.contains(at));
            match rules.undo_rollover(*time, received_at_ms) {
                Some(shifted) => {
                    *time = shifted;
                    TimeCorrection { quality: 1, raw_ms }
                }
                None => TimeCorrection { quality: 2, raw_ms },
            }
        })
        .collect();
    estimate(times, &raw, &corrections, age_ms, received_at_ms, rules);
    corrections
}

/// Places every time of quality 2 by the next placed record after it, else by the one before it, else by arrival.
fn estimate(
    times: &mut [i64],
    raw: &[i64],
    corrections: &[TimeCorrection],
    age_ms: u64,
    received_at_ms: i64,
    rules: &ClockRules,
) {
    let step = |earlier: usize| match raw[earlier + 1].checked_sub(raw[earlier]) {
        Some(step) if (0..=STEP_MAX_MS).contains(&step) => step,
        _ => STEP_DEFAULT_MS,
    };
    let placed = |position: usize| corrections[position].quality != 2;
    let last = times.len() - 1;
    let anchor = (0..times.len()).rev().find(|position| placed(*position));
    let first_after = match anchor {
        Some(anchor) => {
            // Behind the last believable record: forward from it.
            for position in anchor + 1..times.len() {
                times[position] = times[position - 1].saturating_add(step(position - 1));
            }
            anchor
        }
        None => {
            // An age beyond every backlog comes from the same wrong clock.
            let age_ms = i64::try_from(age_ms).ok().filter(|age| *age <= rules.backlog_ms).unwrap_or(0);
            times[last] = received_at_ms.saturating_sub(age_ms);
            last
        }
    };
    for position in (0..first_after).rev() {
        if !placed(position) {
            times[position] = times[position + 1].saturating_sub(step(position));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const RULES: ClockRules =
        ClockRules { earliest_ms: 1_420_070_400_000, future_tolerance_ms: 600_000, backlog_ms: 30 * 86_400_000 };

    /// `times` as text, received 2026-08-20 12:00; prints time, quality and raw time of each record.
    fn check(times: &[&str], age_ms: u64, expected: Expect) {
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_millisecond();
        let mut times: Vec<_> = times.iter().map(|text| at(text)).collect();
        let corrections = correct(&mut times, age_ms, at("2026-08-20T12:00:00Z"), &RULES);
        let show = crate::time::display_ms;
        let lines: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(i, at)| match corrections.get(i) {
                None => show(*at),
                Some(c) => format!(
                    "{} quality {}{}",
                    show(*at),
                    c.quality,
                    c.raw_ms.map_or(String::new(), |raw| format!(" raw {}", show(raw)))
                ),
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_backlog_of_years_is_believed() {
        check(
            &["2020-01-02T10:30:20Z", "2026-08-20T12:09:00Z"],
            0,
            expect![[r#"
            2020-01-02T10:30:20.000Z
            2026-08-20T12:09:00.000Z"#]],
        );
    }

    #[test]
    fn a_clock_at_1970_is_placed_by_its_arrival_and_age() {
        check(
            &["1970-01-01T00:00:10Z", "1970-01-01T00:00:15Z"],
            3_000,
            expect![[r#"
            2026-08-20T11:59:52.000Z quality 2 raw 1970-01-01T00:00:10.000Z
            2026-08-20T11:59:57.000Z quality 2 raw 1970-01-01T00:00:15.000Z"#]],
        );
    }

    #[test]
    fn an_age_of_decades_is_the_wrong_clock_speaking_again() {
        check(
            &["1970-01-01T00:00:10Z"],
            1_787_227_190_000,
            expect!["2026-08-20T12:00:00.000Z quality 2 raw 1970-01-01T00:00:10.000Z"],
        );
    }

    #[test]
    fn records_before_the_first_fix_are_placed_by_those_after_it() {
        check(
            &["1980-01-06T00:00:00Z", "1980-01-06T00:00:05Z", "2026-08-20T11:00:00Z", "2026-08-20T11:00:05Z"],
            0,
            expect![[r#"
            2026-08-20T10:59:54.000Z quality 2 raw 1980-01-06T00:00:00.000Z
            2026-08-20T10:59:59.000Z quality 2 raw 1980-01-06T00:00:05.000Z
            2026-08-20T11:00:00.000Z quality 0
            2026-08-20T11:00:05.000Z quality 0"#]],
        );
    }

    #[test]
    fn a_gps_week_rollover_is_undone_exactly() {
        check(&["2007-01-04T11:59:00Z"], 0, expect!["2026-08-20T11:59:00.000Z quality 1 raw 2007-01-04T11:59:00.000Z"]);
    }

    #[test]
    fn a_clock_in_the_far_future_is_placed_by_the_record_before() {
        check(
            &["2026-08-20T11:59:00Z", "2081-08-20T11:59:05Z", "2081-08-20T11:59:10Z"],
            0,
            expect![[r#"
            2026-08-20T11:59:00.000Z quality 0
            2026-08-20T11:59:01.000Z quality 2 raw 2081-08-20T11:59:05.000Z
            2026-08-20T11:59:06.000Z quality 2 raw 2081-08-20T11:59:10.000Z"#]],
        );
    }

    #[test]
    fn the_ends_of_the_number_range_do_no_harm() {
        let mut times = [i64::MIN, i64::MAX, i64::MIN, 0];
        let corrections = correct(&mut times, u64::MAX, 1_787_227_200_000, &RULES);
        assert!(times.iter().all(|at| RULES.believes(*at, 1_787_227_200_000)), "{times:?}");
        assert_eq!(corrections.iter().filter(|c| c.raw_ms.is_none()).count(), 3, "no calendar holds these");
    }
}
