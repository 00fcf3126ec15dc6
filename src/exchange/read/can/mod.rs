//! CAN bus logs: frames as the tools of different makers write them, all read into the same [`Frame`].
//!
//! | module | format |
//! |---|---|
//! | [`candump`] | Linux `candump` text |
//! | [`asc`] | Vector ASCII log |
//! | [`trc`] | PEAK trace, versions 1.0 to 2.1 |
//! | [`mf4`] | ASAM MDF 4 with bus logging, finished or cut off by a power loss |
//!
//! A log is an iterator: frames come one by one and nothing is collected, so a log of gigabytes needs no memory.

pub mod asc;
mod buses;
pub mod candump;
mod clock;
mod frame;
mod hex;
mod log;
pub mod mf4;
pub mod trc;

pub use buses::MAX_BUSES;
pub use frame::{Body, CLASSIC_BYTES_MAX, CanId, FD_BYTES_MAX, Frame, FrameCounts, Payload};
pub use log::{CanLog, Defect, MAX_LINE_BYTES};
