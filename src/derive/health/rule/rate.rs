//! A value that falls or rises by too much within a time: a burst hose, a level that runs away.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::episode::Evidence;
use super::block::Block;
use super::expression::Expression;
use super::limit::LOST_MS;
use super::{Context, Found};

/// Points of the past that are kept: the window in steps of a thirty-second of it.
const POINTS: i64 = 32;

/// When the value has changed by more than `by` within `window_ms`, an episode opens at the point it changed from;
/// it closes when the change within the window is less than half of that.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rate {
    pub(super) value: Expression,
    pub(super) direction: Direction,
    pub(super) by: f64,
    pub(super) window_ms: i64,
    pub(super) when: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Rises,
    Falls,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RateState {
    /// Extremes of the past: of each step of the window the value that a change would have started from.
    points: VecDeque<(i64, f64)>,
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    since_ms: i64,
    fired_ms: i64,
    seen_ms: i64,
    /// The greatest change within a window, and when it was reached.
    peak: f64,
    peak_ms: i64,
    evidence: Evidence,
}

impl Rate {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        self.value.columns(columns);
        if let Some(when) = &self.when {
            when.columns(columns);
        }
    }

    pub(super) fn run(&self, block: &Block, state: &mut RateState, context: &Context<'_>, found: &mut Vec<Found>) {
        let mut needed = Vec::new();
        self.value.columns(&mut needed);
        if state.open.is_none() && needed.iter().all(|column| block.is_unknown(*column)) {
            return;
        }
        let values = self.value.evaluate(block);
        let when = self.when.as_ref().map(|when| when.evaluate(block));
        for (index, &value) in values.iter().enumerate() {
            let at_ms = block.at_ms[index];
            state.close_if_lost(at_ms, found);
            let applies = when.as_ref().map_or(1.0, |when| when[index]);
            if applies != 1.0 {
                // A change across a time in which the rule did not apply is none of its business.
                if applies == 0.0 {
                    state.points.clear();
                    state.close(at_ms, found);
                }
                continue;
            }
            if value.is_nan() {
                continue;
            }
            let change = self.change(state, at_ms, value);
            match (&mut state.open, change) {
                (None, Some((from_ms, change))) if change > self.by => {
                    let mut evidence = context.evidence_of(&needed, block, index);
                    evidence.insert("value".into(), value);
                    evidence.insert("limit".into(), self.by);
                    state.open = Some(Open {
                        since_ms: from_ms,
                        fired_ms: at_ms,
                        seen_ms: at_ms,
                        peak: change,
                        peak_ms: at_ms,
                        evidence,
                    });
                }
                (Some(open), change) => {
                    let change = change.map_or(0.0, |(_, change)| change);
                    open.seen_ms = at_ms;
                    if change > open.peak {
                        (open.peak, open.peak_ms) = (change, at_ms);
                    }
                    if change < self.by / 2.0 {
                        state.close(at_ms, found);
                    }
                }
                (None, _) => {}
            }
            self.remember(state, at_ms, value);
        }
    }

    /// How far the value has come from the extreme of the window, and when that was.
    fn change(&self, state: &mut RateState, at_ms: i64, value: f64) -> Option<(i64, f64)> {
        while state.points.front().is_some_and(|(point_ms, _)| at_ms - point_ms > self.window_ms) {
            state.points.pop_front();
        }
        let changes = state.points.iter().map(|(from_ms, from)| {
            let change = match self.direction {
                Direction::Rises => value - from,
                Direction::Falls => from - value,
            };
            (*from_ms, change)
        });
        // Of equal extremes the last: the change began there.
        changes.max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn remember(&self, state: &mut RateState, at_ms: i64, value: f64) {
        let step_ms = (self.window_ms / POINTS).max(1);
        if let Some((last_ms, last)) = state.points.back_mut()
            && last_ms.div_euclid(step_ms) == at_ms.div_euclid(step_ms)
        {
            let is_extreme = match self.direction {
                Direction::Rises => value <= *last,
                Direction::Falls => value >= *last,
            };
            if is_extreme {
                (*last_ms, *last) = (at_ms, value);
            }
            return;
        }
        state.points.push_back((at_ms, value));
    }
}

impl RateState {
    fn close_if_lost(&mut self, at_ms: i64, found: &mut Vec<Found>) {
        if self.open.as_ref().is_some_and(|open| at_ms - open.seen_ms > LOST_MS) {
            self.close(at_ms, found);
        }
    }

    fn close(&mut self, settled_at_ms: i64, found: &mut Vec<Found>) {
        if let Some(open) = self.open.take() {
            found.push(open.found(true, Some(settled_at_ms)));
        }
    }

    /// The episode that lasts.
    pub(super) fn open(&self) -> Option<Found> {
        self.open.clone().map(|open| open.found(false, None))
    }
}

impl Open {
    fn found(self, closed: bool, settled_at_ms: Option<i64>) -> Found {
        let mut evidence = self.evidence;
        evidence.insert("change".into(), self.peak);
        Found {
            opened_at_ms: self.since_ms,
            fired_at_ms: self.fired_ms,
            closed_at_ms: closed.then_some(self.peak_ms),
            settled_at_ms,
            evidence,
        }
    }
}
