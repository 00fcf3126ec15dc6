//! Work by the engine: pulling takes more fuel than driving.

use wire::{SignalId, catalogue};

use super::Rules;
use super::held::{Held, Stretches};
use super::pattern::quantile;
use super::track::Track;
use crate::derive::Readings;

/// What tells the load of an engine, best first.
const LOADS: [SignalId; 4] =
    [catalogue::FUEL_RATE_LPH, catalogue::TC_FUEL_RATE_MM3PS, catalogue::ENGINE_LOAD_PCT, catalogue::ENGINE_TORQUE_PCT];
/// Share of the way from idling to the heavy end at which work begins (published thresholds; domain knowledge 4.1).
const THRESHOLD: f64 = 0.5;
/// The heavy end: nine tenths of the field's samples lie below.
const HEAVY: f64 = 0.9;
/// The light end where the machine never stands.
const LIGHT: f64 = 0.05;
/// An engine whose heavy end is less than this above idling tells nothing.
const CONTRAST: f64 = 1.5;
/// Samples it takes to learn.
const LEARN_FROM: usize = 60;

/// Whether the engine pulls at each sample; none where it does not say.
pub(super) fn pulls(
    readings: &Readings,
    stretches: &Stretches,
    track: &Track,
    in_field: &[bool],
    rules: &Rules,
) -> Vec<Option<bool>> {
    for signal in LOADS {
        let held = stretches.held(readings, signal);
        if let Some(threshold) = learn(&held, track, in_field, rules) {
            return (0..readings.len()).map(|index| held.at(index).map(|load| load > threshold)).collect();
        }
    }
    vec![None; readings.len()]
}

fn learn(held: &Held, track: &Track, in_field: &[bool], rules: &Rules) -> Option<f64> {
    let of = |wanted: &dyn Fn(usize) -> bool| {
        let indexes = (0..in_field.len()).filter(|index| wanted(*index));
        indexes.filter_map(|index| held.at(index)).collect::<Vec<_>>()
    };
    let moves = |index: usize| track.speed_mps[index] * 3.6 > rules.standing_kmh;
    let moving = of(&|index| in_field[index] && moves(index));
    let standing = of(&|index| !moves(index) && held.at(index) > Some(0.0));
    if moving.len() < LEARN_FROM {
        return None;
    }
    let heavy = quantile(moving.iter().copied(), HEAVY)?;
    let idle = if standing.len() >= LEARN_FROM {
        quantile(standing.into_iter(), 0.5)?
    } else {
        quantile(moving.into_iter(), LIGHT)?
    };
    (heavy > CONTRAST * idle).then_some(idle + THRESHOLD * (heavy - idle))
}
