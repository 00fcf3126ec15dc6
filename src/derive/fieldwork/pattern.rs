//! Work by its geometry alone: passes side by side at one speed, with turns between.
//!
//! ```text
//! positions ─ nodes ▶ legs between turns ─ neighbours ▶ core legs ─ adoption ▶ worked legs
//! ```
//!
//! A road is a line, however often it is driven; a field is filled. So a leg belongs to a field when it has parallel
//! neighbours at several distances. Legs beside such ones, headland rounds above all, are adopted when they are
//! driven at about their speed.

use std::collections::BTreeMap;

use super::Rules;
use super::track::Track;
use crate::derive::Readings;
use crate::derive::geometry::Point;

/// Distance between nodes, m.
const STEP_M: f64 = 4.0;
/// Longest straight way between two positions that is filled with nodes, m.
const HOP_MAX_M: f64 = 120.0;
/// Nodes to each side over which direction is taken: 12 m.
const DIRECTION_NODES: usize = 3;
/// A bend sharper than this over those nodes is a turn: a radius of 20 m, below which nobody works.
const TURN_COSINE: f64 = 0.819; // 35°
/// Single steps that go on in a leg's direction: 15°.
const STRAIGHT_COSINE: f64 = 0.966;
/// Shortest leg, m.
const LEG_MIN_M: f64 = 15.0;
/// Legs whose directions differ by less are parallel: sin 15°.
const PARALLEL_SINE: f64 = 0.26;
/// Widest implement: passes farther apart are not neighbours, m.
const NEIGHBOUR_MAX_M: f64 = 45.0;
/// Passes nearer than this cannot be told apart, m.
const SAME_LINE_M: f64 = 1.0;
/// Neighbours on a road stay within its width, m.
const ROAD_WIDTH_M: f64 = 9.0;
/// Every so many nodes a leg looks round for neighbours.
const ASK_EVERY: usize = 4;
/// Share of a leg's nodes that must have neighbours.
const MOST: f64 = 0.5;
/// Shortest leg that can be the core of a field, m.
const CORE_MIN_M: f64 = 30.0;
/// Speeds of legs of one field differ by less than this factor.
const SPEED_FACTOR: f64 = 1.6;
/// Legs in a known field that are faster than the usual one by this factor are ways.
const USUAL_FACTOR: f64 = 1.35;
/// Rounds of adoption: more headland rounds than anyone drives.
const ADOPTION_ROUNDS: usize = 8;
/// Legs in a known field that make work of each other.
const LEGS_IN_FIELD: usize = 3;
/// Most legs of a day that are compared; a day of passes of 50 m has as many.
const MAX_LEGS: usize = 6_000;

/// What the geometry of a day shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Pattern {
    /// Whether each sample is on a leg that was worked.
    pub worked: Vec<bool>,
    /// Number of the leg of each sample, counted from 1; 0 for none.
    pub leg: Vec<u32>,
    /// Usual distance between neighbouring passes: the working width when nothing else tells it, m.
    pub spacing_m: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    sample: usize,
    at: Point,
    /// Unit vector.
    direction: Point,
    leg: u32,
}

#[derive(Debug, Clone)]
struct Leg {
    nodes: std::ops::Range<usize>,
    length_m: f64,
    speed_mps: f64,
    /// Distance to the nearest neighbour, m.
    spacing_m: Option<f64>,
    in_field: bool,
    is_worked: bool,
}

