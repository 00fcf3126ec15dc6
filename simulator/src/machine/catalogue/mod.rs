//! What machines, implements, crops and operations there are: data files, read once, checked, shared.
//!
//! The built-in files lie in `machines/`, `implements/` and `districts/` of this crate. A folder given by the user adds
//! to them: a file there that defines a code which exists already takes its place.

mod error;
mod implement;
mod load;
mod model;
mod operation;
mod table;

pub use error::CatalogueError;
pub(crate) use implement::{Carried, Implement};
pub use load::Catalogue;
pub(crate) use model::{Drive, Engine, Harvester, Kind, Model, Receiver};
pub(crate) use operation::{Crop, FieldKind, HarvestOf, Operation, Rounds};
