//! Field work: from what a machine reported to sessions a farm can sign.

mod operation;
mod session;
mod state;
mod trace;

pub use operation::{Operation, SpeedBand};
pub use session::*;
pub use state::State;
pub use trace::{Dropped, Swath, Trace, TracePoint, YieldPoint};
