//! Polevod: from MQTT frames of tractors and harvesters to work a farm can sign.
//!
//! Data moves one way: `ingest → store → derive → exchange → api`. `docs/ARCHITECTURE.md` has the map and the
//! rules that a test keeps.

pub mod api;
pub mod capture;
pub mod catalogues;
pub mod cli;
pub mod config;
pub mod derive;
pub mod doctor;
pub mod exchange;
pub mod ingest;
pub mod locale;
pub mod logging;
pub mod notify;
pub mod recompute;
pub mod report;
pub mod store;
pub mod time;
mod tls;
