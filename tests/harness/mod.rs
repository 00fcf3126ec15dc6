//! What the fault tests stand on: real servers on ports of their own, ingest that can be killed, a fleet with a ledger,
//! links that break when told to, and the checker that compares the fleet's ledger with the store.
//!
//! ```text
//! Fleet ─ MQTT ▶ (Proxy) ▶ Broker ▶ (Proxy) ▶ ingest: Process | InProcess ▶ (Proxy) ▶ Database
//!   └ ledger ─────────────────────────▶ check ◀───────────────────────────────────────┘
//! ```

#![allow(dead_code, unused_imports)] // Each test binary uses a part.
#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

mod checker;
mod fleet;
mod ingest;
pub(crate) mod mqtt;
pub(crate) mod postgres;
mod proxy;
mod publisher;
mod rows;
mod servers;
mod settings;
mod wait;

pub(crate) use checker::{Verdict, check};
pub(crate) use fleet::{Fleet, Outcome, fleet_of, unit_options};
pub(crate) use ingest::{InProcess, Process, free_port, http_status};
pub(crate) use proxy::{Act, Direction, Framing, Proxy, Seen};
pub(crate) use publisher::{Publisher, frame_of, sample};
pub(crate) use servers::{Broker, Database, blocking};
pub(crate) use settings::Settings;
pub(crate) use wait::{LONG, eventually};
