//! The unit on a machine: numbers records, keeps them until the store has them, makes frames of them. No clock; the only
//! I/O is the file in which it keeps its records.
//!
//! ```text
//! record ▶ open run ─ seal ▶ buffer (memory or ring) ─ poll ▶ frame ▶ (link)
//!                              ▲ free ◀── on_stored ◀ (link)
//! ```
//!
//! A record leaves the buffer in three ways only: a `stored` message names it, or the buffer is full and it is the
//! oldest, or the power is cut before it is on the disk; the latter two are counted.

mod frames;
mod impair;
mod ring;
mod run;
mod send;
mod state;

pub use frames::OutFrame;
pub use impair::{Impairer, Impairments, Outages};
pub use ring::RingError;
pub use state::{Device, DeviceConfig, Flash, Moment};
