//! Export: sessions, ways, worked areas, yield points, fields and samples in formats that other programs open.
//!
//! ```text
//! work, trace ─ columns ▶ csv, xlsx
//! work, trace ─ geojson, kml
//! work, trace, readings ─ isoxml ▶ zip
//! ```
//!
//! Everything is written as it comes, so a season needs the memory of one session.

mod columns;
mod csv;
#[cfg(test)]
#[allow(clippy::approx_constant)] // 3.14 ha are no circle.
pub(crate) mod example;
mod exporter;
mod geojson;
mod isoxml;
mod kml;
mod table;
mod work;
mod xlsx;

#[cfg(test)]
#[allow(clippy::approx_constant)] // 3.14 ha are no circle.
mod tests;

pub use columns::{SampleRow, TrackRow, YieldRow, code, samples, sessions, track, yield_points};
pub use csv::Csv;
pub use exporter::{Added, BeginError, Exporter, Format, Options, What};
pub use geojson::GeoJson;
pub use isoxml::{MAX_TASKS, TaskData, Unsaid};
pub use kml::Kml;
pub use table::{Cell, Column, Style};
pub use work::{Machine, Work};
pub use xlsx::Xlsx;
