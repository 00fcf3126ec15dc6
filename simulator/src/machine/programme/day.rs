//! What is done on a day.

use std::sync::Arc;

use super::field_work::LEAST_SHIFT_S;
use super::{Job, Place, Programme, Step, View};
use crate::fleet::Work;
use crate::machine::catalogue::{Kind, Operation};
use crate::machine::geometry::Pose;
use crate::machine::land::{Field, Weather, hash};
use crate::machine::world::Local;

/// Share of the machines that are on their field already when a run around the clock begins.
const ON_FIELD_SHARE: f64 = 0.85;
/// When those who have nothing to do look again, local hour.
const LOOKS_AGAIN_H: f64 = 4.2;
/// Share of the days without field work on which a tractor has something to do on the farm.
const ERRAND_SHARE: f64 = 0.4;

impl Programme {
    /// Plans what comes after everything that was planned.
    pub(super) fn plan_day(&mut self, view: &View<'_>) {
        match view.model().kind {
            Kind::Dryer => self.plan_dryer_day(view),
            Kind::Fire => self.plan_fire_day(view),
            Kind::Forwarder | Kind::TimberHarvester => self.plan_woods_day(view),
            _ if view.world.work == Work::AroundTheClock => self.plan_round(view),
            _ => self.plan_field_day(view),
        }
    }

    /// Puts a machine of a run around the clock on its field, in the middle of its work; where it then is.
    pub(crate) fn begin_on_field(&mut self, view: &View<'_>) -> Option<Pose> {
        let is_for_fields =
            !matches!(view.model().kind, Kind::Dryer | Kind::Fire | Kind::Forwarder | Kind::TimberHarvester);
        if view.world.work != Work::AroundTheClock || !is_for_fields || !self.random.chance(ON_FIELD_SHARE) {
            return None;
        }
        let mut job = self.choose_job(view, Local::at(view.now_s).day)?;
        let share = self.random.range(0.0, 0.6);
        job.begin_at_share(share);
        let start = job.pass_start()?;
        job.at_start = true;
        job.has_worked = true;
        self.place = Place::Field(job.field_index);
        self.job = Some(Box::new(job));
        let lasts_h = self.random.range(2.0, 12.0);
        self.begin_shift(view, view.now_s + lasts_h * 3_600.0);
        let warm_up_s = self.random.range(2.0, 40.0);
        self.steps.extend([Step::WarmUp { lasts_s: warm_up_s }, Step::Work]);
        Some(start)
    }

    /// A shift at any time of the day.
    fn plan_round(&mut self, view: &View<'_>) {
        let day = Local::at(view.now_s).day;
        if self.job.is_none() {
            self.job = self.choose_job(view, day).map(Box::new);
        }
        let Some(job) = &self.job else {
            return self.steps.push_back(Step::Park { until_s: view.now_s + 3_600.0 });
        };
        let field = job.field_index;
        let lasts_h = self.random.range(8.0, 13.0);
        self.begin_shift(view, view.now_s + lasts_h * 3_600.0);
        self.start_and_work(field);
    }

    fn start_and_work(&mut self, field: usize) {
        let warm_up_s = self.random.range(180.0, 540.0);
        self.steps.extend([
            Step::Refuel,
            Step::WarmUp { lasts_s: warm_up_s },
            Step::Drive(Place::Field(field)),
            Step::Work,
        ]);
    }

    /// A day by the calendar, the clock and the weather.
    fn plan_field_day(&mut self, view: &View<'_>) {
        let local = Local::at(view.now_s);
        let is_in_season = |operation: &Operation| operation.is_on(view.world.day_of_year(local.day));
        if self.job.as_ref().is_none_or(|job| !is_in_season(&job.operation)) && self.place == Place::Yard {
            self.job = self.choose_job(view, local.day).map(Box::new);
        }
        let Some((field, begins_s, ends_s)) = self.shift_today(view, local) else {
            return self.plan_free_day(view, local);
        };
        self.steps.push_back(Step::Park { until_s: begins_s });
        self.begin_shift(&View { now_s: begins_s, ..*view }, ends_s);
        self.start_and_work(field);
    }

