//! Work by its geometry alone: passes side by side at one speed, with turns between.
//!
//! ```text
//! positions ─ nodes ▶ legs between turns ─ neighbours, pace ▶ strokes between slow points ─ rounds ▶ worked legs, corners
//! ```
//!
//! A road is a line, however often it is driven; a field is filled. So a leg belongs to a field when it has parallel
//! neighbours at several distances. Implements are lowered slowly: what is driven between two slow points is one
//! thing, a pass or a way, and is judged as a whole. A round along the edge of a field comes back to where it began; a
//! way along the same edge leads to the first pass and does not.

mod corner;
mod judge;
mod leg;
mod neighbour;
mod node;
mod pace;
mod round;
mod stroke;

use super::Rules;
use super::track::Track;
use crate::derive::Readings;
use crate::derive::geometry::Point;

use leg::legs;
use neighbour::Grid;
use node::{nodes, slow_points};
use stroke::Scene;

/// What the geometry of a day shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Pattern {
    /// Whether each sample is on a leg that was worked.
    pub worked: Vec<bool>,
    /// Whether each sample is on a pass before the first leg, too short for a leg of its own.
    pub short: Vec<bool>,
    /// Number of the leg of each sample, counted from 1; 0 for none.
    pub leg: Vec<u32>,
    /// Usual distance between neighbouring passes: the working width when nothing else tells it, m.
    pub spacing_m: Option<f64>,
    /// Usual speed on the worked legs, m/s.
    pub speed_mps: Option<f64>,
}

impl Pattern {
    /// `in_field` tells for each sample whether it is in a known field.
    pub(super) fn of(readings: &Readings, track: &Track, in_field: &[bool], rules: &Rules) -> Self {
        let samples = readings.len();
        let none = Self {
            worked: vec![false; samples],
            short: vec![false; samples],
            leg: vec![0; samples],
            ..Self::default()
        };
        let at_ms = &readings.recorded_at_ms;
        let slow = slow_points(at_ms, &track.speed_mps, rules);
        let mut nodes = nodes(readings, track, &slow, rules);
        let mut legs = legs(&mut nodes, track, in_field, rules);
        if legs.is_empty() {
            return none;
        }
        let grid = Grid::of(&nodes);
        for index in 0..legs.len() {
            let (is_core, spacing_m) = neighbour::neighbours(&legs[index], &nodes, &grid, &legs);
            legs[index].spacing_m = spacing_m;
            legs[index].is_core = is_core;
        }
        neighbour::compare_spacings(&mut legs);
        pace::compare_paces(&mut legs);
        let scene = Scene { nodes: &nodes, grid: &grid, at_ms, track, rules };
        let begins = judge::judge(&mut legs, &scene);
        let mut pattern = Self {
            spacing_m: median(legs.iter().filter(|leg| leg.is_core).filter_map(|leg| leg.spacing_m)),
            speed_mps: median(legs.iter().filter(|leg| leg.is_worked).map(|leg| leg.speed_mps)),
            ..none
        };
        for (number, leg) in (1..).zip(&legs) {
            pattern.leg[leg.samples.clone()].fill(number);
            if leg.is_worked {
                pattern.worked[leg.samples.clone()].fill(true);
            }
        }
        let corner = corner::Corner { scene: &scene, slow: &slow, legs: &legs, leg_of: &pattern.leg };
        for sample in begins.into_iter().flat_map(|begin| corner.short_passes(&legs[begin])) {
            pattern.short[sample] = true;
        }
        pattern
    }
}

/// From one point to another.
fn vector(from: Point, to: Point) -> Point {
    Point::new(to.x - from.x, to.y - from.y)
}

/// The direction from one point to another as a vector of length 1; none of a point to itself.
fn direction(from: Point, to: Point) -> Option<Point> {
    let length = from.distance(to);
    (length > 0.0).then(|| Point::new((to.x - from.x) / length, (to.y - from.y) / length))
}

/// Scalar product.
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
pub(in crate::derive::fieldwork) fn quantile(values: impl Iterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    let place = ((values.len() as f64 * share) as usize).min(values.len().checked_sub(1)?);
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}
