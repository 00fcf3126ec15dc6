//! What a machine did in a working day, field work or not, and why there is none where there is none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::day::Day;
use super::{Fuel, State, Times};

/// What a machine did in a working day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DayWork {
    /// Samples recorded.
    pub samples: u64,
    /// Where the time went. The total leaves out times without data.
    pub time: Times,
    /// Way by positions, m.
    pub distance_m: f64,
    /// Fuel burned; absent when nothing tells it.
    pub fuel: Option<Fuel>,
    /// Work that was too little to be a session.
    pub left_out: Vec<LeftOut>,
    /// Why there is no session; absent where there is one.
    pub no_session: Option<NoSession>,
}

/// Work that was too little to be a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// First moment.
    pub started_at: Timestamp,
    /// Last moment.
    pub ended_at: Timestamp,
    /// Time at work, s.
    pub working_s: f64,
}

/// Why a day has no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoSession {
    /// No position of the day can be believed, and no implement says that it works.
    NoPositions,
    /// The machine stood all day.
    Stood,
    /// The implement says that it never worked.
    ImplementNeverWorked,
    /// No implement says anything, and the track shows no passes side by side: a road, a yard, or too few positions.
    NoPasses,
    /// There was work, but too little.
    TooLittle,
}

impl NoSession {
    /// In words, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoPositions => "no position that can be believed, and no implement that says it works",
            Self::Stood => "the machine stood all day",
            Self::ImplementNeverWorked => "the implement says that it never worked",
            Self::NoPasses => "no implement says anything, and the track shows no passes side by side",
            Self::TooLittle => "there was work, but too little to be a session",
        }
    }
}

impl DayWork {
    /// `left_out` are the groups that made no session.
    pub(super) fn of(day: &Day<'_>, sessions: usize, left_out: Vec<LeftOut>) -> Self {
        let samples = day.states.len();
        let mut time = Times::default();
        for (state, seconds) in day.states.iter().zip(&day.seconds) {
            time.add(*state, *seconds);
        }
        time.total_s = time.working_s + time.turning_s + time.unloading_s + time.idle_s + time.transport_s + time.off_s;
        let no_session = (sessions == 0).then(|| why(day, !left_out.is_empty()));
        Self {
            samples: samples as u64,
            time,
            distance_m: day.way_m.iter().sum(),
            fuel: day.fuel.of_session(0..samples, &day.states, &day.seconds).map(|(fuel, _)| fuel),
            left_out,
            no_session,
        }
    }
}

fn why(day: &Day<'_>, has_left_out: bool) -> NoSession {
    let has_positions = day.track.places.iter().any(|place| !place.x.is_nan());
    let moves = |speed: &f64| *speed * 3.6 > day.rules.standing_kmh;
    if has_left_out || day.states.contains(&State::Working) {
        NoSession::TooLittle
    } else if !has_positions && !day.implement_speaks {
        NoSession::NoPositions
    } else if !day.track.speed_mps.iter().any(moves) {
        NoSession::Stood
    } else if day.implement_speaks {
        NoSession::ImplementNeverWorked
    } else {
        NoSession::NoPasses
    }
}
