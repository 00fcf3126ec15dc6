//! The next chunk: speed, power, fuel, heat and crop, from what the machine does and where it is.

use std::sync::Arc;

use super::{Doing, How, Machine};
use crate::machine::catalogue::{HarvestOf, Implement, Kind};
use crate::machine::demand::{Ground, Load, gear_for};
use crate::machine::faults::Effects;
use crate::machine::geometry::Point;
use crate::machine::land::{Weather, smooth};
use crate::machine::motion::Step;
use crate::machine::plant::{Chunk, Ramp, Tendency};
use crate::machine::programme::{Job, Occupation, Stand};
use crate::machine::world::Local;

/// Chunks of a standing machine, longest: with the engine running, while something is wrong, and switched off.
const STANDING_S: f64 = 30.0;
const WATCHED_S: f64 = 5.0;
const PARKED_S: f64 = 900.0;
/// Right after a change the fast quantities follow within this time.
const SETTLING_S: f64 = 2.0;
/// In bends a chunk turns the machine by this angle at most.
const BEND_STEP: f64 = 0.4;
/// How far a driver misjudges the crop, as a share of it.
const MISJUDGED: f64 = 0.16;
/// But grain on the ground behind the machine tells at once when it is too fast: a driver errs on the slow side.
const LEAST_TAKEN_FOR: f64 = 1.0;
/// What a trailer beside a forage harvester holds, kg, and the share of its load during which the next one draws level
/// and the harvester goes slowly.
const TRAILER_KG: (f64, f64) = (7_000.0, 12_000.0);
const TRAILERS_CHANGE: f64 = 0.10;
const WHILE_TRAILERS_CHANGE: f64 = 0.5;

/// Where the temperatures of a running machine tend to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct HeatTargets {
    pub(super) coolant_c: f64,
    pub(super) transmission_c: f64,
    pub(super) hydraulics_c: f64,
    pub(super) bearing_c: f64,
}

impl HeatTargets {
    /// How much higher they are than `others`.
    fn above(self, others: Self) -> Self {
        Self {
            coolant_c: self.coolant_c - others.coolant_c,
            transmission_c: self.transmission_c - others.transmission_c,
            hydraulics_c: self.hydraulics_c - others.hydraulics_c,
            bearing_c: self.bearing_c - others.bearing_c,
        }
    }
}

impl Machine {
    pub(super) fn plan_chunk(&mut self, now_s: f64) {
        let local = Local::at(now_s);
        if local.day != self.weather.0 {
            let seed = self.world.estate(self.index).farm.weather_seed;
            self.weather = (local.day, Weather::of(seed, local.day, self.world.day_of_year(local.day)));
        }
        self.effects = self.faults.effects(self.plant.engine_hours_h);
        let next_event_s = self.faults.next_s(now_s);
        let mut longest_s = self.log.day_ends_s() - now_s;
        if next_event_s > now_s {
            longest_s = longest_s.min(next_event_s - now_s);
        }
        let longest_s = longest_s.max(1e-3);
        let last = self.chunk;
        let mut chunk = match &self.doing {
            Doing::Stands(stand) => self.standing_chunk(*stand, now_s, longest_s),
            Doing::Travels(_) => self.travelling_chunk(now_s, longest_s),
        };
        chunk.tank_lps -= self.steal(now_s);
        // Fast quantities go on from where they were; an engine that is switched off stops.
        if chunk.engine_on {
            chunk.rpm.from = if last.engine_on { last.rpm.to } else { 0.0 };
            chunk.power_kw.from = if last.engine_on { last.power_kw.to } else { 0.0 };
            chunk.fuel_lph.from = if last.engine_on { last.fuel_lph.to } else { 0.0 };
        }
        self.plan_heat(&mut chunk, local.hour);
        chunk.charge_per_s = match (chunk.engine_on, self.effects.charging > 0.5) {
            (true, false) => 1.0 / 7_200.0,
            (true, true) => -1.0 / 19_000.0,
            (false, _) => -1.0 / 4_000_000.0,
        };
        self.chunk = chunk;
    }

