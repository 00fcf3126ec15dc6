//! How complete each day of a machine is: stored, missing, late, repeated, refused.
//!
//! A gap has no time of its own. It belongs to the day of the record before it, or, at the beginning of a boot,
//! to the day of the first record: that is when the missing ones were made, at the latest.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use wire::SequenceSet;

/// What the ledger holds of one boot on one local day.
#[derive(Debug, Clone)]
pub struct BootDay {
    /// The local day.
    pub day: Date,
    /// Which boot.
    pub boot: i64,
    /// Sequence numbers whose records are stored.
    pub stored: SequenceSet,
    /// Sequence numbers whose records were refused.
    pub refused: SequenceSet,
    /// Records stored late.
    pub late: i64,
    /// Records that came again.
    pub duplicates: i64,
    /// Records whose time was corrected or estimated.
    pub estimated: i64,
    /// Single values left out of stored records.
    pub values_refused: i64,
}

/// The completeness of one local day of a machine, in records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct DayCompleteness {
    pub day: Date,
    pub stored: u64,
    pub missing: u64,
    pub late: u64,
    pub duplicate: u64,
    pub refused: u64,
    pub estimated_time: u64,
    pub values_refused: u64,
}

impl DayCompleteness {
    /// Share of the day's records that are stored, 0 to 1; none for a day without a record.
    pub fn share(&self) -> Option<f64> {
        let all = self.stored + self.missing + self.refused;
        (all > 0).then(|| self.stored as f64 / all as f64)
    }
}

/// Sums the boots of one machine by day, ascending.
pub fn by_day(boot_days: &[BootDay]) -> Vec<DayCompleteness> {
    let mut days: BTreeMap<Date, DayCompleteness> = BTreeMap::new();
    let mut boots: BTreeMap<i64, Vec<&BootDay>> = BTreeMap::new();
    for boot_day in boot_days {
        boots.entry(boot_day.boot).or_default().push(boot_day);
        let day = days.entry(boot_day.day).or_insert_with(|| empty(boot_day.day));
        day.stored += boot_day.stored.count();
        day.refused += boot_day.refused.count();
        day.late += boot_day.late.unsigned_abs();
        day.duplicate += boot_day.duplicates.unsigned_abs();
        day.estimated_time += boot_day.estimated.unsigned_abs();
        day.values_refused += boot_day.values_refused.unsigned_abs();
    }
    for parts in boots.values() {
        let mut accounted = SequenceSet::new();
        for part in parts {
            accounted.extend(&part.stored);
            accounted.extend(&part.refused);
        }
        for gap in accounted.gaps().ranges() {
            let neighbour = if gap.start == 0 { gap.end } else { gap.start - 1 };
            let owner = parts.iter().find(|part| part.stored.contains(neighbour) || part.refused.contains(neighbour));
            if let Some(day) = owner.and_then(|part| days.get_mut(&part.day)) {
                day.missing += gap.end - gap.start;
            }
        }
    }
    days.into_values().collect()
}

fn empty(day: Date) -> DayCompleteness {
    DayCompleteness {
        day,
        stored: 0,
        missing: 0,
        late: 0,
        duplicate: 0,
        refused: 0,
        estimated_time: 0,
        values_refused: 0,
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // One range is what these sets hold.
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Rows of (day of August, boot, stored ranges, refused ranges).
    type Row<'a> = (i8, i64, &'a [std::ops::Range<u64>], &'a [std::ops::Range<u64>]);

    fn check(rows: &[Row<'_>], expected: Expect) {
        let boot_days: Vec<_> = rows
            .iter()
            .map(|(day, boot, stored, refused)| BootDay {
                day: Date::constant(2026, 8, *day),
                boot: *boot,
                stored: stored.iter().cloned().collect(),
                refused: refused.iter().cloned().collect(),
                late: 0,
                duplicates: 0,
                estimated: 0,
                values_refused: 0,
            })
            .collect();
        let lines: Vec<_> = by_day(&boot_days)
            .iter()
            .map(|day| format!("{}: stored {} missing {} refused {}", day.day, day.stored, day.missing, day.refused))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_gap_belongs_to_the_day_of_the_record_before_it() {
        check(
            &[(20, 1, &[0..100], &[]), (21, 1, &[110..200, 205..210], &[])],
            expect![[r#"
                2026-08-20: stored 100 missing 10 refused 0
                2026-08-21: stored 95 missing 5 refused 0"#]],
        );
    }

    #[test]
    fn what_is_missing_at_the_beginning_of_a_boot_belongs_to_its_first_day() {
        check(&[(20, 1, &[7..10], &[])], expect!["2026-08-20: stored 3 missing 7 refused 0"]);
    }

    #[test]
    fn refused_records_are_not_missing_and_boots_do_not_mix() {
        check(
            &[(20, 1, &[0..5, 6..9], &[5..6]), (20, 2, &[0..4], &[])],
            expect!["2026-08-20: stored 12 missing 0 refused 1"],
        );
    }

    #[test]
    fn a_clock_that_jumped_back_does_not_make_records_missing() {
        check(
            &[(19, 1, &[50..60], &[]), (20, 1, &[0..50, 60..100], &[])],
            expect![[r#"
                2026-08-19: stored 10 missing 0 refused 0
                2026-08-20: stored 90 missing 0 refused 0"#]],
        );
    }
}
