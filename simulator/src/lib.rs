//! A fleet that behaves like real machines and knows the truth it drove.
//!
//! ```text
//! machine ─ Record ▶ conditions ▶ device ─ frame ▶ fleet (MQTT) ▶ broker … service
//!    │                  │           ▲ free ◀────── stored ◀───────┘
//!    └─────── truth ◀───┘           └ every record, before it is published ▶ ledger
//! ```
//!
//! - [`machine`]: what a machine does and reports. Pure: the same seed gives the same records.
//! - [`conditions`]: what makes its data dirty: holes in the network, wrong clocks and positions, restarts. Pure.
//! - [`truth`]: what really happened, told by both, as files.
//! - [`device`]: the unit on a machine, a reference implementation of the device side of the protocol. Pure but for
//!   the file in which it keeps its records.
//! - [`ledger`]: what was recorded and confirmed, on disk, for tests that check the store against it.
//! - [`settings`]: the commented file from which all of it is set up.
//! - [`fleet`]: machines and units against a broker, or rehearsed without one. Only this part waits for anything.

pub mod conditions;
pub mod device;
pub mod fleet;
pub mod ledger;
pub mod machine;
mod onboard;
pub mod picture;
mod random;
pub mod settings;
pub mod truth;

pub use conditions::Conditions;
pub use device::Impairments;
pub use fleet::{
    Broker, FleetConfig, Heard, Identities, Options, Rehearsed, Report, SimulatorError, State, Stop, StopSwitch, Unit,
    UnitConfig, Work, rehearse, replay, run, stop_switch, tls_config,
};
pub use ledger::{Ledger, LedgerContent};
pub use random::Random;
pub use wire::{Record, body_of, records_of};
