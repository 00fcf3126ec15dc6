//! Fuel that leaves the tank by another way than the engine, and fuel that is filled in.
//!
//! A float in a tank of a machine at work says little: fuel sloshes, the machine leans. So only readings of a machine
//! that has stood for a while count, as medians of two minutes. What the engine burned between two of those is added
//! back, by its rate, or by its counters where the unit slept; what is left over was drained or filled. A level that
//! comes back within half an hour was no theft: the machine leaned, or wax held the float. A level that did not move
//! while the machine drove was none (`frozen`): what follows it is set against the last level before.

mod burn;
mod frozen;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wire::{SignalId, catalogue};

use super::super::super::Readings;
use super::super::episode::Evidence;
use super::Found;
use super::block::Block;
use super::expression::Expression;
use burn::Burn;
use frozen::{Frozen, StuckAfter};

/// A machine has to have stood for so long before its level counts, s.
const SETTLED_AFTER_S: f64 = 120.0;
/// The receiver of a parked machine makes it wander at less than this, km/h.
const WANDERS_KMH: f64 = 2.0;
/// Readings of this time make one level.
const MEDIAN_MS: i64 = 120_000;
/// Most readings in one median: two minutes at 10 Hz and more.
const MAX_READINGS: usize = 2_048;
/// Samples further apart say nothing of what the machine did between them.
const OBSERVED_MS: i64 = 120_000;
/// What engines say of their burning is off by up to this share.
const BURNED_OFF_SHARE: f64 = 0.05;
/// Over a night fuel shrinks in the cold, and floats creep: between the beginning of a stand and a later level the
/// change has to be so many times greater.
const SLOW_TIMES: f64 = 2.0;
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
    /// A level that stays while the machine drives and burns: its sender is stuck.
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
    /// Driving after which a level that has not moved is stuck, ms.
    pub(super) moving_ms: i64,
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
    burned_l: f64,
    /// The most that may have been burned beside that, at times when no rate was known, L.
    unknown_l: f64,
    /// Counts the stretches in which the engine ran or the machine moved: equal on two levels of one stand.
    stirred: u32,
}

