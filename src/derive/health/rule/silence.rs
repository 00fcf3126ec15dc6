//! A machine that is not heard of: from the times of its samples alone. What it sends later fills the gap, and the
//! episode is gone; that is the point of recording with a buffer.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wire::catalogue;

use super::super::super::Readings;
use super::super::episode::Evidence;
use super::Found;
use super::block::RUNNING_RPM;
use super::local_time::LocalTime;

/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// How long a machine may be silent, and in which months anything may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Silence {
    pub(super) after_running_ms: i64,
    pub(super) after_off_ms: i64,
    /// Months, 1 to 12, in which machines stand with their batteries out.
    pub(super) resting_months: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SilenceState {
    last_ms: Option<i64>,
    is_running: bool,
}

impl Silence {
    pub(super) fn run(
        &self,
        readings: &Readings,
        span: Range<usize>,
        state: &mut SilenceState,
        clock: &mut LocalTime,
        found: &mut Vec<Found>,
    ) {
        let engine = readings.signal(catalogue::ENGINE_SPEED_RPM);
        for index in span {
            let at_ms = readings.recorded_at_ms[index];
            if let Some(mut gap) = self.gap(state, at_ms, clock) {
                gap.evidence.insert("value".into(), (at_ms - gap.opened_at_ms) as f64 / HOUR_MS);
                found.push(Found { closed_at_ms: Some(at_ms), settled_at_ms: Some(at_ms), ..gap });
            }
            state.last_ms = Some(at_ms);
            if let Some(rpm) = engine.at(index) {
                state.is_running = rpm >= RUNNING_RPM;
            }
        }
    }

    /// The silence between the last sample and an instant, where it is too long.
    pub(super) fn gap(&self, state: &SilenceState, at_ms: i64, clock: &mut LocalTime) -> Option<Found> {
        let last_ms = state.last_ms?;
        let limit_ms = if state.is_running { self.after_running_ms } else { self.after_off_ms };
        if at_ms - last_ms <= limit_ms {
            return None;
        }
        let fired_at_ms = last_ms + limit_ms;
        let month = clock.month(fired_at_ms) as u8;
        if self.resting_months.contains(&month) {
            return None;
        }
        let evidence = Evidence::from([("limit".to_owned(), limit_ms as f64 / HOUR_MS)]);
        Some(Found { opened_at_ms: last_ms, fired_at_ms, closed_at_ms: None, settled_at_ms: None, evidence })
    }
}