    /// Litres a second that a thief takes now; notes where it began.
    fn steal(&mut self, now_s: f64) -> f64 {
        let lps = self.faults.theft_lps(now_s);
        if lps > 0.0 && self.filling.is_none() {
            self.filling = Some((now_s, self.plant.tank_l, Occupation::Nothing));
        }
        // Nobody sucks the last litres out of a tank.
        if self.plant.tank_l > 8.0 { lps } else { 0.0 }
    }

    fn standing_chunk(&self, stand: Stand, now_s: f64, longest_s: f64) -> Chunk {
        let left_s = (stand.until_s - now_s).max(1e-3);
        let usual_s = if stand.engine_on {
            if self.faults.any() { WATCHED_S } else { STANDING_S }
        } else if stand.occupation == Occupation::Drying {
            STANDING_S
        } else {
            PARKED_S
        };
        let settles = stand.engine_on && self.chunk.rpm.to == 0.0;
        let length_s = left_s.min(usual_s).min(longest_s).min(if settles { SETTLING_S } else { f64::INFINITY });
        let mut chunk = Chunk {
            from_s: now_s,
            length_s,
            engine_on: stand.engine_on,
            idles: stand.engine_on && stand.occupation == Occupation::Nothing,
            on_task: self.on_field && self.programme.job.is_some(),
            tank_lps: stand.tank_lps,
            flow_delay_s: self.flow_delay_s(),
            has_grain_tank: self.has_grain_tank(),
            ..Chunk::default()
        };
        let unloads = stand.occupation == Occupation::Unloading;
        if unloads && self.model.harvester.is_some() {
            chunk.unload_kgps = self.auger.map_or(0.0, |auger| auger.kgps);
            chunk.shafts_on = true;
            let empty_s = self.plant.grain_kg / chunk.unload_kgps.max(1.0);
            chunk.length_s = chunk.length_s.min(empty_s.max(0.2));
        }
        self.occupy(&mut chunk, stand.occupation);
        let Some(engine) = self.model.engine.as_ref().filter(|_| stand.engine_on) else { return chunk };
        let (busy_share, busy_rpm) = match stand.occupation {
            Occupation::Loading => (0.42, 0.4),
            Occupation::Felling => (0.5, 0.6),
            Occupation::Pumping => (0.55, 0.5),
            Occupation::Unloading if self.model.harvester.is_some() => (0.24, 0.9),
            Occupation::Unloading => (0.38, 0.4),
            _ => (0.0, 0.0),
        };
        let work_rpm = engine.work_rpm.0 + (engine.work_rpm.1 - engine.work_rpm.0) * busy_rpm;
        let rpm = if busy_share > 0.0 { work_rpm } else { engine.idle_rpm };
        let swing = 1.0 + 0.15 * smooth(self.seed ^ 0xc4a, now_s / 12.0);
        let power_kw = engine.rated_kw * (0.012 + busy_share * swing);
        self.burn(&mut chunk, rpm, power_kw);
        chunk
    }

    /// What a standing machine's occupation moves.
    fn occupy(&self, chunk: &mut Chunk, occupation: Occupation) {
        match occupation {
            Occupation::Loading => {
                chunk.crane_on = true;
                chunk.cargo_kgps = 14.0;
            }
            Occupation::Unloading if self.model.kind == Kind::Forwarder => {
                chunk.crane_on = true;
                chunk.cargo_kgps = -24.0;
            }
            Occupation::Unloading if self.model.kind == Kind::Peat => chunk.fill_per_s = -1.0 / 75.0,
            Occupation::Felling => chunk.crane_on = true,
            Occupation::Pumping => chunk.water_per_s = 1.0 / 900.0,
            Occupation::Drying => {
                // The bin empties and is filled again by trucks.
                chunk.fill_per_s = 0.00025 * smooth(self.seed ^ 0xb19, chunk.from_s / 5_400.0);
                let burns = self.effects.flame < 0.5;
                let set_c = 84.0 + 8.0 * smooth(self.seed ^ 0xd4, chunk.from_s / 20_000.0);
                let air_c = self.air_c(chunk.from_s);
                chunk.heat_agent = Tendency { target_c: if burns { set_c } else { air_c }, time_s: 240.0 };
                let grain_c = if burns { 20.0 + 0.24 * set_c } else { air_c };
                chunk.grain = Tendency { target_c: grain_c, time_s: 2_400.0 };
            }
            _ => {
                if self.model.kind == Kind::Dryer {
                    let target_c = self.air_c(chunk.from_s);
                    chunk.heat_agent = Tendency { target_c, time_s: 900.0 };
                    chunk.grain = Tendency { target_c, time_s: 15_000.0 };
                }
                if self.model.kind == Kind::Fire && !self.on_field && !chunk.engine_on {
                    // Filled up again at home.
                    chunk.water_per_s = -1.0 / 1_200.0;
                }
            }
        }
    }

