//! What breaks, how it shows, and what controllers make of it.
//!
//! ```text
//! cause (kinds) ─ effects ▶ physics and sensors ─ facts ▶ rules (codes) ─ DM1 ▶ records
//! ```
//!
//! A cause begins, grows over hours, and is mended. Codes follow from what the machine's own sensors then show, not
//! from the cause; so a code can also come without one, and a cause without a code (fuel that is stolen has none).

mod codes;
mod kinds;
mod life;

pub(crate) use codes::Facts;
pub use kinds::fault_kinds;
pub(crate) use kinds::{Effects, SensorFault, check};
pub(crate) use life::Faults;
