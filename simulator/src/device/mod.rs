//! The unit on a machine: numbers records, keeps them until the store has them, makes frames of them. No I/O, no clock.
//!
//! ```text
//! record ▶ open run ─ seal ▶ buffer ─ poll ▶ frame ▶ (link)
//!                              ▲ free ◀── on_stored ◀ (link)
//! ```
//!
//! A record leaves the buffer in two ways only: a `stored` message names it, or the buffer is full and it is the
//! oldest; the latter is counted.

mod frames;
mod impair;
mod run;
mod state;

pub use frames::OutFrame;
pub use impair::{Impairer, Impairments, Outages};
pub use state::{Device, DeviceConfig};
