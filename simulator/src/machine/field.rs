//! Fields: convex polygons of real sizes, and the swaths that cover them.

use super::geometry::Point;
use crate::random::Random;

/// Neighbouring swaths overlap by this share of the width: manual steering (domain section 4.3).
const OVERLAP: f64 = 0.04;
/// Shorter leftovers are not worth a pass.
const MIN_SWATH_M: f64 = 8.0;
/// Headland rounds, at most.
const MAX_ROUNDS: usize = 8;

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name as its farm calls it.
    pub name: String,
    /// Corners, counter-clockwise; convex.
    pub corners: Vec<Point>,
    /// Decides how soil, yield and moisture vary over it.
    pub seed: u64,
}

impl Field {
    /// A field of about `area_ha` around `centre`: a quadrangle of four slightly unequal sides, sometimes with a
    /// corner cut off by a road.
    pub fn make(name: String, centre: Point, area_ha: f64, seed: u64) -> Self {
        let mut random = Random::fork(seed, "field");
        let aspect = random.range(1.0, 2.6);
        let half_width = (area_ha * 10_000.0 * aspect).sqrt() / 2.0;
        let half_height = half_width / aspect;
        let direction = random.range(0.0, std::f64::consts::PI);
        let mut corners = Vec::new();
        for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
            let (dx, dy) = (random.range(0.88, 1.12), random.range(0.88, 1.12));
            corners.push(Point::new(x * half_width * dx, y * half_height * dy));
        }
        if random.chance(0.4) {
            let (from, corner, to) = (corners[1], corners[2], corners[3]);
            let (a, b) = (random.range(0.1, 0.3), random.range(0.1, 0.3));
            corners.splice(2..3, [between(corner, from, a), between(corner, to, b)]);
        }
        let (sine, cosine) = direction.sin_cos();
        let corners = corners
            .into_iter()
            .map(|p| Point::new(centre.x + p.x * cosine - p.y * sine, centre.y + p.x * sine + p.y * cosine))
            .collect();
        Self { name, corners, seed }
    }

    /// Area in square metres.
    pub fn area_m2(&self) -> f64 {
        area_m2(&self.corners)
    }

    /// Whether `point` is in the field or within `margin_m` of it.
    pub fn contains(&self, point: Point, margin_m: f64) -> bool {
        edges(&self.corners).all(|(a, b)| left_of(a, b, point) >= -margin_m)
    }
}

/// How a field is worked: rounds along its edge, and parallel swaths between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    corners: Vec<Point>,
    direction: f64,
    spacing_m: f64,
    radius_m: f64,
    rounds: usize,
    rounds_first: bool,
    lowest_m: f64,
    lines: usize,
}

impl Coverage {
    /// Plans swaths of `width_m` for a machine that needs `radius_m` to turn; rounds come first where the crop must be
    /// cut before it can be driven on, else last.
    pub fn plan(field: &Field, width_m: f64, radius_m: f64, rounds_first: bool) -> Self {
        let spacing_m = width_m * (1.0 - OVERLAP);
        // A bulb turn reaches 2.7 radii beyond the swath.
        let rounds = ((2.7 * radius_m / spacing_m).ceil() as usize).clamp(2, MAX_ROUNDS);
        let direction = edges(&field.corners)
            .max_by(|a, b| a.0.distance(a.1).total_cmp(&b.0.distance(b.1)))
            .map_or(0.0, |(a, b)| a.direction(b));
        let inner = inset(&field.corners, rounds as f64 * spacing_m);
        let across: Vec<_> = inner.iter().map(|p| across(*p, direction)).collect();
        let lowest_m = across.iter().copied().fold(f64::INFINITY, f64::min);
        let highest_m = across.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lines = if inner.is_empty() { 0 } else { ((highest_m - lowest_m) / spacing_m).ceil() as usize };
        Self { corners: field.corners.clone(), direction, spacing_m, radius_m, rounds, rounds_first, lowest_m, lines }
    }

    /// How many swaths there are, empty ones included.
    pub fn swaths(&self) -> usize {
        self.lines + self.edge_swaths()
    }

    /// Swath `number` as its two ends; none where the field is too narrow for it.
    pub fn swath(&self, number: usize) -> Option<(Point, Point)> {
        let edges = self.edge_swaths();
        let swath = match (self.rounds_first, number) {
            (true, n) if n < edges => self.edge_swath(n),
            (true, n) => self.line(n - edges),
            (false, n) if n < self.lines => self.line(n),
            (false, n) => self.edge_swath(n - self.lines),
        }?;
        (swath.0.distance(swath.1) >= MIN_SWATH_M).then_some(swath)
    }

    /// The first swath at or behind `number` that exists.
    pub fn next_swath(&self, number: usize) -> Option<usize> {
        (number..self.swaths()).find(|n| self.swath(*n).is_some())
    }

    fn edge_swaths(&self) -> usize {
        self.rounds * self.corners.len()
    }

