//! From one leg to the next, and what comes between: unloading, refuelling, thieves, faults.

use std::sync::Arc;

use wire::Record;

use super::{Auger, Doing, How, Machine, Stop, Way};
use crate::machine::faults::{Effects, SensorFault};
use crate::machine::gauges;
use crate::machine::land::hash;
use crate::machine::log::{Label, ms};
use crate::machine::motion::{STANDS_MPS, Step, Travel};
use crate::machine::plant::Ramp;
use crate::machine::programme::{Leg, Occupation, Stand, Travelled, View};
use crate::truth::{At, Event, FuelChange, Unloading};

/// Behind an emergency stop the engine idles for a while before it is switched off.
const COOLING_S: f64 = 120.0;
/// Nearer to the end of a pass a stop waits for it, metres.
const NEAR_END_M: f64 = 15.0;
/// A tank with less is empty, kg.
pub(super) const EMPTY_KG: f64 = 1.0;

impl Machine {
    /// Begins the next leg, or goes on with the one that was interrupted.
    pub(super) fn take_next_leg(&mut self, now_s: f64, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        if let (Some(label), Doing::Travels(_)) = (&self.label, &self.doing) {
            self.log.close_strip(label);
        }
        if let Doing::Stands(Stand { occupation: Occupation::Cooling(number), .. }) = self.doing {
            let repair = Stand { occupation: Occupation::Repair(number), ..Stand::off(now_s + self.repair_s(number)) };
            return self.begin_stand(repair, now_s, out);
        }
        if let Some(way) = self.suspended.take() {
            self.start_engine(now_s, out);
            self.doing = Doing::Travels(way);
            return;
        }
        let leg = {
            let view = View { world: &self.world, index: self.index, now_s, pose: self.pose, plant: &self.plant };
            self.programme.next(&view)
        };
        if let Some(job) = self.programme.finished.take() {
            self.log.field_done(&job, now_s, truth);
            self.tasks.complete(now_s, &self.plant, &self.traits, out);
            self.label = None;
        }
        match leg {
            Leg::Stand(stand) => self.begin_stand(stand, now_s, out),
            Leg::Travel(travelled) => self.begin_travel(travelled, now_s, out, truth),
        }
    }

    fn start_engine(&mut self, now_s: f64, out: &mut Vec<Record>) {
        if !self.chunk.engine_on {
            self.plant.start_engine();
            self.faults.switched_on(now_s, out);
        }
    }

    fn begin_stand(&mut self, stand: Stand, now_s: f64, out: &mut Vec<Record>) {
        if stand.engine_on {
            self.start_engine(now_s, out);
        }
        match stand.occupation {
            Occupation::Refuelling => self.filling = Some((now_s, self.plant.tank_l, Occupation::Refuelling)),
            Occupation::Unloading if self.model.harvester.is_some() => self.begin_unloading(now_s, false),
            _ => {}
        }
        if !stand.engine_on {
            self.tasks.pause(now_s, &self.plant, &self.traits, out);
        }
        self.doing = Doing::Stands(stand);
    }

    fn begin_travel(&mut self, leg: Travelled, now_s: f64, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        self.start_engine(now_s, out);
        self.on_field = !leg.on_road && self.programme.field().is_some();
        let speed_mps = match &self.doing {
            Doing::Travels(way) => way.travel.speed_mps,
            Doing::Stands(_) => 0.0,
        };
        let how = How {
            cruise_mps: leg.cruise_mps,
            state: leg.state,
            on_road: leg.on_road,
            fresh_m: leg.fresh_m,
            shafts_on: leg.shafts_on,
        };
        let step = Step { length_s: 0.0, speed: Ramp::level(speed_mps) };
        let travel = Travel::new(leg.path, speed_mps, leg.exit_mps);
        (self.pose, self.backwards) = travel.pose_after(0.0);
        self.doing = Doing::Travels(Box::new(Way { travel, leg: how, step }));
        let label = self.programme.job.as_deref().filter(|_| self.on_field).map(Label::of);
        if self.label.as_deref() != label.as_ref() {
            self.label = label.map(Arc::new);
        }
        if how.fresh_m.is_some()
            && let Some(job) = &self.programme.job
            && !self.tasks.is_on(&job.task)
        {
            self.log.begin_job(self.label.as_deref(), truth);
            self.plant.begin_task();
            self.tasks.start(job, &self.model, now_s, out);
        }
    }