    /// Field, beginning and end of today's shift; none when it is not worth beginning.
    fn shift_today(&mut self, view: &View<'_>, local: Local) -> Option<(usize, f64, f64)> {
        let job = self.job.as_ref()?;
        let (from_h, to_h) = job.operation.hours;
        let dry_h = job.operation.dry_after_rain_h;
        let field = job.field_index;
        let weather = Weather::of(view.estate().farm.weather_seed, local.day, view.world.day_of_year(local.day));
        let late = if self.random.chance(0.12) { self.random.range(0.5, 3.0) } else { self.random.range(-1.0, 0.4) };
        let begins_h = weather.dry_from(from_h + self.random.range(-0.4, 0.8), dry_h).max(local.hour);
        let (begins_s, ends_s) = (Local::second(local.day, begins_h), Local::second(local.day, to_h + late));
        (ends_s - begins_s > LEAST_SHIFT_S && begins_s >= view.now_s - 1.0).then_some((field, begins_s, ends_s))
    }

    /// Nothing on the fields: tomorrow again, perhaps an errand before.
    fn plan_free_day(&mut self, view: &View<'_>, local: Local) {
        let again_s = Local::second(local.day + i64::from(local.hour >= LOOKS_AGAIN_H), LOOKS_AGAIN_H)
            + self.random.range(0.0, 900.0);
        let is_morning = local.hour < 9.0;
        if view.model().kind == Kind::Tractor && is_morning && self.random.chance(ERRAND_SHARE) {
            let begins_s = Local::second(local.day, self.random.range(9.0, 14.0));
            let lasts_s = self.random.range(600.0, 5_400.0);
            self.steps.extend([Step::Park { until_s: begins_s }, Step::Refuel, Step::WarmUp { lasts_s }]);
        }
        self.steps.push_back(Step::Park { until_s: again_s });
    }

    /// The next field to work on, among those of the operations that can be done on a day.
    pub(super) fn choose_job(&mut self, view: &View<'_>, day: i64) -> Option<Job> {
        let (world, index) = (view.world, view.index);
        let day_of_year = world.day_of_year(day);
        let can = |operation: &&Arc<Operation>| !world.implements_for(index, &operation.name).is_empty();
        let able: Vec<_> = world.operations.iter().filter(can).collect();
        let mut now: Vec<_> = able.iter().filter(|operation| operation.is_on(day_of_year)).copied().collect();
        // Around the clock there is always something to do, whatever the calendar says.
        if now.is_empty() && world.work == Work::AroundTheClock {
            now = able;
        }
        now.sort_by_key(|operation| operation.priority);
        // Machines of a farm do different things at the same time.
        let turn = (index / 2) % now.len().max(1);
        now.rotate_left(turn);
        now.into_iter().find_map(|operation| self.next_field(view, operation, world.year(day)))
    }

    fn next_field(&mut self, view: &View<'_>, operation: &Arc<Operation>, year: i16) -> Option<Job> {
        let (world, estate) = (view.world, view.estate());
        let (position, peers) = world.peers(view.index, &operation.name);
        let mut fields: Vec<_> = estate
            .farm
            .fields
            .iter()
            .enumerate()
            .filter_map(|(number, field)| Some((number, world.crop_on(estate, field, year)?)))
            .filter(|(_, crop)| Field::suits(operation.ground, crop))
            .collect();
        // What ripens first is harvested first.
        fields.sort_by_key(|(number, crop)| (crop.ripens, *number));
        let own: Vec<_> = fields.into_iter().skip(position).step_by(peers).collect();
        let done = self.done.get(&(operation.name.clone(), year)).copied().unwrap_or_default();
        let wraps = world.work == Work::AroundTheClock && !own.is_empty();
        let (round, next) = if wraps { (done / own.len(), done % own.len()) } else { (0, done) };
        let (number, crop) = own.get(next)?.clone();
        let implements = world.implements_for(view.index, &operation.name);
        let choice = hash(world.seed, &[view.index as i64, i64::from(operation.priority)]) as usize;
        let implement = Arc::clone(implements[choice % implements.len()]);
        Some(Job::new(view, number, Arc::clone(operation), implement, crop, year, round, &mut self.random))
    }
}