impl Point {
    /// Litres that are gone since an earlier level and were not burned, at least; below zero: that came.
    fn drained_since(&self, from: &Self) -> f64 {
        from.litres - self.litres - (self.burned_l - from.burned_l) - (self.unknown_l - from.unknown_l)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FuelState {
    last_ms: Option<i64>,
    burn: Burn,
    bucket: i64,
    readings: Vec<f64>,
    read_ms: i64,
    points: VecDeque<Point>,
    /// The first level of the present stand, or the one after fuel was filled in.
    stands_from: Option<Point>,
    frozen: Option<Frozen>,
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
    /// Litres drained or filled.
    fn litres(&self) -> f64 {
        self.change(&self.to)
    }

    /// How far the event has come at a later level; below zero: the other way.
    fn change(&self, point: &Point) -> f64 {
        match self.event {
            FuelEvent::Refuel => point.litres - self.from.litres + point.burned_l - self.from.burned_l,
            _ => point.drained_since(&self.from),
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
        let (total, hours) = (readings.signal(catalogue::FUEL_TOTAL_L), readings.signal(catalogue::ENGINE_HOURS_H));
        let Some(tank_l) = tank_l.or(self.tank_l) else { return };
        let raise_when = self.raise_when.as_ref().map(|raise_when| raise_when.evaluate(block));
        for (index, &at_ms) in block.at_ms.iter().enumerate() {
            // Before anything of this sample counts: what happened since the one before, a whole night perhaps, is
            // behind the level of the bucket that is over.
            if state.bucket != at_ms.div_euclid(MEDIAN_MS) {
                let raised = raise_when.as_ref().is_some_and(|raise_when| raise_when[index] == 1.0);
                if let Some(point) = state.finish_bucket(tank_l) {
                    self.judge(point, tank_l, raised, state, found);
                }
                state.bucket = at_ms.div_euclid(MEDIAN_MS);
            }
            self.go_on(block, index, state);
            state.burn.count(total.at(first + index), hours.at(first + index));
            if state.pending.as_ref().is_some_and(|pending| at_ms - pending.to.at_ms > self.join_ms) {
                state.settle(at_ms, tank_l, found);
            }
            let Some(percent) = level.at(first + index) else { continue };
            self.freeze(at_ms, percent, tank_l, state, found);
            if self.stands(block, index) {
                state.read_ms = at_ms;
                if state.readings.len() < MAX_READINGS {
                    state.readings.push(percent);
                }
            }
        }
    }

    /// Whether the machine has stood for long enough.
    fn stands(&self, block: &Block, index: usize) -> bool {
        let speed = block.column(self.speed)[index];
        block.column(self.stopped_s)[index] >= SETTLED_AFTER_S
            // A machine whose controllers sleep says nothing of its speed, or its receiver alone does.
            || ((speed.is_nan() || speed < WANDERS_KMH) && block.column(self.off_s)[index] >= SETTLED_AFTER_S)
    }

    /// Adds up what the machine did since the sample before.
    fn go_on(&self, block: &Block, index: usize, state: &mut FuelState) {
        let at_ms = block.at_ms[index];
        let elapsed_ms = state.last_ms.replace(at_ms).map_or(0, |last| at_ms - last);
        let engine_rpm = block.column(self.engine_speed)[index];
        // Whoever tows a machine does not shake its tank much, and a receiver that wanders not at all.
        if block.column(self.stopped_s)[index] == 0.0 && !Burn::is_off(engine_rpm) {
            state.burn.moved();
            if let Some(frozen) = state.frozen.as_mut().filter(|_| elapsed_ms <= OBSERVED_MS) {
                frozen.drive(elapsed_ms);
            }
        }
        state.burn.run(elapsed_ms, engine_rpm, block.column(self.rate)[index]);
    }

    /// Follows readings that are all the same. Levels of a sender that turns out to have been stuck are forgotten.
    fn freeze(&self, at_ms: i64, percent: f64, tank_l: f64, state: &mut FuelState, found: &mut Vec<Found>) {
        let burned_l = state.burn.burned_l();
        let goes_on = state.frozen.as_mut().is_some_and(|frozen| frozen.take(at_ms, percent, burned_l));
        if !goes_on {
            let before = state.points.back().copied();
            let over = state.frozen.replace(Frozen::begin(at_ms, percent, burned_l, before));
            if let Some(over) = over.filter(|over| over.is_doubtful(tank_l)) {
                state.readings.clear();
                state.points.clear();
                state.points.extend(over.before);
                state.stands_from = None;
                if let Some(frozen) = &mut state.frozen {
                    frozen.before = over.before;
                }
                if self.event == FuelEvent::SenderStuck {
                    found.extend(over.found(tank_l, Some(at_ms)));
                }
            }
        }
        if let Some(frozen) = state.frozen.as_mut().filter(|_| self.event == FuelEvent::SenderStuck) {
            let burned_l = self.threshold(tank_l);
            frozen.judge(StuckAfter { moved_ms: self.moving_ms, burned_l }, tank_l);
        }
    }

    fn threshold(&self, tank_l: f64) -> f64 {
        self.at_least_l.max(self.at_least_share * tank_l)
    }

    fn judge(&self, point: Point, tank_l: f64, raised: bool, state: &mut FuelState, found: &mut Vec<Found>) {
        if self.event == FuelEvent::SenderStuck {
            state.remember(point, self.within_ms);
            return;
        }
        let threshold = self.threshold(tank_l);
        let stands = state.stands_from.filter(|from| from.stirred == point.stirred);
        state.stands_from = Some(stands.filter(|from| point.litres - from.litres < threshold).unwrap_or(point));
        if let Some(pending) = state.pending.as_mut() {
            let change = pending.change(&point);
            if change > pending.litres() {
                pending.to = point;
            } else if change < -threshold && pending.event != FuelEvent::Refuel {
                // More than there was before: somebody filled up. What went before that is gone all the same.
                state.settle(point.at_ms, tank_l, found);
            } else if change < threshold / 2.0 {
                // The level is back: there was nothing.
                state.pending = None;
            }
            if state.pending.is_some() {
                state.remember(point, self.within_ms);
                return;
            }
        }
        if let Some(from) = self.begins(&point, threshold, state) {
            let (event, fired_ms) = (self.event, point.at_ms);
            state.pending = Some(Pending { event, from, to: point, fired_ms, raised });
        }
        state.remember(point, self.within_ms);
    }

    /// The earlier level since which enough has changed: of those of the window and the last one before, however old,
    /// the one with the greatest change; else the beginning of the stand.
    fn begins(&self, point: &Point, threshold: f64, state: &FuelState) -> Option<Point> {
        let mut best: Option<(f64, Point)> = None;
        for (age, from) in state.points.iter().rev().enumerate() {
            if age > 0 && point.at_ms - from.at_ms > self.within_ms {
                break;
            }
            let change = self.change(from, point);
            if change >= threshold && best.is_none_or(|(most, _)| change > most) {
                best = Some((change, *from));
            }
        }
        let slow = || state.stands_from.filter(|from| self.change(from, point) >= SLOW_TIMES * threshold);
        best.map(|(_, from)| from).or_else(|| slow().filter(|_| self.event == FuelEvent::DrainParked))
    }

    /// Litres of the rule's event between two levels, as far as they prove it.
    fn change(&self, from: &Point, to: &Point) -> f64 {
        let is_one_stand = from.stirred == to.stirred;
        match self.event {
            FuelEvent::Refuel => to.litres - from.litres,
            FuelEvent::DrainParked if is_one_stand => to.drained_since(from),
            FuelEvent::DrainRunning if !is_one_stand => {
                to.drained_since(from) - BURNED_OFF_SHARE * (to.burned_l - from.burned_l)
            }
            FuelEvent::DrainParked | FuelEvent::DrainRunning | FuelEvent::SenderStuck => 0.0,
        }
    }

    /// The event that may still grow.
    pub(super) fn open(&self, state: &FuelState, tank_l: Option<f64>) -> Option<Found> {
        let tank_l = tank_l.or(self.tank_l)?;
        match self.event {
            FuelEvent::SenderStuck => state.frozen.as_ref().and_then(|frozen| frozen.found(tank_l, None)),
            _ => state.pending.as_ref().map(|pending| pending.found(tank_l, None)),
        }
    }
}

impl FuelState {
    /// The level of the bucket that is over.
    fn finish_bucket(&mut self, tank_l: f64) -> Option<Point> {
        if self.readings.is_empty() {
            return None;
        }
        self.readings.sort_unstable_by(f64::total_cmp);
        let percent = self.readings[self.readings.len() / 2];
        self.readings.clear();
        let (unknown_l, stirred) = self.burn.settle(tank_l);
        let (at_ms, burned_l) = (self.read_ms, self.burn.burned_l());
        Some(Point { at_ms, litres: percent / 100.0 * tank_l, burned_l, unknown_l, stirred })
    }

    /// The event that waits is over.
    fn settle(&mut self, at_ms: i64, tank_l: f64, found: &mut Vec<Found>) {
        let Some(pending) = self.pending.take() else { return };
        found.push(pending.found(tank_l, Some(at_ms)));
        // Levels before the event would find it again.
        self.points.retain(|point| point.at_ms >= pending.to.at_ms);
        self.stands_from = self.stands_from.map(|from| if from.at_ms < pending.to.at_ms { pending.to } else { from });
    }

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
                ("value", self.litres()),
                ("litres", self.litres()),
                ("burned_l", self.to.burned_l - self.from.burned_l),
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
