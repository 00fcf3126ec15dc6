//! The simulator's own ledger: what was recorded, and what the service said it stored. The fault tests compare the
//! store with it, so it does not depend on anything that they break.
//!
//! Every run of records is written and synced before it is first published; every `stored` message is appended when
//! it arrives. One file, append-only:
//!
//! ```text
//! file    = "PVLEDG1\n" entry*
//! entry   = length u32 LE (of kind and content) · CRC-32C u32 LE (of kind and content) · kind u8 · content
//! kind 1  = a run: a binary frame of docs/wire-format.md, uncompressed, age 0
//! kind 2  = a `stored` message: length of the serial u8 · serial · the message in its binary form
//! ```
//!
//! A file that ends within an entry was cut off by a crash; what is torn was never published.

mod error;
mod read;
mod write;

pub use error::LedgerError;
pub use read::{BootLedger, LedgerContent};
pub use write::{Durable, Ledger};

const FILE_MAGIC: &[u8; 8] = b"PVLEDG1\n";
const ENTRY_HEAD_BYTES: usize = 8;
/// Longest entry: a run is packed without compression, so it may pass the wire's limit on frames.
const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;
const KIND_RUN: u8 = 1;
const KIND_STORED: u8 = 2;
