//! What can be wrong with a boundary: faults refuse it, mends were put right or are worth a look.

use super::{LatLon, MAX_POINTS};

/// Why a boundary is refused. Each message names the value and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Nothing that encloses an area.
    #[error("there is no outline: a boundary needs at least one outer ring")]
    NoOutline,
    /// More than can be a field.
    #[error("{0} points are more than {MAX_POINTS}; simplify the boundary to the accuracy of its survey")]
    TooManyPoints(usize),
    /// Coordinates that are not degrees.
    #[error("point {lat_deg}, {lon_deg} (latitude, longitude) is not on the earth; coordinates must be WGS 84 degrees")]
    NotOnEarth {
        /// As read.
        lat_deg: f64,
        /// As read.
        lon_deg: f64,
    },
    /// Latitude where longitude belongs.
    #[error(
        "latitude and longitude are swapped: point {lat_deg:.6}, {lon_deg:.6} (latitude, longitude) makes sense only the \
         other way round; GeoJSON and KML put longitude first"
    )]
    AxesSwapped {
        /// As read.
        lat_deg: f64,
        /// As read.
        lon_deg: f64,
    },
    /// A ring of fewer than three different points.
    #[error("a ring has {0} different points and encloses nothing; three are needed")]
    RingTooShort(usize),
    /// A ring that meets itself, or two that cross.
    #[error("the boundary crosses itself at {:.7}, {:.7}; redraw it there", at.lat_deg, at.lon_deg)]
    SelfIntersection {
        /// The first such place.
        at: LatLon,
    },
    /// A hole that is not in any part.
    #[error("a hole at {:.7}, {:.7} lies outside the outline", at.lat_deg, at.lon_deg)]
    HoleOutside {
        /// A point of the hole.
        at: LatLon,
    },
    /// An outer ring inside another.
    #[error("two parts cover the same ground at {:.7}, {:.7}; if one is a hole, mark it as inner ring", at.lat_deg, at.lon_deg)]
    PartsOverlap {
        /// A point of the inner one.
        at: LatLon,
    },
    /// No size of a field.
    #[error("the area of {area_ha:.3} ha is outside {}..={} ha", area_limits_ha.0, area_limits_ha.1)]
    AreaOutside {
        /// What it encloses.
        area_ha: f64,
        /// Least and greatest.
        area_limits_ha: (f64, f64),
    },
}

/// What was put right in a boundary, or deserves a look.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Mend {
    /// A format that repeats the first point at the end, and a ring that does not.
    #[error("a ring was not closed: its first point is taken as its last")]
    RingClosed,
    /// Points that repeat the one before them.
    #[error("{0} repeated points were dropped")]
    RepeatedPoints(usize),
    /// A ring that ran the wrong way.
    #[error("a ring ran the wrong way round; outer rings now run against the clock, holes with it")]
    WindingReversed,
    /// Small loops and bridges, as machines record them where the round meets itself.
    #[error(
        "the boundary crossed itself at {:.7}, {:.7}; resolving it changed the area by {:.0} m²",
        at.lat_deg, at.lon_deg, area_m2.abs()
    )]
    Untangled {
        /// The first crossing.
        at: LatLon,
        /// Area lost or won, m².
        area_m2: f64,
    },
    /// Outside the region of work.
    #[error("its centre {:.4}, {:.4} is outside the region of work; check the coordinates", at.lat_deg, at.lon_deg)]
    OutsideRegion {
        /// Centre of the field.
        at: LatLon,
    },
}
