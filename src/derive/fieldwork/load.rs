//! Work by the engine: pulling takes more fuel than turning.

use wire::{SignalId, catalogue};

use super::held::{Held, Stretches};
use super::pattern::median;
use crate::derive::Readings;

/// What tells the load of an engine, best first.
const LOADS: [SignalId; 4] =
    [catalogue::FUEL_RATE_LPH, catalogue::TC_FUEL_RATE_MM3PS, catalogue::ENGINE_LOAD_PCT, catalogue::ENGINE_TORQUE_PCT];
/// Work must take more than turning by this factor, or the engine tells nothing: a rake is no load.
const CONTRAST: f64 = 1.5;
/// Share of the way from turning to work at which work begins.
const THRESHOLD: f64 = 0.5;
/// Samples of each that it takes to learn.
const LEARN_FROM: usize = 30;

/// Whether the engine pulls at each sample; none where it does not say. It learns from the passes that the track shows
/// (`on_pass`) and from what lies between them on the field (`between`).
pub(super) fn pulls(
    readings: &Readings,
    stretches: &Stretches,
    on_pass: &[bool],
    between: &[bool],
) -> Vec<Option<bool>> {
    for signal in LOADS {
        let held = stretches.held(readings, signal);
        if let Some(threshold) = learn(&held, on_pass, between) {
            return (0..readings.len()).map(|index| held.at(index).map(|load| load > threshold)).collect();
        }
    }
    vec![None; readings.len()]
}

fn learn(held: &Held, on_pass: &[bool], between: &[bool]) -> Option<f64> {
    let loads = |wanted: &[bool]| -> Vec<f64> {
        let indexes = wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
        indexes.filter_map(|(index, _)| held.at(index)).collect()
    };
    let (working, turning) = (loads(on_pass), loads(between));
    if working.len() < LEARN_FROM || turning.len() < LEARN_FROM {
        return None;
    }
    let (working, turning) = (median(working.into_iter())?, median(turning.into_iter())?);
    (working > CONTRAST * turning).then_some(turning + THRESHOLD * (working - turning))
}
