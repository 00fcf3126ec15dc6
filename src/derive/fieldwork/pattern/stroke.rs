//! Strokes: what is driven in one go, from one slow point to the next. Each is a pass, a part of a round, or a way.

use std::ops::Range;

use super::super::Rules;
use super::super::track::Track;
use super::leg::{Leg, STRAIGHT_COSINE};
use super::neighbour::{CORE_MIN_M, Grid, are_alike};
use super::node::Node;
use super::pace::{FAST, are_faster};
use super::{cross, dot, vector};

/// Legs of one stroke follow within so many seconds…
const TURN_MAX_S: f64 = 45.0;
/// … and at speeds that differ by less than this factor.
const SPEED_FACTOR: f64 = 1.25;
/// A stroke that begins within so many nodes of the one before, and not in the direction back, begins without a turn.
const STRAIGHT_ON_NODES: usize = 3;
const BACK_COSINE: f64 = -0.5;
/// Two legs are one line when they are off by less than half the spacing or this, m; looked at so many nodes from where
/// they meet, since there the machine may have swerved.
const SAME_LINE_M: f64 = 2.0;
const LOOK_NODES: usize = 8;
/// The pass after the next but one is this many spacings away, or this many metres: fields are worked in beds too.
const RETURN_SPACINGS: f64 = 3.5;
const RETURN_M: f64 = 25.0;
/// A pass and the next one are about as long, and lie beside each other.
const RETURN_LENGTHS: f64 = 1.6;
const RETURN_SHIFT: f64 = 0.3;

/// What strokes are judged by.
pub(super) struct Scene<'a> {
    pub nodes: &'a [Node],
    pub grid: &'a Grid,
    pub at_ms: &'a [i64],
    pub track: &'a Track,
    pub rules: &'a Rules,
}

/// What was driven in one go.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub legs: Range<usize>,
    pub length_m: f64,
    /// Clearly faster than at work.
    pub is_fast: bool,
    /// Since it came from the road, or stood long, the machine has driven nothing else but ways.
    pub arrives: bool,
    /// It leads back beside the one before: passes do, sides of a round do not.
    pub returns: bool,
    /// The next one begins where it ends, without a turn.
    pub leads_on: bool,
    /// The next one goes on with its line: a pass that paused.
    pub has_one_line: bool,
    /// It is a part of a round.
    pub is_round: bool,
}

impl Stroke {
    /// First sample.
    pub(super) fn begin(&self, legs: &[Leg]) -> usize {
        *legs[self.legs.start].samples.start()
    }

    /// Last sample.
    pub(super) fn end(&self, legs: &[Leg]) -> usize {
        *legs[self.legs.end - 1].samples.end()
    }

    /// Share of it that lies beside its neighbours as passes do.
    pub(super) fn beside_share(&self, legs: &[Leg]) -> f64 {
        let beside = legs[self.legs.clone()].iter().filter(|leg| leg.is_beside());
        beside.map(|leg| leg.length_m).sum::<f64>() / self.length_m
    }
}

/// Legs by strokes, with what each is to the one before and the next.
pub(super) fn strokes(legs: &[Leg], scene: &Scene<'_>) -> Vec<Stroke> {
    let mut strokes: Vec<Stroke> = in_one_go(legs, scene)
        .into_iter()
        .map(|of| Stroke {
            length_m: legs[of.clone()].iter().map(|leg| leg.length_m).sum(),
            is_fast: are_faster(&legs[of.clone()], FAST),
            legs: of,
            arrives: true,
            returns: false,
            leads_on: false,
            has_one_line: false,
            is_round: false,
        })
        .collect();
    for number in 1..strokes.len() {
        let (before, stroke) = (&strokes[number - 1], &strokes[number]);
        let (last, next) = (&legs[before.legs.end - 1], &legs[stroke.legs.start]);
        let paused_s = (scene.at_ms[stroke.begin(legs)] - scene.at_ms[before.end(legs)]) as f64 / 1000.0;
        let is_way = before.is_fast || before.length_m < CORE_MIN_M;
        let arrives = before.is_fast && !last.in_field || paused_s > scene.rules.off_max_s || before.arrives && is_way;
        let leads_on = leads_on(last, next, scene.nodes);
        let has_one_line = leads_on && are_one_line(last, next, scene.nodes);
        let returns = !stroke.is_fast && leads_back(last, next, scene.nodes);
        (strokes[number].arrives, strokes[number].returns) = (arrives, returns);
        (strokes[number - 1].leads_on, strokes[number - 1].has_one_line) = (leads_on, has_one_line);
    }
    strokes
}

fn in_one_go(legs: &[Leg], scene: &Scene<'_>) -> Vec<Range<usize>> {
    let track = scene.track;
    let goes_on = |number: usize| {
        let (before, leg) = (&legs[number - 1], &legs[number]);
        let (from, to) = (*before.samples.end(), *leg.samples.start());
        let between = from.min(to)..=to;
        let is_soon = (scene.at_ms[to] - scene.at_ms[*between.start()]) as f64 <= TURN_MAX_S * 1000.0;
        let is_slow = scene.nodes[before.nodes.end..=leg.nodes.start].iter().any(|node| node.slow.is_some());
        is_soon
            && are_alike(before.speed_mps, leg.speed_mps, SPEED_FACTOR)
            && !track.broken[between.clone()].contains(&true)
            && !is_slow
            && !between.into_iter().any(|sample| track.speed_mps[sample] * 3.6 < scene.rules.standing_kmh)
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

/// The node so many nodes before a leg ends, or after it begins.
fn near_end<'n>(leg: &Leg, nodes: &'n [Node], away: usize) -> &'n Node {
    &nodes[(leg.nodes.end - 1).saturating_sub(away).max(leg.nodes.start)]
}

fn near_begin<'n>(leg: &Leg, nodes: &'n [Node], away: usize) -> &'n Node {
    &nodes[(leg.nodes.start + away).min(leg.nodes.end - 1)]
}

fn leads_on(last: &Leg, next: &Leg, nodes: &[Node]) -> bool {
    let (from, to) = (near_end(last, nodes, STRAIGHT_ON_NODES), near_begin(next, nodes, STRAIGHT_ON_NODES));
    next.nodes.start <= last.nodes.end + STRAIGHT_ON_NODES && dot(from.direction, to.direction) > BACK_COSINE
}

fn are_one_line(last: &Leg, next: &Leg, nodes: &[Node]) -> bool {
    let (from, to) = (near_end(last, nodes, LOOK_NODES), near_begin(next, nodes, LOOK_NODES));
    dot(from.direction, to.direction) > STRAIGHT_COSINE
        && cross(from.direction, vector(from.at, to.at)).abs() < (0.5 * last.usual_spacing_m).max(SAME_LINE_M)
}

fn leads_back(before: &Leg, leg: &Leg, nodes: &[Node]) -> bool {
    let (one, other) = (before.middle(nodes), leg.middle(nodes));
    let away = vector(one.at, other.at);
    dot(one.direction, other.direction) < -STRAIGHT_COSINE
        && cross(one.direction, away).abs() <= (RETURN_SPACINGS * before.usual_spacing_m).max(RETURN_M)
        && are_alike(before.length_m, leg.length_m, RETURN_LENGTHS)
        && dot(one.direction, away).abs() <= RETURN_SHIFT * before.length_m.max(leg.length_m)
}