    fn travelling_chunk(&mut self, now_s: f64, longest_s: f64) -> Chunk {
        let model = Arc::clone(&self.model);
        let (Some(engine), Doing::Travels(way)) = (model.engine.as_ref(), &self.doing) else {
            return Chunk { from_s: now_s, length_s: longest_s.min(PARKED_S), ..Chunk::default() };
        };
        let how = way.leg;
        let lowered = how.fresh_m.is_some();
        let implement: Option<Arc<Implement>> = self.programme.job.as_ref().map(|job| Arc::clone(&job.implement));
        let load = Load {
            model: &model,
            engine,
            implement: implement.as_deref(),
            lowered,
            shafts_on: how.shafts_on,
            cargo_kg: self.plant.grain_kg + self.plant.cargo_kg,
        };
        let (ground, moisture_pct) = self.ground(&how, way.travel.pose_after(4.0).0.at, now_s);
        let set_rpm = self.work_rpm();
        let wished_mps = how.cruise_mps * self.haste(now_s, lowered);
        let taken_for = (1.0 + MISJUDGED * smooth(self.seed ^ 0x71d6e, now_s / 70.0)).max(LEAST_TAKEN_FOR);
        let cruise_mps = if lowered { load.working_speed(wished_mps, set_rpm, &ground, taken_for) } else { wished_mps };
        let (curvature, _) = way.travel.piece();
        let bend_s = BEND_STEP / (curvature.abs() * way.travel.speed_mps.max(0.5)).max(1e-6);
        let settles = self.chunk.lowered != lowered || self.chunk.rpm.to == 0.0;
        let limit_s = longest_s.min(bend_s).min(if settles { SETTLING_S } else { f64::INFINITY });
        let mut step = way.travel.plan(cruise_mps, self.stopping.is_some(), limit_s);
        if step.length_s > longest_s {
            // The day, or a fault, cuts the step; its beginning is the same.
            let to = step.speed.at(longest_s / step.length_s);
            step = Step { length_s: longest_s, speed: Ramp { from: step.speed.from, to } };
        }
        let change = (step.speed.to - step.speed.from) / step.length_s;
        let demand = load.at(step.speed.to, change, &ground);
        let rpm = self.travelling_rpm(&how, step.speed.to, cruise_mps, demand.slip, set_rpm);
        let power_kw = demand.total_kw.min(engine.full_kw(rpm) * 1.02);
        let harvests = self.job().and_then(|job| job.operation.harvest).is_some() && lowered;
        let feed = |speed_mps: f64| if harvests { ground.crop_kgpm * speed_mps } else { 0.0 };
        let mut chunk = Chunk {
            from_s: now_s,
            length_s: step.length_s,
            speed_mps: step.speed,
            feed_kgps: Ramp { from: feed(step.speed.from), to: feed(step.speed.to) },
            feed_moisture_pct: moisture_pct,
            engine_on: true,
            lowered,
            shafts_on: how.shafts_on,
            on_task: self.on_field && self.programme.job.is_some(),
            width_m: if lowered { self.job().map_or(0.0, Job::width_m) } else { 0.0 },
            unload_kgps: self.auger.map_or(0.0, |auger| auger.kgps),
            flow_delay_s: self.flow_delay_s(),
            has_grain_tank: self.has_grain_tank(),
            ..Chunk::default()
        };
        if self.model.kind == Kind::Peat {
            chunk.fill_per_s = feed(step.speed.to) / 9_000.0;
        }
        self.burn(&mut chunk, rpm, power_kw);
        (self.slip, self.draft_n) = (demand.slip, demand.draft_n);
        if let Doing::Travels(way) = &mut self.doing {
            way.step = step;
        }
        chunk
    }

