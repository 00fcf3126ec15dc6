//! Reports for people: one HTML document that prints, with everything in it.
//!
//! ```text
//! sessions, fields ─ Totals ▶ figures ┐
//! traces ─ Drawn ▶ map (SVG) ─────────┴ field_work ▶ HTML
//! ```
//!
//! A figure stands in the document as `<data value="…">`, so a program, and a test, reads the number behind the words.

pub mod correction;
mod field_work;
mod html;
mod map;
mod totals;

#[cfg(test)]
mod tests;

pub use correction::Correction;
pub use field_work::{FieldWork, Performed, Section};
pub use map::Drawn;
pub use totals::Totals;
