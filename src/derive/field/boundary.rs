//! From rings as a file gives them to a boundary that holds: closed, simple, wound alike, holes in their parts, of a
//! field's size.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{IntOverlayOptions, Overlay};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;

use crate::derive::geometry::{Frame, Point, ring_area_m2};

use super::crossing::{Nano, Place, first_crossing, place};
use super::{Fault, LatLon, Mend};

/// Points of one boundary. A round of 50 km logged every 2.5 m has as many.
pub const MAX_POINTS: usize = 20_000;
/// Degrees are kept in steps of 0.1 mm, in which all comparisons are exact.
const NANO: f64 = 1e9;
/// Crossings are resolved where that changes the area by no more than this share of it.
const TANGLE_SHARE_MAX: f64 = 0.002;
const M2_PER_HA: f64 = 10_000.0;

/// A closed line. The first point is not repeated at the end.
pub type Ring = Vec<LatLon>;

/// Rings as a file gives them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawBoundary {
    /// Outlines of parts.
    pub outers: Vec<Ring>,
    /// What is cut out of them.
    pub holes: Vec<Ring>,
    /// The format repeats the first point of a ring as its last (GeoJSON, KML); not doing so is worth a word.
    pub repeats_first_point: bool,
}

/// Limits that a boundary is held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Least and greatest area, ha.
    pub area_ha: (f64, f64),
    /// Where fields are expected; it tells swapped axes apart.
    pub region: Region,
}

/// A box of degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// South and north.
    pub lat_deg: (f64, f64),
    /// West and east.
    pub lon_deg: (f64, f64),
}

impl Region {
    /// Western Siberia with a wide margin around Tomsk Oblast.
    pub const DEFAULT: Self = Self { lat_deg: (53.0, 62.0), lon_deg: (72.0, 92.0) };

    /// Everywhere.
    pub const WORLD: Self = Self { lat_deg: (-90.0, 90.0), lon_deg: (-180.0, 180.0) };

    fn holds(&self, place: LatLon) -> bool {
        (self.lat_deg.0..=self.lat_deg.1).contains(&place.lat_deg)
            && (self.lon_deg.0..=self.lon_deg.1).contains(&place.lon_deg)
    }
}

impl Default for Rules {
    /// From 0.1 ha, a garden, to 2000 ha, more than any field of the region.
    fn default() -> Self {
        Self { area_ha: (0.1, 2000.0), region: Region::DEFAULT }
    }
}

/// A part of a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// Runs against the clock.
    pub outer: Ring,
    /// Run with the clock.
    pub holes: Vec<Ring>,
}

/// A sound boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    polygons: Vec<Polygon>,
    area_m2: f64,
    centre: LatLon,
}

/// A boundary, and what was put right to get there.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The boundary.
    pub boundary: Boundary,
    /// In the order met.
    pub mends: Vec<Mend>,
}

impl Boundary {
    /// Makes a boundary of rings.
    ///
    /// # Errors
    /// The fault that makes it none. Rings are checked one after another, so mending one fault may show the next.
    pub fn build(raw: &RawBoundary, rules: &Rules) -> Result<Built, Fault> {
        let mut mends = Vec::new();
        let points = raw.outers.iter().chain(&raw.holes).map(Vec::len).sum();
        if points > MAX_POINTS {
            return Err(Fault::TooManyPoints(points));
        }
        let tidy = |rings: &[Ring], mends: &mut Vec<Mend>| {
            rings.iter().map(|ring| tidy(ring, raw.repeats_first_point, mends)).collect::<Result<Vec<_>, _>>()
        };
        let (outers, holes) = (tidy(&raw.outers, &mut mends)?, tidy(&raw.holes, &mut mends)?);
        let Some(first) = outers.first().and_then(|ring| ring.first()) else {
            return Err(Fault::NoOutline);
        };
        let frame = frame_at(place_of(*first));
        let parts = untangle(outers, holes, &frame, &mut mends)?;
        let polygons: Vec<Polygon> = parts.into_iter().map(|part| part.into_polygon(&mut mends)).collect();
        mends.dedup();
        let boundary = Self::of(polygons);
        boundary.check(rules, &mut mends)?;
        Ok(Built { boundary, mends })
    }