impl Pattern {
    /// `in_field` tells for each sample whether it is in a known field.
    pub(super) fn of(readings: &Readings, track: &Track, in_field: &[bool], rules: &Rules) -> Self {
        let mut nodes = nodes(readings, track, rules);
        let mut legs = legs(&mut nodes, track, in_field, rules);
        if legs.is_empty() {
            return Self { worked: vec![false; readings.len()], leg: vec![0; readings.len()], spacing_m: None };
        }
        let grid = Grid::of(&nodes);
        for index in 0..legs.len() {
            let (is_core, spacing_m) = neighbours(&legs[index], &nodes, &grid, &legs);
            legs[index].spacing_m = spacing_m;
            legs[index].is_worked = is_core;
        }
        let spacing_m = median(legs.iter().filter(|leg| leg.is_worked).filter_map(|leg| leg.spacing_m));
        adopt(&mut legs, &nodes, &grid, spacing_m.unwrap_or(NEIGHBOUR_MAX_M / 3.0));
        let mut pattern = Self { worked: vec![false; readings.len()], leg: vec![0; readings.len()], spacing_m };
        for (number, leg) in (1..).zip(&legs) {
            let (from, to) = (nodes[leg.nodes.start].sample, nodes[leg.nodes.end - 1].sample);
            pattern.leg[from..=to].fill(number);
            if leg.is_worked {
                pattern.worked[from..=to].fill(true);
            }
        }
        pattern
    }
}

/// The way as points a step apart; gaps and jumps leave an empty place between (a node without direction).
fn nodes(readings: &Readings, track: &Track, rules: &Rules) -> Vec<Node> {
    let at = &readings.recorded_at_ms;
    let mut pieces: Vec<Vec<Node>> = vec![Vec::new()];
    let mut last: Option<(usize, Point)> = None;
    for index in 0..track.places.len() {
        let place = track.places[index];
        if place.x.is_nan() {
            continue;
        }
        let node = |at: Point| Node { sample: index, at, direction: Point::default(), leg: 0 };
        let piece = pieces.last_mut().expect("there is always a piece");
        match last {
            Some((before, from)) => {
                let (way, seconds) = (from.distance(place), (at[index] - at[before]) as f64 / 1000.0);
                if track.broken[index] || way > HOP_MAX_M || seconds > rules.gap_s {
                    pieces.push(vec![node(place)]);
                } else if way < STEP_M {
                    continue;
                } else {
                    let steps = (way / STEP_M) as usize;
                    piece.extend((1..=steps).map(|step| node(from.towards(place, step as f64 / steps as f64))));
                }
            }
            None => piece.push(node(place)),
        }
        last = Some((index, place));
    }
    for piece in &mut pieces {
        let places: Vec<Point> = piece.iter().map(|node| node.at).collect();
        for (number, node) in piece.iter_mut().enumerate() {
            let from = places[number.saturating_sub(DIRECTION_NODES)];
            let to = places[(number + DIRECTION_NODES).min(places.len() - 1)];
            let length = from.distance(to);
            if length > 0.0 {
                node.direction = Point::new((to.x - from.x) / length, (to.y - from.y) / length);
            }
        }
    }
    // A node without direction ends a leg.
    let end = Node { sample: 0, at: Point::default(), direction: Point::default(), leg: 0 };
    pieces.into_iter().flat_map(|piece| piece.into_iter().chain([end])).collect()
}

/// Legs between turns. Nodes learn the number of their leg, counted from 1.
fn legs(nodes: &mut [Node], track: &Track, in_field: &[bool], rules: &Rules) -> Vec<Leg> {
    let is_straight = |number: usize| {
        let (Some(before), Some(node), Some(after)) = (
            number.checked_sub(DIRECTION_NODES).and_then(|n| nodes.get(n)),
            nodes.get(number),
            nodes.get(number + DIRECTION_NODES),
        ) else {
            return nodes[number].direction != Point::default();
        };
        let has_direction = |node: &Node| node.direction != Point::default();
        if !has_direction(node) {
            return false;
        }
        !has_direction(before) || !has_direction(after) || dot(before.direction, after.direction) > TURN_COSINE
    };
    let straight: Vec<bool> = (0..nodes.len()).map(is_straight).collect();
    let mut legs = Vec::new();
    let mut from = 0;
    while from < nodes.len() && legs.len() < MAX_LEGS {
        let to = (from..nodes.len()).find(|number| !straight[*number]).unwrap_or(nodes.len());
        if to > from {
            let (from, to) = extended(nodes, from, to);
            let length_m: f64 = nodes[from..to].windows(2).map(|pair| pair[0].at.distance(pair[1].at)).sum();
            let samples = nodes[from].sample..=nodes[to - 1].sample;
            let speed_mps =
                median(samples.clone().map(|sample| track.speed_mps[sample]).filter(|speed| !speed.is_nan()));
            let inside = samples.clone().filter(|sample| in_field[*sample]).count();
            let is_road = speed_mps.is_none_or(|speed| speed * 3.6 > rules.road_kmh);
            if length_m >= LEG_MIN_M && !is_road {
                let number = legs.len() as u32 + 1;
                nodes[from..to].iter_mut().for_each(|node| node.leg = number);
                legs.push(Leg {
                    nodes: from..to,
                    length_m,
                    speed_mps: speed_mps.unwrap_or(0.0),
                    spacing_m: None,
                    in_field: inside * 5 >= samples.count() * 4,
                    is_worked: false,
                });
            }
        }
        from = to + 1;
    }
    legs
}

