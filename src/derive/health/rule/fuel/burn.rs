//! What the engine burned between two levels: by its rate where the unit was awake, by its counters where it slept.

use serde::{Deserialize, Serialize};

use super::super::block::RUNNING_RPM;
use super::OBSERVED_MS;

/// Share of the running time that may lack a rate before the rest is not believed to be all that was burned.
const UNKNOWN_SHARE: f64 = 0.1;
/// Where no rate is known, no more can have been burned than this share of the tank an hour: half as much again as
/// heavy ploughing burns (13 %).
const MAX_BURN_SHARE_PER_H: f64 = 0.2;
/// Engine hours are counted in steps and told some minutes late: less than this is no sign of an engine that ran.
const HOURS_STEP_MS: f64 = 0.1 * HOUR_MS;
/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// What the engine burned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Burn {
    /// Since the fold began, up to the last level, L; beside it the most that is not known of.
    settled_l: f64,
    unknown_l: f64,
    /// Stretches in which something happened.
    stirred: u32,
    /// Since the last level.
    burned_l: f64,
    running_ms: i64,
    unknown_ms: i64,
    /// Silences since the last level from which the engine came out running, and in which it may have stood.
    silent_ms: i64,
    moved: bool,
    /// Latest counts of fuel and of engine hours, and those at the last level.
    total_l: Option<f64>,
    hours_h: Option<f64>,
    from_total_l: Option<f64>,
    from_hours_h: Option<f64>,
}

impl Burn {
    /// Whether an engine of this speed stands; of one that says nothing it is not known.
    pub(super) fn is_off(engine_rpm: f64) -> bool {
        engine_rpm < RUNNING_RPM
    }

    /// Burned since the fold began, L.
    pub(super) fn burned_l(&self) -> f64 {
        self.settled_l + self.burned_l
    }

    /// The machine moved.
    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    /// Takes the counters of a sample.
    pub(super) fn count(&mut self, total_l: Option<f64>, hours_h: Option<f64>) {
        self.total_l = total_l.or(self.total_l);
        if hours_h.is_some() {
            self.hours_h = hours_h;
            // The counter tells how much of it the engine ran.
            self.silent_ms = 0;
        }
    }

    /// The time up to a sample with this engine speed, rpm, and burning rate, L/h.
    pub(super) fn run(&mut self, elapsed_ms: i64, engine_rpm: f64, rate_lph: f64) {
        if engine_rpm.is_nan() || engine_rpm < RUNNING_RPM {
            return;
        }
        if elapsed_ms > OBSERVED_MS {
            self.silent_ms += elapsed_ms;
            return;
        }
        self.running_ms += elapsed_ms;
        if rate_lph.is_nan() {
            self.unknown_ms += elapsed_ms;
        } else {
            self.burned_l += rate_lph * elapsed_ms as f64 / HOUR_MS;
        }
    }

    /// Ends the stretch at a level; gives the most that was burned unknown since the fold began, L, and the number of
    /// stretches so far in which anything happened.
    pub(super) fn settle(&mut self, tank_l: f64) -> (f64, u32) {
        let ran_ms = grown(self.from_hours_h, self.hours_h).unwrap_or(0.0) * HOUR_MS;
        let unseen_ms = Some(ran_ms - self.running_ms as f64).filter(|unseen_ms| *unseen_ms > HOURS_STEP_MS);
        let unknown_ms = (self.unknown_ms + self.silent_ms) as f64 + unseen_ms.unwrap_or(0.0);
        let running_ms = (self.running_ms + self.silent_ms) as f64 + unseen_ms.unwrap_or(0.0);
        if unknown_ms > UNKNOWN_SHARE * running_ms {
            match grown(self.from_total_l, self.total_l) {
                Some(counted_l) => self.burned_l = self.burned_l.max(counted_l),
                None => self.unknown_l += unknown_ms / HOUR_MS * MAX_BURN_SHARE_PER_H * tank_l,
            }
        }
        self.stirred += u32::from(running_ms > 0.0 || self.moved);
        *self = Self {
            settled_l: self.burned_l(),
            unknown_l: self.unknown_l,
            stirred: self.stirred,
            total_l: self.total_l,
            hours_h: self.hours_h,
            from_total_l: self.total_l,
            from_hours_h: self.hours_h,
            ..Self::default()
        };
        (self.unknown_l, self.stirred)
    }
}

/// What a counter grew by; none where it is not known, or was set anew.
fn grown(from: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(to? - from?).filter(|grown| *grown >= 0.0)
}