    /// Stops in the middle of a pass where something has to be done now.
    pub(super) fn mind_stops(&mut self, now_s: f64, out: &mut Vec<Record>) {
        let Doing::Travels(way) = &self.doing else { return };
        let (pass_left_m, speed_mps) = (way.travel.left_m(), way.travel.speed_mps);
        let in_pass = way.leg.fresh_m.is_some();
        if let Some(Stop { decided_s, stand }) = self.stopping.filter(|_| speed_mps < STANDS_MPS) {
            self.stopping = None;
            if let Doing::Travels(way) = std::mem::replace(&mut self.doing, Doing::Stands(Stand::off(now_s))) {
                self.suspended = Some(way);
            }
            // What was planned as a time of day lasts as long as it was to last then.
            self.begin_stand(Stand { until_s: stand.until_s + now_s - decided_s, ..stand }, now_s, out);
            return;
        }
        if !in_pass || self.stopping.is_some() || pass_left_m < NEAR_END_M {
            return;
        }
        let view = View { world: &self.world, index: self.index, now_s, pose: self.pose, plant: &self.plant };
        self.stopping = self.programme.stop_in_pass(&view).map(|stand| Stop { decided_s: now_s, stand });
        if self.stopping.is_none() && self.auger.is_none() {
            let left_s = pass_left_m / speed_mps.max(0.5);
            if self.programme.unloads_on_the_go(&view, left_s) {
                self.begin_unloading(now_s, true);
            }
        }
    }

    fn begin_unloading(&mut self, now_s: f64, on_the_go: bool) {
        let kgps = self.model.harvester.as_ref().map_or(0.0, |harvester| harvester.unload_kgps);
        self.auger = Some(Auger { from_s: now_s, kgps, unloaded_before_kg: self.plant.unloaded_kg, on_the_go });
    }

    pub(super) fn end_unloading(&mut self, now_s: f64, truth: &mut Vec<Event>) {
        let Some(auger) = &self.auger else { return };
        let stands = matches!(&self.doing, Doing::Stands(stand) if stand.occupation == Occupation::Unloading);
        let is_empty = self.plant.grain_kg < EMPTY_KG;
        let drove_off = auger.on_the_go && !self.chunk.lowered;
        if is_empty || drove_off || (!auger.on_the_go && !stands) {
            let unloading = Unloading {
                from: At(ms(auger.from_s)),
                to: At(ms(now_s)),
                mass_t: (self.plant.unloaded_kg - auger.unloaded_before_kg) / 1_000.0,
                on_the_go: auger.on_the_go,
            };
            self.auger = None;
            self.log.unloaded(unloading, truth);
        }
    }

    /// Ends refuelling, or a theft.
    pub(super) fn end_filling(&mut self, now_s: f64, truth: &mut Vec<Event>) {
        let thief_from = self.faults.theft_over(now_s);
        if let Some(from_s) = thief_from {
            let before_l = self.filling.take().map_or(self.plant.tank_l, |(_, before_l, _)| before_l);
            let change = self.fuel_change(from_s, now_s, before_l);
            self.log.stolen(change, truth);
            self.faults.theft_done(now_s, truth);
        }
        let refuels = matches!(&self.doing, Doing::Stands(stand) if stand.occupation == Occupation::Refuelling);
        if let Some((from_s, before_l, Occupation::Refuelling)) = self.filling
            && refuels
            && matches!(&self.doing, Doing::Stands(stand) if self.stand_is_over(stand, now_s))
        {
            self.filling = None;
            if self.effects.exhaust_fluid < 0.5
                && let Some(engine) = &self.model.engine
                // A tank of diesel takes up to half of it: what is left has to last until the next one.
                && self.plant.def_l < 0.8 * engine.def_tank_l
            {
                self.plant.def_l = 0.97 * engine.def_tank_l;
            }
            let change = self.fuel_change(from_s, now_s, before_l);
            self.log.refuelled(change, truth);
        }
    }