    /// How far the driver's speed strays from the one he has in mind: with his hand, with what stands and lies ahead of
    /// a header, and while trailers change beside a forage harvester.
    fn haste(&self, now_s: f64, lowered: bool) -> f64 {
        let hand = 1.0 + 0.05 * smooth(self.seed ^ 0x5eed, now_s / 35.0);
        if !lowered || self.model.harvester.is_none() {
            return hand;
        }
        let is_forage = self.model.kind == Kind::Forage;
        let strays = if is_forage { 0.16 } else { 0.08 };
        let ahead = (1.0 + strays * smooth(self.seed ^ 0x0a4ead, now_s / 150.0)).max(0.4);
        let trailer_kg = TRAILER_KG.0 + (TRAILER_KG.1 - TRAILER_KG.0) * (self.seed % 101) as f64 / 100.0;
        let changes = is_forage && (self.plant.cut_kg / trailer_kg).fract() > 1.0 - TRAILERS_CHANGE;
        hand * ahead * if changes { WHILE_TRAILERS_CHANGE } else { 1.0 }
    }

    /// What the ground at `at` asks for, and the moisture of what grows there.
    fn ground(&self, how: &How, at: Point, now_s: f64) -> (Ground, f64) {
        let none = Ground { on_road: how.on_road, soil: 1.0, ..Ground::default() };
        let (Some(job), Some(fresh_m)) = (self.job(), how.fresh_m) else { return (none, 0.0) };
        let mut ground = Ground { soil: job.field.soil(at), ..none };
        let Some(harvest) = job.operation.harvest else { return (ground, 0.0) };
        let local = Local::at(now_s);
        let mut tpha = job.field.yield_tpha(&job.crop, job.year, at);
        let mut moisture_pct = job.field.moisture_pct(&job.crop, local.day, at, local.hour);
        if harvest == HarvestOf::Straw && job.crop.name == "perennial_grass" {
            // Of 9 t/ha of grass 1.6 t/ha of hay are left.
            tpha *= 0.18;
            moisture_pct = 17.0 + 0.12 * (moisture_pct - 60.0);
        }
        if matches!(harvest, HarvestOf::Fresh | HarvestOf::Straw) {
            tpha *= job.field.evenness_of_swath(at);
        }
        if harvest == HarvestOf::Grain {
            ground.straw_ratio = job.crop.straw_ratio;
        }
        // Tonnes a hectare are tenths of a kilogram a square metre.
        ground.crop_kgpm = tpha / 10.0 * fresh_m;
        (ground, moisture_pct)
    }

    fn travelling_rpm(&self, how: &How, speed_mps: f64, cruise_mps: f64, slip: f64, set_rpm: f64) -> f64 {
        let Some(engine) = &self.model.engine else { return 0.0 };
        let gear = self.model.drive.as_ref().and_then(|drive| gear_for(drive, cruise_mps, set_rpm, engine.rated_rpm));
        match gear {
            Some((_, gear_kmh)) => {
                let by_wheels = speed_mps * 3.6 / (1.0 - slip) / gear_kmh * engine.rated_rpm;
                by_wheels.clamp(0.58 * set_rpm, 1.02 * set_rpm)
            }
            // A governor gives way a little under load.
            None if how.shafts_on => set_rpm * (1.015 - 0.03 * self.moment(self.chunk.from_s).load.min(1.0)),
            None => set_rpm * if how.on_road { 0.88 } else { 0.8 },
        }
    }

    fn work_rpm(&self) -> f64 {
        let band = self.model.engine.as_ref().map_or((0.0, 0.0), |engine| engine.work_rpm);
        band.0 + (band.1 - band.0) * self.traits.work_rpm.clamp(0.0, 1.0)
    }

