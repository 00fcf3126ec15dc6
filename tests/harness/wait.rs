//! Waiting for conditions instead of for time.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything takes that is going to happen at all, on the slowest machine.
pub(crate) const LONG: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` gives something; a failure of the test after `at_most`, naming `what`.
#[track_caller]
pub(crate) fn eventually<T>(
    what: &str,
    at_most: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let give_up = Instant::now() + at_most;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < give_up, "{caller}: not within {} s: {what}", at_most.as_secs());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
