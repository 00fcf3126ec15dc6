//! Exchange: what other makers' files say, in Polevod's words.
//!
//! ```text
//! path ─ open ▶ bytes ─ read::<format> ▶ logs, rows, frames ─ recording ▶ wire records, problems
//!
//! path ─ import ▶ fields, farms, people, implements
//! ```
//!
//! Readers and mapping are pure: bytes in, results *and* problems out. Only [`mod@open`] and [`import::open`] touch the
//! file system.

pub mod aemp;
pub mod export;
pub mod import;
pub mod open;
pub mod read;
pub mod recording;

pub use open::{OpenError, open};
pub use recording::{Defect, Format, Options, Record, Recording, Recordings};
