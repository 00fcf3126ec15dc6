//! One reader per format. Each is a pure function of bytes and holds what it found in its own, format-neutral types.
//!
//! | module | format |
//! |---|---|
//! | [`isoxml`] | ISO 11783-10 task data, versions 3 and 4, with binary time logs |
//! | [`geojson`] | field boundaries as GeoJSON |
//! | [`kml`] | field boundaries as KML |
//! | [`gpsd`] | gpsd JSON lines |
//! | [`yield_monitor`] | Ag Leader "advanced" text |
//! | [`can`] | CAN bus logs: candump, Vector ASC, PEAK trc, MF4 |
//! | [`j1939`] | what those frames mean: values, faults, identification |
//!
//! A file from a machine is rarely whole. So no reader stops at the first thing it cannot understand: it says what
//! was wrong and where ([`Problem`]), and goes on with what can be read.

pub mod can;
pub mod geojson;
pub mod gpsd;
pub mod isoxml;
pub mod j1939;
pub mod kml;
pub mod outline;
mod problem;
mod text;
pub mod yield_monitor;

pub(crate) use text::decode;

pub use problem::{At, MAX_LISTED_PER_KIND, Problem, Problems, Weigh, Weight};

/// The first lines of a text that are not blank, without surrounding blanks; to tell its format.
pub fn first_lines(bytes: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    text::lines(bytes).map(|(_, line)| line).take(count)
}

/// The beginning of a text in whatever encoding it is; to tell its format.
pub fn start_of_text(bytes: &[u8], most_bytes: usize) -> String {
    text::decode(&bytes[..bytes.len().min(most_bytes)]).0.into_owned()
}
