//! Rules on a whole local day: how large a share of it something took, whether two counts of the same agree.

use serde::{Deserialize, Serialize};

use super::super::episode::Evidence;
use super::Found;
use super::block::Block;
use super::expression::Expression;
use super::local_time::LocalTime;

/// Samples further apart say nothing of the time between them.
const OBSERVED_MS: i64 = 120_000;
/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// The share of the time `during` in which `of` held, of days that have enough of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    pub(super) of: Expression,
    pub(super) during: Expression,
    pub(super) above: f64,
    pub(super) at_least_ms: i64,
}

/// A rate summed up over a day against the difference of a counter of the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Agree {
    /// Per hour.
    pub(super) rate: Expression,
    pub(super) counter: Expression,
    /// Greatest difference as a share of the counter's.
    pub(super) within: f64,
    /// Below this the counter's steps are too coarse to judge by.
    pub(super) at_least: f64,
}

/// A day under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct DayState {
    day: Option<i64>,
    first_ms: i64,
    last_ms: i64,
    /// Time in which `of` held, ms; or the rate's sum.
    part: f64,
    /// Time in which `during` held, ms; or the counter's sum.
    whole: f64,
    /// Whether the rate was known wherever the counter went on.
    is_doubtful: bool,
    counter: Option<f64>,
}

impl DayState {
    /// Begins the day of a sample where it is another; returns the one that is over.
    fn turn(&mut self, day: i64, at_ms: i64) -> Option<Self> {
        if self.day == Some(day) {
            return None;
        }
        // A counter goes on over midnight.
        let counter = self.counter;
        let over = std::mem::take(self);
        *self = Self { day: Some(day), first_ms: at_ms, last_ms: at_ms, counter, ..Self::default() };
        over.day.is_some().then_some(over)
    }
}

impl Share {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        self.of.columns(columns);
        self.during.columns(columns);
    }

    pub(super) fn run(&self, block: &Block, state: &mut DayState, clock: &mut LocalTime, found: &mut Vec<Found>) {
        let of = self.of.evaluate(block);
        let during = self.during.evaluate(block);
        for (index, &at_ms) in block.at_ms.iter().enumerate() {
            if let Some(over) = state.turn(clock.day(at_ms), at_ms) {
                found.extend(self.judge(&over, Some(at_ms)));
            }
            let observed_ms = at_ms - std::mem::replace(&mut state.last_ms, at_ms);
            if observed_ms <= OBSERVED_MS && during[index] == 1.0 {
                state.whole += observed_ms as f64;
                if of[index] == 1.0 {
                    state.part += observed_ms as f64;
                }
            }
        }
    }

    fn judge(&self, day: &DayState, settled_at_ms: Option<i64>) -> Option<Found> {
        let share = day.part / day.whole;
        let is_wrong = day.whole >= self.at_least_ms as f64 && share > self.above;
        is_wrong.then(|| {
            let evidence = [
                ("value", 100.0 * share),
                ("limit", 100.0 * self.above),
                ("hours", day.part / HOUR_MS),
                ("of_hours", day.whole / HOUR_MS),
            ];
            of_day(day, settled_at_ms, &evidence)
        })
    }

    /// The day under way, judged so far.
    pub(super) fn open(&self, state: &DayState) -> Option<Found> {
        self.judge(state, None)
    }
}

impl Agree {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        self.rate.columns(columns);
        self.counter.columns(columns);
    }

    pub(super) fn run(&self, block: &Block, state: &mut DayState, clock: &mut LocalTime, found: &mut Vec<Found>) {
        let rates = self.rate.evaluate(block);
        let counters = self.counter.evaluate(block);
        for (index, &at_ms) in block.at_ms.iter().enumerate() {
            if let Some(over) = state.turn(clock.day(at_ms), at_ms) {
                found.extend(self.judge(&over, Some(at_ms)));
            }
            let observed_ms = at_ms - std::mem::replace(&mut state.last_ms, at_ms);
            if observed_ms <= OBSERVED_MS && !rates[index].is_nan() {
                state.part += rates[index] * observed_ms as f64 / HOUR_MS;
            }
            let counter = counters[index];
            if counter.is_nan() {
                continue;
            }
            if let Some(before) = state.counter.replace(counter) {
                let step = counter - before;
                // What a counter gained in a silence, or by being replaced, has no rate beside it.
                state.is_doubtful |= step < 0.0 || (step > 0.0 && (observed_ms > OBSERVED_MS || rates[index].is_nan()));
                state.whole += step.max(0.0);
            }
        }
    }

    fn judge(&self, day: &DayState, settled_at_ms: Option<i64>) -> Option<Found> {
        let off = (day.part - day.whole).abs() / day.whole.max(day.part);
        let is_wrong = !day.is_doubtful && day.whole.max(day.part) >= self.at_least && off > self.within;
        is_wrong.then(|| {
            let evidence = [
                ("value", 100.0 * off),
                ("limit", 100.0 * self.within),
                ("by_rate", day.part),
                ("by_counter", day.whole),
            ];
            of_day(day, settled_at_ms, &evidence)
        })
    }
}

/// A day is judged when it is over; what is found of it lasted from its first to its last sample.
fn of_day(day: &DayState, settled_at_ms: Option<i64>, figures: &[(&str, f64)]) -> Found {
    let evidence: Evidence = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Found {
        opened_at_ms: day.first_ms,
        fired_at_ms: day.last_ms,
        closed_at_ms: Some(day.last_ms),
        settled_at_ms,
        evidence,
    }
}
