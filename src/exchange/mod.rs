//! Exchange: what other makers' files say, in Polevod's words.
//!
//!     path ─ open ▶ bytes ─ read::<format> ▶ logs, rows, frames ─ recording ▶ wire records, problems
//!
//! Readers and mapping are pure: bytes in, results *and* problems out. Only [`open`] touches the file system.

pub mod aemp;
pub mod open;
pub mod read;
pub mod recording;

pub use open::{OpenError, open};
pub use recording::{Defect, Format, Options, Record, Recording, Recordings};
