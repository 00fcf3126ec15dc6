//! The causes.

use wire::{SignalId, catalogue as signal};

use crate::fleet::SimulatorError;
use crate::machine::catalogue::{Kind, Model};
use crate::machine::settings::FaultSettings;

/// What is wrong with a machine, as far as physics feels it. Everything is 0 on a healthy machine, and 1 where a cause
/// has come to its worst.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Effects {
    pub(crate) radiator: f64,
    pub(crate) oil_pressure: f64,
    pub(crate) air_filter: f64,
    pub(crate) fuel_filter: f64,
    pub(crate) boost: f64,
    pub(crate) charging: f64,
    pub(crate) hydraulics: f64,
    pub(crate) transmission: f64,
    pub(crate) drum_slip: f64,
    pub(crate) elevator_slip: f64,
    pub(crate) belt_slip: f64,
    pub(crate) bearing: f64,
    pub(crate) flame: f64,
    pub(crate) exhaust_fluid: f64,
    pub(crate) soot: f64,
    pub(crate) sensor: Option<(SignalId, SensorFault)>,
}

/// How a sensor fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SensorFault {
    /// It shows what it showed when it failed.
    Stuck,
    /// It jumps about.
    Noisy,
    /// Its wire is broken: it shows nothing.
    Open,
}

/// On what a cause acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Acts {
    Radiator,
    OilPressure,
    AirFilter,
    FuelFilter,
    Boost,
    Charging,
    Hydraulics,
    Transmission,
    DrumSlip,
    ElevatorSlip,
    BeltSlip,
    Bearing,
    Flame,
    ExhaustFluid,
    Soot,
    /// A sensor fails; a controller that notices sets a code.
    Sensor(SignalId, SensorFault, Option<(u32, u8)>),
    /// A contact that comes and goes: a code without anything else.
    Contact(u32, u8),
    /// Somebody drains the tank at night.
    Theft,
}

/// A cause.
#[derive(Debug)]
pub(crate) struct FaultKind {
    /// Name in configuration and truth.
    pub(crate) name: &'static str,
    pub(crate) acts: Acts,
    /// Engine hours in which it grows to its worst, from and to; 0 for at once.
    pub(crate) grows_h: (f64, f64),
    /// Days after which somebody has mended it, from and to.
    pub(crate) mended_d: (f64, f64),
    /// How often it comes, relative to the others.
    pub(crate) weight: f64,
    /// The signal that shows it first.
    pub(crate) shows: Option<SignalId>,
}

const fn kind(
    name: &'static str,
    acts: Acts,
    grows_h: (f64, f64),
    mended_d: (f64, f64),
    weight: f64,
    shows: Option<SignalId>,
) -> FaultKind {
    FaultKind { name, acts, grows_h, mended_d, weight, shows }
}

use Acts::*;
use SensorFault::*;

