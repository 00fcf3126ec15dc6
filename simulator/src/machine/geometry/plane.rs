//! Points and poses: metres east and north of a yard.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// A point, metres east and north of the yard.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    /// East.
    pub(crate) x: f64,
    /// North.
    pub(crate) y: f64,
}

impl Point {
    pub(crate) const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Distance to `other` in metres.
    pub(crate) fn distance(self, other: Self) -> f64 {
        (other.x - self.x).hypot(other.y - self.y)
    }

    /// Direction to `other` in radians, counter-clockwise from east.
    pub(crate) fn direction(self, other: Self) -> f64 {
        (other.y - self.y).atan2(other.x - self.x)
    }

    /// The point `metres` further in `direction`.
    pub(crate) fn ahead(self, direction: f64, metres: f64) -> Self {
        let (sine, cosine) = direction.sin_cos();
        Self::new(self.x + metres * cosine, self.y + metres * sine)
    }

    /// The point `share` of the way to `other`.
    pub(crate) fn towards(self, other: Self, share: f64) -> Self {
        Self::new(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)
    }

    /// This point in axes turned counter-clockwise by the angle of the given sine and cosine.
    pub(crate) fn in_axes(self, (sine, cosine): (f64, f64)) -> Self {
        Self::new(self.x * cosine + self.y * sine, self.y * cosine - self.x * sine)
    }

    /// The inverse of [`Point::in_axes`].
    pub(crate) fn out_of_axes(self, (sine, cosine): (f64, f64)) -> Self {
        Self::new(self.x * cosine - self.y * sine, self.x * sine + self.y * cosine)
    }
}

/// Where a machine is and which way it looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Pose {
    /// Where.
    pub(crate) at: Point,
    /// Radians, counter-clockwise from east.
    pub(crate) heading: f64,
}

impl Pose {
    pub(crate) const fn new(at: Point, heading: f64) -> Self {
        Self { at, heading }
    }

    /// The direction in which it moves as a compass shows it: degrees clockwise from north, `0.0..360.0`.
    pub(crate) fn course_deg(self, backwards: bool) -> f64 {
        let heading = if backwards { self.heading + PI } else { self.heading };
        (FRAC_PI_2 - heading).rem_euclid(TAU).to_degrees() % 360.0
    }
}

/// `radians` as the same angle in `-π..=π`.
pub(crate) fn signed_angle(radians: f64) -> f64 {
    let wrapped = radians.rem_euclid(TAU);
    if wrapped > PI { wrapped - TAU } else { wrapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compass_counts_clockwise_from_north() {
        let check = |heading: f64, course_deg: f64| {
            let pose = Pose { at: Point::default(), heading };
            assert!((pose.course_deg(false) - course_deg).abs() < 1e-9, "{heading} {}", pose.course_deg(false));
            let back = pose.course_deg(true);
            assert!(((back - course_deg).abs() - 180.0).abs() < 1e-9, "{heading} {back}");
        };
        check(0.0, 90.0);
        check(FRAC_PI_2, 0.0);
        check(PI, 270.0);
        check(-FRAC_PI_2, 180.0);
    }

    #[test]
    fn axes_turn_there_and_back() {
        let axes = 0.7f64.sin_cos();
        let point = Point::new(3.0, -4.0);
        assert!(point.in_axes(axes).out_of_axes(axes).distance(point) < 1e-12);
        assert!(Point::new(axes.1, axes.0).in_axes(axes).distance(Point::new(1.0, 0.0)) < 1e-12);
    }
}
