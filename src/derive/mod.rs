//! What follows from stored samples. Pure: no I/O, no clock.

pub mod completeness;
mod readings;

pub use readings::{Readings, Signal};
