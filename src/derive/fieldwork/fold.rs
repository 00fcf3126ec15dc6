//! The fold: from a working day to its sessions.
//!
//! ```text
//! Work ─ day ▶ states, runs, groups ─ build ▶ Session, and Trace where it is asked for
//! ```

use jiff::Timestamp;

use super::build::build;
use super::day::Day;
use super::day_work::{DayWork, LeftOut};
use super::group::Group;
use super::{Rules, Session, Trace, Work};

/// What a working day gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Folded {
    /// Its sessions, in the order in which they began.
    pub sessions: Vec<Session>,
    /// What the machine did besides, and why there is no session where there is none.
    pub day: DayWork,
}

/// Folds a working day.
///
/// A pure function of its arguments: the same samples give the same bytes, in whatever order and however often they
/// arrived.
pub fn fold(work: &Work<'_>, rules: &Rules) -> Folded {
    if work.readings.is_empty() {
        return Folded::default();
    }
    let day = Day::prepare(work, rules);
    let (mut sessions, mut left_out) = (Vec::new(), Vec::new());
    for group in &day.groups {
        match build(&day, group, false) {
            Some((session, _)) => sessions.push(session),
            None => left_out.extend(leave_out(&day, group)),
        }
    }
    sessions.sort_by_key(|session| (session.started_at, session.ended_at, session.operation));
    let day = DayWork::of(&day, sessions.len(), left_out);
    Folded { sessions, day }
}

/// The sessions of a working day with what stands behind each.
pub fn traced(work: &Work<'_>, rules: &Rules) -> Vec<(Session, Trace)> {
    if work.readings.is_empty() {
        return Vec::new();
    }
    let day = Day::prepare(work, rules);
    let mut sessions: Vec<_> = day.groups.iter().filter_map(|group| build(&day, group, true)).collect();
    sessions.sort_by_key(|(session, _)| (session.started_at, session.ended_at, session.operation));
    sessions
}

fn leave_out(day: &Day<'_>, group: &Group) -> Option<LeftOut> {
    let at = &day.work.readings.recorded_at_ms;
    let samples = group.samples();
    let working_s = group.runs.iter().flat_map(|run| run.clone()).map(|index| day.seconds[index]).sum();
    Some(LeftOut {
        started_at: Timestamp::from_millisecond(at[*samples.start()]).ok()?,
        ended_at: Timestamp::from_millisecond(at[*samples.end()]).ok()?,
        working_s,
    })
}