    fn of(polygons: Vec<Polygon>) -> Self {
        let anchor = polygons[0].outer[0];
        let frame = frame_at(anchor);
        let (mut area_m2, mut flat_area, mut moment) = (0.0, 0.0, [0.0, 0.0]);
        // Holes run the other way and so count against.
        for ring in rings(&polygons) {
            area_m2 +=
                ring_area_m2(&ring.iter().map(|place| frame.point(place.lat_deg, place.lon_deg)).collect::<Vec<_>>());
            let flat = ring.iter().map(|p| [p.lon_deg - anchor.lon_deg, p.lat_deg - anchor.lat_deg]);
            for (p, q) in flat.clone().zip(flat.cycle().skip(1)) {
                let cross = p[0] * q[1] - q[0] * p[1];
                flat_area += cross / 2.0;
                moment[0] += (p[0] + q[0]) * cross / 6.0;
                moment[1] += (p[1] + q[1]) * cross / 6.0;
            }
        }
        let centre =
            LatLon { lat_deg: anchor.lat_deg + moment[1] / flat_area, lon_deg: anchor.lon_deg + moment[0] / flat_area };
        Self { polygons, area_m2, centre }
    }

    fn check(&self, rules: &Rules, mends: &mut Vec<Mend>) -> Result<(), Fault> {
        let swapped = LatLon { lat_deg: self.centre.lon_deg, lon_deg: self.centre.lat_deg };
        if !rules.region.holds(self.centre) {
            if rules.region.holds(swapped) {
                return Err(Fault::AxesSwapped { lat_deg: self.centre.lat_deg, lon_deg: self.centre.lon_deg });
            }
            mends.push(Mend::OutsideRegion { at: self.centre });
        }
        let area_ha = self.area_m2 / M2_PER_HA;
        if !(rules.area_ha.0..=rules.area_ha.1).contains(&area_ha) {
            return Err(Fault::AreaOutside { area_ha, area_limits_ha: rules.area_ha });
        }
        Ok(())
    }

    /// Every ring of every part: outlines against the clock, holes with it.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        rings(&self.polygons)
    }

    /// Its parts, largest first.
    pub fn polygons(&self) -> &[Polygon] {
        &self.polygons
    }

    /// Area on the ellipsoid, m².
    pub fn area_m2(&self) -> f64 {
        self.area_m2
    }

    /// Area on the ellipsoid, ha.
    pub fn area_ha(&self) -> f64 {
        self.area_m2 / M2_PER_HA
    }

    /// Centre of gravity. It may lie in a hole.
    pub fn centre(&self) -> LatLon {
        self.centre
    }

    /// South-west and north-east corners of the box around it.
    pub fn corners(&self) -> (LatLon, LatLon) {
        let points = || self.polygons.iter().flat_map(|polygon| &polygon.outer);
        let least = |of: fn(&LatLon) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&LatLon) -> f64| points().map(of).fold(f64::NEG_INFINITY, f64::max);
        let corner = |end: &dyn Fn(fn(&LatLon) -> f64) -> f64| LatLon {
            lat_deg: end(|place| place.lat_deg),
            lon_deg: end(|place| place.lon_deg),
        };
        (corner(&least), corner(&most))
    }

    /// Area that two boundaries share, m².
    pub fn shared_m2(&self, other: &Self) -> f64 {
        let paths = |boundary: &Self| {
            rings(&boundary.polygons)
                .map(|ring| to_path(&ring.iter().map(|place| nano_of(*place)).collect::<Vec<_>>()))
                .collect::<Vec<_>>()
        };
        let mut overlay = Overlay::from_subj_and_clip(&paths(self), &paths(other));
        let shapes = overlay.overlay(OverlayRule::Intersect, FillRule::NonZero);
        let frame = frame_at(self.centre);
        shapes.iter().flatten().map(|path| flat_area(&from_path(path), &frame)).sum()
    }
}

