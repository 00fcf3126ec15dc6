//! Service: what is due, by engine hours and by date.
//!
//! ```text
//! plan (data file) ┐
//! done log         ├─ due ▶ Due, Episode
//! DayFigures       ┘
//! ```
//!
//! Hours are those of a guarded counter: a meter that jumps, or is replaced, neither triggers a service nor hides one.

mod due;
mod plan;

pub use due::{Done, Due, DueStatus, Usage, due};
pub use plan::{Interval, Item, Plan, Plans};
