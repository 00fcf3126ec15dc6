//! Strokes: what is driven in one go, from one slow point to the next. Each is a pass, a round, or a way.

use std::ops::Range;

use super::super::Rules;
use super::super::track::Track;
use super::leg::Leg;
use super::neighbour::{CORE_MIN_M, Grid, are_alike, are_parallel, beside_worked};
use super::node::Node;
use super::{median, quantile};
use crate::derive::geometry::Point;

/// Legs of one stroke follow within so many seconds…
const TURN_MAX_S: f64 = 45.0;
/// … and at speeds that differ by less than this factor.
const SPEED_FACTOR: f64 = 1.25;
/// Share of the length of a stroke that must have the neighbours of a pass.
const CORE_SHARE: f64 = 0.4;
/// Neighbouring passes lie one spacing apart, give or take this share of it, or what drivers and receivers stray, m.
const BESIDE_SHARE: f64 = 0.3;
const BESIDE_M: f64 = 0.7;
/// Faster than at work by these factors is no work: the first factor is over the usual speed, the second over the high ones.
const FAST: (f64, f64) = (1.25, 1.15);
/// Share of passes that are no faster than the high speed.
const HIGH_SHARE: f64 = 0.9;
/// Nor is what leads straight to a pass and is faster by these: from pass to pass there is a turn.
const FAST_LEADING: (f64, f64) = (1.05, 1.0);
/// A pass that begins so soon, and within so many nodes, begins without a turn, s.
const STRAIGHT_ON_S: f64 = 8.0;
const STRAIGHT_ON_NODES: usize = 3;
/// Passes before and after a leg that tell the usual speed.
const USUAL_LEGS: usize = 20;
/// Share of a leg that must lie beside worked ones for it to be adopted.
const ADOPTED_SHARE: f64 = 0.8;
/// How far beside, in spacings, and within which limits, m.
const ADOPTED_SPACINGS: f64 = 1.7;
const ADOPTED_M: (f64, f64) = (8.0, 45.0);
/// Rounds of adoption: more headland rounds than anyone drives.
const ADOPTION_ROUNDS: usize = 8;
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
/// Legs in a known field that are faster than the usual one by this factor are ways.
const USUAL_FACTOR: f64 = 1.35;
/// Legs in a known field that make work of each other.
const LEGS_IN_FIELD: usize = 3;
/// Where this share of the way in known fields shows a pattern, what lies outside the pattern is a way.
const PATTERN_SHARE: f64 = 0.5;

/// What legs are compared by.
pub(super) struct Spread<'a> {
    pub nodes: &'a [Node],
    pub grid: &'a Grid,
    pub spacing_m: f64,
}

impl Spread<'_> {
    /// Whether a leg lies beside its nearest neighbour as passes do: one spacing away, not somewhere on the field.
    fn is_beside(&self, leg: &Leg) -> bool {
        let stray_m = (BESIDE_SHARE * self.spacing_m).max(BESIDE_M);
        leg.is_core && leg.spacing_m.is_some_and(|spacing| (spacing - self.spacing_m).abs() <= stray_m)
    }
}

