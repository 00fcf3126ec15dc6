//! Ways over a field that keep off its obstacles and inside its boundary.

use super::path::Path;
use super::plane::{Point, Pose};
use super::polygon::{Polygon, nearest_on_segment, ring_edges, segments_cross};

/// A way may come this near to a boundary, metres.
const CLEARANCE_M: f64 = 0.5;
/// Ways are tested at points this far apart, metres.
const TEST_STEP_M: f64 = 2.0;
/// Nearer than this a machine goes straight to where it begins, metres.
const STRAIGHT_TO_M: f64 = 90.0;
/// What lies between two ends of a way is this many turning radii from both.
const APART_RADII: f64 = 4.0;
/// A gate in a sharp corner lies a little outside, metres.
const GATE_M: f64 = 3.0;
/// Corners considered on a way around obstacles, at most; more are thinned out.
const MAX_CORNERS: usize = 64;

/// Where a machine can drive on a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldWays {
    field: Polygon,
    /// Corners of ways: on the headland, well inside.
    corners: Vec<Point>,
    /// The way around the field on its headland, where there is one that goes all around.
    headland: Vec<Point>,
    radius_m: f64,
}

impl FieldWays {
    /// The ways over `field` for a machine that turns on `radius_m`; ways around things keep `margin_m` off them.
    pub(crate) fn new(field: Polygon, margin_m: f64, radius_m: f64) -> Self {
        let mut shapes = field.inset(margin_m);
        if shapes.is_empty() {
            shapes = field.inset(margin_m / 3.0);
        }
        let mut corners: Vec<Point> = shapes.iter().flat_map(Polygon::rings).flatten().copied().collect();
        let every = corners.len().div_ceil(MAX_CORNERS).max(1);
        corners = corners.into_iter().step_by(every).collect();
        let headland = if let [whole] = shapes.as_slice() { whole.outline.clone() } else { Vec::new() };
        Self { field, corners, headland, radius_m }
    }

    /// A way from one swath to the next: the shortest of those that a driver would take and that keep to the field.
    pub(crate) fn turn(&self, from: Pose, to: Pose) -> Path {
        let around = [1.0, -1.0].map(|side| Path::turn_around(from, to, self.radius_m, side));
        let shortest = Path::shortest(from, to, self.radius_m);
        let mut ways = [&around[0], &around[1], &shortest].map(|way| (way.length_m(), way));
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        match ways.into_iter().find(|(_, way)| self.allows(way)) {
            Some((_, way)) => way.clone(),
            None => self.way(from, to),
        }
    }

    /// A way from `from` to `to` around everything between.
    pub(crate) fn way(&self, from: Pose, to: Pose) -> Path {
        let direct = Path::shortest(from, to, self.radius_m);
        if self.allows(&direct) {
            return direct;
        }
        let points = self.corners_between(from.at, to.at);
        let smooth = self.smooth(from, &points, to);
        if self.allows(&smooth) { smooth } else { Path::rounded(&points, false, self.radius_m) }
    }

    /// A way that spares what grows or was just sown: along the headland, the shorter way around.
    pub(crate) fn along_headland(&self, from: Pose, to: Pose) -> Path {
        let is_near = from.at.distance(to.at) < STRAIGHT_TO_M;
        if is_near || self.headland.len() < 3 {
            return self.way(from, to);
        }
        // What is too near to either end would cost a loop.
        let is_apart = |point: &Point| point.distance(from.at).min(point.distance(to.at)) > APART_RADII * self.radius_m;
        let ends_and = |between: Vec<Point>| [vec![from.at], between, vec![to.at]].concat();
        let around = self.around(from.at, to.at);
        let points = ends_and(around.iter().copied().filter(is_apart).collect());
        // At a gate in a corner there may be no room to turn: there the machine looks along its way already.
        let begins = [from, Pose::new(from.at, from.at.direction(points[1]))];
        let ends = [to, Pose::new(to.at, points[points.len() - 2].direction(to.at))];
        let ways = ends.into_iter().flat_map(|end| begins.map(|begin| self.smooth(begin, &points, end)));
        let is_gate = |point: Point| point.distance(from.at).min(point.distance(to.at)) < GATE_M;
        let keeps_inside =
            |way: &Path| way.points(TEST_STEP_M).all(|point| self.field.contains(point) || is_gate(point));
        let tight = std::iter::once_with(|| Path::rounded(&ends_and(around), false, self.radius_m));
        ways.chain(tight).find(keeps_inside).unwrap_or_else(|| self.way(from, to))
    }

