//! Work while the receiver has lost its way: no track shows it, but the engine or the speed do.

use std::ops::Range;

use super::pattern::Pattern;
use super::track::Track;
use crate::derive::Readings;

/// A machine is on its field still when its positions went or came back on a worked leg within, s.
const BESIDE_WORK_S: f64 = 120.0;
/// Shortest pass that counts after a way without positions, and shortest turn, s.
const PASS_MIN_S: f64 = 30.0;
const TURN_MIN_S: f64 = 8.0;
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
            if !before {
                leave_out_way(&mut works[from..to], &at[from..to]);
            }
        }
        from = to;
    }
    works
}

/// A machine that was on the road when it lost its way, and is found at work, drove up first. What is over before long was
/// no pass, and between passes it turns: what goes straight on is the way to the first one.
fn leave_out_way(works: &mut [bool], at_ms: &[i64]) {
    let runs = runs(works);
    for (run, next) in runs.iter().zip(runs.iter().skip(1)) {
        let lasts_s = (at_ms[run.end - 1] - at_ms[run.start]) as f64 / 1000.0;
        let turns_s = (at_ms[next.start] - at_ms[run.end - 1]) as f64 / 1000.0;
        if lasts_s >= PASS_MIN_S && turns_s > TURN_MIN_S {
            break;
        }
        works[run.clone()].fill(false);
    }
}

/// Samples at work by runs.
fn runs(works: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for sample in (0..works.len()).filter(|sample| works[*sample]) {
        match runs.last_mut().filter(|run| run.end == sample) {
            Some(run) => run.end += 1,
            None => runs.push(sample..sample + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_straight_to_the_first_pass_is_the_way_there() {
        // Gathering speed, the way, the implement goes down, a pass, a turn, a pass; a sample every 4 s.
        let parts = [(3, true), (4, false), (9, true), (1, false), (48, true), (3, false), (48, true)];
        let mut works: Vec<bool> = parts.into_iter().flat_map(|(samples, works)| vec![works; samples]).collect();
        let at_ms: Vec<i64> = (0..).take(works.len()).map(|sample| sample * 4_000).collect();
        leave_out_way(&mut works, &at_ms);
        assert_eq!(runs(&works), [17..65, 68..116]);
    }
}