/// Decides which legs were worked.
pub(super) fn judge(legs: &mut [Leg], spread: &Spread<'_>, at_ms: &[i64], track: &Track, rules: &Rules) {
    let speeds = usual_speeds(legs, spread);
    let strokes = strokes(legs, spread.nodes, at_ms, track, rules);
    let mut is_round = vec![false; strokes.len()];
    rounds(legs, &strokes, spread, at_ms, track, rules).into_iter().for_each(|round| is_round[round].fill(true));
    // Who is clearly faster than at work is on the way; so is who is faster and comes to a pass without a turn.
    let is_faster = |legs: &[Leg], stroke: &Range<usize>, (usual, high): (f64, f64)| {
        let fast = stroke.clone().filter(|leg| speeds[*leg].are_exceeded_by(legs[*leg].speed_mps, usual, high));
        fast.map(|leg| legs[leg].length_m).sum::<f64>() > CORE_SHARE * length_m(&legs[stroke.clone()])
    };
    let leads_on = |legs: &[Leg], number: usize| {
        let next = strokes.get(number + 1).map(|next| &legs[next.start]);
        let last = &legs[strokes[number].end - 1];
        let is_straight_on = |next: &Leg| {
            let pause_s = (at_ms[*next.samples.start()] - at_ms[*last.samples.end()]) as f64 / 1000.0;
            pause_s <= STRAIGHT_ON_S && next.nodes.start <= last.nodes.end + STRAIGHT_ON_NODES
        };
        !is_round[number] && next.is_some_and(is_straight_on)
    };
    let is_lead: Vec<bool> = (0..strokes.len())
        .map(|number| {
            let is_fast = |next: &Range<usize>| is_faster(legs, next, FAST_LEADING);
            leads_on(legs, number) && !strokes.get(number + 1).is_some_and(is_fast)
        })
        .collect();
    let is_way: Vec<bool> = (0..strokes.len())
        .map(|number| {
            let factor = if is_lead[number] { FAST_LEADING } else { FAST };
            is_faster(legs, &strokes[number], factor)
        })
        .collect();
    for (stroke, _) in strokes.iter().zip(&is_way).filter(|(_, is_way)| !**is_way) {
        let beside = legs[stroke.clone()].iter().filter(|leg| spread.is_beside(leg));
        if beside.map(|leg| leg.length_m).sum::<f64>() >= CORE_SHARE * length_m(&legs[stroke.clone()]) {
            work(legs, stroke);
        }
    }
    for number in (0..strokes.len()).filter(|number| is_round[*number] && !is_way[*number]) {
        work(legs, &strokes[number]);
    }
    // A way to the first pass lies beside passes too.
    let is_open = |number: &usize| !is_way[*number] && !is_lead[*number];
    let open: Vec<Range<usize>> = (0..strokes.len()).filter(is_open).map(|number| strokes[number].clone()).collect();
    adopt(legs, &open, spread);
    for stroke in open {
        // A pass half a block away has its neighbours later, or never on this day; it is parallel to the pass before or
        // after it.
        let is_pass = |leg: usize, other: Option<usize>| {
            let other = other.and_then(|other| legs.get(other));
            other.is_some_and(|other| other.is_worked && are_parallel(&legs[leg], other, spread.nodes))
        };
        let follows = is_pass(stroke.start, stroke.start.checked_sub(1)) || is_pass(stroke.end - 1, Some(stroke.end));
        if follows && legs[stroke.clone()].iter().all(|leg| leg.is_core) {
            work(legs, &stroke);
        }
    }
    take_usual(legs);
}

/// Speeds at work around a leg, m/s: those of the passes driven before and after it.
#[derive(Debug, Clone, Copy)]
struct Speeds {
    usual_mps: f64,
    /// Few are faster: drivers differ, and so do crops.
    high_mps: f64,
}

impl Speeds {
    /// Whether a speed is above what is usual by a factor, and above what is seen at work by another.
    fn are_exceeded_by(self, mps: f64, usual_factor: f64, high_factor: f64) -> bool {
        mps > usual_factor * self.usual_mps && mps > high_factor * self.high_mps
    }
}

fn usual_speeds(legs: &[Leg], spread: &Spread<'_>) -> Vec<Speeds> {
    let sure: Vec<usize> = (0..legs.len()).filter(|leg| spread.is_beside(&legs[*leg])).collect();
    let around = |leg: usize| {
        let place = sure.partition_point(|other| *other < leg);
        let near = &sure[place.saturating_sub(USUAL_LEGS)..(place + USUAL_LEGS).min(sure.len())];
        let speed = |share: f64| quantile(near.iter().map(|leg| legs[*leg].speed_mps), share).unwrap_or(f64::INFINITY);
        Speeds { usual_mps: speed(0.5), high_mps: speed(HIGH_SHARE) }
    };
    (0..legs.len()).map(around).collect()
}

fn work(legs: &mut [Leg], stroke: &Range<usize>) {
    legs[stroke.clone()].iter_mut().for_each(|leg| leg.is_worked = true);
}

