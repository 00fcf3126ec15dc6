//! ISO 15143-3 over real HTTP and a real database: our server read by our own client and by a plain XML reader, other
//! makers' servers with all their habits, and the real snapshot imported.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

#[path = "../harness/mod.rs"]
mod harness;

mod capture;
mod client;
mod import;
mod server;
mod standard;