    /// Edge `number` of the rounds, shortened at both ends by what the turn at the corner takes.
    fn edge_swath(&self, number: usize) -> Option<(Point, Point)> {
        let (round, edge) = (number / self.corners.len(), number % self.corners.len());
        if round >= self.rounds {
            return None;
        }
        let ring = inset(&self.corners, (round as f64 + 0.5) * self.spacing_m);
        let count = ring.len();
        if count < 3 || edge >= count {
            return None;
        }
        let at = |index: usize| ring[index % count];
        let (a, b) = (at(edge), at(edge + 1));
        let heading = a.direction(b);
        let cut_m = |other: f64| {
            let bend = (other - heading).sin().atan2((other - heading).cos()).abs();
            self.radius_m * (bend / 2.0).tan()
        };
        let cut_before_m = cut_m(at(edge + count - 1).direction(a));
        let cut_behind_m = cut_m(b.direction(at(edge + 2)));
        (cut_before_m + cut_behind_m + MIN_SWATH_M < a.distance(b))
            .then(|| (a.ahead(heading, cut_before_m), b.ahead(heading, -cut_behind_m)))
    }

    /// Parallel swath `number`; every other one runs back.
    fn line(&self, number: usize) -> Option<(Point, Point)> {
        if number >= self.lines {
            return None;
        }
        let inner = inset(&self.corners, self.rounds as f64 * self.spacing_m);
        let offset_m = self.lowest_m + (number as f64 + 0.5) * self.spacing_m;
        let mut crossings: Vec<_> = edges(&inner)
            .filter_map(|(a, b)| {
                let (from, to) = (across(a, self.direction) - offset_m, across(b, self.direction) - offset_m);
                (from.signum() != to.signum()).then(|| between(a, b, from / (from - to)))
            })
            .collect();
        crossings.sort_by(|a, b| along(*a, self.direction).total_cmp(&along(*b, self.direction)));
        let (first, last) = (*crossings.first()?, *crossings.last()?);
        Some(if number.is_multiple_of(2) { (first, last) } else { (last, first) })
    }
}

/// The polygon `by_m` inside a convex one; empty when nothing is left. Each edge cuts off what is too near to it.
fn inset(corners: &[Point], by_m: f64) -> Vec<Point> {
    let mut left = corners.to_vec();
    for (a, b) in edges(corners) {
        let depth = |p: Point| left_of(a, b, p) - by_m;
        let mut kept = Vec::with_capacity(left.len() + 1);
        for (p, q) in edges(&left) {
            let (from, to) = (depth(p), depth(q));
            if from >= 0.0 {
                kept.push(p);
            }
            if (from >= 0.0) != (to >= 0.0) {
                kept.push(between(p, q, from / (from - to)));
            }
        }
        left = kept;
    }
    left
}

fn edges(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    (0..corners.len()).map(|index| (corners[index], corners[(index + 1) % corners.len()]))
}

fn area_m2(corners: &[Point]) -> f64 {
    edges(corners).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>() / 2.0
}

/// Distance of `p` from the line through `a` and `b`, positive on its left.
fn left_of(a: Point, b: Point, p: Point) -> f64 {
    ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)) / a.distance(b).max(1e-9)
}

fn between(a: Point, b: Point, share: f64) -> Point {
    Point::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)
}

fn across(p: Point, direction: f64) -> f64 {
    p.y * direction.cos() - p.x * direction.sin()
}

fn along(p: Point, direction: f64) -> f64 {
    p.x * direction.cos() + p.y * direction.sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn swaths_stay_inside_and_cover_the_field_but_for_corners(
            area_ha in 15.0..250.0, seed in any::<u64>(), width_m in 1.7..18.0, rounds_first in any::<bool>(),
        ) {
            let field = Field::make("field".into(), Point::new(3_000.0, -2_000.0), area_ha, seed);
            let area_m2 = field.area_m2();
            prop_assert!((0.6..1.4).contains(&(area_m2 / (area_ha * 10_000.0))), "{}", area_m2);
            let coverage = Coverage::plan(&field, width_m, 6.0, rounds_first);
            let mut covered_m2 = 0.0;
            for number in 0..coverage.swaths() {
                let Some((from, to)) = coverage.swath(number) else { continue };
                prop_assert!(field.contains(from, 0.01) && field.contains(to, 0.01), "swath {}", number);
                covered_m2 += from.distance(to) * width_m * (1.0 - OVERLAP);
            }
            prop_assert!((0.9..1.02).contains(&(covered_m2 / area_m2)), "{}", covered_m2 / area_m2);
        }
    }

    #[test]
    fn an_inset_square_is_smaller_by_the_inset_on_every_side_and_at_last_gone() {
        let square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)].map(|(x, y)| Point::new(x, y));
        assert!((area_m2(&inset(&square, 2.0)) - 36.0).abs() < 1e-9);
        assert!(inset(&square, 5.5).is_empty());
    }
}
