//! The causes.

use wire::{SignalId, catalogue as signal};

use crate::fleet::SimulatorError;
use crate::machine::catalogue::{Kind, Model};
use crate::machine::settings::FaultSettings;

use super::codes::Facts;

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
    /// Sensors that are broken, one entry a signal.
    pub(crate) sensors: [Option<(SignalId, SensorFault)>; BROKEN_SENSORS_MAX],
}

/// Sensors of a machine that can be broken at a time; there are no more kinds of such faults.
const BROKEN_SENSORS_MAX: usize = 8;

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
    /// By how much it has to move that, in the unit of [`moved`], before it stands out of a sensor's noise and of what
    /// work and weather do; none where a code alone tells, or where somebody takes what is gone.
    pub(crate) tells: Option<Tells>,
}

/// How much of a change shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tells {
    pub(crate) by: f64,
    /// In all, with the engine running, seconds.
    pub(crate) for_s: f64,
}

/// How far a cause moves what shows it, given what sensors show with all causes and without any. Degrees, kPa, volts,
/// shares; of exhaust fluid and soot, per cent beyond the limit of the manual; of a sender that is stuck, per cent of
/// the tank that it is off. Not a number where nothing is to be seen at the moment.
pub(crate) fn moved(acts: Acts, facts: &Facts, healthy: &Facts, level_off_pct: f64) -> f64 {
    match acts {
        Radiator => facts.coolant_c - healthy.coolant_c,
        OilPressure => 1.0 - facts.oil_kpa / healthy.oil_kpa,
        AirFilter => facts.air_filter_kpa - healthy.air_filter_kpa,
        FuelFilter => facts.fuel_filter_kpa - healthy.fuel_filter_kpa,
        Boost => healthy.boost_share - facts.boost_share,
        Charging => healthy.charging_v - facts.charging_v,
        Hydraulics => facts.hydraulics_c - healthy.hydraulics_c,
        Transmission => facts.transmission_c - healthy.transmission_c,
        DrumSlip => facts.drum_slip - healthy.drum_slip,
        ElevatorSlip => facts.elevator_slip - healthy.elevator_slip,
        BeltSlip => facts.belt_slip - healthy.belt_slip,
        Bearing => facts.bearing_c - healthy.bearing_c,
        Flame => facts.flame_lost,
        ExhaustFluid => 10.0 - facts.exhaust_fluid_pct,
        Soot => facts.soot_pct - 100.0,
        Sensor(signal::FUEL_LEVEL_PCT, Stuck, _) => level_off_pct,
        Sensor(..) | Contact(..) | Theft => f64::NAN,
    }
}

const fn kind(
    name: &'static str,
    acts: Acts,
    grows_h: (f64, f64),
    mended_d: (f64, f64),
    weight: f64,
    shows: Option<SignalId>,
    tells: Option<Tells>,
) -> FaultKind {
    FaultKind { name, acts, grows_h, mended_d, weight, shows, tells }
}

const fn tells(by: f64, for_s: f64) -> Option<Tells> {
    Some(Tells { by, for_s })
}

use Acts::*;
use SensorFault::*;

