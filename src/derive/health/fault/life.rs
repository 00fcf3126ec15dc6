//! The life of faults: from the reports of controllers to what came, went and returned.
//!
//! On the wire a report is the complete list of one controller and is sent when the list changes, so a fault lasts
//! until a report of the same controller no longer names it; silence says nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{FaultReport, ReportKind};

use super::super::episode::{Episode, Evidence, Subject};
use super::super::text::Severity;
use super::FaultKey;

/// A fault that is back within this time was not gone: controllers flicker.
const DEBOUNCE_MS: i64 = 10_000;
/// A fault that came for the first time within this time is new.
pub const NEW_FOR_MS: i64 = 8 * 3_600_000;
/// Most different faults of a machine that are followed; a healthy controller knows a few hundred codes. What
/// comes beyond them is counted.
const MAX_FAULTS: usize = 4_096;
/// Occurrence count that says "not available".
const COUNT_NOT_AVAILABLE: u8 = 127;

/// A fault and what is known of its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// First report that named it, Unix milliseconds.
    pub first_seen_ms: i64,
    /// Last report that named it as active; the first that named it at all where none did.
    pub last_seen_ms: i64,
    /// How often it became active, as far as the reports show.
    pub activations: u32,
    /// Activations that only its count tells of: it came and went between two reports.
    pub unseen_activations: u32,
    /// Last occurrence count; none: not available.
    pub occurrence_count: Option<u8>,
    /// Lamps of its controller when it was last active: state and flash, two bits each.
    pub lamps: (u8, u8),
    /// When the present or latest activation began; none: known from a list of previously active codes alone.
    pub active_since_ms: Option<i64>,
    /// When that activation ended; none: it lasts.
    pub gone_at_ms: Option<i64>,
    /// The controller lists it as previously active.
    pub listed: bool,
    /// When the controller's list was cleared of it.
    pub cleared_at_ms: Option<i64>,
    /// Whether the end of the activation is beyond the debounce, and has been told.
    pub settled: bool,
}

/// A fault's life in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// Active, for the first time, not for long.
    New,
    /// Active.
    Active,
    /// Active again.
    Returned,
    /// Gone, and not dealt with.
    PreviouslyActive,
    /// Gone, and cleared in the controller or closed by a person since.
    Closed,
}

/// A warning lamp of SAE J1939-73.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// Protect.
    Protect,
    /// Amber warning.
    AmberWarning,
    /// Red stop.
    RedStop,
    /// Malfunction indicator.
    Malfunction,
}

/// The lamps that are on. Reserved and unavailable states are not on.
pub fn lamps_on(state: u8) -> Vec<Lamp> {
    let order = [Lamp::Protect, Lamp::AmberWarning, Lamp::RedStop, Lamp::Malfunction];
    order.into_iter().enumerate().filter(|(pair, _)| (state >> (2 * pair)) & 3 == 1).map(|(_, lamp)| lamp).collect()
}

impl Fault {
    /// The life at an instant of the machine's clock, given when a person closed the matter, if one did.
    pub fn life(&self, at_ms: i64, closed_by_person_ms: Option<i64>) -> Life {
        let Some(since) = self.active_since_ms.filter(|_| self.gone_at_ms.is_none()) else {
            let dealt_with = self.cleared_at_ms.is_some() || closed_by_person_ms.is_some();
            return if dealt_with { Life::Closed } else { Life::PreviouslyActive };
        };
        match self.activations + self.unseen_activations {
            0 | 1 if at_ms.saturating_sub(since) <= NEW_FOR_MS => Life::New,
            0 | 1 => Life::Active,
            _ => Life::Returned,
        }
    }

    /// Whether it is active.
    pub fn is_active(&self) -> bool {
        self.active_since_ms.is_some() && self.gone_at_ms.is_none()
    }

    fn episode(&self, key: FaultKey, settled_at_ms: Option<i64>) -> Option<Episode> {
        let opened_at_ms = self.active_since_ms?;
        let mut evidence = Evidence::new();
        if let Some(count) = self.occurrence_count {
            evidence.insert("occurrence_count".into(), f64::from(count));
        }
        evidence.insert("lamps".into(), f64::from(self.lamps.0));
        Some(Episode {
            subject: Subject::Fault(key),
            // The catalogue knows better; see `FaultCatalogue::explain`.
            severity: Severity::Plan,
            opened_at_ms,
            fired_at_ms: opened_at_ms,
            closed_at_ms: self.gone_at_ms,
            settled_at_ms,
            evidence,
        })
    }
}

/// Faults of one machine while its reports go by, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultFold {
    faults: BTreeMap<FaultKey, Fault>,
    /// Codes that were not followed for want of room.
    beyond_bound: u64,
}

impl FaultFold {
    /// Every fault met.
    pub fn faults(&self) -> impl Iterator<Item = (FaultKey, &Fault)> {
        self.faults.iter().map(|(key, fault)| (*key, fault))
    }

    /// Codes that were not followed, because a machine has more than 4,096 different ones.
    pub fn beyond_bound(&self) -> u64 {
        self.beyond_bound
    }

