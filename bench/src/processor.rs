//! Time on a core, so that neighbours on the machine do not count.

use std::time::{Duration, Instant};

/// Runs while this thread works.
pub(crate) struct Watch {
    began: Instant,
    busy_before: Option<Duration>,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), busy_before: busy() }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Time since the start for which this thread had a core; outside Linux all of it.
    pub(crate) fn busy(&self) -> Duration {
        match (self.busy_before, busy()) {
            (Some(before), Some(after)) => after - before,
            _ => self.elapsed(),
        }
    }
}

fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
