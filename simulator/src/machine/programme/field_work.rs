//! Working a field leg by leg.

use super::{Leg, Occupation, Place, Programme, Stand, Step, Travelled, View};
use crate::fleet::Work;
use crate::machine::catalogue::Kind;
use crate::machine::land::Weather;
use crate::machine::world::Local;
use crate::truth::State;

/// In turns, m/s.
const TURN_MPS: f64 = 1.75;
/// On a field out of work, m/s.
const CROSS_MPS: f64 = 3.0;
/// A turn that takes longer is a drive to another part of the field.
const LONGEST_TURN_S: f64 = 80.0;
/// The tank is filled from here on, share.
const LOW_FUEL: f64 = 0.14;
/// Below this a machine does not wait for the end of its pass.
const LAST_FUEL: f64 = 0.05;
/// The grain tank stops the machine at this share.
const FULL_TANK: f64 = 0.985;
/// At the end of a shift or a field it is emptied from this share on.
const REST_TANK: f64 = 0.12;
/// A field is begun when the shift lasts this long at least, seconds.
pub(super) const LEAST_SHIFT_S: f64 = 4_500.0;
/// Breaks: from and to, seconds. Shorter than what ends a session.
const BREAK_S: (f64, f64) = (1_200.0, 2_400.0);
/// From one break to the next, hours.
const BREAK_EVERY_H: (f64, f64) = (3.5, 5.0);
/// From one small stop to the next, mean hours; and how long it lasts, mean seconds.
const PAUSE_EVERY_H: f64 = 1.6;
const PAUSE_S: f64 = 150.0;

impl Programme {
    /// The next leg of the job; none when work ends here for now, with the steps that follow already planned.
    pub(super) fn work(&mut self, view: &View<'_>) -> Option<Leg> {
        let is_done = self.job.as_ref()?.is_done();
        let is_over = view.now_s >= self.shift.ends_s;
        if is_done || is_over {
            if let Some(stand) = self.unloading_stop(view, REST_TANK) {
                return Some(Leg::Stand(stand));
            }
            if is_done {
                return self.finish_job(view);
            }
            self.end_shift(view);
            return None;
        }
        if let Some(until_s) = self.wet_until_s(view) {
            return self.wait_for_dry(view, until_s);
        }
        if let Some(stand) = self.stop_between_passes(view) {
            return Some(Leg::Stand(stand));
        }
        let job = self.job.as_ref()?;
        if !job.at_start {
            return self.go_to_pass(view);
        }
        let (path, fresh_m) = job.pass()?;
        let implement = &job.implement;
        let wished = self.random.range(0.35, 0.85);
        let kmh = implement.speed_kmh.0 + (implement.speed_kmh.1 - implement.speed_kmh.0) * wished;
        let worked_ha = path.length_m() * implement.width_m / 10_000.0;
        let job = self.job.as_mut()?;
        job.at_start = false;
        job.has_worked = true;
        job.next_pass += 1;
        job.hopper_ha -= worked_ha;
        Some(Leg::Travel(Travelled {
            path,
            cruise_mps: kmh / 3.6,
            exit_mps: TURN_MPS,
            state: State::Working,
            on_road: false,
            fresh_m: Some(fresh_m),
            shafts_on: true,
        }))
    }

    /// The way to the beginning of the next pass.
    fn go_to_pass(&mut self, view: &View<'_>) -> Option<Leg> {
        let job = self.job.as_mut()?;
        let start = job.pass_start()?;
        let path = if job.has_worked {
            job.ways().turn(view.pose, start)
        } else {
            let mut inside = view.pose;
            inside.at = job.ways().nearest(view.pose.at);
            let mut way = crate::machine::geometry::Path::straight(view.pose.at, inside.at);
            inside.heading = inside.at.direction(start.at);
            way.extend(job.ways().along_headland(inside, start));
            way
        };
        job.at_start = true;
        let is_turn = job.has_worked && path.length_m() / TURN_MPS < LONGEST_TURN_S;
        Some(Leg::Travel(Travelled {
            path,
            cruise_mps: if is_turn { TURN_MPS } else { CROSS_MPS },
            exit_mps: TURN_MPS * 0.8,
            state: if is_turn { State::Turning } else { State::Transport },
            on_road: false,
            fresh_m: None,
            shafts_on: job.has_worked,
        }))
    }

    /// What a machine stops for at the end of a pass.
    fn stop_between_passes(&mut self, view: &View<'_>) -> Option<Stand> {
        if view.tank_share() < LOW_FUEL {
            return self.refuel(view);
        }
        if let Some(stand) = self.unloading_stop(view, self.shift.unload_at.min(0.93)) {
            return Some(stand);
        }
        let job = self.job.as_mut()?;
        if job.implement.filling_ha > 0.0 && job.hopper_ha <= 0.0 {
            job.hopper_ha = job.implement.filling_ha;
            return Some(Stand::idle(view.now_s + self.random.range(420.0, 840.0)));
        }
        self.break_or_pause(view)
    }

    /// What a machine stops for in the middle of a pass.
    pub(crate) fn stop_in_pass(&mut self, view: &View<'_>) -> Option<Stand> {
        if view.tank_share() < LAST_FUEL {
            return self.refuel(view);
        }
        if let Some(stand) = self.unloading_stop(view, FULL_TANK) {
            return Some(stand);
        }
        // A break can wait for the end of a pass, a plugged machine cannot.
        if view.now_s >= self.shift.pause_s {
            return Some(self.pause(view));
        }
        None
    }

