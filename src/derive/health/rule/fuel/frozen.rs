//! A level that stays where it is though the machine drives and burns: its sender is stuck.
//!
//! A float in a tank that moves slops about, and what is burned lowers it. So readings that do neither for an hour of
//! driving are no levels, whether or not anybody knows what the engine burned.

use serde::{Deserialize, Serialize};

use super::super::super::episode::Evidence;
use super::super::Found;
use super::Point;

/// Readings that differ by less are the same, per cent of the tank: one step of 0.4 (J1939) and no more.
const SAME_PCT: f64 = 0.45;
/// Readings further apart say nothing of the time between them: machines that stand report a level every 15 min.
const APART_MS: i64 = 1_200_000;
/// After so much driving a level that has not moved is no longer believed, though nobody is told yet.
const DOUBTED_AFTER_MS: i64 = 1_800_000;
/// What has to be burned, where that is known, before a level can be expected to have moved, share of the tank.
const MOVES_SHARE: f64 = 0.01;
/// Near its stops a float may rest: a full tank shows full for a while.
const STOPS_PCT: (f64, f64) = (3.0, 97.0);
/// There it has to rest for so many times longer.
const AT_STOPS_TIMES: f64 = 2.0;

/// A run of readings that are all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Frozen {
    from_ms: i64,
    last_ms: i64,
    low_pct: f64,
    high_pct: f64,
    /// Driven between its readings.
    moved_ms: i64,
    /// Driven since the last of them: the next one decides whether that counts.
    moving_ms: i64,
    /// Burned since the fold began, at its first reading and its last, L.
    burned_from_l: f64,
    burned_last_l: f64,
    /// The last level of a machine that stood before it.
    pub(super) before: Option<Point>,
    fired_ms: Option<i64>,
}

/// From when on a run is told of: either of the two.
#[derive(Debug, Clone, Copy)]
pub(super) struct StuckAfter {
    pub(super) moved_ms: i64,
    pub(super) burned_l: f64,
}

impl Frozen {
    pub(super) fn begin(at_ms: i64, percent: f64, burned_l: f64, before: Option<Point>) -> Self {
        Self {
            from_ms: at_ms,
            last_ms: at_ms,
            low_pct: percent,
            high_pct: percent,
            moved_ms: 0,
            moving_ms: 0,
            burned_from_l: burned_l,
            burned_last_l: burned_l,
            before,
            fired_ms: None,
        }
    }

    /// The machine drove for so long.
    pub(super) fn drive(&mut self, elapsed_ms: i64) {
        self.moving_ms += elapsed_ms;
    }

    /// Takes the next reading; false when it ends the run, of which it is no part then.
    pub(super) fn take(&mut self, at_ms: i64, percent: f64, burned_l: f64) -> bool {
        let (low_pct, high_pct) = (self.low_pct.min(percent), self.high_pct.max(percent));
        if high_pct - low_pct > SAME_PCT {
            return false;
        }
        let moving_ms = std::mem::take(&mut self.moving_ms);
        if at_ms - self.last_ms <= APART_MS {
            self.moved_ms += moving_ms;
        }
        (self.low_pct, self.high_pct) = (low_pct, high_pct);
        (self.last_ms, self.burned_last_l) = (at_ms, burned_l);
        true
    }

    /// Whether its readings are those of a sender that is stuck, rather than of a machine that stands.
    pub(super) fn is_doubtful(&self, tank_l: f64) -> bool {
        self.has_driven(DOUBTED_AFTER_MS, tank_l)
    }

    /// Tells of the run from this reading on, if it has lasted for long enough.
    pub(super) fn judge(&mut self, after: StuckAfter, tank_l: f64) {
        if self.has_driven(after.moved_ms, tank_l) || self.burned_l() >= after.burned_l * self.times() {
            self.fired_ms.get_or_insert(self.last_ms);
        }
    }

    fn has_driven(&self, for_ms: i64, tank_l: f64) -> bool {
        // Of a machine without a burning rate nothing is known to have been burned.
        let should_move = self.burned_l() == 0.0 || self.burned_l() >= MOVES_SHARE * tank_l;
        should_move && self.moved_ms as f64 >= for_ms as f64 * self.times()
    }

    fn burned_l(&self) -> f64 {
        self.burned_last_l - self.burned_from_l
    }

    /// How many times longer it has to last where it is.
    fn times(&self) -> f64 {
        let is_at_stops = self.high_pct <= STOPS_PCT.0 || self.low_pct >= STOPS_PCT.1;
        if is_at_stops { AT_STOPS_TIMES } else { 1.0 }
    }

    /// What was found, if it was told of; `settled_at_ms` is when a reading ended it.
    pub(super) fn found(&self, tank_l: f64, settled_at_ms: Option<i64>) -> Option<Found> {
        let fired_at_ms = self.fired_ms?;
        let evidence = Evidence::from(
            [
                ("value", self.burned_l()),
                ("burned_l", self.burned_l()),
                ("moved_h", self.moved_ms as f64 / 3_600_000.0),
                ("level_before_pct", self.low_pct),
                ("level_after_pct", self.high_pct),
                ("tank_l", tank_l),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        Some(Found {
            opened_at_ms: self.from_ms,
            fired_at_ms,
            closed_at_ms: settled_at_ms.map(|_| self.last_ms),
            settled_at_ms,
            evidence,
        })
    }
}
