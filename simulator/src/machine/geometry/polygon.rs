//! Polygons with holes.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::single::SingleFloatOverlay;
use i_overlay::mesh::float::outline::offset::OutlineOffset;
use i_overlay::mesh::float::stroke::offset::StrokeOffset;
use i_overlay::mesh::float::style::{LineJoin, OutlineStyle, StrokeStyle};

use super::plane::Point;

/// Corners sharper than this are cut when a boundary moves: else the boundary of a wedge would move for ever.
const SHARPEST_CORNER: f64 = 0.35;
/// Length of the pieces of a round corner, as a share of its radius.
const ROUND_STEP: f64 = 0.3;

/// A simple polygon, counter-clockwise, with obstacles in it, clockwise. Rings are not closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Polygon {
    pub(crate) outline: Vec<Point>,
    pub(crate) holes: Vec<Vec<Point>>,
}

type Contours = Vec<Vec<[f64; 2]>>;

impl Polygon {
    /// A polygon of the given rings in whatever winding.
    pub(crate) fn new(outline: Vec<Point>, holes: Vec<Vec<Point>>) -> Self {
        let wound = |mut ring: Vec<Point>, is_left: bool| {
            if (ring_area_m2(&ring) > 0.0) != is_left {
                ring.reverse();
            }
            ring
        };
        Self { outline: wound(outline, true), holes: holes.into_iter().map(|hole| wound(hole, false)).collect() }
    }

    pub(crate) fn rings(&self) -> impl Iterator<Item = &Vec<Point>> {
        std::iter::once(&self.outline).chain(&self.holes)
    }

    /// Its sides, the field on their left.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.rings().flat_map(|ring| ring_edges(ring))
    }

    /// Area without the holes, square metres.
    pub(crate) fn area_m2(&self) -> f64 {
        self.rings().map(|ring| ring_area_m2(ring)).sum()
    }

    /// The smallest and the greatest coordinates.
    pub(crate) fn bounds(&self) -> (Point, Point) {
        let far = f64::INFINITY;
        self.outline.iter().fold((Point::new(far, far), Point::new(-far, -far)), |(low, high), p| {
            (Point::new(low.x.min(p.x), low.y.min(p.y)), Point::new(high.x.max(p.x), high.y.max(p.y)))
        })
    }

    /// Whether `point` is in the polygon and in none of its holes.
    pub(crate) fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        for (a, b) in self.edges() {
            if (a.y > point.y) != (b.y > point.y) {
                let x = a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x);
                inside ^= point.x < x;
            }
        }
        inside
    }

    /// Distance of `point` from the nearest boundary, metres.
    pub(crate) fn distance_to_boundary(&self, point: Point) -> f64 {
        self.edges().map(|(a, b)| distance_to_segment(point, a, b)).fold(f64::INFINITY, f64::min)
    }

    /// What is left when every boundary moves `by_m` into the field, in arcs around the corners of obstacles and the
    /// inner corners of the field; what is gained when `by_m` is negative.
    pub(crate) fn inset(&self, by_m: f64) -> Vec<Self> {
        from_shapes(self.contours().outline(&OutlineStyle::new(-by_m).line_join(LineJoin::Round(ROUND_STEP))))
    }

    /// This polygon less the bands of `width_m` along closed `ways`, without slivers narrower than `sliver_m`.
    pub(crate) fn without_bands(&self, ways: &[Vec<Point>], width_m: f64, sliver_m: f64) -> Vec<Self> {
        let mut bands: Contours = Vec::new();
        for way in ways {
            let way: Vec<_> = way.iter().map(|p| [p.x, p.y]).collect();
            let style = StrokeStyle::new(width_m).line_join(LineJoin::Miter(SHARPEST_CORNER));
            bands.extend(way.stroke(style, true).into_iter().flatten());
        }
        let left = self.contours().overlay(&bands, OverlayRule::Difference, FillRule::NonZero);
        let eroded = left.outline(&OutlineStyle::new(-sliver_m / 2.0).line_join(LineJoin::Miter(SHARPEST_CORNER)));
        from_shapes(eroded.outline(&OutlineStyle::new(sliver_m / 2.0).line_join(LineJoin::Miter(SHARPEST_CORNER))))
    }

    fn contours(&self) -> Contours {
        self.rings().map(|ring| ring.iter().map(|p| [p.x, p.y]).collect()).collect()
    }
}

fn from_shapes(shapes: Vec<Contours>) -> Vec<Polygon> {
    shapes
        .into_iter()
        .filter_map(|shape| {
            let mut rings = shape.into_iter().map(|ring| ring.into_iter().map(|[x, y]| Point::new(x, y)).collect());
            Some(Polygon { outline: rings.next()?, holes: rings.collect() })
        })
        .collect()
}

pub(crate) fn ring_edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    (0..ring.len()).map(|index| (ring[index], ring[(index + 1) % ring.len()]))
}

pub(crate) fn ring_area_m2(ring: &[Point]) -> f64 {
    ring_edges(ring).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>() / 2.0
}

pub(crate) fn distance_to_segment(p: Point, a: Point, b: Point) -> f64 {
    p.distance(nearest_on_segment(p, a, b))
}

pub(crate) fn nearest_on_segment(p: Point, a: Point, b: Point) -> Point {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = dx * dx + dy * dy;
    let share = if length2 > 0.0 { ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2 } else { 0.0 };
    a.towards(b, share.clamp(0.0, 1.0))
}

/// Whether the open segments cross.
pub(crate) fn segments_cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(size_m: f64) -> Vec<Point> {
        [(0.0, 0.0), (size_m, 0.0), (size_m, size_m), (0.0, size_m)].map(|(x, y)| Point::new(x, y)).to_vec()
    }

    #[test]
    fn an_inset_square_is_smaller_by_the_inset_on_every_side_and_at_last_gone() {
        let field = Polygon::new(square(10.0), Vec::new());
        let inset = field.inset(2.0);
        assert_eq!(inset.len(), 1);
        assert!((inset[0].area_m2() - 36.0).abs() < 1e-3, "{}", inset[0].area_m2());
        assert!(field.inset(5.5).is_empty());
    }

    #[test]
    fn an_obstacle_grows_when_its_field_shrinks() {
        let hole = square(10.0).into_iter().map(|p| Point::new(p.x + 45.0, p.y + 45.0)).collect();
        let field = Polygon::new(square(100.0), vec![hole]);
        assert!((field.area_m2() - 9_900.0).abs() < 1e-9);
        assert!(field.contains(Point::new(20.0, 20.0)) && !field.contains(Point::new(50.0, 50.0)));
        let inset = field.inset(5.0);
        assert_eq!((inset.len(), inset[0].holes.len()), (1, 1));
        let hole_m2 = -ring_area_m2(&inset[0].holes[0]);
        assert!((370.0..379.0).contains(&hole_m2), "a square with arcs around its corners: {hole_m2}");
    }

    #[test]
    fn bands_leave_what_lies_between_them() {
        let field = Polygon::new(square(100.0), Vec::new());
        let ring = field.inset(3.0).remove(0).outline;
        let left = field.without_bands(&[ring], 6.0, 1.0);
        assert_eq!(left.len(), 1);
        assert!((left[0].area_m2() - 88.0 * 88.0).abs() < 0.5, "{}", left[0].area_m2());
    }
}
