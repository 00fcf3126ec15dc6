//! How fast a machine works: what is much faster is on the way.

use super::leg::Leg;
use super::neighbour::USUAL_LEGS;
use super::quantile;

/// Share of passes that are no faster than the high speed.
const HIGH_SHARE: f64 = 0.9;
/// Nor is there a step of this factor below it: what is beyond one is not work, but ways that lie beside passes.
const HIGH_STEP: f64 = 1.15;
/// Share of a stretch that must be faster for all of it to be.
const FASTER_SHARE: f64 = 0.4;

/// Faster than at work by these factors is no work: the first is over the usual speed, the second over the high ones.
pub(super) const FAST: Excess = Excess { usual: 1.25, high: 1.15 };
/// Nor is what leads straight to a pass and is faster by these: from pass to pass there is a turn.
pub(super) const FAST_LEADING: Excess = Excess { usual: 1.05, high: 1.0 };
/// Nobody drives the first round of a field faster than its passes by as much.
pub(super) const FAST_ROUND: Excess = Excess { usual: 1.12, high: 1.12 };

/// How much faster than at work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excess {
    usual: f64,
    high: f64,
}

/// Speeds at work around a leg, m/s: those of the passes driven before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    usual_mps: f64,
    /// Few are faster: drivers differ, and so do crops.
    high_mps: f64,
}

impl Pace {
    /// Before anything is known nothing is fast.
    pub(super) const UNKNOWN: Self = Self { usual_mps: f64::INFINITY, high_mps: f64::INFINITY };

    fn of(mut speeds: Vec<f64>) -> Self {
        speeds.sort_unstable_by(f64::total_cmp);
        let Some(usual_mps) = quantile(speeds.iter().copied(), 0.5) else { return Self::UNKNOWN };
        let above = speeds.iter().copied().filter(|speed| *speed >= usual_mps);
        let mut below_step_mps = usual_mps;
        for speed in above {
            if speed > HIGH_STEP * below_step_mps {
                break;
            }
            below_step_mps = speed;
        }
        let high_mps = quantile(speeds.iter().copied(), HIGH_SHARE).unwrap_or(usual_mps);
        Self { usual_mps, high_mps: high_mps.min(below_step_mps) }
    }

    fn is_exceeded_by(self, mps: f64, excess: Excess) -> bool {
        mps > excess.usual * self.usual_mps && mps > excess.high * self.high_mps
    }
}

/// Tells every leg what pace is usual around it.
pub(super) fn compare_paces(legs: &mut [Leg]) {
    let sure: Vec<(usize, f64)> =
        (0..legs.len()).filter(|leg| legs[*leg].is_beside()).map(|leg| (leg, legs[leg].speed_mps)).collect();
    for (index, leg) in legs.iter_mut().enumerate() {
        let place = sure.partition_point(|(other, _)| *other < index);
        let near = &sure[place.saturating_sub(USUAL_LEGS)..(place + USUAL_LEGS).min(sure.len())];
        leg.pace = Pace::of(near.iter().map(|(_, speed_mps)| *speed_mps).collect());
    }
}

/// Whether legs driven in one go are faster than at work.
pub(super) fn are_faster(legs: &[Leg], excess: Excess) -> bool {
    let fast = legs.iter().filter(|leg| leg.pace.is_exceeded_by(leg.speed_mps, excess));
    let length_m: f64 = legs.iter().map(|leg| leg.length_m).sum();
    fast.map(|leg| leg.length_m).sum::<f64>() > FASTER_SHARE * length_m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_step_is_no_work_and_a_gradual_rise_is() {
        let passes_and_ways = Pace::of(vec![2.0, 2.1, 2.2, 2.1, 2.0, 2.9, 3.0]);
        assert!((passes_and_ways.high_mps - 2.2).abs() < 1e-9, "{passes_and_ways:?}");
        let drivers = Pace::of(vec![2.0, 2.2, 2.4, 2.6, 2.8, 3.0]);
        assert!((drivers.high_mps - 3.0).abs() < 1e-9, "{drivers:?}");
        assert!(passes_and_ways.is_exceeded_by(2.9, FAST) && !drivers.is_exceeded_by(2.9, FAST));
        assert!(!Pace::UNKNOWN.is_exceeded_by(100.0, FAST));
    }
}
