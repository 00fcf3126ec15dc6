//! Fuel that leaves the tank by another way than the engine, and fuel that is filled in.
//!
//! A float in a tank of a machine at work says little: fuel sloshes, the machine leans. So only readings of a machine
//! that has stood for a while count, as medians of two minutes. What the engine burned between two of those is added
//! back; what is left over was drained or filled. A level that comes back within half an hour was no theft: the
//! machine leaned, or wax held the float.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wire::SignalId;

use super::super::super::Readings;
use super::super::episode::Evidence;
use super::Found;
use super::block::{Block, RUNNING_RPM};
use super::expression::Expression;

/// A machine has to have stood for so long before its level counts, s.
const SETTLED_AFTER_S: f64 = 120.0;
/// Readings of this time make one level.
const MEDIAN_MS: i64 = 120_000;
/// Most readings in one median: two minutes at 10 Hz and more.
const MAX_READINGS: usize = 2_048;
/// Samples further apart say nothing of what was burned between them.
const OBSERVED_MS: i64 = 120_000;
/// Share of the running time that may lack a rate before nothing is said of the balance.
const UNKNOWN_SHARE: f64 = 0.1;
/// A level that has moved by less than this share of the tank has not moved.
const STUCK_SHARE: f64 = 0.002;
/// And a float that slops by more than this share at work is not stuck: the machine was filled to where it was.
const STUCK_SLOPS_SHARE: f64 = 0.005;
/// Most levels remembered: those of the longest window.
const MAX_POINTS: usize = 32;

/// What kind of event a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FuelEvent {
    /// Fuel that went while the engine was off.
    DrainParked,
    /// Fuel that went beside what the engine burned.
    DrainRunning,
    /// Fuel filled in.
    Refuel,
    /// A level that stays while the engine burns: its sender is stuck.
    SenderStuck,
}

/// How to watch a tank.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fuel {
    pub(super) event: FuelEvent,
    pub(super) level: SignalId,
    /// Column of the burning rate, L/h, of the time the machine has stood and of the engine's speed.
    pub(super) rate: usize,
    pub(super) stopped_s: usize,
    pub(super) off_s: usize,
    pub(super) engine_speed: usize,
    pub(super) speed: usize,
    /// Smallest event: litres, and share of the tank; the greater counts.
    pub(super) at_least_l: f64,
    pub(super) at_least_share: f64,
    /// Within what time, ms.
    pub(super) within_ms: i64,
    /// A level that comes back within this time, or a filling that goes on, ms.
    pub(super) join_ms: i64,
    /// Capacity where the model's is not known, L; none: nothing is said of such a machine.
    pub(super) tank_l: Option<f64>,
    pub(super) raise_when: Option<Expression>,
}

/// A level of a machine that stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Point {
    at_ms: i64,
    litres: f64,
    /// Burned since the fold began, L.
    burned: f64,
    /// Since the point before neither the engine ran nor the machine moved.
    parked: bool,
    /// The burning rate was known since the point before.
    balanced: bool,
    /// How far readings since the point before were off this one, those of a machine at work too, L.
    slopped: f64,
}

impl Point {
    /// What the tank would hold had nothing been burned.
    fn adjusted(&self) -> f64 {
        self.litres + self.burned
    }

    /// Whether the level has not moved since `from`, the point before or one with the same level.
    fn is_stuck_since(&self, from: &Self, tank_l: f64) -> bool {
        (self.litres - from.litres).abs() < STUCK_SHARE * tank_l && self.slopped < STUCK_SLOPS_SHARE * tank_l
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FuelState {
    last_ms: Option<i64>,
    burned: f64,
    running_ms: i64,
    unknown_ms: i64,
    moved: bool,
    /// Lowest and highest reading since the last point, per cent.
    range: Option<(f64, f64)>,
    bucket: i64,
    readings: Vec<f64>,
    read_ms: i64,
    points: VecDeque<Point>,
    pending: Option<Pending>,
}

/// An event that may still grow, or turn out to be none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    event: FuelEvent,
    from: Point,
    to: Point,
    fired_ms: i64,
    raised: bool,
}

impl Pending {
    /// Litres drained or filled; those that a stuck sender hides.
    fn litres(&self, tank_l: f64) -> f64 {
        self.change(&self.to, tank_l)
    }

