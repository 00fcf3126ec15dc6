//! Times that have a beginning and an end, told as truth day by day.

use crate::truth::{DAY_STARTS_AT_MS, LOCAL_OFFSET_MS};

const DAY_MS: i64 = 86_400_000;

/// Something that has begun. Truth files hold a working day each, so what lasts over several days is told in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Episode {
    from_ms: i64,
}

impl Episode {
    /// Something that begins at `from_ms`.
    pub(crate) fn since(from_ms: i64) -> Self {
        Self { from_ms }
    }

    /// Tells the parts that lie in working days before the one that holds `at_ms`, as beginning and end.
    pub(crate) fn tell_past_days(&mut self, at_ms: i64, mut tell: impl FnMut(i64, i64)) {
        while next_day_ms(self.from_ms) <= at_ms {
            let end_ms = next_day_ms(self.from_ms);
            tell(self.from_ms, end_ms);
            self.from_ms = end_ms;
        }
    }

    /// Tells everything up to `end_ms`, where it is over.
    pub(crate) fn end(mut self, end_ms: i64, mut tell: impl FnMut(i64, i64)) {
        self.tell_past_days(end_ms, &mut tell);
        if self.from_ms < end_ms {
            tell(self.from_ms, end_ms);
        }
    }
}

/// When the working day ends that holds `at_ms`.
fn next_day_ms(at_ms: i64) -> i64 {
    let shift_ms = LOCAL_OFFSET_MS - DAY_STARTS_AT_MS;
    ((at_ms + shift_ms).div_euclid(DAY_MS) + 1) * DAY_MS - shift_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::{day_start_ms, working_day};

    #[test]
    fn what_lasts_over_days_is_told_in_parts_that_each_lie_in_one_day() {
        let start = 1_787_198_400_000;
        let mut parts = Vec::new();
        let mut episode = Episode::since(start);
        episode.tell_past_days(start + DAY_MS, |from, to| parts.push((from, to)));
        assert_eq!(parts.len(), 1);
        episode.end(start + 3 * DAY_MS, |from, to| parts.push((from, to)));
        assert_eq!((parts[0].0, parts[3].1, parts.len()), (start, start + 3 * DAY_MS, 4));
        assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        for (from, to) in parts {
            assert_eq!(working_day(from), working_day(to - 1));
            assert!(to == start + 3 * DAY_MS || to == day_start_ms(working_day(to)));
        }
    }
}
