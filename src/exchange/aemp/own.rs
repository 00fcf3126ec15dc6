//! Our machines in the words of the standard.

use std::collections::BTreeMap;

use jiff::Timestamp;
use wire::{ReportKind, SignalId, catalogue};

use super::model::{EngineStatus, Equipment, Fault, Header, Location, Metric, Remaining, Timed};
use super::samples::signal_of;
use crate::derive::FaultEntry;
use crate::derive::health::Severity;
use crate::derive::health::fault::{FaultCatalogue, FaultKey};
use crate::store::{Newest, RegisteredMachine, UseOfDay};

/// Makers by how the codes of the machine catalogue begin.
const MAKERS: [(&str, &str); 6] = [
    ("mtz-", "MTZ"),
    ("gs", "Gomselmash"),
    ("fs", "Gomselmash"),
    ("kg", "Gomselmash"),
    ("log-", "AMKODOR"),
    ("dryer-", "AMKODOR"),
];

/// The counters of a machine that have a signal.
const COUNTERS: [Metric; 5] =
    [Metric::OperatingHours, Metric::IdleHours, Metric::PowerTakeOffHours, Metric::FuelUsed, Metric::Distance];

/// Every signal that a machine's page is made of.
pub fn signals() -> Vec<SignalId> {
    let others = [
        catalogue::LATITUDE_DEG,
        catalogue::LONGITUDE_DEG,
        catalogue::ALTITUDE_M,
        catalogue::ENGINE_SPEED_RPM,
        catalogue::ENGINE_RUNNING,
        catalogue::FUEL_LEVEL_PCT,
        catalogue::DEF_LEVEL_PCT,
    ];
    COUNTERS.into_iter().filter_map(signal_of).chain(others).collect()
}

/// The signal behind a plain number of the standard.
pub fn signal(metric: Metric) -> Option<SignalId> {
    signal_of(metric)
}

/// Who a machine of ours is.
pub fn header(machine: &RegisteredMachine) -> Header {
    let model = machine.model.as_deref();
    let by_model = || MAKERS.iter().find(|(start, _)| model.is_some_and(|model| model.starts_with(start)));
    let maker = machine.maker.clone().or_else(|| by_model().map(|(_, maker)| (*maker).to_owned()));
    Header {
        installed_at: Timestamp::from_millisecond(machine.registered_at_ms).ok(),
        oem_name: maker,
        model: machine.model.clone(),
        equipment_id: machine.name.clone(),
        serial_number: Some(machine.serial.clone()),
        pin: Some(machine.serial.clone()),
    }
}

/// What is known of a machine's last 24 hours.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfDay<'a> {
    /// What its fuel counter grew by.
    pub fuel: Option<&'a Newest>,
    /// How it was used.
    pub used: Option<&'a UseOfDay>,
}

/// A machine of ours with the newest values of it; `tank_l` is what the fuel tank of its model holds.
pub fn equipment(machine: &RegisteredMachine, newest: &[Newest], of_day: OfDay<'_>, tank_l: Option<f64>) -> Equipment {
    let find = |signal: SignalId| {
        let is_it = |value: &&Newest| value.machine_id == machine.machine_id && value.signal == signal;
        let value = newest.iter().find(is_it)?;
        Some(Timed { at: Timestamp::from_millisecond(value.recorded_at_ms).ok()?, value: value.value })
    };
    let mut equipment = Equipment { header: header(machine), ..Equipment::default() };
    if let (Some(latitude), Some(longitude)) = (find(catalogue::LATITUDE_DEG), find(catalogue::LONGITUDE_DEG)) {
        let altitude = find(catalogue::ALTITUDE_M).filter(|altitude| altitude.at == latitude.at);
        let value = Location {
            latitude_deg: latitude.value,
            longitude_deg: longitude.value,
            altitude_m: altitude.map(|altitude| altitude.value),
        };
        equipment.location = Some(Timed { at: latitude.at, value });
    }
    for metric in COUNTERS {
        if let Some(value) = signal_of(metric).and_then(find) {
            equipment.values.set(metric, value.at, value.value);
        }
    }
    let grown = of_day.fuel.and_then(|grown| Some((Timestamp::from_millisecond(grown.recorded_at_ms).ok()?, grown)));
    if let Some((at, grown)) = grown {
        // Millilitres are what the counter resolves; the difference of two of them must not show more.
        equipment.values.set(Metric::FuelUsedLast24, at, (grown.value * 1000.0).round() / 1000.0);
    }
    if let Some((at, used)) =
        of_day.used.and_then(|used| Some((Timestamp::from_millisecond(used.until_ms).ok()?, used)))
    {
        let figures = [(Metric::LoadFactorLast24, used.load_pct), (Metric::MaximumSpeedLast24, used.speed_kmh)];
        for (metric, figure) in figures {
            if let Some(value) = figure {
                equipment.values.set(metric, at, tenths(value));
            }
        }
    }
    let by_speed = find(catalogue::ENGINE_SPEED_RPM);
    let by_word = find(catalogue::ENGINE_RUNNING);
    // Whichever was said last: a source that tells the speed need not tell the rest.
    equipment.engine = [by_speed, by_word].into_iter().flatten().max_by_key(|said| said.at).map(running);
    let level = |signal, capacity_l| find(signal).map(|level| level_of(level, capacity_l));
    equipment.fuel_remaining = level(catalogue::FUEL_LEVEL_PCT, tank_l);
    equipment.def_remaining = level(catalogue::DEF_LEVEL_PCT, None);
    equipment
}

/// A figure of a day, which is no finer than this.
pub fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn running(said: Timed<f64>) -> Timed<EngineStatus> {
    Timed { at: said.at, value: EngineStatus { number: Some("1".into()), is_running: said.value > 0.0 } }
}

fn level_of(level: Timed<f64>, capacity_l: Option<f64>) -> Timed<Remaining> {
    Timed { at: level.at, value: Remaining { percent: level.value, capacity_l } }
}

/// Trouble codes when they came up: an active report that names a code which the controller's report before did not.
pub fn fault_onsets(reports: &[FaultEntry], words: &FaultCatalogue, model: Option<&str>) -> Vec<Fault> {
    let mut before: BTreeMap<u8, Vec<FaultKey>> = BTreeMap::new();
    let mut onsets = Vec::new();
    for entry in reports.iter().filter(|entry| entry.report.report == ReportKind::Active) {
        let report = &entry.report;
        let key = |fault: &wire::Fault| FaultKey {
            source_address: report.source_address,
            spn: fault.spn,
            fmi: fault.fmi,
            legacy: fault.legacy_conversion,
        };
        let codes: Vec<FaultKey> = report.faults.iter().map(key).collect();
        let known = before.insert(report.source_address, codes.clone()).unwrap_or_default();
        let Ok(at) = Timestamp::from_millisecond(report.recorded_at_ms) else { continue };
        for key in codes.into_iter().filter(|key| !known.contains(key)) {
            let found = words.explain(key, model, report.lamps.state);
            onsets.push(Fault {
                at,
                identifier: key.code().to_string(),
                description: found.title.en,
                severity: word_of(found.severity).into(),
                source: words.controller(key.source_address).en,
            });
        }
    }
    onsets
}

/// How bad a fault is, in the words that clients sort by.
fn word_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Stop => "Critical",
        Severity::Urgent => "High",
        Severity::Plan => "Medium",
        Severity::Information => "Low",
    }
}
