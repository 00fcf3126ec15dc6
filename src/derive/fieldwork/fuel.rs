//! Fuel: from a counter, a rate or the level, in this order.

use std::ops::Range;

use wire::{SignalId, catalogue};

use super::counter::{Amounts, Limit};
use super::held::Stretches;
use super::pattern::quantile;
use super::{Fuel, FuelSource, Machine, State};
use crate::derive::Readings;

/// More than any engine of the fleet burns: 200 L/h.
const MOST_LPS: f64 = 200.0 / 3600.0;
/// 1 mm³/s in L/s.
const LITRES_PER_MM3: f64 = 1e-6;
/// A counter in steps of half a litre is good enough from this time on.
const COARSE_FROM_S: f64 = 600.0;
/// A source that covers less of a session gives way to one that covers more.
const COVERAGE_MIN: f64 = 0.8;
/// The level swings; it is read as the middle value of so long a time.
const LEVEL_WINDOW_MS: i64 = 10 * 60_000;
/// Moving this long without a change, a sender is stuck, s.
const STUCK_S: f64 = 40.0 * 60.0;
/// A level that rises by more than this was filled up, % of the tank.
const REFUEL_PCT: f64 = 3.0;

/// Every source that reported anything, best first.
#[derive(Debug, Clone)]
pub(super) struct FuelSources {
    sources: Vec<(FuelSource, Amounts)>,
}

impl FuelSources {
    /// `seconds` is what each sample stands for, `moving_s` the same where the machine moves and 0 elsewhere.
    pub(super) fn of(
        readings: &Readings,
        stretches: &Stretches,
        seconds: &[f64],
        moving_s: &[f64],
        machine: &Machine,
    ) -> Self {
        let rate = [(catalogue::FUEL_RATE_LPH, 1.0 / 3600.0), (catalogue::TC_FUEL_RATE_MM3PS, LITRES_PER_MM3)]
            .into_iter()
            .find_map(|(signal, factor)| Amounts::of_flow(readings, stretches, signal, factor, seconds));
        let no_weights = vec![0.0; readings.len()];
        let weights = rate.as_ref().map_or(no_weights.as_slice(), Amounts::each);
        let counter = |signal, slack| Amounts::of_counter(readings, signal, weights, Limit { per_s: MOST_LPS, slack });
        let sources = [
            (FuelSource::Counter, counter(catalogue::FUEL_TOTAL_L, 0.1)),
            (FuelSource::TaskCounter, counter(catalogue::TASK_FUEL_L, 0.5)),
            (FuelSource::CoarseCounter, counter(catalogue::FUEL_TOTAL_COARSE_L, 1.0)),
            (FuelSource::Rate, rate.clone()),
            (
                FuelSource::Level,
                level(readings, stretches, machine, rate.as_ref().map_or(moving_s, Amounts::each), moving_s),
            ),
        ];
        let allowed = |source: FuelSource| machine.fuel_source.is_none_or(|only| only == source);
        let sources = sources.into_iter().filter(|(source, _)| allowed(*source));
        Self { sources: sources.filter_map(|(source, amounts)| Some((source, amounts?))).collect() }
    }

    /// The fuel of a session: `intervals` of its samples, with the state in each.
    pub(super) fn of_session(&self, intervals: Range<usize>, states: &[State], seconds: &[f64]) -> Option<(Fuel, u32)> {
        let lasts: f64 = seconds[intervals.clone()].iter().sum();
        let coverage = |amounts: &Amounts| {
            let covered: f64 =
                intervals.clone().filter(|index| amounts.covers(*index)).map(|index| seconds[index]).sum();
            if lasts > 0.0 { covered / lasts } else { 0.0 }
        };
        let mut best: Option<(FuelSource, &Amounts, f64)> = None;
        for (source, amounts) in &self.sources {
            let share = coverage(amounts);
            let is_too_coarse = *source == FuelSource::CoarseCounter && lasts < COARSE_FROM_S;
            // A sender that failed in between tells nothing of the whole.
            let is_too_little = *source == FuelSource::Level && share < COVERAGE_MIN;
            if share == 0.0 || is_too_little || is_too_coarse && self.sources.len() > 1 {
                continue;
            }
            if best.is_none_or(|(_, _, best_share)| best_share < COVERAGE_MIN && share > best_share) {
                best = Some((*source, amounts, share));
            }
        }
        let (source, amounts, coverage) = best?;
        let mut fuel =
            Fuel { source, total_l: 0.0, working_l: 0.0, turning_l: 0.0, transport_l: 0.0, idle_l: 0.0, coverage };
        for index in intervals {
            let litres = amounts.after(index);
            fuel.total_l += litres;
            match states[index] {
                State::Working => fuel.working_l += litres,
                State::Turning => fuel.turning_l += litres,
                State::Transport => fuel.transport_l += litres,
                State::Idle | State::Unloading | State::Off | State::Unknown => fuel.idle_l += litres,
            }
        }
        Some((fuel, amounts.resets))
    }
}

