//! A counter that was set anew: a controller or a meter has been replaced, or somebody turned it back.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wire::SignalId;

use super::super::super::Readings;
use super::super::counter::{GuardedCounter, Pace};
use super::super::episode::Evidence;
use super::Found;

/// A counter and how fast it can count.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reset {
    pub(super) signal: SignalId,
    pub(super) pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ResetState {
    counter: GuardedCounter,
}

impl Reset {
    pub(super) fn run(&self, readings: &Readings, span: Range<usize>, state: &mut ResetState, found: &mut Vec<Found>) {
        let reported = readings.signal(self.signal);
        for index in span {
            let at_ms = readings.recorded_at_ms[index];
            let Some(raw) = reported.at(index) else { continue };
            if let Some(replaced) = state.counter.push(at_ms, raw, self.pace) {
                found.push(Found {
                    opened_at_ms: replaced.first_seen_ms,
                    fired_at_ms: at_ms,
                    closed_at_ms: Some(replaced.first_seen_ms),
                    settled_at_ms: Some(at_ms),
                    evidence: Evidence::from([("value".to_owned(), replaced.to), ("before".to_owned(), replaced.from)]),
                });
            }
        }
    }
}
