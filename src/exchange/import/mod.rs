//! Import: fields with their farms, people and implements, from files of other programs into the registry.
//!
//! ```text
//! path ─ open ▶ sources ─ gather ▶ Import, problems ─ plan (against what is known) ▶ Plan ─ store
//! ```
//!
//! Nothing is saved by reading: the plan says what would happen to each field, and why one is refused.

mod defect;
mod gather;
mod open;
mod plan;
mod save;

#[cfg(test)]
mod tests;

pub use defect::Defect;
pub use gather::{Farm, FieldDraft, Implement, Import, Worker, gather};
pub use open::{MAX_IMPORT_BYTES, OpenError, Source, from_bytes, open};
pub use plan::{Decision, Overlap, Plan, PlannedField, plan};
pub use save::{Saved, save};
