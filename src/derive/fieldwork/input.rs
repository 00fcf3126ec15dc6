//! What decides the sessions of a working day.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use wire::{SequenceSet, SignalId};

use super::{FuelSource, Operation};
use crate::derive::field::Fields;
use crate::derive::{Readings, TaskEntry};

/// Everything that decides the sessions of one working day of one machine.
#[derive(Debug, Clone)]
pub struct Work<'a> {
    /// The local date on which the working day begins.
    pub day: Date,
    /// What the machine reported in the working day.
    pub readings: &'a Readings,
    /// What signals said last before the day began, where the machine was at it then: logs do not repeat what did not
    /// change.
    pub carried: &'a [(SignalId, f64)],
    /// Its task events of the day.
    pub tasks: &'a [TaskEntry],
    /// Known fields.
    pub fields: &'a Fields,
    /// What is known of the machine.
    pub machine: &'a Machine,
    /// Which records are accounted for.
    pub ledger: &'a Ledger,
}

/// What is known of a machine beyond what it reports.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Machine {
    /// What it does when nothing else tells: a combine threshes.
    pub operation: Option<Operation>,
    /// Its own working width, m: a header.
    pub width_m: Option<f64>,
    /// Content of the tank, L: it makes litres of a level.
    pub tank_l: Option<f64>,
    /// The only fuel source to use; none: the best.
    pub fuel_source: Option<FuelSource>,
    /// Implement in front of (positive) or behind the antenna, m.
    pub offset_ahead_m: f64,
    /// Middle of the implement right of the antenna, m.
    pub offset_right_m: f64,
    /// Weighbridge over monitor: what the measured mass is multiplied with.
    pub mass_factor: Option<f64>,
    /// Which implements it had.
    pub implements: Vec<ImplementUse>,
}

/// An implement on a machine for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct ImplementUse {
    /// Unix milliseconds, half-open.
    pub period: Range<i64>,
    /// What people call it.
    pub name: String,
    /// Working width, m.
    pub width_m: Option<f64>,
    /// What is done with it.
    pub operation: Option<Operation>,
    /// Ahead of the antenna (negative: behind), m.
    pub offset_ahead_m: f64,
    /// Middle right of the antenna, m.
    pub offset_right_m: f64,
}

impl Machine {
    /// The implement in use at an instant: of several the one assigned last.
    pub fn implement_at(&self, unix_ms: i64) -> Option<&ImplementUse> {
        let in_use = self.implements.iter().filter(|implement| implement.period.contains(&unix_ms));
        in_use.max_by_key(|implement| implement.period.start)
    }
}

/// Which records of a machine are accounted for: stored or refused, by boot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// Sequence numbers by boot.
    pub accounted: BTreeMap<i64, SequenceSet>,
}

impl Ledger {
    /// Records numbered within `sequences` of a boot that never came.
    pub fn missing(&self, boot: i64, sequences: Range<u64>) -> u64 {
        let Some(accounted) = self.accounted.get(&boot) else { return 0 };
        let all = sequences.end.saturating_sub(sequences.start);
        let within = |range: &Range<u64>| {
            let (start, end) = (range.start.max(sequences.start), range.end.min(sequences.end));
            end.saturating_sub(start)
        };
        all - accounted.ranges().iter().map(within).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_never_came_are_counted_within_the_session_only() {
        let accounted = [0..10, 15..20, 30..40].into_iter().collect();
        let ledger = Ledger { accounted: BTreeMap::from([(7, accounted)]) };
        assert_eq!(ledger.missing(7, 5..32), 15);
        assert_eq!(ledger.missing(7, 0..10), 0);
        assert_eq!(ledger.missing(8, 0..10), 0, "a boot without a ledger claims nothing");
    }

    #[test]
    fn the_implement_assigned_last_is_the_one_in_use() {
        let of = |name: &str, period: Range<i64>| ImplementUse {
            period,
            name: name.into(),
            width_m: None,
            operation: None,
            offset_ahead_m: 0.0,
            offset_right_m: 0.0,
        };
        let machine = Machine { implements: vec![of("plough", 0..100), of("drill", 50..80)], ..Machine::default() };
        let name = |at| machine.implement_at(at).map(|implement| implement.name.as_str());
        assert_eq!([name(10), name(60), name(90), name(100)], [Some("plough"), Some("drill"), Some("plough"), None]);
    }
}
