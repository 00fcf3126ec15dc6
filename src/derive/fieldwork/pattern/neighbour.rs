//! Who drove beside whom.

use std::collections::BTreeMap;

use super::leg::Leg;
use super::node::{Node, STEP_M};
use super::{cross, dot, median, vector};
use crate::derive::geometry::Point;

/// Legs whose directions differ by less are parallel: sin 15°.
const PARALLEL_SINE: f64 = 0.26;
/// Widest implement: passes farther apart are not neighbours, m.
pub(super) const NEIGHBOUR_MAX_M: f64 = 45.0;
/// Passes nearer than this cannot be told apart, m.
const SAME_LINE_M: f64 = 1.0;
/// Neighbours on a road stay within its width, m.
const ROAD_WIDTH_M: f64 = 9.0;
/// Every so many nodes a leg looks round for neighbours.
const ASK_EVERY: usize = 4;
/// Share of a leg's nodes that must have neighbours.
const MOST: f64 = 0.5;
/// Shortest leg that can be the core of a field, m.
pub(super) const CORE_MIN_M: f64 = 30.0;
/// Speeds of legs of one field differ by less than this factor.
const SPEED_FACTOR: f64 = 1.6;

/// Whether a leg is the core of a field, and how far its nearest neighbour is.
pub(super) fn neighbours(leg: &Leg, nodes: &[Node], grid: &Grid, legs: &[Leg]) -> (bool, Option<f64>) {
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
            let away = vector(node.at, other.at);
            let (along, across) = (dot(node.direction, away), cross(node.direction, away));
            if along.abs() > 1.5 * STEP_M
                || across.abs() > NEIGHBOUR_MAX_M
                || !are_alike(leg.speed_mps, other_leg.speed_mps, SPEED_FACTOR)
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
        // In a known field two passes side by side are two; elsewhere they may be a road there and back.
        let fills =
            if leg.in_field { spread >= SAME_LINE_M && legs_here >= 2 } else { spread > ROAD_WIDTH_M && count >= 3 };
        if fills {
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

/// Passes before, and passes after a leg that tell what is usual around it.
pub(super) const USUAL_LEGS: usize = 20;

/// Tells every leg what spacing is usual around it. A day may know several implements: of the legs before and those after
/// the ones count that are more like it.
pub(super) fn compare_spacings(legs: &mut [Leg]) {
    let sure: Vec<(usize, f64)> =
        (0..legs.len()).filter(|leg| legs[*leg].is_core).filter_map(|leg| Some((leg, legs[leg].spacing_m?))).collect();
    for (index, this) in legs.iter_mut().enumerate() {
        let place = sure.partition_point(|(leg, _)| *leg < index);
        let usual = |near: &[(usize, f64)]| median(near.iter().map(|(_, spacing)| *spacing));
        let (from, to) = (place.saturating_sub(USUAL_LEGS), (place + USUAL_LEGS).min(sure.len()));
        let sides = [usual(&sure[from..place]), usual(&sure[place..to])].into_iter().flatten();
        let unlike = |side: &f64| this.spacing_m.map_or(0.0, |own| (own / side).ln().abs());
        let nearest = match this.spacing_m {
            Some(_) => sides.min_by(|a, b| unlike(a).total_cmp(&unlike(b))),
            None => usual(&sure[from..to]),
        };
        this.usual_spacing_m = nearest.unwrap_or(NEIGHBOUR_MAX_M / 3.0);
    }
}

/// Whether two legs, by their middles, lead the same way or back.
pub(super) fn are_parallel(one: &Leg, other: &Leg, nodes: &[Node]) -> bool {
    cross(one.middle(nodes).direction, other.middle(nodes).direction).abs() <= PARALLEL_SINE
}

/// Share of a leg's nodes that have a worked leg beside them, parallel, at about its speed and within `reach_m`.
pub(super) fn beside_worked(leg: &Leg, nodes: &[Node], grid: &Grid, legs: &[Leg], reach_m: f64) -> f64 {
    let near = nodes[leg.nodes.clone()].iter().filter(|node| {
        let mut found = false;
        grid.around(node.at, |other| {
            let other = &nodes[other];
            found |= other.leg > 0
                && legs[other.leg as usize - 1].is_worked
                && are_alike(legs[other.leg as usize - 1].speed_mps, leg.speed_mps, SPEED_FACTOR)
                && other.at.distance(node.at) <= reach_m
                && cross(node.direction, other.direction).abs() <= PARALLEL_SINE;
        });
        found
    });
    near.count() as f64 / leg.nodes.len() as f64
}

/// Whether two speeds differ by less than a factor.
pub(super) fn are_alike(one_mps: f64, other_mps: f64, factor: f64) -> bool {
    one_mps < factor * other_mps && other_mps < factor * one_mps
}

/// Nodes by squares of the plane.
pub(super) struct Grid(BTreeMap<(i32, i32), Vec<usize>>);

impl Grid {
    pub(super) fn of(nodes: &[Node]) -> Self {
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
