//! Counters and flows as amounts between samples: what was burned or cut from one sample to the next.

use wire::SignalId;

use super::held::Stretches;
use crate::derive::Readings;

/// Amounts between samples: entry `i` is what came between samples `i` and `i + 1`.
#[derive(Debug, Clone)]
pub(super) struct Amounts {
    each: Vec<f64>,
    covered: Vec<bool>,
    /// Times a counter ran backwards.
    pub resets: u32,
}

/// What a counter can gain at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Per second.
    pub per_s: f64,
    /// Beyond that: steps of a coarse counter, reports that come late.
    pub slack: f64,
}

impl Amounts {
    /// Differences of a counter, in its unit. Between two reports the amount is spread by `weights` (an amount per
    /// interval that another signal suggests), evenly over time where they say nothing.
    ///
    /// A counter that runs backwards was reset: what it shows then was counted since. A leap beyond `limit` is no
    /// measurement; the counter is taken to have started anew.
    pub(super) fn of_counter(readings: &Readings, signal: SignalId, weights: &[f64], limit: Limit) -> Option<Self> {
        let reported = readings.signal(signal);
        let at = &readings.recorded_at_ms;
        let mut amounts = Self::none(at.len());
        let mut last: Option<(usize, f64)> = None;
        for index in 0..at.len() {
            let Some(value) = reported.at(index) else { continue };
            if let Some((before, earlier)) = last {
                let gained = if value < earlier {
                    amounts.resets += 1;
                    value
                } else {
                    value - earlier
                };
                let seconds = (at[index] - at[before]) as f64 / 1000.0;
                if gained <= limit.per_s * seconds + limit.slack {
                    amounts.spread(at, before..index, gained, weights);
                } else if value < earlier {
                    // Reset to something that says nothing of the time before.
                    amounts.spread(at, before..index, 0.0, weights);
                }
            }
            last = Some((index, value));
        }
        last.map(|_| amounts)
    }

    /// A flow per second over time, in its unit times seconds. `seconds` is what each sample stands for.
    pub(super) fn of_flow(
        readings: &Readings,
        stretches: &Stretches,
        signal: SignalId,
        factor: f64,
        seconds: &[f64],
    ) -> Option<Self> {
        let held = stretches.held(readings, signal);
        if !held.is_known() {
            return None;
        }
        let mut amounts = Self::none(readings.len());
        for (index, seconds) in seconds.iter().enumerate() {
            if let Some(flow) = held.at(index) {
                amounts.each[index] = flow * factor * seconds;
                amounts.covered[index] = true;
            }
        }
        Some(amounts)
    }

    /// Nothing, for `samples` samples.
    pub(super) fn none(samples: usize) -> Self {
        Self { each: vec![0.0; samples], covered: vec![false; samples], resets: 0 }
    }

    /// Spreads an amount over the intervals of `between`.
    pub(super) fn spread(&mut self, at_ms: &[i64], between: std::ops::Range<usize>, amount: f64, weights: &[f64]) {
        let seconds = |index: usize| (at_ms[index + 1] - at_ms[index]) as f64 / 1000.0;
        let weight: f64 = between.clone().map(|index| weights[index]).sum();
        let elapsed: f64 = between.clone().map(seconds).sum();
        let count = between.len() as f64;
        for index in between {
            let share = if weight > 0.0 {
                weights[index] / weight
            } else if elapsed > 0.0 {
                seconds(index) / elapsed
            } else {
                1.0 / count
            };
            self.each[index] += amount * share;
            self.covered[index] = true;
        }
    }

    /// What came after sample `index` and before the next.
    pub(super) fn after(&self, index: usize) -> f64 {
        self.each[index]
    }

    /// Whether something is known of the time between sample `index` and the next.
    pub(super) fn covers(&self, index: usize) -> bool {
        self.covered[index]
    }

    /// What came in some intervals.
    pub(super) fn sum(&self, intervals: std::ops::Range<usize>) -> f64 {
        self.each[intervals].iter().sum()
    }

    /// All amounts, for weights.
    pub(super) fn each(&self) -> &[f64] {
        &self.each
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use wire::catalogue::TASK_FUEL_L;

    const LIMIT: Limit = Limit { per_s: 0.1, slack: 0.5 };

    fn check(reports: &[(i64, Option<f64>)], weights: &[f64], expected: Expect) {
        let mut readings = Readings::default();
        for (second, value) in reports {
            let index = readings.push(second * 1000, 1, *second);
            if let Some(value) = value {
                readings.set(index, TASK_FUEL_L, *value);
            }
        }
        readings.sort();
        let amounts = Amounts::of_counter(&readings, TASK_FUEL_L, weights, LIMIT).expect("reported");
        let each: Vec<_> = amounts
            .each
            .iter()
            .zip(&amounts.covered)
            .map(|(amount, covered)| if *covered { format!("{amount:.2}") } else { "-".into() })
            .collect();
        expected.assert_eq(&format!("{} resets {}", each.join(" "), amounts.resets));
    }

    #[test]
    fn what_a_counter_gained_is_spread_over_the_time_between_its_reports() {
        check(&[(0, None), (1, Some(5.0)), (2, None), (4, Some(5.3))], &[0.0; 4], expect!["- 0.10 0.20 - resets 0"]);
    }

    #[test]
    fn another_signal_can_tell_when_it_was_gained() {
        check(&[(0, Some(5.0)), (1, None), (2, Some(5.3))], &[2.0, 1.0, 0.0], expect!["0.20 0.10 - resets 0"]);
    }

    #[test]
    fn a_counter_that_runs_backwards_was_reset_and_one_that_leaps_tells_nothing() {
        check(&[(0, Some(5.0)), (5, Some(0.2)), (6, Some(0.3))], &[0.0; 3], expect!["0.20 0.10 - resets 1"]);
        check(&[(0, Some(5.0)), (5, Some(900.0)), (6, Some(900.1))], &[0.0; 3], expect!["- 0.10 - resets 0"]);
        check(&[(0, Some(900.0)), (5, Some(5.0)), (6, Some(5.1))], &[0.0; 3], expect!["0.00 0.10 - resets 1"]);
    }
}