    fn fuel_change(&self, from_s: f64, to_s: f64, before_l: f64) -> FuelChange {
        FuelChange {
            from: At(ms(from_s)),
            to: At(ms(to_s)),
            before_l,
            after_l: self.plant.tank_l,
            position: self.world.estate(self.index).farm.projection.degrees(self.pose.at),
        }
    }

    pub(super) fn meet_faults(&mut self, now_s: f64, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        let parked_until_s = match &self.doing {
            Doing::Stands(stand) if !stand.engine_on => Some(stand.until_s),
            _ => None,
        };
        let hours = self.plant.engine_hours_h;
        let lasts =
            |occupation: Occupation| matches!(&self.doing, Doing::Stands(stand) if stand.occupation == occupation);
        self.faults.turn(now_s, hours, self.plant.tank_l, parked_until_s, truth);
        self.effects = self.faults.effects(hours);
        let dries = lasts(Occupation::Drying);
        if self.chunk.engine_on || dries {
            let moment = self.moment(now_s);
            let mut facts = gauges::facts(&self.model, &self.traits, &self.plant, &moment, &self.effects);
            if dries {
                facts.flame_lost = self.effects.flame;
            }
            if self.faults.has_causes() {
                let mut healthy = gauges::facts(&self.model, &self.traits, &self.plant, &moment, &Effects::default());
                healthy.coolant_c -= self.warmer.coolant_c;
                healthy.transmission_c -= self.warmer.transmission_c;
                healthy.hydraulics_c -= self.warmer.hydraulics_c;
                healthy.bearing_c -= self.warmer.bearing_c;
                self.faults.notice(now_s, &facts, &healthy, self.level_off_pct(), truth);
            }
            self.faults.watch(now_s, &facts, out, truth);
        }
        if let Some(number) = self.faults.take_stop() {
            self.stop_for_repair(number, now_s);
        }
        if let Doing::Stands(Stand { occupation: Occupation::Repair(number), until_s, .. }) = &self.doing
            && now_s >= until_s - 1e-6
        {
            self.faults.repair(*number, now_s, truth);
        }
    }

    /// By how much a sender that is stuck is off, per cent of the tank.
    fn level_off_pct(&self) -> f64 {
        let signal = wire::catalogue::FUEL_LEVEL_PCT;
        match (self.frozen_at(signal), self.effects.broken(signal), &self.model.engine) {
            (Some(shown_pct), Some(SensorFault::Stuck), Some(engine)) => {
                (self.plant.tank_l / engine.tank_l * 100.0 - shown_pct).abs()
            }
            _ => f64::NAN,
        }
    }

    /// The driver sees the red lamp: stops, lets the engine cool, switches it off and waits for help.
    fn stop_for_repair(&mut self, number: u32, now_s: f64) {
        let cools = Stand { occupation: Occupation::Cooling(number), ..Stand::idle(now_s + COOLING_S) };
        match &mut self.doing {
            Doing::Travels(_) => self.stopping = Some(Stop { decided_s: now_s, stand: cools }),
            Doing::Stands(stand) if stand.engine_on => *stand = cools,
            Doing::Stands(_) => {}
        }
    }

    /// How long it takes until somebody has come and mended a fault, seconds.
    fn repair_s(&self, number: u32) -> f64 {
        3_600.0 * (0.8 + 2.2 * hash(self.seed, &[i64::from(number)]) as f64 / u64::MAX as f64)
    }
}
