//! Machine health: what is wrong with a machine, since when, and what to do about it.
//!
//! ```text
//! Readings ─ rule ▶ Episode ┐
//! FaultReport ─ fault ▶ Episode ├─ worklist ▶ what people work on, each told once
//! day by day ─ trend ▶ Episode ┤
//! hours, dates ─ service ▶ Episode ┘
//! ```
//!
//! Everything here is a pure function of stored records: order of arrival, repeats and lateness leave no trace in
//! it. What people did about it lives in the worklist and is never derived.

mod catalogues;
pub mod counter;
mod data;
pub mod diagnosis;
mod episode;
pub mod fault;
mod fold;
mod message;
mod model;
pub mod rule;
pub mod service;
mod text;
mod trend;
pub mod worklist;

pub use catalogues::{CatalogueFiles, Catalogues, Words};
pub use data::{DataError, DataFile, is_for};
pub use episode::{Episode, Evidence, Subject, SubjectError};
pub use fold::{HealthFold, HealthState};
pub use message::{Message, Whose, figures, local};
pub use model::{Model, Models};
pub use text::{Language, Severity, Text, Texts};
pub use trend::{Cohort, UsualFigure, trends, usual};