#[rustfmt::skip]
pub(crate) static KINDS: &[FaultKind] = &[
    kind("radiator_clogged", Radiator, (6.0, 25.0), (2.0, 6.0), 1.0, Some(signal::COOLANT_TEMP_C)),
    kind("oil_pressure_low", OilPressure, (8.0, 40.0), (2.0, 8.0), 0.5, Some(signal::OIL_PRESSURE_KPA)),
    kind("air_filter_clogged", AirFilter, (10.0, 40.0), (3.0, 9.0), 1.0, Some(signal::AIR_FILTER_DP_KPA)),
    kind("fuel_filter_clogged", FuelFilter, (10.0, 40.0), (3.0, 9.0), 0.8, Some(signal::FUEL_FILTER_DP_KPA)),
    kind("boost_leak", Boost, (0.0, 4.0), (1.0, 5.0), 0.4, Some(signal::BOOST_PRESSURE_KPA)),
    kind("alternator_dead", Charging, (0.0, 0.0), (0.5, 2.0), 0.6, Some(signal::BATTERY_V)),
    kind("hydraulic_cooler_clogged", Hydraulics, (5.0, 20.0), (2.0, 6.0), 0.7, Some(signal::HYD_TEMP_C)),
    kind("transmission_cooler_clogged", Transmission, (5.0, 20.0), (2.0, 6.0), 0.5, Some(signal::TRANS_OIL_TEMP_C)),
    kind("drum_belt_slipping", DrumSlip, (2.0, 10.0), (0.5, 2.0), 1.0, Some(signal::DRUM_RPM)),
    kind("elevator_chain_slipping", ElevatorSlip, (2.0, 10.0), (0.5, 2.0), 0.5, Some(signal::ELEVATOR_RPM)),
    kind("flax_belt_slipping", BeltSlip, (2.0, 8.0), (0.5, 2.0), 1.0, Some(signal::BELT_SPEED_MPS)),
    kind("bearing_hot", Bearing, (1.0, 6.0), (0.5, 2.0), 0.8, Some(signal::BEARING_TEMP_C)),
    kind("flame_lost", Flame, (0.0, 0.0), (0.02, 0.2), 1.0, Some(signal::HEAT_AGENT_TEMP_C)),
    kind("exhaust_fluid_not_refilled", ExhaustFluid, (0.0, 0.0), (2.0, 6.0), 0.4, Some(signal::DEF_LEVEL_PCT)),
    kind("particulate_filter_full", Soot, (10.0, 30.0), (2.0, 5.0), 0.4, Some(signal::DPF_SOOT_PCT)),
    kind("coolant_sensor_open", Sensor(signal::COOLANT_TEMP_C, Open, Some((110, 3))), (0.0, 0.0), (1.0, 6.0), 0.4, Some(signal::COOLANT_TEMP_C)),
    kind("fuel_sender_stuck", Sensor(signal::FUEL_LEVEL_PCT, Stuck, None), (0.0, 0.0), (2.0, 12.0), 0.6, Some(signal::FUEL_LEVEL_PCT)),
    kind("fuel_sender_open", Sensor(signal::FUEL_LEVEL_PCT, Open, Some((96, 4))), (0.0, 0.0), (2.0, 12.0), 0.4, Some(signal::FUEL_LEVEL_PCT)),
    kind("oil_pressure_sensor_noisy", Sensor(signal::OIL_PRESSURE_KPA, Noisy, Some((100, 3))), (0.0, 0.0), (1.0, 6.0), 0.4, Some(signal::OIL_PRESSURE_KPA)),
    kind("hitch_sensor_noisy", Sensor(signal::REAR_HITCH_PCT, Noisy, Some((1873, 3))), (0.0, 0.0), (1.0, 8.0), 0.4, Some(signal::REAR_HITCH_PCT)),
    kind("moisture_cell_fouled", Sensor(signal::CROP_MOISTURE_PCT, Stuck, Some((1555, 2))), (0.0, 0.0), (0.5, 3.0), 0.7, Some(signal::CROP_MOISTURE_PCT)),
    kind("speed_sensor_contact", Contact(84, 2), (0.0, 0.0), (1.0, 6.0), 0.6, None),
    kind("can_bus_contact", Contact(639, 9), (0.0, 0.0), (1.0, 6.0), 0.6, None),
    kind("injector_contact", Contact(653, 5), (0.0, 0.0), (1.0, 6.0), 0.4, None),
    kind("seat_switch_worn", Contact(1504, 31), (0.0, 0.0), (3.0, 12.0), 0.5, None),
    kind("fuel_theft", Theft, (0.0, 0.0), (0.0, 0.0), 0.6, Some(signal::FUEL_LEVEL_PCT)),
];

/// The names of all causes, for configuration.
pub fn fault_kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Checks that all scripted faults are of known kinds.
pub(crate) fn check(settings: &FaultSettings) -> Result<(), SimulatorError> {
    if !(0.0..=1_000.0).contains(&settings.random_rate) {
        return Err(SimulatorError::Setting {
            key: "faults.random_rate",
            value: settings.random_rate.to_string(),
            reason: "give 0 for never to 1000",
        });
    }
    match settings.scripted.iter().find(|fault| fault_kinds().all(|name| name != fault.kind)) {
        Some(fault) => Err(SimulatorError::Setting {
            key: "faults.scripted.kind",
            value: fault.kind.clone(),
            reason: "no fault is called that; `simulator list --faults` names all",
        }),
        None => Ok(()),
    }
}

impl FaultKind {
    /// Whether a machine of `model` can have it: it has the part, and something that shows it.
    pub(crate) fn applies_to(&self, model: &Model) -> bool {
        let reports = |signal: SignalId| model.signals.iter().any(|(reported, _)| *reported == signal);
        let has_can = reports(signal::ENGINE_LOAD_PCT);
        let shows = self.shows.is_none_or(reports);
        match self.acts {
            Contact(653, _) => reports(signal::RAIL_PRESSURE_MPA),
            Contact(1504, _) => model.kind == Kind::Combine,
            Contact(..) => has_can,
            Theft | Flame => shows,
            Bearing | BeltSlip => shows,
            Sensor(signal::FUEL_LEVEL_PCT, Stuck, _) => shows,
            _ => has_can && shows,
        }
    }
}

impl Effects {
    /// Adds a cause that has grown to `severity`.
    pub(crate) fn add(&mut self, acts: Acts, severity: f64) {
        let field = match acts {
            Radiator => &mut self.radiator,
            OilPressure => &mut self.oil_pressure,
            AirFilter => &mut self.air_filter,
            FuelFilter => &mut self.fuel_filter,
            Boost => &mut self.boost,
            Charging => &mut self.charging,
            Hydraulics => &mut self.hydraulics,
            Transmission => &mut self.transmission,
            DrumSlip => &mut self.drum_slip,
            ElevatorSlip => &mut self.elevator_slip,
            BeltSlip => &mut self.belt_slip,
            Bearing => &mut self.bearing,
            Flame => &mut self.flame,
            ExhaustFluid => &mut self.exhaust_fluid,
            Soot => &mut self.soot,
            Sensor(signal, how, _) => {
                self.sensor = Some((signal, how));
                return;
            }
            Contact(..) | Theft => return,
        };
        *field = field.max(severity);
    }
}