/// A turn is seen from afar, since direction is taken over a distance: the straight part before it still belongs to the
/// leg.
fn extended(nodes: &[Node], mut from: usize, mut to: usize) -> (usize, usize) {
    let step = |a: usize, b: usize| {
        let (a, b) = (nodes.get(a)?, nodes.get(b)?);
        let length = a.at.distance(b.at);
        let is_way = a.direction != Point::default() && b.direction != Point::default() && a.leg == 0 && length > 0.0;
        is_way.then(|| Point::new((b.at.x - a.at.x) / length, (b.at.y - a.at.y) / length))
    };
    let reach = (to - from - 1).min(2 * DIRECTION_NODES);
    if let Some(onward) = step(to - 1 - reach, to - 1) {
        while step(to - 1, to).is_some_and(|step| dot(step, onward) > STRAIGHT_COSINE) {
            to += 1;
        }
    }
    if let Some(onward) = step(from, from + reach) {
        while from > 0 && step(from - 1, from).is_some_and(|step| dot(step, onward) > STRAIGHT_COSINE) {
            from -= 1;
        }
    }
    (from, to)
}

/// Whether a leg is the core of a field, and how far its nearest neighbour is.
fn neighbours(leg: &Leg, nodes: &[Node], grid: &Grid, legs: &[Leg]) -> (bool, Option<f64>) {
    let (mut asked, mut filled, mut nearest) = (0, 0, Vec::new());
    let mut offsets: Vec<(u32, f64)> = Vec::new();
    for node in nodes[leg.nodes.clone()].iter().step_by(ASK_EVERY) {
        asked += 1;
        offsets.clear();
        grid.around(node.at, |other| {
            let other = &nodes[other];
            if other.leg == 0 || other.leg == node.leg || cross(node.direction, other.direction).abs() > PARALLEL_SINE {
                return;
            }
            let other_leg = &legs[other.leg as usize - 1];
            let away = Point::new(other.at.x - node.at.x, other.at.y - node.at.y);
            let (along, across) = (dot(node.direction, away), cross(node.direction, away));
            if along.abs() > 1.5 * STEP_M
                || across.abs() > NEIGHBOUR_MAX_M
                || !alike(leg.speed_mps, other_leg.speed_mps)
            {
                return;
            }
            match offsets.iter_mut().find(|(number, _)| *number == other.leg) {
                Some((_, offset)) if across.abs() < offset.abs() => *offset = across,
                Some(_) => {}
                None => offsets.push((other.leg, across)),
            }
        });
        let mut lines: Vec<f64> = offsets.iter().map(|(_, offset)| *offset).chain([0.0]).collect();
        lines.sort_unstable_by(f64::total_cmp);
        let spread = lines[lines.len() - 1] - lines[0];
        let count = 1 + lines.windows(2).filter(|pair| pair[1] - pair[0] >= SAME_LINE_M).count();
        let legs_here = 1 + offsets.len();
        if spread > ROAD_WIDTH_M && (count >= 3 || leg.in_field && legs_here >= 2) {
            filled += 1;
        }
        nearest.extend(
            offsets.iter().map(|(_, offset)| offset.abs()).filter(|away| *away >= SAME_LINE_M).min_by(f64::total_cmp),
        );
    }
    let spacing_m = median(nearest.iter().copied()).filter(|_| nearest.len() * 2 >= asked);
    let is_core = leg.length_m >= CORE_MIN_M && filled as f64 >= MOST * asked as f64;
    (is_core, spacing_m)
}

