//! Rounds along the edge of a field: strokes that together lead around it and back to where they began.

use std::ops::Range;

use super::leg::Leg;
use super::pace::{FAST_ROUND, are_faster};
use super::stroke::{Scene, Stroke};
use super::{cross, median, vector};
use crate::derive::geometry::Point;

/// A round ends this near to where it began: in spacings, in m, or as a share of its length. A way along the edge is the
/// shorter one, at most half as long as all around.
const CLOSED_SPACINGS: f64 = 1.5;
const CLOSED_M: f64 = 15.0;
const CLOSED_SHARE: f64 = 0.08;
/// Shortest round, m.
const ROUND_MIN_M: f64 = 250.0;
/// Area in a round over the square of its length: a strip twelve times as long as wide has 0.018, there and back nothing.
const ROUND_COMPACT: f64 = 0.012;
/// Share of a round that is driven on legs, none faster than the usual one by more than the factor: no road, no errand.
const ROUND_LEGS_SHARE: f64 = 0.6;
const ROUND_SPEED_FACTOR: f64 = 1.5;
/// Most strokes of one round: sides between corners at which a machine slows down.
const ROUND_STROKES: usize = 60;
/// A side of which less than this share lies beside other rounds may be the way to the round.
const BESIDE_SHARE: f64 = 0.4;

/// Strokes of each round, in order.
pub(super) fn rounds(legs: &[Leg], strokes: &[Stroke], scene: &Scene<'_>) -> Vec<Range<usize>> {
    let mut rounds = Vec::new();
    // Ways that may become a round, by the stroke with which they begin.
    let mut growing: Vec<Way> = Vec::new();
    let mut number = 0;
    while number < strokes.len() {
        let stroke = &strokes[number];
        if stroke.is_fast || number > 0 && is_long_pause(&strokes[number - 1], stroke, legs, scene) {
            growing.clear();
        }
        if stroke.is_fast {
            number += 1;
            continue;
        }
        // The way to the first pass, the pass, and back beside it are no round.
        growing.retain(|way| !(strokes[way.first].arrives && stroke.returns) && number < way.first + ROUND_STROKES);
        if !stroke.arrives || !are_faster(&legs[stroke.legs.clone()], FAST_ROUND) {
            growing.push(Way::begin(number, stroke, legs));
        }
        growing.iter_mut().for_each(|way| way.take(stroke, legs, scene));
        let next_returns = strokes.get(number + 1).is_some_and(|next| next.returns);
        let closed = growing.iter().filter(|way| !(strokes[way.first].arrives && next_returns) && way.is_round());
        // What comes before the tightest one leads to it.
        match closed.min_by(|a, b| a.open_m().total_cmp(&b.open_m())) {
            Some(way) => {
                let round = without_way(way.first..number + 1, legs, strokes, scene);
                number = round.end;
                rounds.push(round);
                growing.clear();
            }
            None => number += 1,
        }
    }
    rounds
}

fn is_long_pause(before: &Stroke, stroke: &Stroke, legs: &[Leg], scene: &Scene<'_>) -> bool {
    let (from, to) = (before.end(legs), stroke.begin(legs));
    (from + 1..=to).any(|n| (scene.at_ms[n] - scene.at_ms[n - 1]) as f64 > scene.rules.off_max_s * 1000.0)
}

/// A way along the edge to where a round begins closes it too early, at the gate: where the machine goes straight on and
/// closes it again with the next stroke, the first one was that way, unless other rounds lie beside it.
fn without_way(round: Range<usize>, legs: &[Leg], strokes: &[Stroke], scene: &Scene<'_>) -> Range<usize> {
    let place = |sample: usize| scene.track.places[sample];
    let (first, last) = (&strokes[round.start], &strokes[round.end - 1]);
    let Some(next) = strokes.get(round.end).filter(|next| last.leads_on && !next.is_fast && round.len() > 1) else {
        return round;
    };
    let begins = place(strokes[round.start + 1].begin(legs));
    let closes_again = begins.distance(place(next.end(legs))) <= closed_m(&legs[first.legs.start]);
    if closes_again && first.beside_share(legs) < BESIDE_SHARE { round.start + 1..round.end + 1 } else { round }
}

fn closed_m(leg: &Leg) -> f64 {
    (CLOSED_SPACINGS * leg.usual_spacing_m).max(CLOSED_M)
}

/// A way as it grows.
#[derive(Debug, Clone)]
struct Way {
    /// The stroke it begins with.
    first: usize,
    closed_m: f64,
    /// The last sample taken.
    last: usize,
    /// Where it begins and where it has come to.
    ends: Option<(Point, Point)>,
    length_m: f64,
    /// Twice the area between it and the line back to its begin.
    doubled_m2: f64,
    /// Of it, on legs.
    legs_m: f64,
    speeds_mps: Vec<f64>,
}

impl Way {
    fn begin(first: usize, stroke: &Stroke, legs: &[Leg]) -> Self {
        Self {
            first,
            closed_m: closed_m(&legs[stroke.legs.start]),
            last: stroke.begin(legs),
            ends: None,
            length_m: 0.0,
            doubled_m2: 0.0,
            legs_m: 0.0,
            speeds_mps: Vec::new(),
        }
    }

    fn take(&mut self, stroke: &Stroke, legs: &[Leg], scene: &Scene<'_>) {
        let end = stroke.end(legs);
        (self.last..=end).for_each(|sample| self.go_to(scene.track.places[sample]));
        self.last = end;
        self.legs_m += stroke.length_m;
        self.speeds_mps.extend(legs[stroke.legs.clone()].iter().map(|leg| leg.speed_mps));
    }

    fn go_to(&mut self, to: Point) {
        if to.x.is_nan() {
            return;
        }
        let (begin, from) = self.ends.unwrap_or((to, to));
        self.length_m += from.distance(to);
        self.doubled_m2 += cross_from(begin, from, to);
        self.ends = Some((begin, to));
    }

    /// From its end back to its begin.
    fn open_m(&self) -> f64 {
        self.ends.map_or(f64::INFINITY, |(begin, end)| begin.distance(end))
    }

    fn is_round(&self) -> bool {
        let is_closed = self.open_m() <= self.closed_m.max(CLOSED_SHARE * self.length_m);
        let is_around = self.doubled_m2.abs() / 2.0 >= ROUND_COMPACT * self.length_m * self.length_m;
        is_closed
            && is_around
            && self.length_m >= ROUND_MIN_M
            && self.legs_m >= ROUND_LEGS_SHARE * self.length_m
            && self.is_even()
    }

    fn is_even(&self) -> bool {
        let usual_mps = median(self.speeds_mps.iter().copied()).unwrap_or(0.0);
        self.speeds_mps.iter().all(|speed| *speed <= ROUND_SPEED_FACTOR * usual_mps)
    }
}

/// Twice the area of the triangle of three points.
fn cross_from(begin: Point, from: Point, to: Point) -> f64 {
    cross(vector(begin, from), vector(begin, to))
}
