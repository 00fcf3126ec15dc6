//! Area: the union of the swath, width × distance beside it, and what lies between them.

use super::swath::Strip;
use crate::derive::field::{Boundary, LatLon};
use crate::derive::geometry::{Bounds, Frame, Point, Raster, Region, simplify_ring};

/// Cells across the working width in the grid for coarse questions: headland, skips, outlines.
const COARSE_CELLS: f64 = 6.0;
/// Widths of the rim of a field that counts as headland.
const HEADLAND_WIDTHS: f64 = 3.0;
/// Slits narrower than this many errors of a pass cannot be told from none. A slit of a whole width can: a pass is
/// missing.
const SLIT_ERRORS: f64 = 2.0;
/// A receiver strays slowly: over this way its error stays the same, m.
const ERROR_LENGTH_M: f64 = 200.0;
/// Outlines are simplified to this share of the width.
const OUTLINE_SHARE: f64 = 0.25;

/// What the strips of a session cover.
#[derive(Debug, Clone)]
pub(super) struct Coverage {
    /// Union, m².
    pub union_m2: f64,
    /// Strips between passes that no pass covered, m².
    pub skipped_m2: f64,
    /// In the known field and not covered, m².
    pub missed_m2: Option<f64>,
    /// Within three widths of the edge, m².
    pub headland_m2: f64,
    /// Covered beyond the known field, m²; not in the union.
    pub outside_m2: f64,
    /// Standard error of the union by positions and raster, m².
    pub error_m2: f64,
    /// What each sample's way covered for the first time, m², by sample, ascending.
    fresh_m2: Vec<(usize, f64)>,
    /// The covered ground, coarse, slits of one width closed.
    coarse: Raster,
    width_m: f64,
}

/// What decides how strips become an area.
pub(super) struct Covering<'a> {
    pub frame: Frame,
    pub strips: &'a [Strip],
    /// Usual working width, m.
    pub width_m: f64,
    /// How far one pass strays from its neighbours, m.
    pub error_m: f64,
    /// The known field, and how far outside it still counts, m.
    pub field: Option<(&'a Boundary, f64)>,
}

impl Covering<'_> {
    /// None when no strip has an area.
    pub(super) fn cover(&self, width_of: impl Fn(usize) -> f64 + Copy) -> Option<Coverage> {
        let quadrangles = || self.strips.iter().flat_map(|strip| strip.quadrangles(width_of));
        let bounds = Bounds::around(quadrangles().flat_map(|(_, _, corners)| corners))?.widened(3.0 * self.width_m);
        let mut fine = Raster::over(bounds, 0.0);
        let mut fresh_m2 = Vec::new();
        for (sample, _, corners) in quadrangles() {
            let cells = fine.fill(&corners);
            fresh_m2.push((sample, fine.area_m2(cells)));
        }
        let slit_m = (SLIT_ERRORS * self.error_m).min(self.width_m);
        fine.close(slit_m);
        let swept = fine.count();
        let mut missed_m2 = None;
        if let Some((boundary, margin_m)) = self.field {
            let rings = self.project(boundary);
            let rings: Vec<&[Point]> = rings.iter().map(Vec::as_slice).collect();
            let mut field = fine.blank();
            field.fill_rings(&rings);
            let mut left = field.clone();
            left.subtract(&fine);
            // What lies beyond the grid was not worked either.
            let beyond_m2 = (boundary.area_m2() - field.area_m2(field.count())).max(0.0);
            missed_m2 = Some(left.area_m2(left.count()) + beyond_m2);
            field.grow(margin_m);
            fine.intersect(&field);
        }
        let kept = fine.count();
        let boundary_m = fine.boundary_m();
        let raster_m2 = fine.cell_m() * (boundary_m * fine.cell_m() / 12.0).sqrt();
        let strayed_m2 = self.error_m * (ERROR_LENGTH_M * boundary_m).sqrt();
        let mut coarse = Raster::over(bounds, self.width_m / COARSE_CELLS);
        quadrangles().for_each(|(_, _, corners)| {
            coarse.fill(&corners);
        });
        coarse.close(slit_m);
        let before = coarse.count();
        coarse.close(self.width_m);
        let skipped_m2 = coarse.area_m2(coarse.count() - before);
        Some(Coverage {
            union_m2: fine.area_m2(kept),
            skipped_m2,
            missed_m2,
            headland_m2: self.headland_m2(&coarse).min(fine.area_m2(kept)),
            outside_m2: fine.area_m2(swept - kept),
            error_m2: (strayed_m2 * strayed_m2 + raster_m2 * raster_m2).sqrt(),
            fresh_m2,
            coarse,
            width_m: self.width_m,
        })
    }

    fn headland_m2(&self, covered: &Raster) -> f64 {
        let mut inner = match self.field {
            Some((boundary, _)) => {
                let rings = self.project(boundary);
                let rings: Vec<&[Point]> = rings.iter().map(Vec::as_slice).collect();
                let mut field = covered.blank();
                field.fill_rings(&rings);
                field
            }
            None => covered.clone(),
        };
        inner.shrink(HEADLAND_WIDTHS * self.width_m);
        let mut rim = covered.clone();
        rim.subtract(&inner);
        rim.area_m2(rim.count())
    }

    fn project(&self, boundary: &Boundary) -> Vec<Vec<Point>> {
        let point = |place: &LatLon| self.frame.point(place.lat_deg, place.lon_deg);
        boundary.rings().map(|ring| ring.iter().map(point).collect()).collect()
    }
}

