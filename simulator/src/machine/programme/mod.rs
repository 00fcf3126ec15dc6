//! What a machine is told to do: from the season down to the next leg.
//!
//! ```text
//! day ─ steps (park, start, drive, work, …) ─ legs (stand, travel) ▶ body
//! ```
//!
//! A day is planned when the one before it is over. Work on a field goes on leg by leg, so that a full grain tank, an
//! empty fuel tank, rain or the end of the shift can come between.

mod day;
mod field_work;
mod job;
mod stations;
mod woods;

use std::collections::{BTreeMap, VecDeque};

pub(crate) use job::Job;

use super::catalogue::Model;
use super::geometry::{Path, Pose};
use super::plant::Plant;
use super::world::{Estate, World};
use crate::random::Random;
use crate::truth::State;

/// Where a machine is between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Yard,
    /// On the farm's field of that number.
    Field(usize),
    /// Somewhere in the woods.
    Woods,
}

/// A part of a day.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Switched off until then.
    Park { until_s: f64 },
    /// The engine is started and runs a while.
    WarmUp { lasts_s: f64 },
    /// Fills the tank at the yard or from a bowser.
    Refuel,
    /// By road, or through the woods.
    Drive(Place),
    /// Goes on with the job until something ends it.
    Work,
    /// A way that is planned already.
    Go(Box<Travelled>),
    /// Stands with the engine running, doing something for so long.
    Stay { occupation: Occupation, lasts_s: f64 },
    /// Some cycles of a forest machine.
    Woods { until_s: f64 },
    /// A dryer dries.
    Dry { until_s: f64 },
}

/// Moving or standing for some time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Leg {
    Stand(Stand),
    Travel(Travelled),
}

/// What a standing machine does.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Occupation {
    #[default]
    Nothing,
    Refuelling,
    Unloading,
    /// The crane of a forwarder loads, or unloads.
    Loading,
    Felling,
    Pumping,
    Drying,
    /// Idles behind an emergency stop: the fault of that number.
    Cooling(u32),
    /// Waits to be repaired.
    Repair(u32),
}

/// A machine that stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stand {
    /// When it ends; standing that ends with its occupation has a later time here.
    pub(crate) until_s: f64,
    pub(crate) engine_on: bool,
    pub(crate) occupation: Occupation,
    /// Litres into the tank in a second.
    pub(crate) tank_lps: f64,
}

/// A machine on a way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Travelled {
    pub(crate) path: Path,
    /// Speed where nothing hinders, m/s.
    pub(crate) cruise_mps: f64,
    /// Speed at the end.
    pub(crate) exit_mps: f64,
    pub(crate) state: State,
    pub(crate) on_road: bool,
    /// In work: width of the swath that nobody worked before, metres.
    pub(crate) fresh_m: Option<f64>,
    pub(crate) shafts_on: bool,
}

/// What a programme sees of its machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) index: usize,
    pub(crate) now_s: f64,
    pub(crate) pose: Pose,
    pub(crate) plant: &'a Plant,
}

impl View<'_> {
    fn model(&self) -> &Model {
        self.world.model(self.index)
    }

    fn estate(&self) -> &Estate {
        self.world.estate(self.index)
    }

    fn tank_share(&self) -> f64 {
        self.model().engine.as_ref().map_or(1.0, |engine| self.plant.tank_l / engine.tank_l)
    }
}

/// The programme of one machine.
#[derive(Debug, Clone)]
pub(crate) struct Programme {
    steps: VecDeque<Step>,
    pub(crate) job: Option<Box<Job>>,
    /// The job that was done last, until the body has taken note of it.
    pub(crate) finished: Option<Box<Job>>,
    place: Place,
    /// Fields done by operation and year.
    done: BTreeMap<(String, i16), usize>,
    random: Random,
    shift: Shift,
}

/// The limits of the working day.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Shift {
    ends_s: f64,
    /// Of breaks: when the next one is due.
    break_s: f64,
    /// When something small next comes between: a plugged share, a talk, a look at the machine.
    pause_s: f64,
    /// Share of the grain tank at which it is emptied next.
    unload_at: f64,
    /// Whether a truck can drive beside the machine then.
    on_the_go: bool,
}

impl Stand {
    pub(crate) fn off(until_s: f64) -> Self {
        Self { until_s, engine_on: false, occupation: Occupation::Nothing, tank_lps: 0.0 }
    }

