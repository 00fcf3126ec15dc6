//! A fleet that behaves like real machines and knows the truth it drove.
//!
//! ```text
//! machine ─ Record ▶ device ─ frame ▶ fleet (MQTT) ▶ broker … service
//!                      ▲ free ◀────── stored ◀───────┘
//!                      └ every record, before it is published ▶ ledger
//! ```
//!
//! - [`machine`]: what a machine does and reports. Pure: the same seed gives the same records.
//! - [`truth`]: what it really did.
//! - [`device`]: the unit on it, a reference implementation of the device side of the protocol. Pure.
//! - [`ledger`]: what was recorded and confirmed, on disk, for tests that check the store against it.
//! - [`fleet`]: machines and units against a broker. Only this part waits for anything.

pub mod device;
pub mod fleet;
pub mod ledger;
pub mod machine;
mod random;
pub mod truth;

pub use device::Impairments;
pub use fleet::{
    FleetConfig, Options, Report, SimulatorError, Stop, StopSwitch, Unit, UnitConfig, Work, replay, run, stop_switch,
};
pub use ledger::{Ledger, LedgerContent};
pub use random::Random;
pub use wire::{Record, body_of, records_of};