fn rings(polygons: &[Polygon]) -> impl Iterator<Item = &Ring> {
    polygons.iter().flat_map(|part| std::iter::once(&part.outer).chain(&part.holes))
}

/// A part with exact coordinates.
struct Part {
    outer: Vec<Nano>,
    holes: Vec<Vec<Nano>>,
}

impl Part {
    fn into_polygon(self, mends: &mut Vec<Mend>) -> Polygon {
        let mut wind = |mut ring: Vec<Nano>, against_the_clock: bool| {
            if (doubled_area(&ring) > 0) != against_the_clock {
                ring.reverse();
                // An outline that begins where it began before is easier to compare.
                ring.rotate_right(1);
                mends.push(Mend::WindingReversed);
            }
            ring.into_iter().map(place_of).collect()
        };
        let outer = wind(self.outer, true);
        Polygon { outer, holes: self.holes.into_iter().map(|hole| wind(hole, false)).collect() }
    }
}

/// Exact points of a ring, without repeats.
fn tidy(ring: &Ring, repeats_first_point: bool, mends: &mut Vec<Mend>) -> Result<Vec<Nano>, Fault> {
    let on_earth = |place: &&LatLon| place.lat_deg.abs() <= 90.0 && place.lon_deg.abs() <= 180.0;
    if let Some(&LatLon { lat_deg, lon_deg }) = ring.iter().find(|place| !on_earth(place)) {
        let swappable = ring.iter().all(|place| place.lat_deg.abs() <= 180.0 && place.lon_deg.abs() <= 90.0);
        return Err(if swappable {
            Fault::AxesSwapped { lat_deg, lon_deg }
        } else {
            Fault::NotOnEarth { lat_deg, lon_deg }
        });
    }
    let mut points: Vec<Nano> = ring.iter().map(|place| nano_of(*place)).collect();
    let is_closed = points.len() > 1 && points.first() == points.last();
    if is_closed {
        points.pop();
    } else if repeats_first_point && points.len() > 2 {
        mends.push(Mend::RingClosed);
    }
    let given = points.len();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < given {
        mends.push(Mend::RepeatedPoints(given - points.len()));
    }
    if points.len() < 3 {
        return Err(Fault::RingTooShort(points.len()));
    }
    Ok(points)
}

/// Puts holes into their parts. Rings that cross are resolved where that hardly changes the area: where a machine's
/// round meets itself, and where an older format joins hole and outline by a bridge.
fn untangle(
    outers: Vec<Vec<Nano>>,
    holes: Vec<Vec<Nano>>,
    frame: &Frame,
    mends: &mut Vec<Mend>,
) -> Result<Vec<Part>, Fault> {
    let rings: Vec<Vec<Nano>> = outers.iter().chain(&holes).cloned().collect();
    let Some(crossing) = first_crossing(&rings) else {
        return assign(outers, holes);
    };
    let at = place_of(crossing);
    let enclosed = |rings: &[Vec<Nano>]| rings.iter().map(|ring| flat_area(ring, frame).abs()).sum::<f64>();
    let before_m2 = enclosed(&outers) - enclosed(&holes);
    let paths: Vec<_> = rings.iter().map(|ring| to_path(ring)).collect();
    let options = IntOverlayOptions { ogc: true, ..IntOverlayOptions::keep_all_points() };
    let mut overlay = Overlay::from_subj_custom(&paths, options, Default::default());
    let shapes = overlay.overlay(OverlayRule::Subject, FillRule::EvenOdd);
    let tolerated_m2 = before_m2 * TANGLE_SHARE_MAX;
    let mut after_m2 = 0.0;
    let mut parts = Vec::new();
    for shape in shapes {
        let mut rings = shape.iter().map(|path| from_path(path));
        let Some(outer) = rings.next().filter(|ring| flat_area(ring, frame).abs() > tolerated_m2) else { continue };
        let holes: Vec<_> = rings.filter(|ring| flat_area(ring, frame).abs() > tolerated_m2).collect();
        after_m2 += flat_area(&outer, frame).abs() - enclosed(&holes);
        parts.push(Part { outer, holes });
    }
    let area_m2 = after_m2 - before_m2;
    if parts.is_empty() || area_m2.abs() > tolerated_m2 {
        return Err(Fault::SelfIntersection { at });
    }
    mends.push(Mend::Untangled { at, area_m2 });
    sort(&mut parts, frame);
    Ok(parts)
}

