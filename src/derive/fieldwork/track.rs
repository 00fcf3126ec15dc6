//! Where a machine went and how fast: positions that can be believed, and speed from the best source.

use wire::{SignalId, catalogue};

use super::held::Stretches;
use crate::derive::Readings;
use crate::derive::geometry::{Frame, Point};

/// Without a speed beside it, a way faster than this is a jump: 144 km/h.
const UNBELIEVABLE_MPS: f64 = 40.0;
/// With one, a way this many times longer than it allows is a jump.
const SPEED_FACTOR: f64 = 3.0;
/// Slack for the scatter of a poor receiver.
const SCATTER_M: f64 = 10.0;
/// After a gap as long as this the speed reported tells nothing of the way between, s.
const LOST_TRACK_S: f64 = 300.0;
/// A receiver that jumped is back within so long, s.
const JUMP_MAX_S: f64 = 25.0;
/// Its way goes on straight where the directions before and across the jump differ by less, cosine.
const STRAIGHT_COSINE: f64 = 0.8;
/// The direction before is taken over this way, m.
const DIRECTION_M: f64 = 3.0;
/// A position that stays the same for longer (s) while the machine moves faster (m/s) is not known.
const FROZEN_S: f64 = 5.0;
const FROZEN_MPS: f64 = 0.5;
/// After a gap it may be known again, ms.
const GAP_MS: i64 = 60_000;
/// Speed from positions looks this far to both sides, or to the next position.
const SPEED_WINDOW_S: f64 = 3.0;
/// Speed from positions over a longer time says nothing of the moment.
const SPEED_WINDOW_MAX_S: f64 = 120.0;

/// Where a machine went, one entry for each sample.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// The plane of the day.
    pub frame: Frame,
    /// Position on the plane; NaN where there is none to be believed.
    pub places: Vec<Point>,
    /// Latitude and longitude in degrees; NaN where there is none to be believed.
    pub degrees: Vec<(f64, f64)>,
    /// Whether the straight line from the position before is no way the machine went.
    pub broken: Vec<bool>,
    /// Speed over ground, m/s; NaN where nothing tells it.
    pub speed_mps: Vec<f64>,
    /// Whether speed is reported rather than worked out from positions.
    pub has_speed: bool,
    /// Positions left out because they jumped.
    pub jumped: Vec<bool>,
}

/// Signals that tell speed, best first, and metres per second in their unit.
const SPEEDS: [(SignalId, f64); 6] = [
    (catalogue::GROUND_SPEED_KMH, 1.0 / 3.6),
    (catalogue::MACHINE_SELECTED_SPEED_MPS, 1.0),
    (catalogue::GROUND_BASED_SPEED_MPS, 1.0),
    (catalogue::WHEEL_BASED_SPEED_MPS, 1.0),
    (catalogue::WHEEL_SPEED_KMH, 1.0 / 3.6),
    (catalogue::TC_ACTUAL_SPEED_MPS, 1.0),
];

impl Track {
    pub(super) fn of(readings: &Readings, stretches: &Stretches) -> Self {
        let reported = reported_speed(readings, stretches);
        let has_speed = reported.iter().any(|speed| !speed.is_nan());
        let degrees = usable_positions(readings, &reported);
        let origin = degrees.iter().find(|(latitude, _)| !latitude.is_nan()).copied().unwrap_or((0.0, 0.0));
        let frame = Frame::at(origin.0, origin.1);
        let mut places: Vec<Point> = degrees.iter().map(|&(lat, lon)| frame.point(lat, lon)).collect();
        let mut track = Self {
            frame,
            broken: vec![false; places.len()],
            jumped: vec![false; places.len()],
            speed_mps: Vec::new(),
            has_speed,
            places: Vec::new(),
            degrees,
        };
        track.leave_out_jumps(readings, &mut places, &reported);
        track.places = places;
        track.speed_mps = reported;
        track.complete_speed(readings);
        track
    }