    pub(crate) fn idle(until_s: f64) -> Self {
        Self { engine_on: true, ..Self::off(until_s) }
    }

    fn busy(until_s: f64, occupation: Occupation) -> Self {
        Self { occupation, ..Self::idle(until_s) }
    }
}

impl Programme {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            steps: VecDeque::new(),
            job: None,
            finished: None,
            place: Place::Yard,
            done: BTreeMap::new(),
            random,
            shift: Shift::default(),
        }
    }

    /// The next leg. There always is one: a day that is over is followed by the next.
    pub(crate) fn next(&mut self, view: &View<'_>) -> Leg {
        loop {
            let Some(step) = self.steps.pop_front() else {
                self.plan_day(view);
                continue;
            };
            match step {
                Step::Park { until_s } if until_s > view.now_s + 1.0 => return Leg::Stand(Stand::off(until_s)),
                Step::Park { .. } => {}
                Step::WarmUp { lasts_s } => return Leg::Stand(Stand::idle(view.now_s + lasts_s)),
                Step::Refuel => {
                    if let Some(stand) = self.refuel(view) {
                        return Leg::Stand(stand);
                    }
                }
                Step::Drive(to) => {
                    if let Some(leg) = self.drive(view, to) {
                        return leg;
                    }
                }
                Step::Work => {
                    if let Some(leg) = self.work(view) {
                        self.steps.push_front(Step::Work);
                        return leg;
                    }
                }
                Step::Go(travelled) => return Leg::Travel(*travelled),
                Step::Stay { occupation, lasts_s } => {
                    return Leg::Stand(Stand::busy(view.now_s + lasts_s, occupation));
                }
                Step::Woods { until_s } => {
                    if view.now_s < until_s {
                        self.steps.push_front(Step::Woods { until_s });
                        self.plan_cycle(view);
                    }
                }
                Step::Dry { until_s } => {
                    if view.now_s < until_s {
                        return Leg::Stand(Stand { engine_on: false, ..Stand::busy(until_s, Occupation::Drying) });
                    }
                }
            }
        }
    }

    /// The field that the machine is on.
    pub(crate) fn field(&self) -> Option<usize> {
        if let Place::Field(field) = self.place { Some(field) } else { None }
    }

    /// Filling the tank; none when it is full enough.
    fn refuel(&mut self, view: &View<'_>) -> Option<Stand> {
        /// Litres a second from a pump or a bowser.
        const PUMP_LPS: f64 = 1.2;
        let tank_l = view.model().engine.as_ref()?.tank_l;
        let missing_l = tank_l * self.random.range(0.95, 0.99) - view.plant.tank_l;
        if missing_l < tank_l * 0.1 {
            return None;
        }
        Some(Stand {
            until_s: view.now_s + missing_l / PUMP_LPS,
            engine_on: false,
            occupation: Occupation::Refuelling,
            tank_lps: PUMP_LPS,
        })
    }

    /// The way by road to another place; none when the machine is there.
    fn drive(&mut self, view: &View<'_>, to: Place) -> Option<Leg> {
        /// Radius of bends on farm roads.
        const ROAD_RADIUS_M: f64 = 11.0;
        if self.place == to {
            return None;
        }
        let farm = &view.estate().farm;
        let field = |place: Place| if let Place::Field(index) = place { farm.fields.get(index) } else { None };
        let (from, end) = (field(self.place), field(to));
        let mut road = farm.way(from.map(|field| &**field), end.map(|field| &**field));
        let mut path = Path::default();
        if let Some(first) = road.first_mut() {
            match (self.place, &self.job) {
                (Place::Field(_), Some(job)) => {
                    let gate = job.ways().nearest(*first);
                    path = job.ways().along_headland(view.pose, Pose::new(gate, gate.direction(*first)));
                    *first = path.end().map_or(*first, |end| end.at);
                }
                _ => *first = view.pose.at,
            }
        }
        path.extend(Path::rounded(&road, false, ROAD_RADIUS_M));
        self.place = to;
        let share = self.random.range(0.62, 0.8);
        Some(Leg::Travel(Travelled {
            path,
            cruise_mps: (view.model().top_speed_kmh * share).min(60.0) / 3.6,
            exit_mps: 0.0,
            state: State::Transport,
            on_road: true,
            fresh_m: None,
            shafts_on: false,
        }))
    }
}
