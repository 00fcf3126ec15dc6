//! Truth summed up: what a machine did, and what of it the store must hold.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ByState, Event, State};

/// Sums over all machines and days of a folder of truth files, by machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Totals {
    /// By serial.
    pub machines: BTreeMap<String, MachineTotals>,
}

/// Sums of one machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct MachineTotals {
    /// Records that the store holds in the end, of all kinds.
    pub records: u64,
    /// Samples among them.
    pub samples: u64,
    /// Fault reports among them.
    pub fault_reports: u64,
    /// Task records among them.
    pub task_records: u64,
    /// Samples that the unit did not record.
    pub missed: u64,
    /// Records that went with a loss of power.
    pub lost: u64,
    /// Hours by state.
    pub hours: ByState,
    /// Way, kilometres.
    pub distance_km: f64,
    /// Fuel burned, litres.
    pub fuel_l: f64,
    /// Work sessions.
    pub sessions: u64,
    /// Area of the sessions: union of the swath, hectares.
    pub worked_ha: f64,
    /// Of that, covered more than once.
    pub double_worked_ha: f64,
    /// Mass harvested in the sessions, tonnes.
    pub harvested_t: f64,
    /// Faults whose cause began to act.
    pub faults: u64,
    /// Times without network or without the unit.
    pub outages: u64,
    /// Their length, hours.
    pub outage_h: f64,
    /// Times in which the clock was wrong.
    pub clock_errors: u64,
    /// Times in which the position was wrong.
    pub receiver_errors: u64,
}

impl Totals {
    /// Adds one event of `machine`.
    pub fn add(&mut self, machine: &str, event: &Event) {
        if !self.machines.contains_key(machine) {
            self.machines.insert(machine.to_string(), MachineTotals::default());
        }
        if let Some(totals) = self.machines.get_mut(machine) {
            totals.add(event);
        }
    }

    /// The sum over all machines.
    pub fn sum(&self) -> MachineTotals {
        let mut sum = MachineTotals::default();
        self.machines.values().for_each(|totals| sum.add_totals(totals));
        sum
    }
}

impl MachineTotals {
    fn add(&mut self, event: &Event) {
        let hours = |from: super::At, to: super::At| (to.0 - from.0) as f64 / 3_600_000.0;
        match event {
            Event::State(interval) => {
                *self.hours.of(interval.state) += hours(interval.from, interval.to);
                self.distance_km += interval.distance_m / 1_000.0;
                self.fuel_l += interval.fuel_l;
            }
            Event::Session(session) => {
                self.sessions += 1;
                self.worked_ha += session.area.worked_ha;
                self.double_worked_ha += session.area.double_worked_ha;
                self.harvested_t += session.harvest.map_or(0.0, |harvest| harvest.mass_t);
            }
            Event::Fault(fault) => self.faults += u64::from(fault.step == super::FaultStep::Begins),
            Event::Outage(outage) => {
                self.outages += 1;
                self.outage_h += hours(outage.from, outage.to);
            }
            Event::Clock(_) => self.clock_errors += 1,
            Event::Receiver(_) => self.receiver_errors += 1,
            Event::Recorded(recorded) => {
                self.records += recorded.end_sequence - recorded.first_sequence;
                self.samples += recorded.samples;
                self.fault_reports += recorded.faults;
                self.task_records += recorded.tasks;
                self.missed += recorded.missed;
                self.lost += recorded.lost;
            }
            Event::FieldDone(_) | Event::Unloading(_) | Event::Refuel(_) | Event::FuelTheft(_) | Event::Day(_) => {}
        }
    }

    fn add_totals(&mut self, other: &Self) {
        let mut hours = other.hours;
        for state in State::ALL {
            *self.hours.of(state) += *hours.of(state);
        }
        self.records += other.records;
        self.samples += other.samples;
        self.fault_reports += other.fault_reports;
        self.task_records += other.task_records;
        self.missed += other.missed;
        self.lost += other.lost;
        self.distance_km += other.distance_km;
        self.fuel_l += other.fuel_l;
        self.sessions += other.sessions;
        self.worked_ha += other.worked_ha;
        self.double_worked_ha += other.double_worked_ha;
        self.harvested_t += other.harvested_t;
        self.faults += other.faults;
        self.outages += other.outages;
        self.outage_h += other.outage_h;
        self.clock_errors += other.clock_errors;
        self.receiver_errors += other.receiver_errors;
    }
}