    /// The shorter stretch of the headland from beside `from` to beside `to`.
    fn around(&self, from: Point, to: Point) -> Vec<Point> {
        let ring = &self.headland;
        let nearest = |point: Point| {
            let feet = ring_edges(ring).map(|(a, b)| nearest_on_segment(point, a, b)).enumerate();
            feet.min_by(|a, b| a.1.distance(point).total_cmp(&b.1.distance(point))).unwrap_or((0, point))
        };
        let ((first, enters), (last, leaves)) = (nearest(from), nearest(to));
        let steps = |from: usize, to: usize| (to + ring.len() - from) % ring.len();
        // Edge `n` ends at corner `n + 1`.
        let onwards = (1..=steps(first, last)).map(|step| ring[(first + step) % ring.len()]);
        let back = (0..steps(last, first)).map(|step| ring[(first + ring.len() - step) % ring.len()]);
        let stretch = |corners: &mut dyn Iterator<Item = Point>| -> Vec<Point> {
            std::iter::once(enters).chain(corners).chain([leaves]).collect()
        };
        let length_m = |way: &[Point]| way.windows(2).map(|pair| pair[0].distance(pair[1])).sum::<f64>();
        let ways = [stretch(&mut { onwards }), stretch(&mut { back })];
        ways.into_iter().min_by(|a, b| length_m(a).total_cmp(&length_m(b))).unwrap_or_default()
    }

    /// Along `points`, but out of `from` and into `to` without a kink.
    fn smooth(&self, from: Pose, points: &[Point], to: Pose) -> Path {
        let [_, inner @ .., _] = points else { return Path::shortest(from, to, self.radius_m) };
        let (Some(first), Some(last)) = (inner.first(), inner.last()) else {
            return Path::shortest(from, to, self.radius_m);
        };
        let next = inner.get(1).copied().unwrap_or(to.at);
        let mut way = Path::shortest(from, Pose::new(*first, first.direction(next)), self.radius_m);
        way.extend(Path::rounded(inner, false, self.radius_m));
        let heading = way.end().map_or(from.heading, |end| end.heading);
        way.extend(Path::shortest(Pose::new(*last, heading), to, self.radius_m));
        way
    }

    /// Whether all of `way` is on the field.
    fn allows(&self, way: &Path) -> bool {
        way.points(TEST_STEP_M).all(|point| self.field.contains(point))
    }

    /// Whether one can look from `a` to `b`.
    fn is_clear(&self, a: Point, b: Point) -> bool {
        self.field.edges().all(|(c, d)| !segments_cross(a, b, c, d)) && self.field.contains(a.towards(b, 0.5))
    }

