//! What controllers watch: the conditions of trouble codes.

use super::kinds::Acts;

/// What the sensors of a running machine show, sensor faults left out; NaN where there is no such sensor, so that no
/// condition about it ever holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) coolant_c: f64,
    pub(crate) oil_kpa: f64,
    /// What the oil pressure has to be at this speed, at least.
    pub(crate) oil_least_kpa: f64,
    pub(crate) air_filter_kpa: f64,
    pub(crate) fuel_filter_kpa: f64,
    pub(crate) feed_kpa: f64,
    /// Boost as a share of what the load asks for; NaN at low load.
    pub(crate) boost_share: f64,
    /// For a 12 V system.
    pub(crate) charging_v: f64,
    pub(crate) battery_v: f64,
    pub(crate) hydraulics_c: f64,
    pub(crate) transmission_c: f64,
    /// Share by which a shaft is slower than the engine asks for; NaN while it stands.
    pub(crate) drum_slip: f64,
    pub(crate) elevator_slip: f64,
    pub(crate) belt_slip: f64,
    pub(crate) bearing_c: f64,
    pub(crate) exhaust_fluid_pct: f64,
    pub(crate) soot_pct: f64,
    /// 1 while the burner should burn and does not.
    pub(crate) flame_lost: f64,
}

/// A code with the condition on which a controller sets it.
pub(crate) struct Rule {
    pub(crate) code: Code,
    /// The condition holds while this is positive.
    pub(crate) excess: fn(&Facts) -> f64,
    /// The code goes when the excess has fallen below minus this.
    pub(crate) hysteresis: f64,
    /// How long the condition has to hold.
    pub(crate) for_s: f64,
    /// What causes it.
    pub(crate) cause: Acts,
}

/// A trouble code of a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) spn: u32,
    pub(crate) fmi: u8,
    /// J1939 address of the controller.
    pub(crate) source: u8,
    /// 4 stop now, 3 today, 2 plan a repair, 1 information.
    pub(crate) severity: u8,
}

impl Code {
    const fn new(spn: u32, fmi: u8, source: u8, severity: u8) -> Self {
        Self { spn, fmi, source, severity }
    }

    /// The code of a sensor or a contact.
    pub(crate) fn of_circuit(spn: u32, fmi: u8) -> Self {
        let source = match spn {
            1873 => TRACTOR_ECU,
            1504 | 1555 => BODY,
            _ => ENGINE,
        };
        Self::new(spn, fmi, source, if matches!(spn, 653 | 639) { 3 } else { 2 })
    }
}

const ENGINE: u8 = 0x00;
const TRANSMISSION: u8 = 0x03;
const BODY: u8 = 0x21;
const TRACTOR_ECU: u8 = 0xf0;

const fn rule(code: Code, excess: fn(&Facts) -> f64, hysteresis: f64, for_s: f64, cause: Acts) -> Rule {
    Rule { code, excess, hysteresis, for_s, cause }
}

/// The rules, by the thresholds of the manuals.
#[rustfmt::skip]
pub(crate) static RULES: &[Rule] = &[
    rule(Code::new(110, 16, ENGINE, 3), |f| f.coolant_c - 100.0, 3.0, 30.0, Acts::Radiator),
    rule(Code::new(110, 0, ENGINE, 4), |f| f.coolant_c - 105.0, 4.0, 10.0, Acts::Radiator),
    rule(Code::new(100, 18, ENGINE, 3), |f| 0.9 * f.oil_least_kpa - f.oil_kpa, 15.0, 10.0, Acts::OilPressure),
    rule(Code::new(100, 1, ENGINE, 4), |f| 0.6 * f.oil_least_kpa - f.oil_kpa, 15.0, 3.0, Acts::OilPressure),
    rule(Code::new(107, 16, ENGINE, 2), |f| f.air_filter_kpa - 6.2, 0.8, 10.0, Acts::AirFilter),
    rule(Code::new(95, 16, ENGINE, 2), |f| f.fuel_filter_kpa - 60.0, 6.0, 10.0, Acts::FuelFilter),
    rule(Code::new(94, 18, ENGINE, 3), |f| 240.0 - f.feed_kpa, 20.0, 10.0, Acts::FuelFilter),
    rule(Code::new(102, 18, ENGINE, 3), |f| 0.7 - f.boost_share, 0.1, 15.0, Acts::Boost),
    rule(Code::new(167, 1, ENGINE, 3), |f| 13.0 - f.charging_v, 0.4, 30.0, Acts::Charging),
    rule(Code::new(168, 18, ENGINE, 2), |f| 11.9 - f.battery_v, 0.4, 60.0, Acts::Charging),
    rule(Code::new(1638, 16, BODY, 3), |f| f.hydraulics_c - 85.0, 3.0, 60.0, Acts::Hydraulics),
    rule(Code::new(1638, 0, BODY, 3), |f| f.hydraulics_c - 95.0, 3.0, 30.0, Acts::Hydraulics),
    rule(Code::new(177, 16, TRANSMISSION, 3), |f| f.transmission_c - 100.0, 3.0, 60.0, Acts::Transmission),
    rule(Code::new(1488, 18, BODY, 3), |f| f.drum_slip - 0.08, 0.03, 5.0, Acts::DrumSlip),
    rule(Code::new(1554, 18, BODY, 3), |f| f.elevator_slip - 0.10, 0.04, 5.0, Acts::ElevatorSlip),
    rule(Code::new(520_200, 31, BODY, 2), |f| f.belt_slip - 0.10, 0.04, 5.0, Acts::BeltSlip),
    rule(Code::new(520_210, 16, BODY, 4), |f| f.bearing_c - 120.0, 15.0, 10.0, Acts::Bearing),
    rule(Code::new(520_220, 31, BODY, 4), |f| f.flame_lost - 0.5, 0.2, 10.0, Acts::Flame),
    rule(Code::new(1761, 17, ENGINE, 2), |f| 10.0 - f.exhaust_fluid_pct, 5.0, 10.0, Acts::ExhaustFluid),
    rule(Code::new(3719, 16, ENGINE, 3), |f| f.soot_pct - 100.0, 10.0, 30.0, Acts::Soot),
];
