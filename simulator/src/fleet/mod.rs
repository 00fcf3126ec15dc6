//! Running machines and units against a broker: the only part of this crate that waits for anything.
//!
//! ```text
//! run ─┬─ shard ─ machines ─ units ─ connection ─ broker      (one task a shard, one connection a shard)
//!      ├─ shard …
//!      └─ ledger (one thread)
//! ```
//!
//! A machine's clock never waits for the network: what cannot be sent stays in its unit's buffer.

mod assemble;
mod broker;
mod clock;
mod config;
mod counters;
mod error;
mod identity;
mod link;
mod rehearse;
mod report;
mod run;
mod shard;
mod stop;
mod unit;

pub use assemble::State;
pub use broker::Broker;
pub use config::{FleetConfig, Options, Pace, Work};
pub use error::SimulatorError;
pub use identity::{Identities, tls_config};
pub use rehearse::{Heard, Rehearsed, rehearse};
pub use report::{LatencySummary, Report};
pub use run::run;
pub use stop::{Stop, StopSwitch, stop_switch};
pub use unit::{Unit, UnitConfig, replay};
