//! Plane geometry in metres around a yard: poses, paths of straights and arcs, and where that is on the earth.

use std::f64::consts::{FRAC_PI_2, TAU};

/// A point, metres east and north of the yard.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// East.
    pub x: f64,
    /// North.
    pub y: f64,
}

impl Point {
    /// The point `x` metres east and `y` metres north.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Distance to `other` in metres.
    pub fn distance(self, other: Self) -> f64 {
        (other.x - self.x).hypot(other.y - self.y)
    }

    /// Direction to `other` in radians, counter-clockwise from east.
    pub fn direction(self, other: Self) -> f64 {
        (other.y - self.y).atan2(other.x - self.x)
    }

    /// The point `metres` further in `direction`.
    pub fn ahead(self, direction: f64, metres: f64) -> Self {
        Self::new(self.x + metres * direction.cos(), self.y + metres * direction.sin())
    }
}

/// Where a machine is and which way it looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// Where.
    pub at: Point,
    /// Radians, counter-clockwise from east.
    pub heading: f64,
}

impl Pose {
    /// The heading as a compass shows it: degrees clockwise from north, `0.0..360.0`.
    pub fn compass_deg(self) -> f64 {
        (FRAC_PI_2 - self.heading).rem_euclid(TAU).to_degrees() % 360.0
    }
}

/// A straight or an arc.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    from: Pose,
    length_m: f64,
    /// Turn per metre, left positive; 0 for a straight.
    curvature: f64,
}

impl Piece {
    fn pose_at(&self, along_m: f64) -> Pose {
        if self.curvature == 0.0 {
            return Pose { at: self.from.at.ahead(self.from.heading, along_m), heading: self.from.heading };
        }
        let heading = self.from.heading + self.curvature * along_m;
        let radius = 1.0 / self.curvature;
        let x = self.from.at.x + radius * (heading.sin() - self.from.heading.sin());
        let y = self.from.at.y - radius * (heading.cos() - self.from.heading.cos());
        Pose { at: Point::new(x, y), heading }
    }
}

/// A way without jumps or kinks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path {
    pieces: Vec<Piece>,
    length_m: f64,
}

impl Path {
    /// The straight from `from` to `to`.
    pub fn straight(from: Point, to: Point) -> Self {
        let piece =
            Piece { from: Pose { at: from, heading: from.direction(to) }, length_m: from.distance(to), curvature: 0.0 };
        Self { length_m: piece.length_m, pieces: vec![piece] }
    }

    /// The shortest way from `from` to `to` with no turn tighter than `radius_m`.
    pub fn turn(from: Pose, to: Pose, radius_m: f64) -> Self {
        let mut path = Self::default();
        path.go(from, to, radius_m);
        path
    }

    /// A way from `from` through `points` to `to`, with no turn tighter than `radius_m`.
    pub fn through(from: Pose, points: &[Point], to: Pose, radius_m: f64) -> Self {
        let mut path = Self::default();
        let mut here = from;
        for (index, point) in points.iter().enumerate() {
            let next = points.get(index + 1).copied().unwrap_or(to.at);
            // Half the bend before the point, half behind it.
            let (arrive, leave) = (here.at.direction(*point), point.direction(next));
            let bend = (leave - arrive).sin().atan2((leave - arrive).cos());
            let there = Pose { at: *point, heading: arrive + bend / 2.0 };
            path.go(here, there, radius_m);
            here = there;
        }
        path.go(here, to, radius_m);
        path
    }

    fn go(&mut self, from: Pose, to: Pose, radius_m: f64) {
        let mut here = from;
        for (turn, length_m) in super::dubins::shortest(from, to, radius_m) {
            let piece = Piece { from: here, length_m, curvature: turn / radius_m };
            here = piece.pose_at(length_m);
            if length_m > 1e-9 {
                self.length_m += length_m;
                self.pieces.push(piece);
            }
        }
    }

    /// Length in metres.
    pub fn length_m(&self) -> f64 {
        self.length_m
    }

    /// The pose `along_m` metres from the beginning; the end beyond it.
    pub fn pose_at(&self, along_m: f64) -> Pose {
        let mut left_m = along_m.max(0.0);
        for piece in &self.pieces {
            if left_m <= piece.length_m {
                return piece.pose_at(left_m);
            }
            left_m -= piece.length_m;
        }
        self.pieces.last().map_or_else(Pose::default, |last| last.pose_at(last.length_m))
    }

