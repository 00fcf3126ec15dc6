//! Forwarders and timber harvesters: cycles between stems and landing, far from any field.

use super::{Occupation, Place, Programme, Step, Travelled, View};
use crate::fleet::Work;
use crate::machine::catalogue::Kind;
use crate::machine::geometry::{Path, Point, Pose};
use crate::machine::world::Local;
use crate::truth::State;

/// From the landing to the stems, metres.
const TO_STEMS_M: (f64, f64) = (150.0, 600.0);
/// In the woods, m/s.
const WOODS_MPS: (f64, f64) = (0.8, 1.5);
/// Shifts, local hours: two a day in winter.
const SHIFT_H: (f64, f64) = (7.5, 19.5);

impl Programme {
    /// A shift in the woods, from December to March and from June to September.
    pub(super) fn plan_woods_day(&mut self, view: &View<'_>) {
        let local = Local::at(view.now_s);
        let day_of_year = view.world.day_of_year(local.day);
        let around_the_clock = view.world.work == Work::AroundTheClock;
        let is_season = !(95..152).contains(&day_of_year) && !(274..335).contains(&day_of_year);
        let begins_h = SHIFT_H.0 + self.random.range(-0.3, 0.5);
        let ends_h = SHIFT_H.1 + self.random.range(-1.0, 0.5);
        if around_the_clock {
            let until_s = view.now_s + self.random.range(6.0, 12.0) * 3_600.0;
            self.steps.extend([Step::Refuel, Step::WarmUp { lasts_s: 200.0 }, Step::Woods { until_s }]);
            let rest_s = self.random.range(0.7, 2.0) * 3_600.0;
            self.steps.push_back(Step::Park { until_s: until_s + rest_s });
        } else if is_season && local.hour < begins_h && !self.random.chance(0.12) {
            let until_s = Local::second(local.day, ends_h);
            self.steps.extend([
                Step::Park { until_s: Local::second(local.day, begins_h) },
                Step::Refuel,
                // Oil is stiff in the cold.
                Step::WarmUp { lasts_s: self.random.range(400.0, 1_200.0) },
                Step::Woods { until_s },
            ]);
        } else {
            let again_s = Local::second(local.day + 1, 4.5 + self.random.range(0.0, 0.5));
            self.steps.push_back(Step::Park { until_s: again_s });
        }
    }

    /// One cycle.
    pub(super) fn plan_cycle(&mut self, view: &View<'_>) {
        self.place = Place::Woods;
        let mut steps = Vec::new();
        let mut here = view.pose;
        if view.tank_share() < 0.15 {
            steps.push(Step::Refuel);
        }
        if view.model().kind == Kind::Forwarder {
            let stems = self.somewhere(view, TO_STEMS_M);
            here = self.go(&mut steps, here, stems);
            for _ in 0..6 + self.random.below(5) {
                self.stay(&mut steps, Occupation::Loading, (70.0, 150.0));
                let next = here.at.ahead(here.heading + self.random.range(-0.5, 0.5), self.random.range(15.0, 40.0));
                here = self.go(&mut steps, here, next);
            }
            let landing = view.estate().farm.yard;
            self.go(&mut steps, here, landing);
            self.stay(&mut steps, Occupation::Unloading, (420.0, 720.0));
        } else {
            for _ in 0..10 {
                self.stay(&mut steps, Occupation::Felling, (90.0, 300.0));
                let next = here.at.ahead(here.heading + self.random.range(-0.4, 0.4), self.random.range(5.0, 14.0));
                here = self.go(&mut steps, here, next);
            }
        }
        for step in steps.into_iter().rev() {
            self.steps.push_front(step);
        }
    }

    fn somewhere(&mut self, view: &View<'_>, reach_m: (f64, f64)) -> Point {
        let direction = self.random.range(0.0, std::f64::consts::TAU);
        view.estate().farm.yard.ahead(direction, self.random.range(reach_m.0, reach_m.1))
    }

    fn go(&mut self, steps: &mut Vec<Step>, from: Pose, to: Point) -> Pose {
        let path = Path::straight(from.at, to);
        let cruise_mps = self.random.range(WOODS_MPS.0, WOODS_MPS.1);
        let end = path.end().unwrap_or(from);
        steps.push(Step::Go(Box::new(Travelled {
            path,
            cruise_mps,
            exit_mps: 0.0,
            state: State::Transport,
            on_road: false,
            fresh_m: None,
            shafts_on: false,
        })));
        end
    }

    fn stay(&mut self, steps: &mut Vec<Step>, occupation: Occupation, lasts_s: (f64, f64)) {
        steps.push(Step::Stay { occupation, lasts_s: self.random.range(lasts_s.0, lasts_s.1) });
    }
}
