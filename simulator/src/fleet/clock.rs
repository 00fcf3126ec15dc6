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
    /// Whether simulated time stays behind the wall clock: a machine that is ahead would be taken for one with a
    /// wrong clock.
    stays_behind: bool,
}

impl Pacer {
    pub(super) fn new(wall_start_ms: i64, simulated_start_ms: i64, pace: Pace, stays_behind: bool) -> Self {
        Self { wall_start_ms, simulated_start_ms, pace, stays_behind }
    }

    /// Simulated time that is the wall clock's, at its pace.
    pub(super) fn real_time(now_ms: i64) -> Self {
        Self::new(now_ms, now_ms, Pace::Accelerated(1.0), false)
    }

    /// When simulated time `at_ms` is due by the wall clock; `i64::MAX` for `i64::MAX`.
    pub(super) fn wall_ms(&self, at_ms: i64) -> i64 {
        if at_ms == i64::MAX {
            return i64::MAX;
        }
        match self.pace {
            Pace::AsFastAsPossible => self.wall_start_ms,
            Pace::Accelerated(factor) => {
                let after_ms = (at_ms.saturating_sub(self.simulated_start_ms) as f64 / factor).ceil();
                let wall_ms = self.wall_start_ms.saturating_add(after_ms as i64);
                if self.stays_behind { wall_ms.max(at_ms) } else { wall_ms }
            }
        }
    }

    /// Simulated time at `wall_ms`; none where there is no relation.
    pub(super) fn simulated_ms(&self, wall_ms: i64) -> Option<i64> {
        let Pace::Accelerated(factor) = self.pace else { return None };
        let after_ms = ((wall_ms - self.wall_start_ms) as f64 * factor) as i64;
        let simulated_ms = self.simulated_start_ms.saturating_add(after_ms);
        Some(if self.stays_behind { simulated_ms.min(wall_ms) } else { simulated_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accelerated_time_catches_up_with_the_wall_clock_and_goes_on_with_it() {
        let hour = 3_600_000;
        // Ten times as fast, from nine hours ago: caught up after one hour.
        let pacer = Pacer::new(10 * hour, hour, Pace::Accelerated(10.0), true);
        assert_eq!(pacer.simulated_ms(10 * hour + 360_000), Some(2 * hour));
        assert_eq!(pacer.simulated_ms(11 * hour), Some(11 * hour));
        assert_eq!(pacer.simulated_ms(15 * hour), Some(15 * hour));
        for at_ms in [hour, 2 * hour, 9 * hour, 11 * hour, 12 * hour] {
            assert_eq!(pacer.simulated_ms(pacer.wall_ms(at_ms)), Some(at_ms));
        }
        assert_eq!(pacer.wall_ms(i64::MAX), i64::MAX);
    }
}
