//! Field work: from what a machine reported to sessions a farm can sign.
//!
//! ```text
//! readings ─ held, track ▶ reported | pattern, load ─ evidence ▶ activity ─ states ▶ group ─ runs, groups
//!          └ counter, fuel, harvest ─ amounts ──────────────────────────────────┐       │
//! settings, tasks, fields, ledger ──────────────────────────────────────────────┴ build ┴ swath, area ▶ Session
//! ```
//!
//! Evidence of work comes from what implements report, else from the engine on passes that the track shows, else from
//! the track alone; each session says which. States have hysteresis and are dated back to where they began. No session
//! crosses the hour at which the working day begins, so a day is folded by itself.

mod activity;
mod area;
mod build;
mod counter;
mod day;
mod day_work;
mod device;
mod fold;
mod fuel;
mod ground;
mod group;
mod harvest;
mod held;
mod input;
mod load;
mod operation;
mod pattern;
mod quality;
mod reported;
mod revision;
mod rules;
mod session;
mod state;
mod swath;
#[cfg(test)]
pub(crate) mod testing;
mod told;
mod trace;
mod track;
mod unplaced;
mod yields;

pub use day_work::{DayWork, LeftOut, NoSession};
pub use fold::{Folded, fold, traced};
pub use held::CARRIED;
pub use input::{ImplementUse, Ledger, Machine, Work};
pub use operation::{Operation, SpeedBand};
pub use revision::{Change, Proposal, Standing, changes};
pub use rules::Rules;
pub use session::*;
pub use state::State;
use trace::trace_of;
pub use trace::{Dropped, Swath, Trace, TracePoint, YieldPoint};
