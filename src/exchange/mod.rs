//! Exchange: what other makers' files say, in Polevod's words.
//!
//!     path ─ open ▶ bytes ─ read::<format> ▶ rows, logs, frames ─ recording ▶ wire samples, problems
//!
//! Readers are pure: bytes in, results *and* problems out. Only [`open`] touches the file system.

pub mod read;