    /// The shortest polyline from `from` to `to` over the corners (Dijkstra; corners are few).
    fn corners_between(&self, from: Point, to: Point) -> Vec<Point> {
        if self.is_clear(from, to) {
            return vec![from, to];
        }
        let nodes: Vec<Point> = [from, to].into_iter().chain(self.corners.iter().copied()).collect();
        let mut best = vec![(f64::INFINITY, usize::MAX); nodes.len()];
        let mut open: Vec<usize> = (0..nodes.len()).collect();
        best[0].0 = 0.0;
        while let Some(position) = (0..open.len()).min_by(|a, b| best[open[*a]].0.total_cmp(&best[open[*b]].0)) {
            let here = open.swap_remove(position);
            if here == 1 || best[here].0.is_infinite() {
                break;
            }
            for &next in &open {
                let length_m = best[here].0 + nodes[here].distance(nodes[next]);
                if length_m < best[next].0 && self.is_clear(nodes[here], nodes[next]) {
                    best[next] = (length_m, here);
                }
            }
        }
        if best[1].0.is_infinite() {
            return vec![from, to];
        }
        let mut way = vec![to];
        let mut here = best[1].1;
        while here != usize::MAX {
            way.push(nodes[here]);
            here = best[here].1;
        }
        way.reverse();
        way
    }

    /// The point of the field nearest to `point`, a little inside.
    pub(crate) fn nearest(&self, point: Point) -> Point {
        if self.field.contains(point) {
            return point;
        }
        let edges = self.field.edges().map(|(a, b)| (nearest_on_segment(point, a, b), a.direction(b)));
        let nearest = edges.min_by(|a, b| a.0.distance(point).total_cmp(&b.0.distance(point)));
        // The field is on the left of its sides.
        nearest.map_or(point, |(at, along)| at.ahead(along + std::f64::consts::FRAC_PI_2, CLEARANCE_M))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field() -> Polygon {
        let outline = [(0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0)].map(|(x, y)| Point::new(x, y));
        let hole = [(120.0, 40.0), (180.0, 40.0), (180.0, 160.0), (120.0, 160.0)].map(|(x, y)| Point::new(x, y));
        Polygon::new(outline.to_vec(), vec![hole.to_vec()])
    }

    #[test]
    fn a_way_goes_around_what_stands_in_it() {
        let field = field();
        let ways = FieldWays::new(field.clone(), 10.0, 6.0);
        let way = ways.way(Pose::new(Point::new(60.0, 100.0), 0.0), Pose::new(Point::new(240.0, 100.0), 0.0));
        assert!(way.length_m() > 200.0 && way.length_m() < 400.0, "{}", way.length_m());
        assert!(way.points(1.0).all(|point| field.contains(point)));
        let end = way.end().expect("a way").at;
        assert!(end.distance(Point::new(240.0, 100.0)) < 1e-6);
    }

    #[test]
    fn a_way_along_the_headland_goes_around_what_grows_on_the_shorter_side() {
        let outline = [(0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0)].map(|(x, y)| Point::new(x, y));
        let field = Polygon::new(outline.to_vec(), Vec::new());
        let ways = FieldWays::new(field.clone(), 10.0, 6.0);
        let gate = Pose::new(Point::new(1.0, 1.0), 0.0);
        for (x, y, metres) in [(290.0, 190.0, 450.0..500.0), (200.0, 190.0, 370.0..420.0), (290.0, 20.0, 290.0..330.0)]
        {
            let way = ways.along_headland(gate, Pose::new(Point::new(x, y), std::f64::consts::FRAC_PI_2));
            assert!(metres.contains(&way.length_m()), "to {x} {y}: {}", way.length_m());
            let inner = way.points(2.0).filter(|point| field.distance_to_boundary(*point) > 30.0).count();
            assert_eq!(inner, 0, "to {x} {y}");
            assert!(way.points(1.0).all(|point| field.contains(point)));
        }
    }

    #[test]
    fn a_turn_at_the_boundary_stays_on_the_field() {
        let field = field();
        let ways = FieldWays::new(field.clone(), 10.0, 6.0);
        let from = Pose::new(Point::new(290.0, 100.0), 0.0);
        let to = Pose::new(Point::new(290.0, 106.0), std::f64::consts::PI);
        let way = ways.turn(from, to);
        assert!(way.points(1.0).all(|point| field.contains(point)));
        assert!(way.pieces().iter().any(|piece| piece.backwards), "6 m apart, radius 6 m: a turn in three parts");
    }
}
