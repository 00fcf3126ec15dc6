//! Area: the union of the swath, width × distance beside it, and what lies between them.

use super::swath::Strip;
use crate::derive::field::{Boundary, LatLon};
use crate::derive::geometry::{Bounds, Frame, Point, Raster, Region, simplify_ring};

/// Cells across the working width in the grid for coarse questions: headland, skips, outlines.
const COARSE_CELLS: f64 = 6.0;
/// Widths of the rim of a field that counts as headland.
const HEADLAND_WIDTHS: f64 = 3.0;
/// Slits are closed up to this share of the width at most: more would hide what was left out.
const SLIT_SHARE_MAX: f64 = 0.4;
/// Two passes stray from each other by twice the error of one.
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
    /// Error of one position across the track, m.
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
        fine.close((SLIT_ERRORS * self.error_m).min(SLIT_SHARE_MAX * self.width_m));
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
        coarse.close(SLIT_SHARE_MAX * self.width_m);
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