/// Legs whose nodes are mostly beside worked ones are worked too; so are legs in a known field that are not alone.
fn adopt(legs: &mut [Leg], nodes: &[Node], grid: &Grid, spacing_m: f64) {
    let reach_m = (1.7 * spacing_m).clamp(8.0, NEIGHBOUR_MAX_M);
    let is_core: Vec<bool> = legs.iter().map(|leg| leg.is_worked).collect();
    for _ in 0..ADOPTION_ROUNDS {
        let candidates: Vec<usize> = (0..legs.len()).filter(|index| !legs[*index].is_worked).collect();
        let is_beside = |index: usize| {
            let leg = &legs[index];
            let near = nodes[leg.nodes.clone()].iter().filter(|node| {
                let mut found = false;
                grid.around(node.at, |other| {
                    let other = &nodes[other];
                    found |= other.leg > 0
                        && legs[other.leg as usize - 1].is_worked
                        && alike(legs[other.leg as usize - 1].speed_mps, leg.speed_mps)
                        && other.at.distance(node.at) <= reach_m;
                });
                found
            });
            near.count() * 5 >= leg.nodes.len() * 4
        };
        let adopted: Vec<usize> = candidates.into_iter().filter(|index| is_beside(*index)).collect();
        if adopted.is_empty() {
            break;
        }
        adopted.into_iter().for_each(|index| legs[index].is_worked = true);
    }
    leave_out_ways_off(legs, &is_core);
    // In a known field there is not much else to do than to work it, but to drive to another part of it.
    let in_field = legs.iter().filter(|leg| leg.in_field && leg.length_m >= CORE_MIN_M);
    if in_field.clone().count() >= LEGS_IN_FIELD {
        let usual_mps = median(in_field.map(|leg| leg.speed_mps)).unwrap_or(0.0);
        let is_usual = |leg: &&mut Leg| leg.in_field && leg.speed_mps < USUAL_FACTOR * usual_mps;
        legs.iter_mut().filter(is_usual).for_each(|leg| leg.is_worked = true);
    }
}

/// A short leg beside worked ones, with nothing worked before or after it, leads to the field or off it.
fn leave_out_ways_off(legs: &mut [Leg], is_core: &[bool]) {
    let is_way = |legs: &[Leg], index: usize, neighbour: Option<usize>| {
        !is_core[index]
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

fn alike(one_mps: f64, other_mps: f64) -> bool {
    one_mps < SPEED_FACTOR * other_mps && other_mps < SPEED_FACTOR * one_mps
}

/// Nodes by squares of the plane.
struct Grid(BTreeMap<(i32, i32), Vec<usize>>);

impl Grid {
    fn of(nodes: &[Node]) -> Self {
        let mut squares: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (number, node) in nodes.iter().enumerate().filter(|(_, node)| node.leg > 0) {
            squares.entry(Self::square(node.at)).or_default().push(number);
        }
        Self(squares)
    }

    fn square(at: Point) -> (i32, i32) {
        ((at.x / NEIGHBOUR_MAX_M).floor() as i32, (at.y / NEIGHBOUR_MAX_M).floor() as i32)
    }

    /// Calls `take` for every node within [`NEIGHBOUR_MAX_M`] and some beyond, in a fixed order.
    fn around(&self, at: Point, mut take: impl FnMut(usize)) {
        let (x, y) = Self::square(at);
        for square in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy))) {
            self.0.get(&square).into_iter().flatten().for_each(|number| take(*number));
        }
    }
}

fn dot(a: Point, b: Point) -> f64 {
    a.x * b.x + a.y * b.y
}

fn cross(a: Point, b: Point) -> f64 {
    a.x * b.y - a.y * b.x
}

/// The middle value; of an even number the upper one. None of nothing.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which `share` of all lie.
pub(super) fn quantile(values: impl Iterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    let place = ((values.len() as f64 * share) as usize).min(values.len().checked_sub(1)?);
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}