/// Way on legs, m.
fn length_m(legs: &[Leg]) -> f64 {
    legs.iter().map(|leg| leg.length_m).sum()
}

/// Legs by strokes.
fn strokes(legs: &[Leg], nodes: &[Node], at_ms: &[i64], track: &Track, rules: &Rules) -> Vec<Range<usize>> {
    let goes_on = |number: usize| {
        let (before, leg) = (&legs[number - 1], &legs[number]);
        let (from, to) = (*before.samples.end(), *leg.samples.start());
        let between = from.min(to)..=to;
        let is_soon = (at_ms[to] - at_ms[*between.start()]) as f64 <= TURN_MAX_S * 1000.0;
        let is_slow = nodes[before.nodes.end..=leg.nodes.start].iter().any(|node| node.slow.is_some());
        is_soon
            && are_alike(before.speed_mps, leg.speed_mps, SPEED_FACTOR)
            && !track.broken[between.clone()].contains(&true)
            && !is_slow
            && !between.into_iter().any(|sample| track.speed_mps[sample] * 3.6 < rules.standing_kmh)
    };
    let mut strokes: Vec<Range<usize>> = Vec::new();
    for number in 0..legs.len() {
        match strokes.last_mut().filter(|_| number > 0 && goes_on(number)) {
            Some(stroke) => stroke.end = number + 1,
            None => strokes.push(number..number + 1),
        }
    }
    strokes
}

/// Strokes that together lead around something and back to where they began.
fn rounds(
    legs: &[Leg],
    strokes: &[Range<usize>],
    spread: &Spread<'_>,
    at_ms: &[i64],
    track: &Track,
    rules: &Rules,
) -> Vec<Range<usize>> {
    let closed_m = (CLOSED_SPACINGS * spread.spacing_m).max(CLOSED_M);
    let mut rounds = Vec::new();
    let mut first = 0;
    while first < strokes.len() {
        let begin = *legs[strokes[first].start].samples.start();
        let mut way = Way::default();
        let mut last = begin;
        let (mut legs_m, mut speeds) = (0.0, Vec::new());
        let mut found = None;
        for number in first..strokes.len().min(first + ROUND_STROKES) {
            let end = *legs[strokes[number].end - 1].samples.end();
            if (last + 1..=end).any(|n| (at_ms[n] - at_ms[n - 1]) as f64 > rules.off_max_s * 1000.0) {
                break;
            }
            for leg in &legs[strokes[number].clone()] {
                legs_m += leg.length_m;
                speeds.push(leg.speed_mps);
            }
            (last..=end).for_each(|sample| way.go_to(track.places[sample]));
            last = end;
            let is_alike = || {
                let usual_mps = median(speeds.iter().copied()).unwrap_or(0.0);
                speeds.iter().all(|speed| *speed <= ROUND_SPEED_FACTOR * usual_mps)
            };
            if way.is_round(closed_m) && legs_m >= ROUND_LEGS_SHARE * way.length_m && is_alike() {
                found = Some(number + 1);
                break;
            }
        }
        match found {
            Some(end) => {
                rounds.push(tightest(first, end, legs, strokes, track, closed_m)..end);
                first = end;
            }
            None => first += 1,
        }
    }
    rounds
}

/// The stroke of a round `first..end` that begins nearest to where the round ends: what comes before leads to it.
fn tightest(first: usize, end: usize, legs: &[Leg], strokes: &[Range<usize>], track: &Track, closed_m: f64) -> usize {
    let place = |sample: usize| track.places[sample];
    let last = place(*legs[strokes[end - 1].end - 1].samples.end());
    let begin_of = |stroke: usize| place(*legs[strokes[stroke].start].samples.start());
    let before_m = |end: usize| length_m(&legs[strokes[first].start..end]);
    let most_m = closed_m.max(CLOSED_SHARE * before_m(strokes[end - 1].end));
    let begins = (first..end).take_while(|stroke| before_m(strokes[*stroke].start) <= most_m);
    let away_m = |stroke: &usize| begin_of(*stroke).distance(last);
    begins.min_by(|a, b| away_m(a).total_cmp(&away_m(b))).unwrap_or(first)
}