    /// Sets engine speed, power and fuel at the end of a chunk.
    fn burn(&self, chunk: &mut Chunk, rpm: f64, power_kw: f64) {
        let Some(engine) = &self.model.engine else { return };
        let leaner = 1.0 - 0.18 * self.effects.boost;
        let power_kw = power_kw.min(engine.full_kw(rpm) * leaner * 1.02);
        let lph = engine.fuel_lph(rpm, power_kw) * self.traits.consumption * (1.0 + 0.06 * self.effects.air_filter);
        chunk.rpm = Ramp::level(rpm);
        chunk.power_kw = Ramp::level(power_kw);
        chunk.fuel_lph = Ramp::level(lph);
    }

    fn has_grain_tank(&self) -> bool {
        self.model.harvester.as_ref().is_some_and(|harvester| harvester.tank_t > 0.0)
    }

    fn flow_delay_s(&self) -> f64 {
        self.model.harvester.as_ref().map_or(2.0, |harvester| harvester.flow_delay_s)
    }

    pub(super) fn air_c(&self, time_s: f64) -> f64 {
        self.weather.1.air_c(Local::at(time_s).hour)
    }

    /// Where temperatures tend to in a chunk.
    fn plan_heat(&mut self, chunk: &mut Chunk, hour: f64) {
        let model = Arc::clone(&self.model);
        let heat = &model.heat;
        let air_c = self.weather.1.air_c(hour);
        let rated_kw = self.model.engine.as_ref().map_or(1.0, |engine| engine.rated_kw);
        let load = (chunk.power_kw.to / rated_kw).clamp(0.0, 1.1);
        let tend = |target_c: f64, time_s: f64| Tendency { target_c, time_s };
        let targets = self.heat_targets(chunk, air_c, load, &self.effects);
        self.warmer = HeatTargets::default();
        if self.faults.has_causes() {
            let healthy = self.heat_targets(chunk, air_c, load, &Effects::default());
            self.warmer = targets.above(healthy);
        }
        if self.model.kind == Kind::Peat {
            chunk.bearing = tend(targets.bearing_c, 700.0);
        }
        if !chunk.engine_on {
            chunk.coolant = tend(air_c, 7_200.0);
            chunk.oil = tend(air_c, 8_500.0);
            chunk.transmission = tend(air_c, 15_000.0);
            chunk.hydraulics = tend(air_c, 11_000.0);
            return;
        }
        // A cold engine warms up with what it burns.
        let time_s = if self.plant.coolant_c < heat.thermostat_c - 8.0 { 520.0 - 330.0 * load.min(1.0) } else { 130.0 };
        chunk.coolant = tend(targets.coolant_c, time_s);
        chunk.oil = tend(self.plant.coolant_c + 1.0 + heat.oil_rise_c * load, 330.0);
        chunk.transmission = tend(targets.transmission_c, 1_500.0);
        chunk.hydraulics = tend(targets.hydraulics_c, 1_400.0);
    }

    /// Where the temperatures of a running machine tend to with `effects`.
    fn heat_targets(&self, chunk: &Chunk, air_c: f64, load: f64, effects: &Effects) -> HeatTargets {
        let heat = &self.model.heat;
        let rubs = if chunk.shafts_on { 34.0 + 16.0 * load + 110.0 * effects.bearing } else { 0.0 };
        let clogged = 1.0 + 1.15 * effects.radiator;
        let open_c = air_c + heat.coolant_rise_c * self.traits.heat * (0.25 + 0.75 * load) * clogged;
        let held_c = heat.thermostat_c + 8.0 * load;
        let moves = if chunk.speed_mps.to > 0.3 { load } else { 0.15 * load };
        let busy = if chunk.shafts_on || chunk.crane_on { 0.5 + 0.4 * load } else { 0.25 + 0.3 * load };
        HeatTargets {
            coolant_c: open_c.max(held_c).min(air_c + 125.0),
            transmission_c: air_c
                + heat.transmission_rise_c * (0.35 + 0.7 * moves) * (1.0 + 1.6 * effects.transmission),
            hydraulics_c: air_c + heat.hydraulics_rise_c * (0.4 + 0.6 * busy) * (1.0 + 1.5 * effects.hydraulics),
            bearing_c: air_c + rubs,
        }
    }
}
