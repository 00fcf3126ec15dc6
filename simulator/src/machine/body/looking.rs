//! What sensors show at an instant of the chunk, and the samples that a unit makes of it.

use wire::{Record, Sample, SignalId};

use super::{Doing, Machine};
use crate::machine::faults::SensorFault;
use crate::machine::gauges::Moment;
use crate::machine::land::hash;
use crate::machine::log::ms;
use crate::machine::motion::STANDS_MPS;
use crate::machine::plant::Plant;
use crate::machine::programme::Occupation;
use crate::machine::reading::Reading;
use crate::machine::unit::BEND_DEG;

impl Machine {
    pub(super) fn moment(&self, time_s: f64) -> Moment {
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

    pub(super) fn reading<'a>(&'a self, time_s: f64, plant: &'a Plant) -> Reading<'a> {
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
    pub(super) fn shown(&self, signal: SignalId, reading: &Reading<'_>) -> Option<f64> {
        let Some(how) = self.effects.broken(signal) else {
            return reading.value(signal);
        };
        match how {
            SensorFault::Open => None,
            SensorFault::Stuck => self.frozen_at(signal).or_else(|| reading.value(signal)),
            SensorFault::Noisy => {
                let true_value = reading.value(signal)?;
                let usual = wire::catalogue::find(signal).map_or(1.0, |row| row.usual.1 - row.usual.0);
                let draw = hash(self.seed ^ 0x4015, &[ms(reading.moment.time_s)]) as f64 / u64::MAX as f64;
                let spike = if draw > 0.5 { draw - 0.75 } else { 0.0 };
                Some((true_value + 2.4 * usual * spike).max(0.0))
            }
        }
    }

    /// What a sensor that is stuck shows.
    pub(super) fn frozen_at(&self, signal: SignalId) -> Option<f64> {
        self.frozen.iter().find(|(frozen, _)| *frozen == signal).map(|(_, value)| *value)
    }

    pub(super) fn has_turned(&self) -> bool {
        if self.chunk.speed_mps.from < STANDS_MPS {
            return false;
        }
        let turned_deg = self.pose.course_deg(self.backwards) - self.unit.last_course_deg;
        ((turned_deg + 180.0).rem_euclid(360.0) - 180.0).abs() > BEND_DEG
    }

    pub(super) fn sample(&mut self, time_s: f64, changed: bool, out: &mut Vec<Record>) {
        let plant = self.plant_at(time_s);
        let extent = self.unit.extent(time_s, changed, self.chunk.engine_on);
        let mut sample = Sample::at(ms(time_s));
        let mut newly_frozen = Vec::new();
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
            for (broken, how) in self.effects.sensors.iter().flatten() {
                if *how == SensorFault::Stuck && self.frozen_at(*broken).is_none() {
                    newly_frozen.extend(reading.value(*broken).map(|value| (*broken, value)));
                }
            }
            (reading.pose.course_deg(reading.backwards), reading.moment.speed_mps > STANDS_MPS)
        };
        let effects = &self.effects;
        self.frozen.retain(|(signal, _)| effects.broken(*signal) == Some(SensorFault::Stuck));
        self.frozen.append(&mut newly_frozen);
        self.unit.last_course_deg = course_deg;
        self.unit.recorded(time_s, self.chunk.engine_on, moves);
        self.log.sampled();
        out.push(sample.into());
    }
}
