//! How often somebody may ask: a bucket of so many requests that fills up evenly.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Callers remembered; beyond, those whose bucket is full again are forgotten.
const CALLERS_MAX: usize = 10_000;

/// A limit for each caller.
#[derive(Debug)]
pub(super) struct RateLimit {
    per_minute: f64,
    // A std mutex: nothing is awaited while it is held.
    buckets: Mutex<HashMap<i64, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    seen: Instant,
}

impl RateLimit {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), buckets: Mutex::default() }
    }

    /// Takes one request of a caller at `now`.
    ///
    /// # Errors
    /// How long to wait for the next.
    pub(super) fn take(&self, caller: i64, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().expect("no holder panics");
        if buckets.len() >= CALLERS_MAX {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.per_minute);
        }
        let bucket = buckets.entry(caller).or_insert(Bucket { left: self.per_minute, seen: now });
        let left = self.filled(*bucket, now);
        *bucket = Bucket { left, seen: now };
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) * 60.0 / self.per_minute));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.seen).as_secs_f64();
        (bucket.left + passed * self.per_minute / 60.0).min(self.per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_ask_so_often_and_then_waits_without_holding_up_others() {
        let limit = RateLimit::new(6);
        let start = Instant::now();
        for _ in 0..6 {
            assert_eq!(limit.take(1, start), Ok(()));
        }
        assert_eq!(limit.take(1, start), Err(Duration::from_secs(10)));
        assert_eq!(limit.take(2, start), Ok(()));
        assert_eq!(limit.take(1, start + Duration::from_secs(10)), Ok(()));
        assert!(limit.take(1, start + Duration::from_secs(11)).is_err());
    }

    #[test]
    fn many_callers_do_not_fill_the_memory() {
        let limit = RateLimit::new(60);
        let start = Instant::now();
        for caller in 0..50_000 {
            // A second later its bucket is full again.
            assert_eq!(limit.take(caller, start + Duration::from_secs(caller.unsigned_abs() / 1000)), Ok(()));
        }
        assert!(limit.buckets.lock().expect("no holder panics").len() <= CALLERS_MAX + 1);
    }
}
