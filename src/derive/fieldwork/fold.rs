//! The fold: from a working day to its sessions.
//!
//!     Work ─ day ▶ states, runs, groups ─ build ▶ Session, and Trace where it is asked for

use super::build::build;
use super::day::Day;
use super::{Rules, Session, Trace, Work};

/// The sessions of a working day, in the order in which they began.
///
/// A pure function of its arguments: the same samples give the same bytes, in whatever order and however often they
/// arrived.
pub fn sessions(work: &Work<'_>, rules: &Rules) -> Vec<Session> {
    fold(work, rules, false).into_iter().map(|(session, _)| session).collect()
}

/// The same, with what stands behind each session.
pub fn traced(work: &Work<'_>, rules: &Rules) -> Vec<(Session, Trace)> {
    fold(work, rules, true)
}

fn fold(work: &Work<'_>, rules: &Rules, with_trace: bool) -> Vec<(Session, Trace)> {
    if work.readings.is_empty() {
        return Vec::new();
    }
    let day = Day::prepare(work, rules);
    let mut sessions: Vec<_> = day.groups.iter().filter_map(|group| build(&day, group, with_trace)).collect();
    sessions.sort_by_key(|(session, _)| (session.started_at, session.ended_at, session.operation));
    sessions
}
