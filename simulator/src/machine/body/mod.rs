//! A machine: lets time go on chunk by chunk, records what its unit tells, and remembers what happens.
//!
//! A chunk is planned with everything that drives it ([`chunks`]); at its end the machine may be at the end of a leg
//! ([`legs`]); at any instant in it sensors can be read ([`looking`]).

mod chunks;
mod legs;
mod looking;
mod start;

use std::sync::Arc;

use wire::{MachineSerial, Record, SignalId};

use super::catalogue::Model;
use super::faults::{Effects, Faults};
use super::gauges::Traits;
use super::geometry::Pose;
use super::land::Weather;
use super::log::{Label, Slice, TruthLog, ms};
use super::motion::{Step, Travel};
use super::picture::{Picture, TrackPoint};
use super::plant::{Chunk, Plant};
use super::programme::{Job, Occupation, Programme, Stand, View};
use super::tasks::Tasks;
use super::unit::Unit;
use super::world::{Local, World};
use crate::random::Random;
use crate::truth::{Event, State};
use chunks::HeatTargets;
use start::{draw_plant, draw_traits};

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

/// A stop that was decided on, and when.
#[derive(Debug, Clone, Copy)]
struct Stop {
    decided_s: f64,
    stand: Stand,
}

/// An auger that runs.
#[derive(Debug, Clone, Copy)]
struct Auger {
    from_s: f64,
    kgps: f64,
    /// What the auger had moved before.
    unloaded_before_kg: f64,
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
    stopping: Option<Stop>,
    programme: Programme,
    faults: Faults,
    effects: Effects,
    /// By how much causes raise what temperatures tend to.
    warmer: HeatTargets,
    unit: Unit,
    log: TruthLog,
    tasks: Tasks,
    label: Option<Arc<Label>>,
    on_field: bool,
    auger: Option<Auger>,
    /// Refuelling or theft: since when, and litres before.
    filling: Option<(f64, f64, Occupation)>,
    /// Sensors that are stuck, and what they show.
    frozen: Vec<(SignalId, f64)>,
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
        let traits = draw_traits(&mut random);
        let now_s = world.starts_at_s;
        let local = Local::at(now_s);
        let weather = Weather::of(world.estate(index).farm.weather_seed, local.day, world.day_of_year(local.day));
        let plant = draw_plant(&model, weather.air_c(local.hour), &mut random);
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
            warmer: HeatTargets::default(),
            unit: Unit::new(now_s, world.sample_period_s, random.unit()),
            log: TruthLog::new(now_s, &plant),
            tasks: Tasks::new(&serial),
            plant,
            label: None,
            on_field: false,
            auger: None,
            filling: None,
            frozen: Vec::new(),
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

    /// Field and operation of the job.
    #[cfg(test)]
    pub(crate) fn job_name(&self) -> Option<(Arc<str>, Arc<str>)> {
        let job = self.programme.job.as_ref()?;
        Some((job.field.name.as_str().into(), job.operation.name.as_str().into()))
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
        self.mind_stops(now_s, out);
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
                self.plant.grain_kg < legs::EMPTY_KG || now_s >= stand.until_s
            }
            _ => now_s >= stand.until_s - 1e-6,
        }
    }
}
