//! What follows from stored samples. Pure: no I/O, no clock.

pub mod completeness;
pub mod fieldwork;
mod readings;

pub use readings::{Readings, Signal};
