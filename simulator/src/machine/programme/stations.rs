//! Machines that wait for work: grain dryers and fire tankers.

use super::{Occupation, Place, Programme, Step, View};
use crate::fleet::Work;
use crate::machine::world::Local;

/// The dryer's season, days of the year: 10 August to 15 October.
const DRYING: std::ops::RangeInclusive<u16> = 222..=288;
/// The fire season: 20 April to 30 September.
const FIRES: std::ops::RangeInclusive<u16> = 110..=273;
/// Chance of a call on a day of the season.
const CALL: f64 = 0.35;

impl Programme {
    /// A dryer runs for many hours on end while grain comes in.
    pub(super) fn plan_dryer_day(&mut self, view: &View<'_>) {
        let local = Local::at(view.now_s);
        let is_season = DRYING.contains(&view.world.day_of_year(local.day));
        if view.world.work == Work::AroundTheClock || (is_season && self.random.chance(0.8)) {
            let waits_h = self.random.range(0.2, 4.0);
            let lasts_h = self.random.range(6.0, 22.0);
            let begins_s = view.now_s + waits_h * 3_600.0;
            self.steps.extend([Step::Park { until_s: begins_s }, Step::Dry { until_s: begins_s + lasts_h * 3_600.0 }]);
        } else {
            self.steps.push_back(Step::Park { until_s: Local::second(local.day + 1, 8.0) });
        }
    }

    /// A fire tanker is tried every morning and called now and then.
    pub(super) fn plan_fire_day(&mut self, view: &View<'_>) {
        let local = Local::at(view.now_s);
        let around_the_clock = view.world.work == Work::AroundTheClock;
        let tried_s = Local::second(local.day, 8.0 + self.random.range(0.0, 0.7));
        if tried_s > view.now_s {
            self.steps.extend([Step::Park { until_s: tried_s }, Step::WarmUp { lasts_s: 600.0 }]);
        }
        let from_s = view.now_s.max(tried_s) + 900.0;
        let is_season = FIRES.contains(&view.world.day_of_year(local.day));
        let fields = view.estate().farm.fields.len();
        if fields > 0 && (around_the_clock || (is_season && self.random.chance(CALL))) {
            let hours = if around_the_clock { self.random.range(0.05, 2.0) } else { self.random.range(0.5, 11.0) };
            let called_s = from_s + hours * 3_600.0;
            let to = Place::Field(self.random.below(fields));
            let pumps_s = self.random.range(1_200.0, 3_600.0);
            self.steps.extend([
                Step::Refuel,
                Step::Park { until_s: called_s },
                Step::WarmUp { lasts_s: 40.0 },
                Step::Drive(to),
                Step::Stay { occupation: Occupation::Pumping, lasts_s: pumps_s },
                Step::Drive(Place::Yard),
                Step::WarmUp { lasts_s: 300.0 },
            ]);
        }
        let rest_s = if around_the_clock { from_s + 1_800.0 } else { Local::second(local.day + 1, 4.0) };
        self.steps.push_back(Step::Park { until_s: rest_s });
    }
}