    /// How far the event has come at a later level; below zero: the other way.
    fn change(&self, point: &Point, tank_l: f64) -> f64 {
        let drained = self.from.adjusted() - point.adjusted();
        match self.event {
            FuelEvent::DrainParked | FuelEvent::DrainRunning => drained,
            FuelEvent::Refuel => -drained,
            // It is stuck for as long as the level stays.
            FuelEvent::SenderStuck if point.is_stuck_since(&self.from, tank_l) => -drained,
            FuelEvent::SenderStuck => 0.0,
        }
    }
}

impl Fuel {
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        columns.extend([self.rate, self.stopped_s, self.off_s, self.engine_speed, self.speed]);
        if let Some(raise_when) = &self.raise_when {
            raise_when.columns(columns);
        }
    }

    /// Goes through a block; `first` is the index of its first sample in `readings`.
    pub(super) fn run(
        &self,
        readings: &Readings,
        first: usize,
        block: &Block,
        tank_l: Option<f64>,
        state: &mut FuelState,
        found: &mut Vec<Found>,
    ) {
        let level = readings.signal(self.level);
        let Some(tank_l) = tank_l.or(self.tank_l) else { return };
        let raise_when = self.raise_when.as_ref().map(|raise_when| raise_when.evaluate(block));
        for (index, &at_ms) in block.at_ms.iter().enumerate() {
            self.burn(block, index, state);
            if state.bucket != at_ms.div_euclid(MEDIAN_MS) {
                let raised = raise_when.as_ref().is_some_and(|raise_when| raise_when[index] == 1.0);
                if let Some(point) = self.finish_bucket(tank_l, state) {
                    self.judge(point, tank_l, raised, state, found);
                }
                state.bucket = at_ms.div_euclid(MEDIAN_MS);
            }
            if state.pending.as_ref().is_some_and(|pending| at_ms - pending.to.at_ms > self.join_ms) {
                self.settle(at_ms, tank_l, state, found);
            }
            let stands = block.column(self.stopped_s)[index] >= SETTLED_AFTER_S
                // A machine whose controllers sleep says nothing of its speed.
                || (block.column(self.speed)[index].is_nan() && block.column(self.off_s)[index] >= SETTLED_AFTER_S);
            let Some(percent) = level.at(first + index) else { continue };
            let (low, high) = state.range.unwrap_or((percent, percent));
            state.range = Some((low.min(percent), high.max(percent)));
            if stands {
                state.read_ms = at_ms;
                if state.readings.len() < MAX_READINGS {
                    state.readings.push(percent);
                }
            }
        }
    }

    /// Adds up what the engine burned.
    fn burn(&self, block: &Block, index: usize, state: &mut FuelState) {
        let at_ms = block.at_ms[index];
        let elapsed_ms = state.last_ms.replace(at_ms).map_or(0, |last| at_ms - last);
        state.moved |= block.column(self.stopped_s)[index] == 0.0;
        if block.column(self.engine_speed)[index].is_nan() || block.column(self.engine_speed)[index] < RUNNING_RPM {
            return;
        }
        state.running_ms += elapsed_ms;
        let rate = block.column(self.rate)[index];
        if rate.is_nan() || elapsed_ms > OBSERVED_MS {
            state.unknown_ms += elapsed_ms;
        } else {
            state.burned += rate * elapsed_ms as f64 / 3_600_000.0;
        }
    }

    /// The level of the bucket that is over.
    fn finish_bucket(&self, tank_l: f64, state: &mut FuelState) -> Option<Point> {
        let mut readings = std::mem::take(&mut state.readings);
        if readings.is_empty() {
            return None;
        }
        readings.sort_unstable_by(f64::total_cmp);
        let percent = readings[readings.len() / 2];
        readings.clear();
        state.readings = readings;
        let (low, high) = state.range.take().unwrap_or((percent, percent));
        let point = Point {
            at_ms: state.read_ms,
            litres: percent / 100.0 * tank_l,
            burned: state.burned,
            parked: state.running_ms == 0 && !state.moved,
            balanced: state.unknown_ms as f64 <= UNKNOWN_SHARE * state.running_ms as f64,
            slopped: (high - percent).max(percent - low) / 100.0 * tank_l,
        };
        (state.running_ms, state.unknown_ms, state.moved) = (0, 0, false);
        Some(point)
    }

