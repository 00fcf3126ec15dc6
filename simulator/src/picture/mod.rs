//! Pictures: a field's day, and distributions of signals, as SVG, which every browser shows.

mod field_day;
mod histogram;
mod plane;
mod svg;

pub use field_day::{Caption, field_day};
pub use histogram::{Curve, Histogram, page};
