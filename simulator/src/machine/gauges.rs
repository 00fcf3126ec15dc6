//! What sensors would show on a machine in a given state: pressures, voltages, shaft speeds.
//!
//! Each is a function of the slow state, the load of the moment and what is wrong with the machine.

use super::catalogue::{Engine, Model};
use super::faults::{Effects, Facts};
use super::plant::Plant;

/// How one machine differs from another of its model: a few per cent, for life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Traits {
    pub(crate) oil_pressure: f64,
    pub(crate) consumption: f64,
    pub(crate) heat: f64,
    pub(crate) work_rpm: f64,
    /// The yield monitor shows this multiple of the truth.
    pub(crate) flow_scale: f64,
    pub(crate) moisture_offset_pct: f64,
}

/// The fast state of a machine at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Moment {
    pub(crate) time_s: f64,
    pub(crate) speed_mps: f64,
    pub(crate) rpm: f64,
    pub(crate) power_kw: f64,
    /// Share of what the engine can give at this speed.
    pub(crate) load: f64,
    pub(crate) fuel_lph: f64,
    pub(crate) air_c: f64,
    pub(crate) engine_on: bool,
    pub(crate) shafts_on: bool,
    pub(crate) lowered: bool,
}

/// Pressure that engine oil has at least by speed (the manuals' green range).
fn oil_least_kpa(rpm: f64) -> f64 {
    if rpm < 1_000.0 {
        80.0
    } else if rpm < 1_800.0 {
        80.0 + (rpm - 1_000.0) / 800.0 * 150.0
    } else {
        230.0
    }
}

/// The relief valve opens.
const OIL_RELIEF_KPA: f64 = 590.0;

pub(crate) fn oil_pressure_kpa(engine: &Engine, traits: &Traits, plant: &Plant, at: &Moment, effects: &Effects) -> f64 {
    if !at.engine_on {
        return 0.0;
    }
    let (idle_kpa, rated_kpa) = engine.oil_pressure_kpa;
    let speed = ((at.rpm - engine.idle_rpm) / (engine.rated_rpm - engine.idle_rpm)).clamp(0.0, 1.1);
    let hot_kpa = idle_kpa + (rated_kpa - idle_kpa) * speed.powf(0.75);
    let thick = 0.94 + 0.8 * (-(plant.oil_c - 20.0) / 32.0).exp();
    let worn = 1.0 - 0.72 * effects.oil_pressure;
    (hot_kpa * thick * traits.oil_pressure * worn).min(OIL_RELIEF_KPA)
}

pub(crate) fn air_filter_kpa(engine: &Engine, plant: &Plant, at: &Moment, effects: &Effects) -> f64 {
    if !at.engine_on {
        return 0.0;
    }
    let speed = at.rpm / engine.rated_rpm;
    // Cleaned every 125 h.
    let dust = 0.006 * (plant.engine_hours_h % 125.0);
    let clean = 0.5 + 1.6 * speed * speed * (0.45 + 0.55 * at.load.min(1.0));
    clean + dust + 6.5 * effects.air_filter * speed * (0.5 + 0.5 * at.load.min(1.0))
}

pub(crate) fn fuel_filter_kpa(plant: &Plant, at: &Moment, effects: &Effects) -> f64 {
    if !at.engine_on {
        return 0.0;
    }
    10.0 + 14.0 * at.load.min(1.0)
        + 0.05 * (plant.engine_hours_h % 250.0)
        + 75.0 * effects.fuel_filter * (0.4 + 0.6 * at.load.min(1.0))
}

pub(crate) fn feed_kpa(plant: &Plant, at: &Moment, effects: &Effects) -> f64 {
    if !at.engine_on {
        return 0.0;
    }
    450.0 - 60.0 * at.load.min(1.0) - 2.6 * (fuel_filter_kpa(plant, at, effects) - 30.0).max(0.0)
}

pub(crate) fn boost_kpa(engine: &Engine, at: &Moment, effects: &Effects) -> f64 {
    let speed = (at.rpm / engine.rated_rpm).min(1.05);
    let healthy = engine.boost_kpa * at.load.clamp(0.0, 1.05).powf(0.9) * (0.35 + 0.65 * speed);
    if at.engine_on { healthy * (1.0 - 0.5 * effects.boost) } else { 0.0 }
}

pub(crate) fn exhaust_c(at: &Moment, plant: &Plant) -> f64 {
    if at.engine_on { 130.0 + 400.0 * at.load.min(1.05) + 0.6 * at.air_c } else { plant.coolant_c }
}

