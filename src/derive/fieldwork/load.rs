//! Work by the engine: pulling takes more fuel than turning.

use std::ops::Range;

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

/// What lies between two jobs takes longer, ms: another one may take another implement and another load.
const BOUT_GAP_MS: i64 = 10 * 60_000;

/// Whether the engine pulls at each sample; none where it does not say. It learns, bout by bout, from the passes that the
/// track shows (`on_pass`) and from what lies between them on the field (`between`).
pub(super) fn pulls(
    readings: &Readings,
    stretches: &Stretches,
    on_pass: &[bool],
    between: &[bool],
) -> Vec<Option<bool>> {
    let mut pulls = vec![None; readings.len()];
    let mut untold = bouts(&readings.recorded_at_ms, on_pass);
    for signal in LOADS {
        if untold.is_empty() {
            break;
        }
        let held = stretches.held(readings, signal);
        untold.retain(|bout| {
            let Some(threshold) = learn(&held, bout, on_pass, between) else { return true };
            bout.clone().for_each(|index| pulls[index] = held.at(index).map(|load| load > threshold));
            false
        });
    }
    pulls
}

/// All samples by bouts of passes: each lasts until the next one begins.
fn bouts(at_ms: &[i64], on_pass: &[bool]) -> Vec<Range<usize>> {
    let passes = (0..at_ms.len()).filter(|index| on_pass[*index]);
    let mut begins = vec![0];
    let mut last: Option<usize> = None;
    for index in passes {
        if last.is_some_and(|last| at_ms[index] - at_ms[last] > BOUT_GAP_MS) {
            begins.push(index);
        }
        last = Some(index);
    }
    let ends = begins.iter().skip(1).copied().chain([at_ms.len()]);
    begins.iter().copied().zip(ends).map(|(from, to)| from..to).collect()
}

fn learn(held: &Held, bout: &Range<usize>, on_pass: &[bool], between: &[bool]) -> Option<f64> {
    let loads = |wanted: &[bool]| -> Vec<f64> {
        bout.clone().filter(|index| wanted[*index]).filter_map(|index| held.at(index)).collect()
    };
    let (working, turning) = (loads(on_pass), loads(between));
    if working.len() < LEARN_FROM || turning.len() < LEARN_FROM {
        return None;
    }
    let (working, turning) = (median(working.into_iter())?, median(turning.into_iter())?);
    (working > CONTRAST * turning).then_some(turning + THRESHOLD * (working - turning))
}
