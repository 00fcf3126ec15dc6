//! ISO 15143-3 (AEMP 2.0): the fleet as makers' servers tell it to each other, in XML or JSON.
//!
//! ```text
//! XML ┐                          ┌ samples ▶ store         (client: other makers' machines come in)
//!     ├─ Node ─ read ▶ Fleet ────┤
//! JSON┘                          └ write ▶ Node ▶ XML, JSON (server: ours go out)
//! ```
//!
//! Servers of different makers agree on the elements and on little else: namespaces, where a time stands, the case of
//! names, what stands for "unknown". Reading is lenient about all of that and about nothing that is a value; writing
//! keeps to the standard. [`fetch`] alone speaks to the network.

mod document;
pub mod fetch;
mod model;
mod node;
pub mod own;
mod read;
mod samples;
#[cfg(test)]
mod tests;
mod write;

pub use document::{Document, Form};
pub use model::{
    EngineStatus, Equipment, Fault, Fleet, Header, Link, Location, Metric, Rel, Remaining, Resource, Series, Timed,
    Values,
};
pub use node::MAX_DOCUMENT_BYTES;
pub use read::{Defect, fleet, series};
pub use samples::{Imported, boot_of, machine_serial, samples};
