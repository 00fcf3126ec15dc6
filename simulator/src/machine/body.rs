//! A machine: lets time go on chunk by chunk, and records and remembers what happens.

use std::sync::Arc;

use wire::{MachineSerial, Record, Sample, SignalId};

use super::catalogue::{HarvestOf, Implement, Kind, Model};
use super::demand::{Ground, Load, gear_for};
use super::faults::{Effects, Faults, SensorFault};
use super::gauges::{self, Moment, Traits};
use super::geometry::{Point, Pose};
use super::land::{Weather, smooth};
use super::log::{Label, Slice, TruthLog, ms};
use super::motion::{STANDS_MPS, Step, Travel};
use super::picture::{Picture, TrackPoint};
use super::plant::{Chunk, Plant, Ramp, Tendency};
use super::programme::{Job, Leg, Occupation, Programme, Stand, Travelled, View};
use super::reading::Reading;
use super::tasks::Tasks;
use super::unit::{BEND_DEG, Extent, Unit};
use super::world::{Local, World};
use crate::fleet::Work;
use crate::random::Random;
use crate::truth::{At, Event, FuelChange, State, Unloading};

/// Chunks of a standing machine, longest: with the engine running, while something is wrong, and switched off.
const STANDING_S: f64 = 30.0;
const WATCHED_S: f64 = 5.0;
const PARKED_S: f64 = 900.0;
/// Right after a change the fast quantities follow within this time.
const SETTLING_S: f64 = 2.0;
/// In bends a chunk turns the machine by this angle at most.
const BEND_STEP: f64 = 0.4;
/// Thin air behind an emergency stop: the engine idles for a while before it is switched off.
const COOLING_S: f64 = 120.0;

/// What a machine is about.
#[derive(Debug, Clone)]
enum Doing {
    Stands(Stand),
    Travels(Box<Way>),
}

#[derive(Debug, Clone)]
struct Way {
    travel: Travel,
    leg: How,
    step: Step,
}

/// A travelled leg without its path.
#[derive(Debug, Clone, Copy)]
struct How {
    cruise_mps: f64,
    state: State,
    on_road: bool,
    fresh_m: Option<f64>,
    shafts_on: bool,
}

/// An auger that runs.
#[derive(Debug, Clone, Copy)]
struct Auger {
    from_s: f64,
    kgps: f64,
    given_kg: f64,
    on_the_go: bool,
}

/// A machine.
#[derive(Debug, Clone)]
pub struct Machine {
    world: Arc<World>,
    index: usize,
    model: Arc<Model>,
    seed: u64,
    traits: Traits,
    /// At the beginning of the chunk.
    plant: Plant,
    chunk: Chunk,
    pose: Pose,
    backwards: bool,
    doing: Doing,
    /// A way that was interrupted by a stop.
    suspended: Option<Box<Way>>,
    /// The stop for which the machine slows down.
    stopping: Option<Stand>,
    programme: Programme,
    faults: Faults,
    effects: Effects,
    unit: Unit,
    log: TruthLog,
    tasks: Tasks,
    label: Option<Arc<Label>>,
    on_field: bool,
    auger: Option<Auger>,
    /// Refuelling or theft: since when, and litres before.
    filling: Option<(f64, f64, Occupation)>,
    frozen: Option<(SignalId, f64)>,
    weather: (i64, Weather),
    slip: f64,
    draft_n: f64,
}