    /// Stops to unload when the grain tank is filled to `share`.
    fn unloading_stop(&mut self, view: &View<'_>, share: f64) -> Option<Stand> {
        let (tank_kg, rate) = grain_tank(view)?;
        if view.plant.grain_kg < share * tank_kg {
            return None;
        }
        self.plan_unloading();
        // The body ends it when the tank is empty.
        let lasts_s = view.plant.grain_kg / rate + 1.0;
        Some(Stand::busy(view.now_s + lasts_s, Occupation::Unloading))
    }

    /// Whether the grain tank is to be emptied now, into a truck that drives beside.
    pub(crate) fn unloads_on_the_go(&mut self, view: &View<'_>, pass_left_s: f64) -> bool {
        let Some((tank_kg, rate)) = grain_tank(view) else { return false };
        let is_time = self.shift.on_the_go && view.plant.grain_kg >= self.shift.unload_at * tank_kg;
        if !is_time || pass_left_s < view.plant.grain_kg / rate + 40.0 {
            return false;
        }
        self.plan_unloading();
        true
    }

    fn plan_unloading(&mut self) {
        self.shift.unload_at = self.random.range(0.72, 0.97);
        self.shift.on_the_go = self.random.chance(0.45);
    }

    fn break_or_pause(&mut self, view: &View<'_>) -> Option<Stand> {
        if view.now_s >= self.shift.break_s {
            self.shift.break_s = view.now_s + 3_600.0 * self.random.range(BREAK_EVERY_H.0, BREAK_EVERY_H.1);
            let lasts_s = self.random.range(BREAK_S.0, BREAK_S.1);
            if self.shift.ends_s - view.now_s > lasts_s + 1_800.0 {
                return Some(Stand::off(view.now_s + lasts_s));
            }
        }
        (view.now_s >= self.shift.pause_s).then(|| self.pause(view))
    }

    fn pause(&mut self, view: &View<'_>) -> Stand {
        let lasts_s = 40.0 + self.random.exponential(PAUSE_S).min(600.0);
        self.plan_pause(view.now_s + lasts_s);
        Stand::idle(view.now_s + lasts_s)
    }

    pub(super) fn plan_pause(&mut self, from_s: f64) {
        self.shift.pause_s = from_s + 600.0 + self.random.exponential(PAUSE_EVERY_H * 3_600.0);
    }

    /// Sets the limits of a shift that begins now.
    pub(super) fn begin_shift(&mut self, view: &View<'_>, ends_s: f64) {
        self.shift.ends_s = ends_s;
        self.shift.break_s = view.now_s + 3_600.0 * self.random.range(BREAK_EVERY_H.0, BREAK_EVERY_H.1);
        self.plan_unloading();
        self.plan_pause(view.now_s);
    }

    /// Until when it is too wet; none when it is dry, or when wetness does not matter.
    fn wet_until_s(&self, view: &View<'_>) -> Option<f64> {
        if view.world.work == Work::AroundTheClock {
            return None;
        }
        let operation = &self.job.as_ref()?.operation;
        let local = Local::at(view.now_s);
        let weather = Weather::of(view.estate().farm.weather_seed, local.day, view.world.day_of_year(local.day));
        weather
            .is_wet(local.hour, operation.dry_after_rain_h)
            .then(|| Local::second(local.day, weather.dry_from(local.hour, operation.dry_after_rain_h)))
    }

    /// Waits on the field when it will be dry soon enough, else the shift is over.
    fn wait_for_dry(&mut self, view: &View<'_>, until_s: f64) -> Option<Leg> {
        if until_s + 7_200.0 < self.shift.ends_s && until_s - view.now_s < 4.0 * 3_600.0 {
            return Some(Leg::Stand(Stand::off(until_s)));
        }
        self.end_shift(view);
        None
    }

    /// Goes home, or stays on the field for the night.
    fn end_shift(&mut self, view: &View<'_>) {
        if view.world.work == Work::AroundTheClock {
            let lasts_s = 3_600.0 * self.random.range(1.0, 2.5);
            self.steps.push_back(Step::Park { until_s: view.now_s + lasts_s });
            return;
        }
        let stays = self.random.chance(if view.model().kind == Kind::Combine { 0.6 } else { 0.2 });
        if !stays {
            self.steps.push_back(Step::Drive(Place::Yard));
            self.leave_field();
        }
    }

    /// Goes on to the next field, or home.
    fn finish_job(&mut self, view: &View<'_>) -> Option<Leg> {
        if let Some(job) = &self.job {
            *self.done.entry((job.operation.name.clone(), job.year)).or_default() += 1;
        }
        let has_time = self.shift.ends_s - view.now_s > LEAST_SHIFT_S;
        let next = if has_time { self.choose_job(view, Local::at(view.now_s).day) } else { None };
        // The way off the old field needs the old job.
        let leg = self.drive(view, next.as_ref().map_or(Place::Yard, |job| Place::Field(job.field_index)));
        self.finished = std::mem::replace(&mut self.job, next.map(Box::new));
        leg
    }

    fn leave_field(&mut self) {
        if let Some(job) = &mut self.job {
            job.at_start = false;
            job.has_worked = false;
        }
    }
}

/// The grain tank: kilograms of the crop that it holds, and kilograms a second that its auger moves.
fn grain_tank(view: &View<'_>) -> Option<(f64, f64)> {
    let harvester = view.model().harvester.as_ref().filter(|harvester| harvester.tank_t > 0.0)?;
    Some((harvester.tank_t * 1_000.0, harvester.unload_kgps))
}