    /// Positions that are far off for some seconds, while those before and after agree, are left out. Where the way goes
    /// on from the new place, the machine was carried there or the records between are missing: the track is broken.
    fn leave_out_jumps(&mut self, readings: &Readings, places: &mut [Point], speed_mps: &[f64]) {
        let at = &readings.recorded_at_ms;
        let known: Vec<usize> = (0..places.len()).filter(|&index| !places[index].x.is_nan()).collect();
        let is_jump = |a: usize, b: usize, from: Point, to: Point| {
            let seconds = (at[b] - at[a]) as f64 / 1000.0;
            let speed = f64::max(speed_mps[a], speed_mps[b]);
            let tells_nothing = speed.is_nan() || seconds >= LOST_TRACK_S;
            let most = if tells_nothing { UNBELIEVABLE_MPS } else { SPEED_FACTOR * speed.max(1.0) };
            from.distance(to) > most * seconds + SCATTER_M
        };
        let mut before: Option<usize> = None;
        let mut number = 0;
        while number < known.len() {
            let index = known[number];
            if let Some(last) = before
                && is_jump(last, index, places[last], places[index])
            {
                let in_time = |next: &&usize| (at[**next] - at[last]) as f64 <= JUMP_MAX_S * 1000.0;
                let back = known[number + 1..].iter().take_while(in_time).enumerate().position(|(away, &next)| {
                    let previous = known[number + away];
                    let is_straight = || {
                        is_jump(previous, next, places[previous], places[next])
                            && goes_on_to(places, &known[..number], next)
                    };
                    // One position is easily wrong. Several in a row may be the next pass of a log without its turns.
                    !is_jump(last, next, places[last], places[next]) && (away == 0 || is_straight())
                });
                let goes_on =
                    known.get(number + 1).is_some_and(|&next| !is_jump(index, next, places[index], places[next]));
                let back = back.or_else(|| (!goes_on).then_some(0));
                if let Some(away) = back {
                    for &lost in &known[number..=number + away] {
                        places[lost] = Point::new(f64::NAN, f64::NAN);
                        self.degrees[lost] = (f64::NAN, f64::NAN);
                        self.jumped[lost] = true;
                    }
                    number += away + 1;
                    continue;
                }
                self.broken[index] = true;
            }
            before = Some(index);
            number += 1;
        }
    }

    /// Where no speed is reported, the way over a few seconds gives it.
    fn complete_speed(&mut self, readings: &Readings) {
        if self.speed_mps.iter().all(|speed| !speed.is_nan()) {
            return;
        }
        let at = &readings.recorded_at_ms;
        let known: Vec<usize> = (0..self.places.len()).filter(|&index| !self.places[index].x.is_nan()).collect();
        let seconds = |a: usize, b: usize| (at[b] - at[a]) as f64 / 1000.0;
        let (mut from, mut to) = (0, 0);
        for (number, &index) in known.iter().enumerate() {
            // Both ends move forward only: the window slides.
            while from < number && seconds(known[from + 1], index) >= SPEED_WINDOW_S {
                from += 1;
            }
            to = to.max(number);
            while to + 1 < known.len() && seconds(index, known[to]) < SPEED_WINDOW_S {
                to += 1;
            }
            if !self.speed_mps[index].is_nan() {
                continue;
            }
            let first = (from..number).rev().take_while(|n| !self.broken[known[n + 1]]).last().unwrap_or(number);
            let last = (number + 1..=to).take_while(|n| !self.broken[known[*n]]).last().unwrap_or(number);
            let elapsed = seconds(known[first], known[last]);
            if elapsed > 0.0 && elapsed <= SPEED_WINDOW_MAX_S {
                // Along the way, not across: a machine that turns does not stand.
                let way: f64 = (first..last).map(|n| self.places[known[n]].distance(self.places[known[n + 1]])).sum();
                let straight = self.places[known[first]].distance(self.places[known[last]]);
                // Scatter makes a way of standing still; it leads nowhere.
                let is_scatter = straight < way / 3.0 && way / elapsed < 1.0;
                self.speed_mps[index] = if is_scatter { straight } else { way } / elapsed;
            }
        }
        // Between positions the speed before holds for a while.
        let mut last: Option<usize> = None;
        for index in 0..self.speed_mps.len() {
            if !self.speed_mps[index].is_nan() {
                last = Some(index);
            } else if let Some(last) = last.filter(|last| seconds(*last, index) <= SPEED_WINDOW_MAX_S) {
                self.speed_mps[index] = self.speed_mps[last];
            }
        }
    }
}