impl Machine {
    pub(super) fn new(world: Arc<World>, index: usize) -> Self {
        let model = Arc::clone(world.model(index));
        let serial = world.serial(index);
        let seed = Random::fork(world.seed, serial.as_str()).next_u64();
        let mut random = Random::fork(seed, "machine");
        let mut bent = |share: f64| 1.0 + share * random.normal().clamp(-2.0, 2.0);
        let traits = Traits {
            oil_pressure: bent(0.02),
            consumption: bent(0.02),
            heat: bent(0.02),
            work_rpm: 0.5 + (bent(0.2) - 1.0),
            flow_scale: bent(0.004),
            moisture_offset_pct: 0.15 * (bent(1.0) - 1.0),
        };
        let now_s = world.starts_at_s;
        let local = Local::at(now_s);
        let weather = Weather::of(world.estate(index).farm.weather_seed, local.day, world.day_of_year(local.day));
        let plant = initial_plant(&model, weather.air_c(local.hour), &mut random);
        let names = [serial.as_str(), &index.to_string()];
        let faults = Faults::new(
            Arc::clone(&model),
            &world.fault_settings,
            names,
            Random::fork(seed, "faults"),
            plant.engine_hours_h,
        );
        let pose = Pose::new(world.estate(index).farm.yard, random.range(0.0, std::f64::consts::TAU));
        let mut machine = Self {
            seed,
            traits,
            chunk: Chunk { from_s: now_s, ..Chunk::default() },
            pose,
            backwards: false,
            doing: Doing::Stands(Stand::off(now_s)),
            suspended: None,
            stopping: None,
            programme: Programme::new(Random::fork(seed, "programme")),
            faults,
            effects: Effects::default(),
            unit: Unit::new(now_s, world.sample_period_s, random.unit()),
            log: TruthLog::new(now_s, &plant),
            tasks: Tasks::new(&serial),
            plant,
            label: None,
            on_field: false,
            auger: None,
            filling: None,
            frozen: None,
            weather: (local.day, weather),
            slip: 0.0,
            draft_n: 0.0,
            world,
            index,
            model,
        };
        let start = {
            let view = View { world: &machine.world, index, now_s, pose, plant: &machine.plant };
            machine.programme.begin_on_field(&view)
        };
        if let Some(start) = start {
            machine.pose = start;
            machine.on_field = true;
            machine.plant.warm_up(machine.model.heat.thermostat_c);
        }
        machine.take_next_leg(now_s, &mut Vec::new(), &mut Vec::new());
        machine.plan_chunk(now_s);
        machine
    }

    /// Model code.
    pub fn model_code(&self) -> &str {
        &self.model.code
    }

    /// Its serial.
    pub fn serial(&self) -> MachineSerial {
        self.world.serial(self.index)
    }

    /// When it next records, or something changes.
    pub fn next_at_ms(&self) -> i64 {
        (self.unit.next_s.min(self.chunk_end_s()) * 1_000.0).floor() as i64
    }

    /// Goes on to [`Machine::next_at_ms`]: adds what its unit records to `out`, and what really happened to `truth`.
    /// `out` may stay empty.
    pub fn advance(&mut self, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        if self.unit.next_s <= self.chunk_end_s() {
            self.sample(self.unit.next_s, false, out);
        } else {
            let changed = self.finish_chunk(out, truth);
            if changed {
                self.sample(self.chunk.from_s, true, out);
            } else if self.has_turned() {
                self.sample(self.chunk.from_s, false, out);
            }
        }
    }

    /// What the sensor of `signal` shows at `at_ms`, which lies between the last record and the next; none where the
    /// machine has no such sensor. Answers diagnostic captures; asking changes nothing.
    pub fn read(&self, signal: SignalId, at_ms: i64) -> Option<f64> {
        let is_reported = self.model.signals.iter().any(|(reported, _)| *reported == signal);
        let time_s = (at_ms as f64 / 1_000.0).clamp(self.chunk.from_s, self.chunk_end_s());
        let plant = self.plant_at(time_s);
        if is_reported { self.shown(signal, &self.reading(time_s, &plant)) } else { None }
    }

    /// Ends the run at `at_ms`: what is still open in the truth is closed there.
    pub fn close(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        let end_s = at_ms as f64 / 1_000.0;
        let mut ignored = Vec::new();
        while self.chunk_end_s() < end_s {
            self.finish_chunk(&mut ignored, truth);
        }
        let share = self.share(end_s);
        if share > 0.0 {
            let plant = self.plant.after(&self.chunk, share);
            self.remember(&plant, end_s, truth);
        }
        let plant = self.plant_at(end_s);
        self.log.close(end_s.max(self.chunk.from_s), &plant, truth);
    }

    /// Goes on to `from_ms` without recording anything, then to `until_ms`, and draws what it does between.
    pub fn picture(&mut self, from_ms: i64, until_ms: i64) -> Picture {
        let farm = &self.world.estate(self.index).farm;
        let mut picture = Picture { yard: farm.projection.degrees(farm.yard), ..Picture::default() };
        let (mut out, mut truth) = (Vec::new(), Vec::new());
        let mut fields: Vec<Arc<str>> = Vec::new();
        while ms(self.chunk_end_s()) < until_ms {
            if ms(self.chunk.from_s) >= from_ms {
                let position = self.world.estate(self.index).farm.projection.degrees(self.pose.at);
                picture.track.push(TrackPoint { at_ms: ms(self.chunk.from_s), position, state: self.state() });
                if let Some(label) = &self.label
                    && self.chunk.lowered
                {
                    picture.width_m = picture.width_m.max(label.width_m);
                    if !fields.contains(&label.field) {
                        fields.push(Arc::clone(&label.field));
                    }
                }
            }
            self.finish_chunk(&mut out, &mut truth);
            out.clear();
            truth.clear();
        }
        picture.fields = fields.iter().filter_map(|name| self.world.field_named(self.index, name)).collect();
        picture
    }

