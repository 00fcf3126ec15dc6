//! Field work: from what a machine reported to sessions a farm can sign.

mod activity;
mod held;
mod input;
mod load;
mod operation;
mod pattern;
mod reported;
mod rules;
mod session;
mod state;
mod trace;
mod track;

pub use input::{ImplementUse, Ledger, Machine, Work};
pub use operation::{Operation, SpeedBand};
pub use rules::Rules;
pub use session::*;
pub use state::State;
pub use trace::{Dropped, Swath, Trace, TracePoint, YieldPoint};
