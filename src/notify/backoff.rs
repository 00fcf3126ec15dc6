//! Pauses between attempts.

use std::time::Duration;

use rand::Rng;

/// After the first attempt.
const FIRST: Duration = Duration::from_secs(10);
/// Longest.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The pause after attempt `attempt`, from 1: doubling, bounded, and scattered so that many receivers that were away
/// together are not all asked at once.
pub(super) fn pause(attempt: u32) -> Duration {
    bound(attempt).mul_f64(rand::rng().random_range(0.5..1.0))
}

fn bound(attempt: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<_> = [1, 2, 3, 9, 10, 64, u32::MAX].map(|attempt| bound(attempt).as_secs()).into();
        assert_eq!(seconds, [10, 20, 40, 2_560, 3_600, 3_600, 3_600]);
        assert!((1..100).all(|attempt| pause(attempt) <= bound(attempt) && pause(attempt) * 2 >= bound(attempt)));
    }
}