    fn chunk_end_s(&self) -> f64 {
        self.chunk.from_s + self.chunk.length_s
    }

    fn share(&self, time_s: f64) -> f64 {
        ((time_s - self.chunk.from_s) / self.chunk.length_s.max(1e-9)).clamp(0.0, 1.0)
    }

    fn plant_at(&self, time_s: f64) -> Plant {
        self.plant.after(&self.chunk, self.share(time_s))
    }

    fn view(&self, now_s: f64) -> View<'_> {
        View { world: &self.world, index: self.index, now_s, pose: self.pose, plant: &self.plant }
    }

    /// The job, while the machine is on its field.
    fn job(&self) -> Option<&Job> {
        self.programme.job.as_deref().filter(|_| self.on_field)
    }

    fn state(&self) -> State {
        match &self.doing {
            Doing::Travels(way) => way.leg.state,
            Doing::Stands(Stand { occupation: Occupation::Drying, .. }) => State::Working,
            Doing::Stands(stand) if !stand.engine_on => State::Off,
            Doing::Stands(Stand { occupation: Occupation::Unloading, .. }) => State::Unloading,
            Doing::Stands(_) => State::Idle,
        }
    }

    // --- One chunk to the next ---

    /// Goes to the end of the chunk and plans the next; true when something changed that a unit tells at once.
    fn finish_chunk(&mut self, out: &mut Vec<Record>, truth: &mut Vec<Event>) -> bool {
        let now_s = self.chunk_end_s();
        let before = (self.state(), self.chunk.engine_on, self.chunk.lowered, self.auger.is_some());
        let after = self.plant.after(&self.chunk, 1.0);
        self.remember(&after, now_s, truth);
        self.plant = after;
        let step = match &mut self.doing {
            Doing::Travels(way) => {
                let step = way.step;
                way.travel.advance(&step);
                (self.pose, self.backwards) = way.travel.pose_after(0.0);
                Some(way.travel.left_m() <= 1e-6)
            }
            Doing::Stands(_) => None,
        };
        self.end_filling(now_s, truth);
        self.end_unloading(now_s, truth);
        self.meet_faults(now_s, out, truth);
        let is_over = match &self.doing {
            Doing::Travels(_) => step == Some(true),
            Doing::Stands(stand) => self.stand_is_over(stand, now_s),
        };
        if is_over {
            self.take_next_leg(now_s, out, truth);
        }
        self.mind_stops(now_s);
        self.plan_chunk(now_s);
        self.tasks.go_on(self.chunk.lowered, now_s, &self.plant, &self.traits, out);
        let changed = before != (self.state(), self.chunk.engine_on, self.chunk.lowered, self.auger.is_some());
        if changed {
            self.unit.wake(now_s);
        }
        changed
    }

    /// Writes what the chunk up to `to_s` did into the truth; `after` is the machine then.
    fn remember(&mut self, after: &Plant, to_s: f64, truth: &mut Vec<Event>) {
        let way_m = after.odometer_m - self.plant.odometer_m;
        if let (true, Some(label), Doing::Travels(way)) = (self.chunk.lowered, &self.label, &self.doing) {
            let (curvature, _) = way.travel.piece();
            self.log.worked(label, self.pose, way.travel.piece_number(), curvature, way_m);
        }
        let slice = Slice {
            state: self.state(),
            from_s: self.chunk.from_s,
            to_s,
            way_m,
            fuel_l: after.fuel_total_l - self.plant.fuel_total_l,
            cut_kg: after.cut_kg - self.plant.cut_kg,
            cut_water_kg: after.cut_water_kg - self.plant.cut_water_kg,
        };
        let label = self.label.clone();
        self.log.add(&slice, label.as_ref(), after, truth);
    }

    fn stand_is_over(&self, stand: &Stand, now_s: f64) -> bool {
        match stand.occupation {
            // A grain tank is empty when it is empty.
            Occupation::Unloading if self.model.harvester.is_some() => {
                self.plant.grain_kg < 1.0 || now_s >= stand.until_s
            }
            _ => now_s >= stand.until_s - 1e-6,
        }
    }

    /// Begins the next leg, or goes on with the one that was interrupted.
    fn take_next_leg(&mut self, now_s: f64, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
        if let (Some(label), Doing::Travels(_)) = (&self.label, &self.doing) {
            self.log.close_strip(label);
        }
        if let Some(way) = self.suspended.take() {
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

    fn begin_stand(&mut self, stand: Stand, now_s: f64, out: &mut Vec<Record>) {
        let starts = stand.engine_on && !self.chunk.engine_on;
        if starts {
            self.plant.start_engine();
            self.faults.switched_on(now_s, out);
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
        if !self.chunk.engine_on {
            self.plant.start_engine();
            self.faults.switched_on(now_s, out);
        }
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
            self.log.begin_job(truth);
            self.plant.begin_task();
            self.tasks.start(job, &self.model, now_s, out);
        }
    }

    // --- What comes between ---

    /// Stops in the middle of a pass where something has to be done now.
    fn mind_stops(&mut self, now_s: f64) {
        let Doing::Travels(way) = &self.doing else { return };
        let (stands, pass_left_m, speed_mps) =
            (way.travel.speed_mps < STANDS_MPS, way.travel.left_m(), way.travel.speed_mps);
        let in_pass = way.leg.fresh_m.is_some();
        if let Some(stand) = self.stopping.filter(|_| stands) {
            self.stopping = None;
            let lasts_s = stand.until_s - now_s;
            let held = std::mem::replace(&mut self.doing, Doing::Stands(Stand::off(now_s)));
            if let Doing::Travels(way) = held {
                self.suspended = Some(way);
            }
            // What was planned as a time of day is a duration by now.
            let stand = Stand { until_s: now_s + lasts_s.max(20.0), ..stand };
            self.begin_stand(stand, now_s, &mut Vec::new());
            return;
        }
        if !in_pass || self.stopping.is_some() || pass_left_m < 15.0 {
            return;
        }
        let view = View { world: &self.world, index: self.index, now_s, pose: self.pose, plant: &self.plant };
        self.stopping = self.programme.stop_in_pass(&view);
        if self.stopping.is_none() && self.auger.is_none() {
            let left_s = pass_left_m / speed_mps.max(0.5);
            if self.programme.unload_on_the_go(&view, left_s).is_some() {
                self.begin_unloading(now_s, true);
            }
        }
    }

    fn begin_unloading(&mut self, now_s: f64, on_the_go: bool) {
        let kgps = self.model.harvester.as_ref().map_or(0.0, |harvester| harvester.unload_kgps);
        self.auger = Some(Auger { from_s: now_s, kgps, given_kg: 0.0, on_the_go });
    }

    fn end_unloading(&mut self, now_s: f64, truth: &mut Vec<Event>) {
        let Some(auger) = &mut self.auger else { return };
        auger.given_kg += self.chunk.unload_kgps * self.chunk.length_s;
        let stands = matches!(&self.doing, Doing::Stands(stand) if stand.occupation == Occupation::Unloading);
        let is_empty = self.plant.grain_kg < 1.0;
        let drove_off = auger.on_the_go && !self.chunk.lowered;
        if is_empty || drove_off || (!auger.on_the_go && !stands) {
            let unloading = Unloading {
                from: At(ms(auger.from_s)),
                to: At(ms(now_s)),
                mass_t: auger.given_kg / 1_000.0,
                on_the_go: auger.on_the_go,
            };
            self.auger = None;
            self.log.unloaded(unloading, truth);
        }
    }

    /// Ends refuelling, or a theft.
    fn end_filling(&mut self, now_s: f64, truth: &mut Vec<Event>) {
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
                && self.plant.def_l < 0.5 * engine.def_tank_l
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

    fn meet_faults(&mut self, now_s: f64, out: &mut Vec<Record>, truth: &mut Vec<Event>) {
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

    /// The driver sees the red lamp: stops, lets the engine cool, switches it off and waits for help.
    fn stop_for_repair(&mut self, number: u32, now_s: f64) {
        let lasts_s =
            3_600.0 * (0.8 + 2.2 * (super::land::hash(self.seed, &[i64::from(number)]) as f64 / u64::MAX as f64));
        let repair = Stand { occupation: Occupation::Repair(number), ..Stand::off(now_s + COOLING_S + lasts_s) };
        match &mut self.doing {
            Doing::Travels(_) => self.stopping = Some(Stand { until_s: now_s + lasts_s, ..repair }),
            Doing::Stands(stand) if stand.engine_on => *stand = repair,
            Doing::Stands(_) => {}
        }
    }

    // --- The next chunk ---

    fn plan_chunk(&mut self, now_s: f64) {
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
        let wished_mps = how.cruise_mps * (1.0 + 0.05 * smooth(self.seed ^ 0x5eed, now_s / 35.0));
        let cruise_mps = if lowered { load.working_speed(wished_mps, set_rpm, &ground) } else { wished_mps };
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

    fn flow_delay_s(&self) -> f64 {
        self.model.harvester.as_ref().map_or(2.0, |harvester| harvester.flow_delay_s)
    }

    fn air_c(&self, time_s: f64) -> f64 {
        self.weather.1.air_c(Local::at(time_s).hour)
    }

    /// Where temperatures tend to in a chunk.
    fn plan_heat(&self, chunk: &mut Chunk, hour: f64) {
        let heat = &self.model.heat;
        let air_c = self.weather.1.air_c(hour);
        let rated_kw = self.model.engine.as_ref().map_or(1.0, |engine| engine.rated_kw);
        let load = (chunk.power_kw.to / rated_kw).clamp(0.0, 1.1);
        let tend = |target_c: f64, time_s: f64| Tendency { target_c, time_s };
        if self.model.kind == Kind::Peat {
            let rubs = if chunk.shafts_on { 34.0 + 16.0 * load + 110.0 * self.effects.bearing } else { 0.0 };
            chunk.bearing = tend(air_c + rubs, 700.0);
        }
        if !chunk.engine_on {
            chunk.coolant = tend(air_c, 7_200.0);
            chunk.oil = tend(air_c, 8_500.0);
            chunk.transmission = tend(air_c, 15_000.0);
            chunk.hydraulics = tend(air_c, 11_000.0);
            return;
        }
        let clogged = 1.0 + 1.15 * self.effects.radiator;
        let open_c = air_c + heat.coolant_rise_c * self.traits.heat * (0.25 + 0.75 * load) * clogged;
        let held_c = heat.thermostat_c + 8.0 * load;
        let coolant_c = open_c.max(held_c).min(air_c + 125.0);
        // A cold engine warms up with what it burns.
        let time_s = if self.plant.coolant_c < heat.thermostat_c - 8.0 { 520.0 - 330.0 * load.min(1.0) } else { 130.0 };
        chunk.coolant = tend(coolant_c, time_s);
        chunk.oil = tend(self.plant.coolant_c + 1.0 + heat.oil_rise_c * load, 330.0);
        let moves = if chunk.speed_mps.to > 0.3 { load } else { 0.15 * load };
        let cooler = 1.0 + 1.6 * self.effects.transmission;
        chunk.transmission = tend(air_c + heat.transmission_rise_c * (0.35 + 0.7 * moves) * cooler, 1_500.0);
        let busy = if chunk.shafts_on || chunk.crane_on { 0.5 + 0.4 * load } else { 0.25 + 0.3 * load };
        let cooler = 1.0 + 1.5 * self.effects.hydraulics;
        chunk.hydraulics = tend(air_c + heat.hydraulics_rise_c * (0.4 + 0.6 * busy) * cooler, 1_400.0);
    }

    // --- Looking ---

    fn moment(&self, time_s: f64) -> Moment {
        let (chunk, share) = (&self.chunk, self.share(time_s));
        let rpm = chunk.rpm.at(share);
        let power_kw = chunk.power_kw.at(share);
        let full_kw = self.model.engine.as_ref().map_or(1.0, |engine| engine.full_kw(rpm.max(engine.idle_rpm)));
        Moment {
            time_s,
            speed_mps: chunk.speed_mps.at(share),
            rpm,
            power_kw,
            load: if chunk.engine_on { power_kw / full_kw } else { 0.0 },
            fuel_lph: chunk.fuel_lph.at(share),
            air_c: self.air_c(time_s),
            engine_on: chunk.engine_on,
            shafts_on: chunk.shafts_on,
            lowered: chunk.lowered,
        }
    }

    fn reading<'a>(&'a self, time_s: f64, plant: &'a Plant) -> Reading<'a> {
        let way_m = plant.odometer_m - self.plant.odometer_m;
        let (pose, backwards, cruise_mps) = match &self.doing {
            Doing::Travels(way) => {
                let (pose, backwards) = way.travel.pose_after(way_m);
                (pose, backwards, way.leg.cruise_mps)
            }
            Doing::Stands(_) => (self.pose, self.backwards, 0.0),
        };
        Reading {
            model: &self.model,
            traits: &self.traits,
            plant,
            moment: self.moment(time_s),
            effects: &self.effects,
            pose,
            backwards,
            projection: &self.world.estate(self.index).farm.projection,
            job: self.programme.job.as_deref(),
            occupation: if let Doing::Stands(stand) = &self.doing { stand.occupation } else { Occupation::Nothing },
            unloads: self.auger.is_some(),
            on_field: self.on_field,
            slip: self.slip,
            draft_n: if self.chunk.lowered { self.draft_n } else { 0.0 },
            cruise_mps,
            pressure_kpa: self.weather.1.pressure_kpa,
            seed: self.seed,
        }
    }

    /// What a sensor shows, broken ones included.
    fn shown(&self, signal: SignalId, reading: &Reading<'_>) -> Option<f64> {
        let Some((broken, how)) = self.effects.sensor.filter(|(broken, _)| *broken == signal) else {
            return reading.value(signal);
        };
        match how {
            SensorFault::Open => None,
            SensorFault::Stuck => match self.frozen {
                Some((frozen, value)) if frozen == broken => Some(value),
                _ => reading.value(signal),
            },
            SensorFault::Noisy => {
                let true_value = reading.value(signal)?;
                let usual = wire::catalogue::find(signal).map_or(1.0, |row| row.usual.1 - row.usual.0);
                let draw = super::land::hash(self.seed ^ 0x4015, &[ms(reading.moment.time_s)]) as f64 / u64::MAX as f64;
                let spike = if draw > 0.5 { draw - 0.75 } else { 0.0 };
                Some((true_value + 2.4 * usual * spike).max(0.0))
            }
        }
    }

    fn has_turned(&self) -> bool {
        if self.chunk.speed_mps.from < STANDS_MPS {
            return false;
        }
        let turned = self.pose.course_deg(self.backwards) - self.unit.last_course_deg;
        (turned + 180.0).rem_euclid(360.0) - 180.0 > BEND_DEG || (turned + 180.0).rem_euclid(360.0) - 180.0 < -BEND_DEG
    }

    fn sample(&mut self, time_s: f64, changed: bool, out: &mut Vec<Record>) {
        let plant = self.plant_at(time_s);
        let extent: Extent = self.unit.extent(time_s, changed, self.chunk.engine_on);
        let mut sample = Sample::at(ms(time_s));
        let mut newly_frozen = None;
        let (course_deg, moves) = {
            let reading = self.reading(time_s, &plant);
            sample.values.reserve(24);
            for (signal, every_s) in &self.model.signals {
                if self.unit.is_due(*every_s, time_s, extent)
                    && let Some(value) = self.shown(*signal, &reading)
                {
                    sample.set(*signal, value);
                }
            }
            if let Some((broken, SensorFault::Stuck)) = self.effects.sensor
                && self.frozen.is_none_or(|(frozen, _)| frozen != broken)
            {
                newly_frozen = reading.value(broken).map(|value| (broken, value));
            }
            (reading.pose.course_deg(reading.backwards), reading.moment.speed_mps > STANDS_MPS)
        };
        if self.effects.sensor.is_none() {
            self.frozen = None;
        }
        self.frozen = newly_frozen.or(self.frozen);
        self.unit.last_course_deg = course_deg;
        self.unit.recorded(time_s, self.chunk.engine_on, moves);
        self.log.sampled();
        out.push(sample.into());
    }

    /// The work mode of its fleet.
    pub(super) fn works_around_the_clock(&self) -> bool {
        self.world.work == Work::AroundTheClock
    }
}

/// A machine as it stands in the yard when a run begins: some years old.
fn initial_plant(model: &Model, air_c: f64, random: &mut Random) -> Plant {
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
        def_l: engine.map_or(0.0, |engine| engine.def_tank_l) * random.range(0.5, 0.95),
        lifetime_area_m2: hours * 15_000.0,
        lifetime_yield_kg: if model.harvester.is_some() { hours * 7_000.0 } else { 0.0 },
        crane_s: if matches!(model.kind, Kind::Forwarder | Kind::TimberHarvester) { hours * 1_900.0 } else { 0.0 },
        water: 1.0,
        fill: if model.kind == Kind::Dryer { 0.6 } else { 0.0 },
        ..Plant::default()
    }
}