#[rustfmt::skip]
pub(crate) static KINDS: &[FaultKind] = &[
    kind("radiator_clogged", Radiator, (6.0, 25.0), (2.0, 6.0), 1.0, Some(signal::COOLANT_TEMP_C), tells(6.0, 1_800.0)),
    kind("oil_pressure_low", OilPressure, (8.0, 40.0), (2.0, 8.0), 0.5, Some(signal::OIL_PRESSURE_KPA), tells(0.2, 600.0)),
    kind("air_filter_clogged", AirFilter, (10.0, 40.0), (3.0, 9.0), 1.0, Some(signal::AIR_FILTER_DP_KPA), tells(2.0, 600.0)),
    kind("fuel_filter_clogged", FuelFilter, (10.0, 40.0), (3.0, 9.0), 0.8, Some(signal::FUEL_FILTER_DP_KPA), tells(20.0, 600.0)),
    kind("boost_leak", Boost, (0.0, 4.0), (1.0, 5.0), 0.4, Some(signal::BOOST_PRESSURE_KPA), tells(0.3, 60.0)),
    kind("alternator_dead", Charging, (0.0, 0.0), (0.5, 2.0), 0.6, Some(signal::BATTERY_V), tells(0.8, 180.0)),
    kind("hydraulic_cooler_clogged", Hydraulics, (5.0, 20.0), (2.0, 6.0), 0.7, Some(signal::HYD_TEMP_C), tells(18.0, 1_800.0)),
    kind("transmission_cooler_clogged", Transmission, (5.0, 20.0), (2.0, 6.0), 0.5, Some(signal::TRANS_OIL_TEMP_C), tells(30.0, 1_800.0)),
    kind("drum_belt_slipping", DrumSlip, (2.0, 10.0), (0.5, 2.0), 1.0, Some(signal::DRUM_RPM), tells(0.08, 60.0)),
    kind("elevator_chain_slipping", ElevatorSlip, (2.0, 10.0), (0.5, 2.0), 0.5, Some(signal::ELEVATOR_RPM), tells(0.10, 60.0)),
    kind("flax_belt_slipping", BeltSlip, (2.0, 8.0), (0.5, 2.0), 1.0, Some(signal::BELT_SPEED_MPS), tells(0.10, 60.0)),
    kind("bearing_hot", Bearing, (1.0, 6.0), (0.5, 2.0), 0.8, Some(signal::BEARING_TEMP_C), tells(40.0, 1_800.0)),
    kind("flame_lost", Flame, (0.0, 0.0), (0.02, 0.2), 1.0, Some(signal::HEAT_AGENT_TEMP_C), tells(0.5, 60.0)),
    kind("exhaust_fluid_not_refilled", ExhaustFluid, (0.0, 0.0), (2.0, 6.0), 0.4, Some(signal::DEF_LEVEL_PCT), tells(0.0, 600.0)),
    kind("particulate_filter_full", Soot, (10.0, 30.0), (2.0, 5.0), 0.4, Some(signal::DPF_SOOT_PCT), tells(0.0, 180.0)),
    kind("coolant_sensor_open", Sensor(signal::COOLANT_TEMP_C, Open, Some((110, 3))), (0.0, 0.0), (1.0, 6.0), 0.4, Some(signal::COOLANT_TEMP_C), None),
    kind("fuel_sender_stuck", Sensor(signal::FUEL_LEVEL_PCT, Stuck, None), (0.0, 0.0), (2.0, 12.0), 0.6, Some(signal::FUEL_LEVEL_PCT), tells(5.0, 1_800.0)),
    kind("fuel_sender_open", Sensor(signal::FUEL_LEVEL_PCT, Open, Some((96, 4))), (0.0, 0.0), (2.0, 12.0), 0.4, Some(signal::FUEL_LEVEL_PCT), None),
    kind("oil_pressure_sensor_noisy", Sensor(signal::OIL_PRESSURE_KPA, Noisy, Some((100, 3))), (0.0, 0.0), (1.0, 6.0), 0.4, Some(signal::OIL_PRESSURE_KPA), None),
    kind("hitch_sensor_noisy", Sensor(signal::REAR_HITCH_PCT, Noisy, Some((1873, 3))), (0.0, 0.0), (1.0, 8.0), 0.4, Some(signal::REAR_HITCH_PCT), None),
    kind("moisture_cell_fouled", Sensor(signal::CROP_MOISTURE_PCT, Stuck, Some((1555, 2))), (0.0, 0.0), (0.5, 3.0), 0.7, Some(signal::CROP_MOISTURE_PCT), None),
    kind("speed_sensor_contact", Contact(84, 2), (0.0, 0.0), (1.0, 6.0), 0.6, None, None),
    kind("can_bus_contact", Contact(639, 9), (0.0, 0.0), (1.0, 6.0), 0.6, None, None),
    kind("injector_contact", Contact(653, 5), (0.0, 0.0), (1.0, 6.0), 0.4, None, None),
    kind("seat_switch_worn", Contact(1504, 31), (0.0, 0.0), (3.0, 12.0), 0.5, None, None),
    kind("fuel_theft", Theft, (0.0, 0.0), (0.0, 0.0), 0.6, Some(signal::FUEL_LEVEL_PCT), None),
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
    /// How the sensor of a signal is broken.
    pub(crate) fn broken(&self, signal: SignalId) -> Option<SensorFault> {
        self.sensors.iter().flatten().find(|(broken, _)| *broken == signal).map(|(_, how)| *how)
    }

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
                let is_place =
                    |place: &Option<(SignalId, SensorFault)>| place.is_none_or(|(broken, _)| broken == signal);
                if let Some(place) = self.sensors.iter_mut().find(|place| is_place(place)) {
                    *place = Some((signal, how));
                }
                return;
            }
            Contact(..) | Theft => return,
        };
        *field = field.max(severity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_break_beside_each_other() {
        let mut effects = Effects::default();
        effects.add(Sensor(signal::FUEL_LEVEL_PCT, Stuck, None), 1.0);
        effects.add(Sensor(signal::COOLANT_TEMP_C, Open, Some((110, 3))), 1.0);
        effects.add(Sensor(signal::FUEL_LEVEL_PCT, Open, Some((96, 4))), 1.0);
        assert_eq!(effects.broken(signal::FUEL_LEVEL_PCT), Some(Open), "the later of two on one sensor");
        assert_eq!(effects.broken(signal::COOLANT_TEMP_C), Some(Open));
        assert_eq!(effects.broken(signal::OIL_PRESSURE_KPA), None);
        let sensors = KINDS.iter().filter(|kind| matches!(kind.acts, Sensor(..))).count();
        assert!(sensors <= BROKEN_SENSORS_MAX, "{sensors}");
    }
}