/// At each sample what it reports itself, from the best source; else what the best source said last.
fn reported_speed(readings: &Readings, stretches: &Stretches) -> Vec<f64> {
    let (distance, interval) =
        (readings.signal(catalogue::INTERVAL_DISTANCE_M), readings.signal(catalogue::INTERVAL_S));
    let sources: Vec<_> = SPEEDS
        .iter()
        .map(|(signal, factor)| (readings.signal(*signal), stretches.held(readings, *signal), *factor))
        .filter(|(_, held, _)| held.is_known())
        .collect();
    (0..readings.len())
        .map(|index| {
            if let (Some(metres), Some(seconds)) = (distance.at(index), interval.at(index))
                && seconds > 0.0
            {
                return metres / seconds;
            }
            let fresh = sources.iter().find_map(|(reported, _, factor)| Some(reported.at(index)?.abs() * factor));
            let held = || sources.iter().find_map(|(_, held, factor)| Some(held.at(index)?.abs() * factor));
            fresh.or_else(held).unwrap_or(f64::NAN)
        })
        .collect()
}

/// Whether the place `next` lies ahead on the way that ends with the last of `before`.
fn goes_on_to(places: &[Point], before: &[usize], next: usize) -> bool {
    let mut way = before.iter().rev().map(|&index| places[index]).filter(|place| !place.x.is_nan());
    let Some(last) = way.next() else { return false };
    let Some(earlier) = way.find(|place| place.distance(last) >= DIRECTION_M) else { return false };
    let (dx, dy) = (last.x - earlier.x, last.y - earlier.y);
    let (to_x, to_y) = (places[next].x - last.x, places[next].y - last.y);
    dx * to_x + dy * to_y >= STRAIGHT_COSINE * earlier.distance(last) * last.distance(places[next])
}

/// Positions with a fix, and not those that a receiver goes on repeating while the machine moves: it has lost its way.
fn usable_positions(readings: &Readings, speed_mps: &[f64]) -> Vec<(f64, f64)> {
    let (latitude, longitude) = (readings.signal(catalogue::LATITUDE_DEG), readings.signal(catalogue::LONGITUDE_DEG));
    let fix = readings.signal(catalogue::GNSS_FIX);
    let at = &readings.recorded_at_ms;
    let (mut last_fix, mut last, mut since_ms, mut heard_ms) = (None, (f64::NAN, f64::NAN), 0, i64::MIN / 2);
    (0..readings.len())
        .map(|index| {
            last_fix = fix.at(index).or(last_fix);
            // No fix, and error.
            let is_lost = last_fix.is_some_and(|fix| fix == 0.0 || fix == 14.0);
            match (latitude.at(index), longitude.at(index)) {
                (Some(lat), Some(lon)) if !is_lost && (lat != 0.0 || lon != 0.0) => {
                    let moves = speed_mps[index] > FROZEN_MPS;
                    if (lat, lon) != last || !moves || at[index] - heard_ms > GAP_MS {
                        (last, since_ms) = ((lat, lon), at[index]);
                    }
                    heard_ms = at[index];
                    let is_old = (at[index] - since_ms) as f64 > FROZEN_S * 1000.0;
                    if is_old { (f64::NAN, f64::NAN) } else { last }
                }
                _ => (f64::NAN, f64::NAN),
            }
        })
        .collect()
}