/// A way as it grows.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    /// Where it begins and where it has come to.
    ends: Option<(Point, Point)>,
    length_m: f64,
    /// Twice the area between it and the line back to its begin.
    doubled_m2: f64,
}

impl Way {
    fn go_to(&mut self, to: Point) {
        if to.x.is_nan() {
            return;
        }
        let (begin, from) = self.ends.unwrap_or((to, to));
        self.length_m += from.distance(to);
        self.doubled_m2 += (from.x - begin.x) * (to.y - begin.y) - (to.x - begin.x) * (from.y - begin.y);
        self.ends = Some((begin, to));
    }

    fn is_round(&self, closed_m: f64) -> bool {
        let is_closed =
            self.ends.is_some_and(|(begin, end)| begin.distance(end) <= closed_m.max(CLOSED_SHARE * self.length_m));
        let is_around = self.doubled_m2.abs() / 2.0 >= ROUND_COMPACT * self.length_m * self.length_m;
        is_closed && is_around && self.length_m >= ROUND_MIN_M
    }
}

/// Strokes that mostly lie beside worked ones are worked too.
fn adopt(legs: &mut [Leg], strokes: &[Range<usize>], spread: &Spread<'_>) {
    let reach_m = (ADOPTED_SPACINGS * spread.spacing_m).clamp(ADOPTED_M.0, ADOPTED_M.1);
    let was_worked: Vec<bool> = legs.iter().map(|leg| leg.is_worked).collect();
    for _ in 0..ADOPTION_ROUNDS {
        let is_beside = |stroke: &&Range<usize>| {
            let beside_m = |leg: &Leg| leg.length_m * beside_worked(leg, spread.nodes, spread.grid, legs, reach_m);
            let beside_m: f64 = legs[(*stroke).clone()].iter().map(beside_m).sum();
            !legs[stroke.start].is_worked && beside_m >= ADOPTED_SHARE * length_m(&legs[(*stroke).clone()])
        };
        let adopted: Vec<Range<usize>> = strokes.iter().filter(is_beside).cloned().collect();
        if adopted.is_empty() {
            break;
        }
        adopted.iter().for_each(|stroke| work(legs, stroke));
    }
    leave_out_ways_off(legs, &was_worked);
}

/// In a known field there is not much else to do than to work it. Where passes do not show, every leg is taken for one.
fn take_usual(legs: &mut [Leg]) {
    let in_field = legs.iter().filter(|leg| leg.in_field && leg.length_m >= CORE_MIN_M);
    if in_field.clone().count() < LEGS_IN_FIELD {
        return;
    }
    let length_m =
        |worked: bool| -> f64 { in_field.clone().filter(|leg| leg.is_worked || !worked).map(|leg| leg.length_m).sum() };
    if length_m(true) >= PATTERN_SHARE * length_m(false) {
        return;
    }
    let usual_mps = median(in_field.map(|leg| leg.speed_mps)).unwrap_or(0.0);
    let is_usual = |leg: &&mut Leg| leg.in_field && leg.speed_mps < USUAL_FACTOR * usual_mps;
    legs.iter_mut().filter(is_usual).for_each(|leg| leg.is_worked = true);
}

/// A short leg beside worked ones, with nothing worked before or after it, leads to the field or off it.
fn leave_out_ways_off(legs: &mut [Leg], is_sure: &[bool]) {
    let is_way = |legs: &[Leg], index: usize, neighbour: Option<usize>| {
        !is_sure[index]
            && legs[index].length_m < CORE_MIN_M
            && !neighbour.and_then(|neighbour| legs.get(neighbour)).is_some_and(|leg| leg.is_worked)
    };
    for index in 0..legs.len() {
        legs[index].is_worked &= !is_way(legs, index, index.checked_sub(1));
    }
    for index in (0..legs.len()).rev() {
        legs[index].is_worked &= !is_way(legs, index, Some(index + 1));
    }
}
