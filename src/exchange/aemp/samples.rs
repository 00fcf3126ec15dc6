//! A machine of another maker's server as the samples it would have sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use wire::{BootId, MachineSerial, Sample, SignalId, catalogue};

use super::super::recording;
use super::model::{Equipment, Header, Metric};

/// A machine and what it reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its serial in our fleet.
    pub machine: MachineSerial,
    /// What the server calls it.
    pub header: Header,
    /// One sample for each time that the server gives, ascending.
    pub samples: Vec<Sample>,
    /// Values that have no signal: sums over a day, which follow from the rest.
    pub not_kept: usize,
}

/// The serial of a machine in our fleet: its PIN, which is unique among all makers; else its serial number with the
/// maker before it, else the owner's number with the maker before it. `None` for a machine without any of these.
pub fn machine_serial(header: &Header) -> Option<MachineSerial> {
    let oem = header.oem_name.as_deref().unwrap_or("aemp");
    let of_maker = |number: &Option<String>| number.as_ref().map(|number| format!("{oem}-{number}"));
    let name =
        header.pin.clone().or_else(|| of_maker(&header.serial_number)).or_else(|| of_maker(&header.equipment_id));
    recording::serial_from(&name?)
}

/// The boot under which a machine's readings from other servers are kept: one for all of them, so that two servers that
/// tell the same reading tell it once.
pub fn boot_of(machine: &MachineSerial) -> BootId {
    recording::boot_of("aemp", machine.as_str())
}

/// Turns a machine into samples. Each value of a snapshot has a time of its own, so a snapshot becomes several.
/// `None` for a machine without a name.
pub fn samples(equipment: &Equipment) -> Option<Imported> {
    let machine = machine_serial(&equipment.header)?;
    let mut by_time: BTreeMap<i64, Sample> = BTreeMap::new();
    let mut put = |at: Timestamp, signal: SignalId, value: f64| {
        let at_ms = at.as_millisecond();
        by_time.entry(at_ms).or_insert_with(|| Sample::at(at_ms)).set(signal, value);
    };
    if let Some(location) = equipment.location {
        put(location.at, catalogue::LATITUDE_DEG, location.value.latitude_deg);
        put(location.at, catalogue::LONGITUDE_DEG, location.value.longitude_deg);
        if let Some(altitude_m) = location.value.altitude_m {
            put(location.at, catalogue::ALTITUDE_M, altitude_m);
        }
    }
    let mut not_kept = 0;
    for (metric, value) in equipment.values.iter() {
        match signal_of(metric) {
            Some(signal) => put(value.at, signal, value.value),
            None => not_kept += 1,
        }
    }
    if let Some(engine) = &equipment.engine {
        put(engine.at, catalogue::ENGINE_RUNNING, f64::from(u8::from(engine.value.is_running)));
    }
    if let Some(level) = equipment.fuel_remaining {
        put(level.at, catalogue::FUEL_LEVEL_PCT, level.value.percent);
    }
    if let Some(level) = equipment.def_remaining {
        put(level.at, catalogue::DEF_LEVEL_PCT, level.value.percent);
    }
    let samples = by_time.into_values().filter(|sample| !sample.values.is_empty()).collect();
    Some(Imported { machine, header: equipment.header.clone(), samples, not_kept })
}

/// The signal of a metric; sums of the last 24 hours have none.
pub(crate) fn signal_of(metric: Metric) -> Option<SignalId> {
    Some(match metric {
        Metric::OperatingHours => catalogue::ENGINE_HOURS_H,
        Metric::IdleHours => catalogue::IDLE_HOURS_H,
        Metric::PowerTakeOffHours => catalogue::PTO_HOURS_H,
        Metric::FuelUsed => catalogue::FUEL_TOTAL_L,
        Metric::Distance => catalogue::ODOMETER_KM,
        Metric::IdleNonOperatingHours
        | Metric::ActiveRegenerationHours
        | Metric::FuelUsedLast24
        | Metric::LoadFactorLast24
        | Metric::MaximumSpeedLast24
        | Metric::LoadCount
        | Metric::Payload => return None,
    })
}