pub(crate) fn intake_c(at: &Moment) -> f64 {
    at.air_c + if at.engine_on { 7.0 + 30.0 * at.load.min(1.05) } else { 1.0 }
}

/// For a 12 V system; a 24 V system has twice that.
pub(crate) fn battery_12v(plant: &Plant, at: &Moment, effects: &Effects) -> f64 {
    // Open-circuit voltage falls with the charge; a load takes some more.
    let rest_v = 11.45 + 1.25 * plant.charge;
    if !at.engine_on {
        return rest_v;
    }
    if effects.charging > 0.5 {
        return rest_v - 0.25;
    }
    14.35 - 0.005 * (at.air_c - 15.0) - 0.25 * (1.0 - plant.charge) - if at.shafts_on { 0.08 } else { 0.0 }
}

/// Share by which the drum lags behind what the engine asks for.
pub(crate) fn drum_slip(at: &Moment, effects: &Effects) -> f64 {
    let load = at.load.clamp(0.0, 1.1);
    0.004 + 0.016 * load * load + 0.26 * effects.drum_slip * (0.25 + 0.75 * load)
}

pub(crate) fn elevator_slip(at: &Moment, effects: &Effects) -> f64 {
    0.004 + 0.01 * at.load + 0.24 * effects.elevator_slip * (0.4 + 0.6 * at.load.clamp(0.0, 1.1))
}

pub(crate) fn belt_slip(at: &Moment, effects: &Effects) -> f64 {
    0.01 + 0.02 * at.load + 0.26 * effects.belt_slip * (0.4 + 0.6 * at.load.clamp(0.0, 1.1))
}

/// Exhaust fluid left, per cent.
pub(crate) fn exhaust_fluid_pct(engine: &Engine, plant: &Plant) -> f64 {
    if engine.def_tank_l > 0.0 { plant.def_l / engine.def_tank_l * 100.0 } else { f64::NAN }
}

/// Soot in the particulate filter: fills and is burned off, about every twelve hours.
pub(crate) fn soot_pct(plant: &Plant, effects: &Effects) -> f64 {
    22.0 + 55.0 * (plant.engine_hours_h / 12.0).fract() + 60.0 * effects.soot
}

/// What the controllers of `model` know.
pub(crate) fn facts(model: &Model, traits: &Traits, plant: &Plant, at: &Moment, effects: &Effects) -> Facts {
    let mut facts = Facts {
        coolant_c: f64::NAN,
        oil_kpa: f64::NAN,
        oil_least_kpa: f64::NAN,
        air_filter_kpa: f64::NAN,
        fuel_filter_kpa: f64::NAN,
        feed_kpa: f64::NAN,
        boost_share: f64::NAN,
        charging_v: f64::NAN,
        battery_v: f64::NAN,
        hydraulics_c: plant.hydraulics_c,
        transmission_c: plant.transmission_c,
        drum_slip: f64::NAN,
        elevator_slip: f64::NAN,
        belt_slip: f64::NAN,
        bearing_c: plant.bearing_c,
        exhaust_fluid_pct: f64::NAN,
        soot_pct: f64::NAN,
        flame_lost: f64::NAN,
    };
    if let Some(engine) = &model.engine {
        facts.coolant_c = plant.coolant_c;
        facts.oil_kpa = oil_pressure_kpa(engine, traits, plant, at, effects);
        facts.oil_least_kpa = oil_least_kpa(at.rpm);
        facts.air_filter_kpa = air_filter_kpa(engine, plant, at, effects);
        facts.charging_v = battery_12v(plant, at, effects);
        facts.battery_v = facts.charging_v;
        facts.exhaust_fluid_pct = exhaust_fluid_pct(engine, plant);
        if model.watches_feed {
            facts.fuel_filter_kpa = fuel_filter_kpa(plant, at, effects);
            facts.feed_kpa = feed_kpa(plant, at, effects);
        }
        if engine.particulate_filter {
            facts.soot_pct = soot_pct(plant, effects);
        }
        let asked_kpa = boost_kpa(engine, at, &Effects::default());
        if engine.boost_kpa > 0.0 && at.load > 0.6 {
            facts.boost_share = boost_kpa(engine, at, effects) / asked_kpa.max(1.0);
        }
    }
    if at.shafts_on {
        facts.drum_slip = drum_slip(at, effects);
        facts.elevator_slip = elevator_slip(at, effects);
        facts.belt_slip = belt_slip(at, effects);
    }
    facts
}