impl Coverage {
    /// What the way from a sample on covered for the first time, m².
    pub(super) fn fresh_m2(&self, sample: usize) -> f64 {
        let found = self.fresh_m2.binary_search_by_key(&sample, |(sample, _)| *sample);
        found.map_or(0.0, |number| self.fresh_m2[number].1)
    }

    /// Outlines of the covered ground, coarse.
    pub(super) fn regions(&self) -> Vec<Region> {
        let least_m2 = self.width_m * self.width_m;
        let simple = |ring: Vec<Point>| simplify_ring(&ring, OUTLINE_SHARE * self.width_m);
        let regions = self.coarse.regions(least_m2).into_iter();
        let regions = regions.map(|region| region.into_iter().map(simple).filter(|ring| ring.len() > 2).collect());
        regions.filter(|region: &Region| !region.is_empty()).collect()
    }

    /// The outline of the largest piece, without its holes: a boundary to propose.
    pub(super) fn outline(&self) -> Vec<Point> {
        let mut ground = self.coarse.clone();
        ground.close(2.0 * self.width_m);
        let outers =
            ground.regions(self.width_m * self.width_m).into_iter().filter_map(|region| region.into_iter().next());
        let area = |ring: &Vec<Point>| crate::derive::geometry::ring_area_m2(ring);
        let largest = outers.max_by(|a, b| area(a).total_cmp(&area(b)));
        largest.map(|ring| simplify_ring(&ring, OUTLINE_SHARE * self.width_m)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::swath::Offset;
    use super::*;
    use crate::derive::geometry::ring_area_m2;
    use i_overlay::core::fill_rule::FillRule;
    use i_overlay::float::simplify::SimplifyShape;
    use proptest::prelude::*;

    const WIDTH_M: f64 = 6.0;

    fn cover(strips: &[Strip], error_m: f64) -> Coverage {
        let covering = Covering { frame: Frame::at(56.0, 84.0), strips, width_m: WIDTH_M, error_m, field: None };
        covering.cover(|_| WIDTH_M).expect("strips have an area")
    }

    /// A pass eastward at `y`, that winds by `sway_m`, its samples numbered from `first`.
    fn pass(first: usize, y: f64, length_m: f64, sway_m: f64) -> Strip {
        let places: Vec<_> = (0..=(length_m / 2.5) as usize)
            .map(|n| (first + n, n as f64 * 2.5))
            .map(|(sample, x)| (sample, Point::new(x, y + sway_m * (x / 15.0).sin())))
            .collect();
        let mut strip = Strip::default();
        strip.go_along(&places, |_| Offset::default());
        strip
    }

    /// The same by clipping polygons.
    fn clipped_m2(strips: &[Strip]) -> f64 {
        let quadrangles = strips.iter().flat_map(|strip| strip.quadrangles(|_| WIDTH_M));
        let rings: Vec<Vec<[f64; 2]>> = quadrangles
            .map(|(_, _, mut corners)| {
                if ring_area_m2(&corners) < 0.0 {
                    corners.reverse();
                }
                corners.iter().map(|corner| [corner.x, corner.y]).collect()
            })
            .collect();
        let ring_m2 = |ring: &Vec<[f64; 2]>| {
            ring_area_m2(&ring.iter().map(|point| Point::new(point[0], point[1])).collect::<Vec<_>>())
        };
        rings.simplify_shape(FillRule::NonZero).iter().flatten().map(ring_m2).sum::<f64>().abs()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_union_is_that_of_clipped_polygons(
            passes in prop::collection::vec((-3.0f64..9.0, 0.0f64..2.0, 30.0f64..300.0), 1..12),
        ) {
            let mut y = 0.0;
            let strips: Vec<Strip> = passes.iter().enumerate().map(|(number, (step, sway, length))| {
                y += step;
                pass(number * 1000, y, *length, *sway)
            }).collect();
            let (counted, clipped) = (cover(&strips, 0.0).union_m2, clipped_m2(&strips));
            prop_assert!((counted / clipped - 1.0).abs() < 1e-3, "{counted} {clipped}");
        }
    }

    #[test]
    fn slits_narrower_than_positions_can_tell_are_closed_and_wider_ones_are_skips() {
        let strips: Vec<_> =
            [0.0, 6.4, 12.8, 22.0].iter().enumerate().map(|(n, y)| pass(n * 1000, *y, 400.0, 0.0)).collect();
        let (exact, poor) = (cover(&strips, 0.0), cover(&strips, 0.6));
        assert!((exact.union_m2 - 4.0 * 2400.0).abs() < 10.0, "{}", exact.union_m2);
        assert!((poor.union_m2 - (4.0 * 2400.0 + 2.0 * 160.0)).abs() < 10.0, "{}", poor.union_m2);
        assert!((poor.skipped_m2 - 1280.0).abs() < 90.0, "{}", poor.skipped_m2);
        assert!(poor.error_m2 > exact.error_m2);
    }

    #[test]
    fn a_second_pass_over_the_same_ground_covers_nothing_new() {
        let strips = [pass(0, 0.0, 200.0, 0.0), pass(1000, 3.0, 200.0, 0.0)];
        let coverage = cover(&strips, 0.0);
        let fresh = |from: usize| (from..from + 80).map(|sample| coverage.fresh_m2(sample)).sum::<f64>();
        assert!((fresh(0) - 1200.0).abs() < 3.0 && (fresh(1000) - 600.0).abs() < 3.0);
        assert_eq!(coverage.fresh_m2(500), 0.0);
        let outline = coverage.outline();
        assert!((ring_area_m2(&outline) - 1800.0).abs() < 40.0 && outline.len() < 12, "{outline:?}");
    }
}
