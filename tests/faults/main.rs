//! Faults under load. Every test ends with the checker: nothing that a machine was told is stored may be lost, nothing
//! may be there twice, contents are equal. `sabotage` proves that the checker would notice.
//!
//! Longer runs of the same, which `cargo xtask soak` takes, stand in `soak`.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

#[path = "../harness/mod.rs"]
mod harness;

mod clocks;
mod columnstore;
mod frames;
mod kills;
mod links;
mod outages;
mod quarantine;
mod sabotage;
mod sessions;
mod settings;
mod soak;
mod stops;
