//! Faults: the trouble codes of a machine's controllers, with a life and with words.
//!
//! ```text
//! FaultEntry (DM1, DM2) ─ life ▶ Fault, Episode ─ catalogue ▶ words for people
//! ```

mod catalogue;
mod key;
mod life;
#[cfg(test)]
mod tests;

pub use catalogue::{Explanation, FaultCatalogue, Known};
pub use key::{Code, FaultKey};
pub use life::{Fault, FaultFold, Lamp, Life, NEW_FOR_MS, lamps_on};