/// Each hole goes to the part that holds it. Nothing crosses here.
fn assign(outers: Vec<Vec<Nano>>, holes: Vec<Vec<Nano>>) -> Result<Vec<Part>, Fault> {
    for (number, outer) in outers.iter().enumerate() {
        let others = outers.iter().enumerate().filter(|(other, _)| *other != number);
        if others.into_iter().any(|(_, other)| is_within(outer, other)) {
            return Err(Fault::PartsOverlap { at: place_of(outer[0]) });
        }
    }
    let frame = frame_at(place_of(outers[0][0]));
    let mut parts: Vec<Part> = outers.into_iter().map(|outer| Part { outer, holes: Vec::new() }).collect();
    for hole in holes {
        let part = parts.iter_mut().find(|part| is_within(&hole, &part.outer));
        part.ok_or(Fault::HoleOutside { at: place_of(hole[0]) })?.holes.push(hole);
    }
    sort(&mut parts, &frame);
    Ok(parts)
}

fn sort(parts: &mut [Part], frame: &Frame) {
    parts.sort_by(|a, b| flat_area(&b.outer, frame).abs().total_cmp(&flat_area(&a.outer, frame).abs()));
}

/// Whether a ring that does not cross `outer` lies in it. Points on its edge say nothing; a ring that has no other
/// shares all its corners, and then lies within.
fn is_within(ring: &[Nano], outer: &[Nano]) -> bool {
    let telling = ring.iter().map(|point| place(outer, *point)).find(|place| *place != Place::OnEdge);
    telling != Some(Place::Outside)
}

pub(super) fn flat_area(ring: &[Nano], frame: &Frame) -> f64 {
    let points: Vec<Point> =
        ring.iter().map(|nano| place_of(*nano)).map(|p| frame.point(p.lat_deg, p.lon_deg)).collect();
    ring_area_m2(&points)
}

pub(super) fn frame_at(place: LatLon) -> Frame {
    Frame::at(place.lat_deg, place.lon_deg)
}

/// Twice the area in nano degrees, positive against the clock. About the first point, so that it fits.
fn doubled_area(ring: &[Nano]) -> i128 {
    let about = |point: Nano| [0, 1].map(|axis| i128::from(point[axis] - ring[0][axis]));
    let ends = ring.iter().cycle().skip(1);
    ring.iter().zip(ends).map(|(p, q)| (about(*p), about(*q))).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum()
}

pub(super) fn nano_of(place: LatLon) -> Nano {
    [place.lon_deg, place.lat_deg].map(|degrees| (degrees * NANO).round() as i64)
}

pub(super) fn place_of(nano: Nano) -> LatLon {
    LatLon { lat_deg: nano[1] as f64 / NANO, lon_deg: nano[0] as f64 / NANO }
}

pub(super) fn to_path(ring: &[Nano]) -> Vec<IntPoint<i64>> {
    ring.iter().map(|[x, y]| IntPoint::new(*x, *y)).collect()
}

pub(super) fn from_path(path: &[IntPoint<i64>]) -> Vec<Nano> {
    path.iter().map(|point| [point.x, point.y]).collect()
}
