//! A value beyond a limit for a time, with hysteresis: most rules.

use serde::{Deserialize, Serialize};

use super::super::episode::Evidence;
use super::block::{Block, LEARNED};
use super::expression::Expression;
use super::learn::{Learn, Learned};
use super::{Context, Found};

/// An open episode ends where nothing has been known of it for so long.
pub(super) const LOST_MS: i64 = 1_800_000;
/// Two samples further apart than this, or than the rule's own duration, say nothing of the time between them.
const APART_MS: i64 = 600_000;

/// When the value is beyond the limit for `for_ms`, an episode opens; when it is back behind `clear` for
/// `clear_for_ms`, it closes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) value: Expression,
    pub(super) side: Side,
    pub(super) limit: Expression,
    pub(super) clear: Expression,
    pub(super) for_ms: i64,
    pub(super) clear_for_ms: i64,
    pub(super) when: Option<Expression>,
    pub(super) unless: Option<Expression>,
    pub(super) learn: Option<Learn>,
    /// Columns of moving signals that are set against each other, if they are two or more: a sample says something
    /// where they were reported together.
    pub(super) compared: Vec<usize>,
}

/// Which side of the limit is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Side {
    Above,
    Below,
}

impl Side {
    #[inline]
    fn is_beyond(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::Below => value < limit,
        }
    }

    fn worse(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Above => one.max(other),
            Self::Below => one.min(other),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LimitState {
    phase: Phase,
    learned: Learned,
}

/// Where a rule stands. `seen_ms` is the last sample at which the condition was known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
enum Phase {
    #[default]
    Quiet,
    /// Beyond the limit, not for long enough.
    Pending {
        since_ms: i64,
        seen_ms: i64,
        peak: f64,
    },
    Open(Open),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    since_ms: i64,
    fired_ms: i64,
    seen_ms: i64,
    /// Last sample that was beyond the limit.
    true_ms: i64,
    peak: f64,
    evidence: Evidence,
    /// Since when it is back behind `clear`.
    clear_since_ms: Option<i64>,
}

impl Open {
    fn found(self, closed_at_ms: Option<i64>, settled_at_ms: Option<i64>) -> Found {
        let mut evidence = self.evidence;
        evidence.insert("peak".into(), self.peak);
        Found { opened_at_ms: self.since_ms, fired_at_ms: self.fired_ms, closed_at_ms, settled_at_ms, evidence }
    }
}

impl Limit {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        let optional = [&self.when, &self.unless].into_iter().flatten();
        [&self.value, &self.limit, &self.clear].into_iter().chain(optional).for_each(|of| of.columns(columns));
        if let Some(learn) = &self.learn {
            learn.columns(columns);
        }
        columns.retain(|column| *column != LEARNED);
    }

    pub(super) fn run(&self, block: &mut Block, state: &mut LimitState, context: &Context<'_>, found: &mut Vec<Found>) {
        let mut needed = Vec::new();
        self.value.columns(&mut needed);
        let nothing_known = !needed.is_empty() && needed.iter().all(|column| block.is_unknown(*column));
        if nothing_known && state.phase == Phase::Quiet {
            return;
        }
        let values = self.value.evaluate(block);
        let when = self.when.as_ref().map(|when| when.evaluate(block));
        if let Some(learn) = &self.learn {
            block.learned = learn.run(block, &values, when.as_deref(), &self.compared, &mut state.learned);
        }
        let limits = self.limit.evaluate(block);
        if state.phase == Phase::Quiet
            && !(0..values.len()).any(|index| self.side.is_beyond(values[index], limits[index]))
        {
            return;
        }
        let clears = self.clear.evaluate(block);
        let unless = self.unless.as_ref().map(|unless| unless.evaluate(block));
        for index in 0..values.len() {
            let when = match unless.as_ref().is_some_and(|unless| unless[index] == 1.0) {
                true => 0.0,
                false => when.as_ref().map_or(1.0, |when| when[index]),
            };
            let (value, limit, clear) = (values[index], limits[index], clears[index]);
            let is_comparable = block.is_of_one_time(&self.compared, index);
            let step = if when == 0.0 {
                Step::Clear
            } else if !is_comparable || when.is_nan() || value.is_nan() || limit.is_nan() || clear.is_nan() {
                Step::Unknown
            } else if self.side.is_beyond(value, limit) {
                Step::Beyond(value)
            } else if self.side.is_beyond(value, clear) {
                Step::Between
            } else {
                Step::Clear
            };
            let at_ms = block.at_ms[index];
            let evidence = || {
                let mut evidence = context.evidence(self, block, index);
                evidence.insert("value".into(), value);
                evidence.insert("limit".into(), limit);
                evidence
            };
            self.step(&mut state.phase, at_ms, step, evidence, found);
        }
    }

    fn step(&self, phase: &mut Phase, at_ms: i64, step: Step, evidence: impl Fn() -> Evidence, found: &mut Vec<Found>) {
        if let Phase::Open(open) = phase
            && at_ms - open.seen_ms > LOST_MS
        {
            let end_ms = open.clear_since_ms.unwrap_or(open.true_ms);
            found.push(open.clone().found(Some(end_ms), Some(at_ms)));
            *phase = Phase::Quiet;
        }
        if let Phase::Pending { seen_ms, .. } = phase
            && at_ms - *seen_ms > self.for_ms.clamp(APART_MS, LOST_MS)
        {
            *phase = Phase::Quiet;
        }
        *phase = match (std::mem::take(phase), step) {
            (unchanged, Step::Unknown) => unchanged,
            (Phase::Quiet, Step::Beyond(value)) if self.for_ms == 0 => {
                Phase::Open(opened(at_ms, at_ms, value, evidence()))
            }
            (Phase::Quiet, Step::Beyond(value)) => Phase::Pending { since_ms: at_ms, seen_ms: at_ms, peak: value },
            (Phase::Pending { since_ms, peak, .. }, Step::Beyond(value)) => {
                let peak = self.side.worse(peak, value);
                if at_ms - since_ms >= self.for_ms {
                    Phase::Open(opened(since_ms, at_ms, peak, evidence()))
                } else {
                    Phase::Pending { since_ms, seen_ms: at_ms, peak }
                }
            }
            (Phase::Open(open), Step::Beyond(value)) => Phase::Open(Open {
                seen_ms: at_ms,
                true_ms: at_ms,
                peak: self.side.worse(open.peak, value),
                clear_since_ms: None,
                ..open
            }),
            // Not back yet: hysteresis.
            (Phase::Open(open), Step::Between) => Phase::Open(Open { seen_ms: at_ms, clear_since_ms: None, ..open }),
            (Phase::Open(open), Step::Clear) => {
                let clear_since_ms = open.clear_since_ms.unwrap_or(at_ms);
                if at_ms - clear_since_ms >= self.clear_for_ms {
                    found.push(open.found(Some(clear_since_ms), Some(at_ms)));
                    Phase::Quiet
                } else {
                    Phase::Open(Open { seen_ms: at_ms, clear_since_ms: Some(clear_since_ms), ..open })
                }
            }
            (Phase::Quiet | Phase::Pending { .. }, Step::Between | Step::Clear) => Phase::Quiet,
        };
    }

    /// The episode that lasts.
    pub(super) fn open(state: &LimitState) -> Option<Found> {
        match &state.phase {
            Phase::Open(open) => Some(open.clone().found(open.clear_since_ms, None)),
            Phase::Quiet | Phase::Pending { .. } => None,
        }
    }
}

fn opened(since_ms: i64, fired_ms: i64, peak: f64, evidence: Evidence) -> Open {
    Open { since_ms, fired_ms, seen_ms: fired_ms, true_ms: fired_ms, peak, evidence, clear_since_ms: None }
}

/// What a sample says.
enum Step {
    /// Nothing.
    Unknown,
    /// The value is beyond the limit.
    Beyond(f64),
    /// The value is between the limit and where it counts as back.
    Between,
    /// The value is back, or the rule does not apply.
    Clear,
}
