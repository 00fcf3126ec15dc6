//! Legs: straight enough to be worked, between turns and slow points.

use std::ops::{Range, RangeInclusive};

use super::super::Rules;
use super::super::track::Track;
use super::neighbour::NEIGHBOUR_MAX_M;
use super::node::{DIRECTION_NODES, Node};
use super::pace::Pace;
use super::{direction, dot, median};

/// A bend sharper than this over those nodes is a turn: a radius of 20 m, below which nobody works.
const TURN_COSINE: f64 = 0.819; // 35°
/// Directions that differ by less are one: 15°.
pub(super) const STRAIGHT_COSINE: f64 = 0.966;
/// Shortest leg, m.
const LEG_MIN_M: f64 = 15.0;
/// Neighbouring passes lie one spacing apart, give or take this share of it, or what drivers and receivers stray, m.
const BESIDE_SHARE: f64 = 0.3;
const BESIDE_M: f64 = 0.7;
/// Most legs of a day that are compared; a day of passes of 50 m has as many.
const MAX_LEGS: usize = 6_000;

/// A leg.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub nodes: Range<usize>,
    pub samples: RangeInclusive<usize>,
    pub length_m: f64,
    pub speed_mps: f64,
    /// Distance to the nearest neighbour, m.
    pub spacing_m: Option<f64>,
    /// What that usually is for the legs driven before it or after it, m.
    pub usual_spacing_m: f64,
    /// How fast the passes driven before and after it were.
    pub pace: Pace,
    pub in_field: bool,
    /// Whether it has the neighbours of a pass.
    pub is_core: bool,
    pub is_worked: bool,
}

impl Leg {
    /// Whether it lies beside its nearest neighbour as passes do: one spacing away, not somewhere on the field.
    pub(super) fn is_beside(&self) -> bool {
        let stray_m = (BESIDE_SHARE * self.usual_spacing_m).max(BESIDE_M);
        self.is_core && self.spacing_m.is_some_and(|spacing| (spacing - self.usual_spacing_m).abs() <= stray_m)
    }

    /// The node half way.
    pub(super) fn middle<'n>(&self, nodes: &'n [Node]) -> &'n Node {
        &nodes[(self.nodes.start + self.nodes.end) / 2]
    }
}

/// Legs between turns. Nodes learn the number of their leg, counted from 1.
pub(super) fn legs(nodes: &mut [Node], track: &Track, in_field: &[bool], rules: &Rules) -> Vec<Leg> {
    let is_straight = |number: usize| {
        let (Some(before), Some(node), Some(after)) = (
            number.checked_sub(DIRECTION_NODES).and_then(|n| nodes.get(n)),
            nodes.get(number),
            nodes.get(number + DIRECTION_NODES),
        ) else {
            return nodes[number].has_direction();
        };
        if !node.has_direction() {
            return false;
        }
        !before.has_direction() || !after.has_direction() || dot(before.direction, after.direction) > TURN_COSINE
    };
    let straight: Vec<bool> = (0..nodes.len()).map(is_straight).collect();
    let mut legs = Vec::new();
    let mut from = 0;
    while from < nodes.len() && legs.len() < MAX_LEGS {
        if !straight[from] {
            from += 1;
            continue;
        }
        let ends = |number: &usize| !straight[*number] || nodes[*number].slow.is_some();
        let to = (from + 1..nodes.len()).find(ends).unwrap_or(nodes.len());
        let (first, end) = extended(nodes, from, to);
        let length_m: f64 = nodes[first..end].windows(2).map(|pair| pair[0].at.distance(pair[1].at)).sum();
        // What is slow at its beginning belongs to it: there the implement went down.
        let samples = nodes[first].slow.unwrap_or(nodes[first].sample)..=nodes[end - 1].sample;
        let speed_mps = median(samples.clone().map(|sample| track.speed_mps[sample]).filter(|speed| !speed.is_nan()));
        let inside = samples.clone().filter(|sample| in_field[*sample]).count();
        let is_road = speed_mps.is_none_or(|speed| speed * 3.6 > rules.road_kmh);
        if length_m >= LEG_MIN_M && !is_road {
            let number = legs.len() as u32 + 1;
            nodes[first..end].iter_mut().for_each(|node| node.leg = number);
            legs.push(Leg {
                nodes: first..end,
                in_field: inside * 5 >= samples.clone().count() * 4,
                samples,
                length_m,
                speed_mps: speed_mps.unwrap_or(0.0),
                spacing_m: None,
                usual_spacing_m: NEIGHBOUR_MAX_M / 3.0,
                pace: Pace::UNKNOWN,
                is_core: false,
                is_worked: false,
            });
        }
        from = to.max(end);
    }
    legs
}

/// A turn is seen from afar, since direction is taken over a distance: the straight part before it still belongs to the
/// leg.
fn extended(nodes: &[Node], mut from: usize, mut to: usize) -> (usize, usize) {
    let step = |a: usize, b: usize| {
        let (a, b) = (nodes.get(a)?, nodes.get(b)?);
        let is_way = a.has_direction() && b.has_direction() && a.leg == 0 && b.slow.is_none();
        direction(a.at, b.at).filter(|_| is_way)
    };
    let reach = (to - from - 1).min(2 * DIRECTION_NODES);
    let along = |a: usize, b: usize| direction(nodes[a].at, nodes[b].at);
    if let Some(onward) = along(to - 1 - reach, to - 1) {
        while step(to - 1, to).is_some_and(|step| dot(step, onward) > STRAIGHT_COSINE) {
            to += 1;
        }
    }
    if let Some(onward) = along(from, from + reach) {
        while from > 0 && step(from - 1, from).is_some_and(|step| dot(step, onward) > STRAIGHT_COSINE) {
            from -= 1;
        }
    }
    (from, to)
}
