//! Wall and simulated time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::config::Pace;

/// A clock that starts at the wall clock's time and then only moves forwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    started_ms: i64,
}

impl Clock {
    pub(super) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_ms: since_epoch.as_millis() as i64 }
    }

    /// Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        self.started_ms + self.started.elapsed().as_millis() as i64
    }

    /// The instant of Unix millisecond `at_ms`; far away when it is beyond a day.
    pub(super) fn instant(&self, at_ms: i64) -> Instant {
        const DAY_MS: i64 = 86_400_000;
        let ahead_ms = at_ms.saturating_sub(self.started_ms);
        let elapsed_ms = self.started.elapsed().as_millis() as i64;
        self.started + Duration::from_millis(ahead_ms.clamp(0, elapsed_ms + DAY_MS).unsigned_abs())
    }
}

/// The relation of simulated time to the wall clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pacer {
    wall_start_ms: i64,
    simulated_start_ms: i64,
    pace: Pace,
}

impl Pacer {
    pub(super) fn new(wall_start_ms: i64, simulated_start_ms: i64, pace: Pace) -> Self {
        Self { wall_start_ms, simulated_start_ms, pace }
    }

    /// When a record of simulated time `at_ms` is due by the wall clock.
    pub(super) fn wall_ms(&self, at_ms: i64) -> i64 {
        match self.pace {
            Pace::AsFastAsPossible => self.wall_start_ms,
            Pace::Accelerated(factor) => {
                self.wall_start_ms + ((at_ms - self.simulated_start_ms) as f64 / factor).ceil() as i64
            }
        }
    }

    /// Simulated time at `wall_ms`; none where there is no relation.
    pub(super) fn simulated_ms(&self, wall_ms: i64) -> Option<i64> {
        match self.pace {
            Pace::AsFastAsPossible => None,
            Pace::Accelerated(factor) => {
                Some(self.simulated_start_ms + ((wall_ms - self.wall_start_ms) as f64 * factor) as i64)
            }
        }
    }
}
