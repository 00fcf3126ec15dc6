//! A machine as it stands when a run begins: some years old, and a little different from others of its model.

use crate::machine::catalogue::{Kind, Model};
use crate::machine::gauges::Traits;
use crate::machine::plant::Plant;
use crate::random::Random;

pub(super) fn draw_traits(random: &mut Random) -> Traits {
    let mut bent = |share: f64| 1.0 + share * random.normal().clamp(-2.0, 2.0);
    Traits {
        oil_pressure: bent(0.02),
        consumption: bent(0.02),
        heat: bent(0.02),
        work_rpm: bent(0.2) - 0.5,
        flow_scale: bent(0.004),
        moisture_offset_pct: 0.15 * (bent(1.0) - 1.0),
    }
}

pub(super) fn draw_plant(model: &Model, air_c: f64, random: &mut Random) -> Plant {
    let years = random.range(0.3, 11.0);
    let hours = years * random.range(model.hours_a_year.0, model.hours_a_year.1);
    let engine = model.engine.as_ref();
    let mean_lph = engine.map_or(0.0, |engine| engine.rated_kw * 0.16);
    let tank_l = engine.map_or(0.0, |engine| engine.tank_l);
    Plant {
        coolant_c: air_c,
        oil_c: air_c,
        transmission_c: air_c,
        hydraulics_c: air_c,
        bearing_c: air_c,
        heat_agent_c: air_c,
        grain_c: air_c,
        charge: random.range(0.85, 1.0),
        tank_l: tank_l * random.range(0.55, 0.97),
        fuel_total_l: (hours * mean_lph).floor(),
        idle_fuel_l: hours * 0.2 * engine.map_or(0.0, |engine| engine.idle_lph),
        engine_hours_h: hours,
        idle_hours_h: hours * 0.2,
        shaft_hours_h: hours * 0.5,
        revolutions: hours * 60.0 * 1_600.0,
        odometer_m: hours * 6_500.0,
        def_l: engine.map_or(0.0, |engine| engine.def_tank_l) * random.range(0.75, 0.95),
        lifetime_area_m2: hours * 15_000.0,
        lifetime_yield_kg: if model.harvester.is_some() { hours * 7_000.0 } else { 0.0 },
        crane_s: if matches!(model.kind, Kind::Forwarder | Kind::TimberHarvester) { hours * 1_900.0 } else { 0.0 },
        water: 1.0,
        fill: if model.kind == Kind::Dryer { 0.6 } else { 0.0 },
        ..Plant::default()
    }
}
