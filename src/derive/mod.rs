//! What follows from stored samples. Pure: no I/O, no clock.

pub mod completeness;
mod entries;
pub mod field;
pub mod fieldwork;
pub mod geometry;
pub mod health;
mod readings;

pub use entries::{FaultEntry, TaskEntry};
pub use readings::{Readings, Signal};