    fn judge(&self, point: Point, tank_l: f64, raised: bool, state: &mut FuelState, found: &mut Vec<Found>) {
        let threshold = self.at_least_l.max(self.at_least_share * tank_l);
        if let Some(pending) = &mut state.pending {
            let is_drain = matches!(pending.event, FuelEvent::DrainParked | FuelEvent::DrainRunning);
            let change = pending.change(&point, tank_l);
            if change > pending.litres(tank_l) {
                pending.to = point;
            } else if change < -threshold && is_drain {
                // More than there was before: somebody filled up. What went before that is gone all the same.
                self.settle(point.at_ms, tank_l, state, found);
            } else if change < threshold / 2.0 {
                // The level is back: there was nothing. A sender that moves again was stuck all the same.
                match pending.event {
                    FuelEvent::SenderStuck => self.settle(point.at_ms, tank_l, state, found),
                    _ => state.pending = None,
                }
            }
            if state.pending.is_some() {
                state.remember(point, self.within_ms);
                return;
            }
        }
        if let Some((event, from)) = self.event(point, tank_l, threshold, state) {
            state.pending = Some(Pending { event, from, to: point, fired_ms: point.at_ms, raised });
        }
        state.remember(point, self.within_ms);
    }

    /// Whether the level has changed by enough since an earlier point: the one of the window with the greatest
    /// change, or the last one before, however old.
    fn event(&self, point: Point, tank_l: f64, threshold: f64, state: &FuelState) -> Option<(FuelEvent, Point)> {
        let mut parked = point.parked;
        let mut balanced = point.balanced;
        let mut stuck = true;
        let mut best: Option<(f64, FuelEvent, Point)> = None;
        for (age, from) in state.points.iter().rev().enumerate() {
            if age > 0 && point.at_ms - from.at_ms > self.within_ms {
                break;
            }
            let drained = from.adjusted() - point.adjusted();
            let risen = point.litres - from.litres;
            let (change, event) = match self.event {
                FuelEvent::Refuel => (risen, FuelEvent::Refuel),
                FuelEvent::SenderStuck if stuck && point.is_stuck_since(from, tank_l) => {
                    (-drained, FuelEvent::SenderStuck)
                }
                FuelEvent::SenderStuck => (0.0, FuelEvent::SenderStuck),
                FuelEvent::DrainParked | FuelEvent::DrainRunning if parked => (drained, FuelEvent::DrainParked),
                FuelEvent::DrainParked | FuelEvent::DrainRunning => (drained, FuelEvent::DrainRunning),
            };
            // Of what the engine burned nothing is known: then a level that falls, or stays, proves nothing.
            let proves = balanced || event == FuelEvent::Refuel;
            if event == self.event && proves && change >= threshold && best.is_none_or(|(most, ..)| change > most) {
                best = Some((change, event, *from));
            }
            parked &= from.parked;
            balanced &= from.balanced;
            stuck &= from.slopped < STUCK_SLOPS_SHARE * tank_l;
        }
        best.map(|(_, event, from)| (event, from))
    }

    fn settle(&self, at_ms: i64, tank_l: f64, state: &mut FuelState, found: &mut Vec<Found>) {
        if let Some(pending) = state.pending.take() {
            found.push(pending.found(tank_l, Some(at_ms)));
            // Levels before the event would find it again.
            state.points.retain(|point| point.at_ms >= pending.to.at_ms);
        }
    }

    /// The event that may still grow.
    pub(super) fn open(&self, state: &FuelState, tank_l: Option<f64>) -> Option<Found> {
        let tank_l = tank_l.or(self.tank_l)?;
        state.pending.as_ref().map(|pending| pending.found(tank_l, None))
    }
}

impl FuelState {
    fn remember(&mut self, point: Point, within_ms: i64) {
        let is_old = |front: &Point| point.at_ms - front.at_ms > within_ms;
        while self.points.len() >= MAX_POINTS || self.points.front().is_some_and(is_old) {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

impl Pending {
    fn found(&self, tank_l: f64, settled_at_ms: Option<i64>) -> Found {
        let percent = |litres: f64| 100.0 * litres / tank_l;
        let evidence = Evidence::from(
            [
                ("value", self.litres(tank_l)),
                ("litres", self.litres(tank_l)),
                ("burned_l", self.to.burned - self.from.burned),
                ("level_before_pct", percent(self.from.litres)),
                ("level_after_pct", percent(self.to.litres)),
                ("tank_l", tank_l),
                ("raised", f64::from(u8::from(self.raised))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        Found {
            opened_at_ms: self.from.at_ms,
            fired_at_ms: self.fired_ms,
            closed_at_ms: Some(self.to.at_ms),
            settled_at_ms,
            evidence,
        }
    }
}
