//! Ways of straights and arcs, forwards and backwards.

use std::f64::consts::PI;

use super::dubins;
use super::plane::{Point, Pose, signed_angle};

/// A straight or an arc.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    pub(crate) from: Pose,
    pub(crate) length_m: f64,
    /// Turn per metre of way, left positive; 0 for a straight.
    pub(crate) curvature: f64,
    /// The machine looks along `from.heading` and moves the other way.
    pub(crate) backwards: bool,
}

impl Piece {
    pub(crate) fn pose_at(&self, along_m: f64) -> Pose {
        let way_m = if self.backwards { -along_m } else { along_m };
        if self.curvature == 0.0 {
            return Pose { at: self.from.at.ahead(self.from.heading, way_m), heading: self.from.heading };
        }
        let heading = self.from.heading + self.curvature * way_m;
        let radius = 1.0 / self.curvature;
        let x = self.from.at.x + radius * (heading.sin() - self.from.heading.sin());
        let y = self.from.at.y - radius * (heading.cos() - self.from.heading.cos());
        Pose { at: Point::new(x, y), heading }
    }

    fn end(&self) -> Pose {
        self.pose_at(self.length_m)
    }
}

/// A way without jumps.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Path {
    pieces: Vec<Piece>,
    length_m: f64,
}

impl Path {
    /// The straight from `from` to `to`.
    pub(crate) fn straight(from: Point, to: Point) -> Self {
        let mut path = Self::default();
        path.push(Pose::new(from, from.direction(to)), from.distance(to), 0.0, false);
        path
    }

    /// The shortest way forwards from `from` to `to` with no turn tighter than `radius_m`.
    pub(crate) fn shortest(from: Pose, to: Pose, radius_m: f64) -> Self {
        let mut path = Self::default();
        let mut here = from;
        for (turn, length_m) in dubins::shortest(from, to, radius_m) {
            here = path.push(here, length_m, turn / radius_m, false);
        }
        path
    }

    /// The turn of a machine that comes out of one swath and goes into another beside it, both arcs to the same side:
    /// where the swaths are too near to each other for that, it goes backwards between the arcs.
    ///
    /// `side` is 1 for a turn to the left, -1 to the right.
    pub(crate) fn turn_around(from: Pose, to: Pose, radius_m: f64, side: f64) -> Self {
        // In axes along the first swath, mirrored so that the turn is to the left.
        let axes = from.heading.sin_cos();
        let there = Point::new(to.at.x - from.at.x, to.at.y - from.at.y).in_axes(axes);
        let (x, y) = (there.x, there.y * side);
        let bend = signed_angle((to.heading - from.heading) * side - PI) + PI;
        // left(α), ℓ backwards, left(bend - α) ends at `there`: two equations for α and ℓ.
        let across = radius_m * (1.0 - bend.cos()) - y;
        let along = radius_m * bend.sin() - x;
        let length_m = across.hypot(along);
        let mut angle = across.atan2(along);
        let mut backwards = true;
        if angle < 0.0 {
            angle += PI;
            backwards = false;
        }
        let mut path = Self::default();
        let here = path.push(from, radius_m * angle, side / radius_m, false);
        let here = path.push(here, length_m, 0.0, backwards);
        let rest = bend - angle;
        if rest >= 0.0 {
            path.push(here, radius_m * rest, side / radius_m, false);
        } else {
            // Turned too far already: the last arc goes the other way, backwards.
            path.push(here, radius_m * -rest, side / radius_m, true);
        }
        path
    }

    /// Along `points` with every corner rounded by an arc of `radius_m`, or a tighter one where a corner has no room.
    /// `closed` joins the last point to the first; the way then begins in the middle of the first edge.
    pub(crate) fn rounded(points: &[Point], closed: bool, radius_m: f64) -> Self {
        let mut path = Self::default();
        let corners: Vec<Point>;
        let points = if closed && points.len() >= 2 {
            let middle = points[0].towards(points[1], 0.5);
            corners = std::iter::once(middle).chain(points[1..].iter().copied()).chain([points[0], middle]).collect();
            &corners
        } else {
            points
        };
        let Some(first) = points.first() else { return path };
        let mut here = *first;
        for index in 1..points.len() {
            let (corner, is_last) = (points[index], index + 1 == points.len());
            let heading = here.direction(corner);
            let length_m = here.distance(corner);
            if length_m < 1e-6 {
                continue;
            }
            if is_last {
                path.push(Pose::new(here, heading), length_m, 0.0, false);
                break;
            }
            let next = points[index + 1];
            let bend = signed_angle(corner.direction(next) - heading);
            let half = (bend.abs() / 2.0).tan().abs();
            // Half of the next edge is left to the corner behind it.
            let share = if index + 2 == points.len() { 1.0 } else { 0.5 };
            let cut_m = (radius_m * half).min(length_m).min(corner.distance(next) * share);
            let start = here.towards(corner, 1.0 - cut_m / length_m);
            path.push(Pose::new(here, heading), here.distance(start), 0.0, false);
            if cut_m > 1e-6 && bend.abs() > 1e-6 {
                let radius_m = cut_m / half;
                path.push(Pose::new(start, heading), radius_m * bend.abs(), bend.signum() / radius_m, false);
            }
            let reach = corner.distance(next);
            here = if reach > 0.0 { corner.towards(next, cut_m / reach) } else { corner };
        }
        path
    }

    fn push(&mut self, from: Pose, length_m: f64, curvature: f64, backwards: bool) -> Pose {
        if length_m <= 1e-9 {
            return from;
        }
        let piece = Piece { from, length_m, curvature, backwards };
        self.length_m += length_m;
        self.pieces.push(piece);
        piece.end()
    }

