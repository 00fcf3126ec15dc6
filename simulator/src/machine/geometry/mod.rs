//! Plane geometry in metres: where a machine can drive, and what its swath covers.

mod area;
mod coverage;
mod dubins;
mod path;
mod plane;
mod polygon;
mod projection;
mod route;

pub(crate) use area::{Strip, swath_area};
pub(crate) use coverage::{Coverage, CoverageRules, Pass};
pub(crate) use path::{Cursor, Path};
pub(crate) use plane::{Point, Pose};
pub(crate) use polygon::Polygon;
#[cfg(test)]
pub(crate) use polygon::segments_cross;
pub(crate) use projection::Projection;
pub(crate) use route::FieldWays;