    /// Whether the way bends `along_m` metres from the beginning.
    pub fn bends_at(&self, along_m: f64) -> bool {
        let mut left_m = along_m.max(0.0);
        for piece in &self.pieces {
            if left_m <= piece.length_m {
                return piece.curvature != 0.0;
            }
            left_m -= piece.length_m;
        }
        false
    }
}

/// A plane that touches the earth at a yard: WGS-84 arc lengths of a degree there. Within 30 km the error is below
/// a thousandth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    latitude_deg: f64,
    longitude_deg: f64,
    metres_per_latitude_deg: f64,
    metres_per_longitude_deg: f64,
}

impl Frame {
    /// The plane that touches at the given place.
    pub fn at(latitude_deg: f64, longitude_deg: f64) -> Self {
        let phi = latitude_deg.to_radians();
        Self {
            latitude_deg,
            longitude_deg,
            metres_per_latitude_deg: 111_132.954 - 559.822 * (2.0 * phi).cos() + 1.175 * (4.0 * phi).cos(),
            metres_per_longitude_deg: 111_412.84 * phi.cos() - 93.5 * (3.0 * phi).cos() + 0.118 * (5.0 * phi).cos(),
        }
    }

    /// Latitude and longitude of `point` in degrees.
    pub fn degrees(&self, point: Point) -> (f64, f64) {
        (
            self.latitude_deg + point.y / self.metres_per_latitude_deg,
            self.longitude_deg + point.x / self.metres_per_longitude_deg,
        )
    }

    /// The point at the given latitude and longitude.
    pub fn point(&self, latitude_deg: f64, longitude_deg: f64) -> Point {
        Point::new(
            (longitude_deg - self.longitude_deg) * self.metres_per_longitude_deg,
            (latitude_deg - self.latitude_deg) * self.metres_per_latitude_deg,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    fn pose() -> impl Strategy<Value = Pose> {
        (-200.0..200.0, -200.0..200.0, -PI..PI)
            .prop_map(|(x, y, heading)| Pose { at: Point::new(x, y), heading })
    }

    proptest! {
        #[test]
        fn a_turn_begins_and_ends_where_it_should_and_is_nowhere_too_tight(
            from in pose(), to in pose(), radius_m in 2.0..30.0,
        ) {
            let path = Path::turn(from, to, radius_m);
            prop_assert!(path.pose_at(0.0).at.distance(from.at) < 1e-6);
            let end = path.pose_at(path.length_m());
            prop_assert!(end.at.distance(to.at) < 1e-6, "{:?} {:?}", end, to);
            prop_assert!((end.heading - to.heading).cos() > 1.0 - 1e-9);
            prop_assert!(path.length_m() >= from.at.distance(to.at) - 1e-6);
            let steps = (path.length_m() / 0.5) as usize;
            for step in 0..steps {
                let (a, b) = (path.pose_at(step as f64 * 0.5), path.pose_at(step as f64 * 0.5 + 0.5));
                prop_assert!(a.at.distance(b.at) <= 0.5 + 1e-6);
                prop_assert!((b.heading - a.heading).cos() >= (0.5 / radius_m).cos() - 1e-6);
            }
        }
    }

    #[test]
    fn a_compass_counts_clockwise_from_north() {
        let check = |heading: f64, compass_deg: f64| {
            let pose = Pose { at: Point::default(), heading };
            assert!((pose.compass_deg() - compass_deg).abs() < 1e-9, "{heading} {}", pose.compass_deg());
        };
        check(0.0, 90.0);
        check(FRAC_PI_2, 0.0);
        check(PI, 270.0);
        check(-FRAC_PI_2, 180.0);
    }

    #[test]
    fn a_plane_at_kozhevnikovo_has_the_degrees_of_the_ellipsoid_there() {
        let frame = Frame::at(56.259, 83.971);
        let (latitude_deg, longitude_deg) = frame.degrees(Point::new(1_000.0, 1_000.0));
        assert!((latitude_deg - 56.267_98).abs() < 1e-5 && (longitude_deg - 83.987_14).abs() < 1e-5);
        assert!(frame.point(latitude_deg, longitude_deg).distance(Point::new(1_000.0, 1_000.0)) < 1e-6);
    }
}