    /// Goes on with `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.length_m += other.length_m;
        self.pieces.extend(other.pieces);
    }

    /// Length in metres.
    pub(crate) fn length_m(&self) -> f64 {
        self.length_m
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Number of the piece `along_m` metres from the beginning, and how far into it that is. `from` and the way before
    /// it are a place to start looking: progress is forwards.
    pub(crate) fn locate(&self, along_m: f64, mut from: Cursor) -> Cursor {
        while let Some(piece) = self.pieces.get(from.piece) {
            if along_m <= from.before_m + piece.length_m || from.piece + 1 == self.pieces.len() {
                break;
            }
            from.before_m += piece.length_m;
            from.piece += 1;
        }
        from
    }

    /// The pose `along_m` metres from the beginning, and whether the machine goes backwards there.
    pub(crate) fn pose_from(&self, along_m: f64, from: Cursor) -> (Pose, bool) {
        let cursor = self.locate(along_m, from);
        self.pieces.get(cursor.piece).map_or((Pose::default(), false), |piece| {
            (piece.pose_at((along_m - cursor.before_m).clamp(0.0, piece.length_m)), piece.backwards)
        })
    }

    /// As [`Path::pose_from`], looked for from the beginning.
    #[cfg(test)]
    pub(crate) fn pose_at(&self, along_m: f64) -> Pose {
        self.pose_from(along_m, Cursor::default()).0
    }

    /// The pose at the end.
    pub(crate) fn end(&self) -> Option<Pose> {
        self.pieces.last().map(Piece::end)
    }

    /// Points along the way, at most `step_m` apart, both ends included.
    pub(crate) fn points(&self, step_m: f64) -> impl Iterator<Item = Point> + '_ {
        let steps = (self.length_m / step_m).ceil().max(1.0) as usize;
        let mut cursor = Cursor::default();
        (0..=steps).map(move |step| {
            let along_m = self.length_m * step as f64 / steps as f64;
            cursor = self.locate(along_m, cursor);
            self.pose_from(along_m, cursor).0.at
        })
    }
}

/// A place in a path: a piece and the way before it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Cursor {
    pub(crate) piece: usize,
    pub(crate) before_m: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pose() -> impl Strategy<Value = Pose> {
        (-200.0..200.0, -200.0..200.0, -PI..PI).prop_map(|(x, y, heading)| Pose { at: Point::new(x, y), heading })
    }

    fn assert_is_continuous(path: &Path, from: Pose, to: Pose) {
        assert!(path.pose_at(0.0).at.distance(from.at) < 1e-6);
        let end = path.pose_at(path.length_m());
        assert!(end.at.distance(to.at) < 1e-6, "{end:?} {to:?}");
        assert!((end.heading - to.heading).cos() > 1.0 - 1e-9, "{end:?} {to:?}");
        let steps = (path.length_m() / 0.5) as usize;
        for step in 0..steps {
            let (a, b) = (path.pose_at(step as f64 * 0.5), path.pose_at(step as f64 * 0.5 + 0.5));
            assert!(a.at.distance(b.at) <= 0.5 + 1e-6);
        }
    }

    proptest! {
        #[test]
        fn a_shortest_way_ends_where_it_should_and_is_nowhere_too_tight(
            from in pose(), to in pose(), radius_m in 2.0..30.0,
        ) {
            let path = Path::shortest(from, to, radius_m);
            assert_is_continuous(&path, from, to);
            prop_assert!(path.length_m() >= from.at.distance(to.at) - 1e-6);
            prop_assert!(path.pieces().iter().all(|piece| piece.curvature.abs() <= 1.0 / radius_m + 1e-12));
        }

        #[test]
        fn a_turn_around_ends_in_the_swath_beside_and_stays_near_its_end(
            from in pose(), beside_m in 0.5..40.0, further_m in -15.0..15.0, slant in -0.05..0.05,
            radius_m in 3.0..9.0, left in any::<bool>(),
        ) {
            let side = if left { 1.0 } else { -1.0 };
            let at = Point::new(further_m, beside_m * side).out_of_axes(from.heading.sin_cos());
            let to = Pose::new(Point::new(from.at.x + at.x, from.at.y + at.y), from.heading + PI + slant);
            let path = Path::turn_around(from, to, radius_m, side);
            assert_is_continuous(&path, from, to);
            for point in path.points(0.5) {
                let ahead = Point::new(point.x - from.at.x, point.y - from.at.y).in_axes(from.heading.sin_cos()).x;
                prop_assert!(ahead < further_m.max(0.0) + 2.0 * radius_m + 1e-6, "{}", ahead);
            }
        }

        #[test]
        fn a_rounded_way_keeps_to_its_points(
            points in prop::collection::vec((-100.0..100.0, -100.0..100.0), 3..9), closed in any::<bool>(),
        ) {
            let points: Vec<_> = points.into_iter().map(|(x, y)| Point::new(x, y)).collect();
            let path = Path::rounded(&points, closed, 5.0);
            let pieces = path.pieces();
            for pair in pieces.windows(2) {
                prop_assert!(pair[0].end().at.distance(pair[1].from.at) < 1e-6);
            }
            let end = path.end().expect("three points make a way").at;
            let last = if closed { points[0].towards(points[1], 0.5) } else { points[points.len() - 1] };
            prop_assert!(end.distance(last) < 1e-6);
        }
    }

    #[test]
    fn swaths_far_enough_apart_are_joined_without_going_backwards() {
        let from = Pose::new(Point::new(0.0, 0.0), 0.0);
        let back = |beside_m: f64| {
            let to = Pose::new(Point::new(0.0, beside_m), PI);
            Path::turn_around(from, to, 6.0, 1.0).pieces().iter().any(|piece| piece.backwards)
        };
        assert!(back(11.9) && !back(12.1));
    }
}
