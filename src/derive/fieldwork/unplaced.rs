//! Work while the receiver has lost its way: no track shows it, but the engine or the speed do.

use super::pattern::Pattern;
use super::track::Track;
use crate::derive::Readings;

/// A machine is on its field still when its positions went or came back on a worked leg within, s.
const BESIDE_WORK_S: f64 = 120.0;
/// Without a word of the engine, work is what is driven at the usual speed, give or take this share.
const SPEED_SHARE: f64 = 0.2;

/// Whether each sample without a position shows work. Only what lies on a field, or between worked legs, can.
pub(super) fn works(
    readings: &Readings,
    track: &Track,
    in_field: &[bool],
    pattern: &Pattern,
    pulls: &[Option<bool>],
) -> Vec<bool> {
    let samples = readings.len();
    let at = &readings.recorded_at_ms;
    let mut works = vec![false; samples];
    let Some(usual_mps) = pattern.speed_mps else { return works };
    let is_placed = |sample: usize| !track.places[sample].x.is_nan();
    let mut from = 0;
    while from < samples {
        if is_placed(from) {
            from += 1;
            continue;
        }
        let to = (from..samples).find(|sample| is_placed(*sample)).unwrap_or(samples);
        let near = |edge: usize, sample: usize| (at[edge] - at[sample]).abs() as f64 <= BESIDE_WORK_S * 1000.0;
        let before = (0..from).rev().take_while(|sample| near(from, *sample)).any(|sample| pattern.worked[sample]);
        let after = (to..samples).take_while(|sample| near(to - 1, *sample)).any(|sample| pattern.worked[sample]);
        if before || after {
            for sample in (from..to).filter(|sample| in_field[*sample] || before && after) {
                let speed_mps = track.speed_mps[sample];
                works[sample] = match pulls[sample] {
                    Some(pulls) => pulls && speed_mps > 0.0,
                    None => (speed_mps / usual_mps - 1.0).abs() <= SPEED_SHARE,
                };
            }
        }
        from = to;
    }
    works
}
