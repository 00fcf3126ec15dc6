//! How good positions are.

use wire::catalogue;

use super::Positions;
use super::held::Held;
use super::track::Track;
use crate::derive::Readings;
use crate::derive::fieldwork::held::Stretches;

/// Error across the track by the position status of ISO 11783-10, m, at a dilution of one.
fn error_of_fix_m(fix: f64) -> f64 {
    match fix as i64 {
        4 => 0.03, // RTK fixed
        5 => 0.25, // RTK float
        3 => 0.15, // precise
        2 => 0.6,  // DGNSS
        6 => 2.0,  // dead reckoning
        _ => PLAIN_M,
    }
}

/// What a plain receiver under open sky has, m.
const PLAIN_M: f64 = 1.2;

/// What receivers say of their positions over a day.
#[derive(Debug, Clone)]
pub(super) struct Quality {
    fix: Held,
    pub hdop: Held,
    error: Held,
}

impl Quality {
    pub(super) fn of(readings: &Readings, stretches: &Stretches) -> Self {
        let held = |signal| stretches.held(readings, signal);
        Self { fix: held(catalogue::GNSS_FIX), hdop: held(catalogue::HDOP), error: held(catalogue::HORIZONTAL_ERROR_M) }
    }

    /// Over the samples at work.
    pub(super) fn positions(&self, track: &Track, working: impl Iterator<Item = usize>) -> Positions {
        let (mut samples, mut usable, mut jumps, mut told) = (0_u32, 0_u32, 0_u32, 0_u32);
        let mut sum_m = 0.0;
        for index in working {
            samples += 1;
            usable += u32::from(!track.places[index].x.is_nan());
            jumps += u32::from(track.jumped[index]);
            let fix = self.fix.at(index).filter(|fix| (1.0..=6.0).contains(fix));
            told += u32::from(fix.is_some() || self.error.at(index).is_some());
            let dilution = self.hdop.at(index).unwrap_or(1.0).clamp(1.0, 10.0);
            let by_fix = fix.map(error_of_fix_m).unwrap_or(PLAIN_M) * dilution;
            sum_m += self.error.at(index).unwrap_or(by_fix);
        }
        let of = |sum: f64| if samples > 0 { sum / f64::from(samples) } else { 0.0 };
        Positions { share: of(f64::from(usable)), error_m: of(sum_m), is_reported: told * 2 > samples, jumps }
    }
}
