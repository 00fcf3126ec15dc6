//! Counters that can be trusted: an hour meter that jumps for a sample, falls to zero, or belongs to a controller
//! that was replaced must neither trigger a service nor hide one.

use serde::{Deserialize, Serialize};

/// A jump is believed when the counter goes on from there for so many reports over so long a time.
const BELIEVED_REPORTS: u32 = 5;
const BELIEVED_AFTER_MS: i64 = 600_000;
/// Counting may look this much faster than it is: steps, and clocks that run apart.
const TOLERANCE_SHARE: f64 = 0.02;
/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// How fast a counter can count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Most per hour: 1 for engine hours.
    pub per_hour: f64,
    /// Steps in which it is reported, added to what is possible.
    pub step: f64,
}

impl Pace {
    /// Engine hours: an hour an hour, in steps of 0.05 h.
    pub const ENGINE_HOURS: Self = Self { per_hour: 1.0, step: 0.1 };
}

/// A counter and what is believed of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct GuardedCounter {
    state: Option<State>,
    /// Reports that were not believed.
    pub glitches: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct State {
    at_ms: i64,
    raw: f64,
    /// What has been counted since the first report, plus that report: never falls.
    total: f64,
    suspect: Option<Suspect>,
}

/// A count that does not follow from the one before, and may turn out to be true.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Suspect {
    first_ms: i64,
    first_raw: f64,
    at_ms: i64,
    raw: f64,
    reports: u32,
}

/// The counter was set anew: another controller, another meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replaced {
    /// Last report of the old count.
    pub from: f64,
    /// First report of the new one.
    pub to: f64,
    /// When the old was last seen.
    pub last_seen_ms: i64,
    /// When the new was first seen.
    pub first_seen_ms: i64,
}

impl GuardedCounter {
    /// Takes the next report, in the order of time. Says so where the counter has been replaced.
    pub fn push(&mut self, at_ms: i64, raw: f64, pace: Pace) -> Option<Replaced> {
        let Some(state) = &mut self.state else {
            self.state = Some(State { at_ms, raw, total: raw, suspect: None });
            return None;
        };
        if follows(state.at_ms, state.raw, at_ms, raw, pace) {
            state.total += raw - state.raw;
            (state.at_ms, state.raw) = (at_ms, raw);
            // What was seen between two counts that agree was a glitch.
            self.glitches += state.suspect.take().map_or(0, |suspect| suspect.reports);
            return None;
        }
        match &mut state.suspect {
            Some(suspect) if follows(suspect.at_ms, suspect.raw, at_ms, raw, pace) => {
                (suspect.at_ms, suspect.raw) = (at_ms, raw);
                suspect.reports += 1;
            }
            other => {
                self.glitches += other.map_or(0, |suspect| suspect.reports);
                *other = Some(Suspect { first_ms: at_ms, first_raw: raw, at_ms, raw, reports: 1 });
            }
        }
        let suspect = state.suspect?;
        if suspect.reports < BELIEVED_REPORTS || suspect.at_ms - suspect.first_ms < BELIEVED_AFTER_MS {
            return None;
        }
        let replaced = Replaced {
            from: state.raw,
            to: suspect.first_raw,
            last_seen_ms: state.at_ms,
            first_seen_ms: suspect.first_ms,
        };
        let total = state.total + suspect.raw - suspect.first_raw;
        *state = State { at_ms: suspect.at_ms, raw: suspect.raw, total, suspect: None };
        Some(replaced)
    }

    /// What has been counted in all, across replacements; none before the first report.
    pub fn total(&self) -> Option<f64> {
        self.state.map(|state| state.total)
    }

    /// The last report that was believed, and when it was made.
    pub fn last(&self) -> Option<(i64, f64)> {
        self.state.map(|state| (state.at_ms, state.raw))
    }

    /// What to add to a reading of the present meter to get the total.
    pub fn offset(&self) -> f64 {
        self.state.map_or(0.0, |state| state.total - state.raw)
    }
}

/// Whether a counter can have come from one count to the other in the time between.
fn follows(from_ms: i64, from: f64, to_ms: i64, to: f64, pace: Pace) -> bool {
    let possible = (to_ms - from_ms) as f64 / HOUR_MS * pace.per_hour * (1.0 + TOLERANCE_SHARE) + pace.step;
    (0.0..=possible).contains(&(to - from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Reports as (minute, raw hours); prints the total after each, and replacements.
    fn check(reports: &[(i64, f64)], expected: Expect) {
        let mut counter = GuardedCounter::default();
        let mut lines = Vec::new();
        for (minute, raw) in reports {
            let replaced = counter.push(minute * 60_000, *raw, Pace::ENGINE_HOURS);
            let note = replaced.map_or(String::new(), |r| format!("  replaced {} by {}", r.from, r.to));
            lines.push(format!("{:.1}{note}", counter.total().expect("a report")));
        }
        lines.push(format!("glitches {}", counter.glitches));
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_meter_that_runs_is_its_own_total() {
        check(
            &[(0, 219.2), (30, 219.7), (60, 220.2), (60 * 24 * 30, 300.0)],
            expect![[r#"
            219.2
            219.7
            220.2
            300.0
            glitches 0"#]],
        );
    }

    #[test]
    fn one_glitch_neither_triggers_nor_hides() {
        check(
            &[(0, 120.0), (10, 99_999.0), (20, 120.3), (30, 0.0), (40, 120.6)],
            expect![[r#"
            120.0
            120.0
            120.3
            120.3
            120.6
            glitches 2"#]],
        );
    }

    #[test]
    fn a_new_meter_goes_on_where_the_old_one_ended() {
        check(
            &[(0, 4_812.0), (10, 0.0), (15, 0.1), (20, 0.2), (25, 0.25), (30, 0.35), (90, 1.35)],
            expect![[r#"
            4812.0
            4812.0
            4812.0
            4812.0
            4812.0
            4812.4  replaced 4812 by 0
            4813.4
            glitches 0"#]],
        );
    }

    #[test]
    fn noise_of_several_values_is_never_believed() {
        check(
            &[(0, 500.0), (10, 7.0), (20, 90_000.0), (30, 3.0), (40, 800.0), (50, 500.5)],
            expect![[r#"
            500.0
            500.0
            500.0
            500.0
            500.0
            500.5
            glitches 4"#]],
        );
    }
}
