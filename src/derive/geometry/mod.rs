//! Plane geometry in metres: from degrees on the ellipsoid to a plane that is true around a field, and areas on it.

mod frame;
mod morphology;
mod outline;
mod raster;

pub use frame::Frame;
pub use outline::{Region, is_inside, simplify, simplify_ring};
pub use raster::Raster;

/// A place on a plane, metres east and north of the origin of its [`Frame`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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

    /// Metres to `other`.
    pub fn distance(self, other: Self) -> f64 {
        // Not `hypot`: it guards against overflow that metres cannot reach, and costs four times as much.
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// The point `share` of the way to `other`.
    pub fn towards(self, other: Self, share: f64) -> Self {
        Self::new(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)
    }
}

/// The smallest upright rectangle around points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// South-west corner.
    pub low: Point,
    /// North-east corner.
    pub high: Point,
}

impl Bounds {
    /// Around `points`; none when there is none.
    pub fn around(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        points.into_iter().map(|p| Self { low: p, high: p }).reduce(|a, b| Self {
            low: Point::new(a.low.x.min(b.low.x), a.low.y.min(b.low.y)),
            high: Point::new(a.high.x.max(b.high.x), a.high.y.max(b.high.y)),
        })
    }

    /// Larger by `margin_m` on each side.
    pub fn widened(self, margin_m: f64) -> Self {
        Self {
            low: Point::new(self.low.x - margin_m, self.low.y - margin_m),
            high: Point::new(self.high.x + margin_m, self.high.y + margin_m),
        }
    }

    /// Whether `point` lies inside or on the edge.
    pub fn contains(self, point: Point) -> bool {
        (self.low.x..=self.high.x).contains(&point.x) && (self.low.y..=self.high.y).contains(&point.y)
    }
}

/// Area of a ring in m², positive when it runs counter-clockwise. The last point is joined to the first.
pub fn ring_area_m2(ring: &[Point]) -> f64 {
    let Some(&first) = ring.first() else { return 0.0 };
    let relative = |p: &Point| Point::new(p.x - first.x, p.y - first.y);
    edges(ring).map(|(a, b)| (relative(&a), relative(&b))).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>() / 2.0
}

/// Metres from `point` to the nearest edge of a ring; infinite for an empty one.
pub fn distance_to_ring(point: Point, ring: &[Point]) -> f64 {
    edges(ring).map(|(a, b)| distance_to_segment(point, a, b)).fold(f64::INFINITY, f64::min)
}

/// The edges of a ring, the closing one included.
pub fn edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Metres from `point` to the segment between `a` and `b`.
pub fn distance_to_segment(point: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0.0 { ((point.x - a.x) * dx + (point.y - a.y) * dy) / length2 } else { 0.0 };
    point.distance(a.towards(b, along.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_knows_its_area_and_direction() {
        let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 3.0), (0.0, 3.0)].map(|(x, y)| Point::new(x + 1e6, y - 1e6));
        assert_eq!(ring_area_m2(&square), 6.0);
        let backwards: Vec<_> = square.iter().rev().copied().collect();
        assert_eq!(ring_area_m2(&backwards), -6.0);
        assert_eq!(ring_area_m2(&[]), 0.0);
        assert_eq!(distance_to_ring(Point::new(1e6 + 1.0, -1e6 + 1.0), &square), 1.0);
        assert_eq!(distance_to_ring(Point::default(), &[]), f64::INFINITY);
    }
}