/// What went from the tank, by the middle level of ten minutes and ten minutes. In between it is spread by `weights`.
fn level(
    readings: &Readings,
    stretches: &Stretches,
    machine: &Machine,
    weights: &[f64],
    moving_s: &[f64],
) -> Option<Amounts> {
    let (content, percent) = (catalogue::FUEL_CONTENT_L, catalogue::FUEL_LEVEL_PCT);
    let has_content = stretches.held(readings, content).is_known();
    let (signal, litres_per_unit, refuel) = match machine.tank_l {
        _ if has_content => (content, 1.0, machine.tank_l.unwrap_or(300.0) * REFUEL_PCT / 100.0),
        Some(tank_l) => (percent, tank_l / 100.0, REFUEL_PCT),
        None => return None,
    };
    let held = stretches.held(readings, signal);
    if !held.is_known() {
        return None;
    }
    let is_stuck = stuck(readings, signal, moving_s);
    let at = &readings.recorded_at_ms;
    let mut amounts = Amounts::none(at.len());
    let mut last: Option<(usize, f64)> = None;
    let mut unseen: Vec<Range<usize>> = Vec::new();
    let (mut from, mut drawn_l, mut drawn_weight) = (0, 0.0, 0.0);
    while from < at.len() {
        let window = at[from].div_euclid(LEVEL_WINDOW_MS);
        let to = (from..at.len()).find(|index| at[*index].div_euclid(LEVEL_WINDOW_MS) != window).unwrap_or(at.len());
        let levels = (from..to).filter(|index| !is_stuck[*index]).filter_map(|index| held.at(index));
        if let Some(level) = quantile(levels, 0.5) {
            let middle = from + (to - from) / 2;
            match last {
                Some((before, earlier)) if level <= earlier => {
                    let litres = (earlier - level) * litres_per_unit;
                    amounts.spread(at, before..middle, litres, weights);
                    drawn_l += litres;
                    drawn_weight += weights[before..middle].iter().sum::<f64>();
                    last = Some((middle, level));
                }
                // Filled up. What was burned meanwhile is not seen.
                Some((before, earlier)) if level > earlier + refuel => {
                    unseen.push(before..middle);
                    last = Some((middle, level));
                }
                // It swings upward: the next window tells.
                Some(_) => {}
                None => last = Some((middle, level)),
            }
        }
        from = to;
    }
    // While it was filled up the engine burned as it did otherwise.
    for range in unseen.into_iter().filter(|_| drawn_weight > 0.0) {
        let litres = drawn_l / drawn_weight * weights[range.clone()].iter().sum::<f64>();
        amounts.spread(at, range, litres, weights);
    }
    last.map(|_| amounts)
}

/// Where a sender is stuck: it shows the same to the digit for longer than any tank takes to sink by a digit, although
/// the machine moves, and what it holds swings.
fn stuck(readings: &Readings, signal: SignalId, moving_s: &[f64]) -> Vec<bool> {
    let reported = readings.signal(signal);
    let mut is_stuck = vec![false; moving_s.len()];
    let (mut since, mut last, mut moved_s) = (0, None, 0.0);
    for index in 0..=moving_s.len() {
        let value = if index < moving_s.len() { reported.at(index) } else { Some(f64::NAN) };
        if value.is_some() && value != last {
            if moved_s >= STUCK_S {
                is_stuck[since..index].fill(true);
            }
            (since, last, moved_s) = (index, value, 0.0);
        }
        moved_s += moving_s.get(index).copied().unwrap_or(0.0);
    }
    is_stuck
}
