//! All of health over the records of one machine: what can be told as they go by, stretch by stretch.
//!
//! A stretch may be an hour or a season, and the state between two can be stored: the result is the same.

use std::ops::Range;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::super::{FaultEntry, Readings};
use super::counter::GuardedCounter;
use super::episode::{Episode, Subject};
use super::fault::{Fault, FaultCatalogue, FaultFold, FaultKey};
use super::rule::{DayFigures, Ended, MachineFacts, RuleFold, RuleFoldState, RuleSet};

/// The state between two stretches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthState {
    rules: RuleFoldState,
    faults: FaultFold,
}

impl HealthState {
    /// The state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data always serialises")
    }

    /// The state behind bytes; none where they are of another version, or damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

/// The fold.
pub struct HealthFold<'a> {
    rules: RuleFold<'a>,
    faults: FaultFold,
    catalogue: &'a FaultCatalogue,
    facts: &'a MachineFacts,
}

impl<'a> HealthFold<'a> {
    /// Begins, or goes on from a state that the same rules left for a machine of the same model.
    pub fn new(
        rules: &'a RuleSet,
        catalogue: &'a FaultCatalogue,
        facts: &'a MachineFacts,
        zone: &TimeZone,
        state: HealthState,
    ) -> Self {
        Self { rules: RuleFold::new(rules, facts, zone, state.rules), faults: state.faults, catalogue, facts }
    }

    /// Takes the next stretch: the samples `span` of `readings`, and the reports of the same time, in order. Every
    /// record of the machine before `until_ms` has been taken then, and none after it.
    pub fn push(
        &mut self,
        readings: &Readings,
        span: Range<usize>,
        reports: &[FaultEntry],
        until_ms: i64,
        ended: &mut Ended,
    ) {
        self.rules.push(readings, span, ended);
        let first = ended.episodes.len();
        for entry in reports {
            self.faults.push(&entry.report, &mut ended.episodes);
        }
        self.faults.advance(until_ms, &mut ended.episodes);
        ended.episodes[first..].iter_mut().for_each(|episode| self.judge(episode));
    }

    /// What lasts, or could still change, when the records end and it is `now_ms`.
    pub fn open(&mut self, now_ms: i64) -> Vec<Episode> {
        let mut open = self.faults.open();
        open.iter_mut().for_each(|episode| self.judge(episode));
        open.extend(self.rules.open(now_ms));
        open
    }

    /// Every fault met.
    pub fn faults(&self) -> impl Iterator<Item = (FaultKey, &Fault)> {
        self.faults.faults()
    }

    /// The day that goes on, as far as it has come.
    pub fn day(&self) -> Option<DayFigures> {
        self.rules.day()
    }

    /// The engine's hours, guarded.
    pub fn engine_hours(&self) -> GuardedCounter {
        self.rules.engine_hours()
    }

    /// The state to go on from.
    pub fn state(&self) -> HealthState {
        HealthState { rules: self.rules.state(), faults: self.faults.clone() }
    }

    /// How bad a fault is, the catalogue knows.
    fn judge(&self, episode: &mut Episode) {
        if let Subject::Fault(key) = &episode.subject {
            let lamps = episode.evidence.get("lamps").map_or(0xFF, |lamps| *lamps as u8);
            episode.severity = self.catalogue.explain(*key, self.facts.model.as_deref(), lamps).severity;
        }
    }
}
