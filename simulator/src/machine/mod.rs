//! What a machine does and what its unit reports of it. Pure: time and randomness come in as arguments.
//!
//! ```text
//! catalogue ─ land ─ world ─ programme ─ leg ▶ body ─ chunk ▶ plant ─ reading ▶ sample
//!                                              └ faults ─ codes ▶ fault report    └ log ▶ truth
//! ```
//!
//! - [`catalogue`]: models, implements, crops, operations: data files.
//! - [`land`]: districts, farms, fields, weather.
//! - [`geometry`]: how a field is covered, and what a swath covers.
//! - [`world`]: a planned fleet.
//! - [`programme`]: what a machine is told to do: day, job, leg.
//! - [`body`]: the machine itself; [`motion`], [`demand`] and [`plant`] are its physics, [`gauges`] and [`reading`] its
//!   sensors, [`faults`] what breaks, [`unit`] when it records, [`tasks`] its task controller, [`log`] the truth.

mod body;
mod catalogue;
mod demand;
mod faults;
mod gauges;
mod geometry;
mod land;
mod log;
mod motion;
mod picture;
mod plant;
mod programme;
mod reading;
mod settings;
mod tasks;
#[cfg(test)]
mod tests;
mod unit;
mod world;

pub use body::Machine;
pub use catalogue::{Catalogue, CatalogueError};
pub use faults::fault_kinds;
pub use land::NetworkCoverage;
pub use picture::{FieldInfo, MachineInfo, Picture, TrackPoint};
pub use settings::{FaultSettings, ScriptedFault, Season};
pub use world::Fleet;
