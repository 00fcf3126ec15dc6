//! Ground that several sessions covered together.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay_rule::OverlayRule;

use super::boundary::{flat_area, frame_at, from_path, nano_of, place_of, to_path};
use super::{Boundary, LatLon};

/// Ground that any of these outlines covers, each place once, m². Outlines are rings of latitude and longitude: an
/// outer one against the clock, then its holes. With a boundary only what lies in it counts.
pub fn covered_m2<'c>(outlines: impl IntoIterator<Item = &'c Vec<Vec<[f64; 2]>>>, boundary: Option<&Boundary>) -> f64 {
    let rings = outlines.into_iter().flatten().filter(|ring| ring.len() > 2);
    let place = |[lat_deg, lon_deg]: &[f64; 2]| nano_of(LatLon { lat_deg: *lat_deg, lon_deg: *lon_deg });
    let covered: Vec<_> = rings.map(|ring| to_path(&ring.iter().map(place).collect::<Vec<_>>())).collect();
    let Some(first) = covered.first().and_then(|ring| from_path(ring).first().copied()) else {
        return 0.0;
    };
    let shapes = match boundary {
        None => Overlay::from_subj(&covered).overlay(OverlayRule::Subject, FillRule::NonZero),
        Some(boundary) => {
            let rings = boundary.rings().map(|ring| ring.iter().map(|place| nano_of(*place)).collect::<Vec<_>>());
            let within: Vec<_> = rings.map(|ring| to_path(&ring)).collect();
            Overlay::from_subj_and_clip(&covered, &within).overlay(OverlayRule::Intersect, FillRule::NonZero)
        }
    };
    let frame = frame_at(boundary.map_or_else(|| place_of(first), Boundary::centre));
    shapes.iter().flatten().map(|path| flat_area(&from_path(path), &frame)).sum()
}