    /// Takes the next report; what has ended for good goes to `ended`.
    pub fn push(&mut self, report: &FaultReport, ended: &mut Vec<Episode>) {
        self.advance(report.recorded_at_ms, ended);
        match report.report {
            ReportKind::Active => self.active(report),
            ReportKind::PreviouslyActive => self.previously_active(report),
        }
    }

    /// The machine's clock has come to an instant: activations that ended long enough before are over.
    pub fn advance(&mut self, at_ms: i64, ended: &mut Vec<Episode>) {
        for (key, fault) in &mut self.faults {
            if !fault.settled && fault.gone_at_ms.is_some_and(|gone| at_ms.saturating_sub(gone) >= DEBOUNCE_MS) {
                fault.settled = true;
                let settled_at_ms = fault.gone_at_ms.map(|gone| gone + DEBOUNCE_MS);
                ended.extend(fault.episode(*key, settled_at_ms));
            }
        }
    }

    /// Activations that last, or that could still go on.
    pub fn open(&self) -> Vec<Episode> {
        self.faults
            .iter()
            .filter(|(_, fault)| !fault.settled)
            .filter_map(|(key, fault)| fault.episode(*key, None))
            .collect()
    }

    fn active(&mut self, report: &FaultReport) {
        let at_ms = report.recorded_at_ms;
        for code in &report.faults {
            let key = FaultKey {
                source_address: report.source_address,
                spn: code.spn,
                fmi: code.fmi,
                legacy: code.legacy_conversion,
            };
            let Some(fault) = self.entry(key, at_ms) else { continue };
            let count = (code.occurrence_count != COUNT_NOT_AVAILABLE).then_some(code.occurrence_count);
            let steps = match (fault.occurrence_count, count) {
                (Some(before), Some(now)) => u32::from(now.saturating_sub(before)),
                _ => 0,
            };
            if fault.is_active() {
                fault.unseen_activations += steps;
            } else if fault.active_since_ms.is_some() && !fault.settled {
                // Back before the debounce was over: it never went.
                fault.gone_at_ms = None;
                fault.unseen_activations += steps.saturating_sub(1);
            } else {
                fault.activations += 1;
                fault.unseen_activations += steps.saturating_sub(1);
                fault.active_since_ms = Some(at_ms);
                fault.gone_at_ms = None;
                fault.settled = false;
            }
            fault.occurrence_count = count.or(fault.occurrence_count);
            fault.lamps = (report.lamps.state, report.lamps.flash);
            fault.last_seen_ms = at_ms;
            fault.cleared_at_ms = None;
        }
        let names = |key: &FaultKey| {
            report
                .faults
                .iter()
                .any(|code| (code.spn, code.fmi, code.legacy_conversion) == (key.spn, key.fmi, key.legacy))
        };
        for (key, fault) in self.of_controller(report.source_address) {
            if fault.is_active() && !names(key) {
                fault.gone_at_ms = Some(at_ms);
            }
        }
    }

    fn previously_active(&mut self, report: &FaultReport) {
        let at_ms = report.recorded_at_ms;
        let mut named = std::collections::BTreeSet::new();
        for code in &report.faults {
            let key = FaultKey {
                source_address: report.source_address,
                spn: code.spn,
                fmi: code.fmi,
                legacy: code.legacy_conversion,
            };
            let Some(fault) = self.entry(key, at_ms) else { continue };
            named.insert(key);
            fault.listed = true;
            fault.cleared_at_ms = None;
            if code.occurrence_count != COUNT_NOT_AVAILABLE {
                if fault.active_since_ms.is_none() && fault.occurrence_count.is_none() {
                    fault.unseen_activations = u32::from(code.occurrence_count);
                }
                fault.occurrence_count = Some(code.occurrence_count);
            }
        }
        for (key, fault) in self.of_controller(report.source_address) {
            if fault.listed && !named.contains(key) {
                fault.listed = false;
                fault.cleared_at_ms = (!fault.is_active()).then_some(at_ms);
            }
        }
    }

    fn of_controller(&mut self, source_address: u8) -> impl Iterator<Item = (&FaultKey, &mut Fault)> {
        let first = FaultKey { source_address, spn: 0, fmi: 0, legacy: false };
        self.faults.range_mut(first..).take_while(move |(key, _)| key.source_address == source_address)
    }

    fn entry(&mut self, key: FaultKey, at_ms: i64) -> Option<&mut Fault> {
        if self.faults.len() >= MAX_FAULTS && !self.faults.contains_key(&key) {
            self.beyond_bound += 1;
            return None;
        }
        Some(self.faults.entry(key).or_insert(Fault {
            first_seen_ms: at_ms,
            last_seen_ms: at_ms,
            activations: 0,
            unseen_activations: 0,
            occurrence_count: None,
            lamps: (0xFF, 0xFF),
            active_since_ms: None,
            gone_at_ms: None,
            listed: false,
            cleared_at_ms: None,
            settled: true,
        }))
    }
}
