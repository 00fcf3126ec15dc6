//! Fields: boundaries that are proven sound, and which field a position lies in.
//!
//! ```text
//! rings as a file gives them ─ Boundary::build ▶ Boundary, mends | faults
//! fields ─ Fields::new ▶ index ─ at(lat, lon) ▶ field
//! ```
//!
//! Edges are straight in longitude and latitude, as GeoJSON has it. On fields that is the same line as the shortest
//! one to within centimetres.

mod boundary;
mod cover;
mod crossing;
mod defect;
mod index;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use boundary::{Boundary, Built, MAX_POINTS, Polygon, RawBoundary, Region, Ring, Rules};
pub use cover::covered_m2;
pub use defect::{Fault, Mend};
pub use index::{Fields, MATCH_BUFFER_M, NEAR_BUFFER_M, Near};

/// A place on the WGS 84 ellipsoid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatLon {
    /// Geodetic latitude, degrees north.
    pub lat_deg: f64,
    /// Longitude, degrees east.
    pub lon_deg: f64,
}

/// Number of a field in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FieldId(pub i64);

/// A field of a farm.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Number in the registry.
    pub id: FieldId,
    /// What people call it.
    pub name: String,
    /// The farm's own number or code for it.
    pub code: Option<String>,
    /// Farm it belongs to.
    pub farm: Option<String>,
    /// What grows there.
    pub crop: Option<String>,
    /// Where it lies.
    pub boundary: Boundary,
}
