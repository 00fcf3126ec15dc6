//! What can be wrong with an import.

use crate::derive::field::{Fault, Mend};

use super::super::read::{Weigh, Weight, geojson, isoxml, kml};

/// What can be wrong with an import.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// In task data.
    #[error(transparent)]
    Isoxml(#[from] isoxml::Defect),
    /// In GeoJSON.
    #[error(transparent)]
    GeoJson(#[from] geojson::Defect),
    /// In KML.
    #[error(transparent)]
    Kml(#[from] kml::Defect),
    /// A boundary that is none.
    #[error("field {field} is refused: {fault}")]
    Refused {
        /// What the file calls it.
        field: String,
        /// Why.
        fault: Fault,
    },
    /// A boundary that was put right, or deserves a look.
    #[error("field {field}: {mend}")]
    Mended {
        /// What the file calls it.
        field: String,
        /// What was done.
        mend: Mend,
    },
    /// A field that is a name alone.
    #[error("field {0} has no boundary in the file; it is left out")]
    NoBoundary(String),
    /// A part of another field.
    #[error("field {field} is a part of field {parent}; it is left out")]
    PartOfField {
        /// The part.
        field: String,
        /// The whole.
        parent: String,
    },
    /// The file claims another area.
    #[error(
        "field {field} covers {found_ha:.2} ha on the ground, {percent:+.1} % of the {declared_ha:.2} ha the file claims"
    )]
    AreaDiffers {
        /// What the file calls it.
        field: String,
        /// On the ellipsoid.
        found_ha: f64,
        /// As the file has it.
        declared_ha: f64,
        /// Found against declared.
        percent: f64,
    },
    /// A file of an archive that could not be unpacked, or is there twice.
    #[error("{0} is skipped: a file of that name is there already, or there are too many")]
    FileSkipped(String),
    /// Nothing to take.
    #[error("no field, farm, worker or implement in it")]
    Nothing,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::Isoxml(defect) => defect.weight(),
            Defect::GeoJson(defect) => defect.weight(),
            Defect::Kml(defect) => defect.weight(),
            Defect::Mended { .. } | Defect::AreaDiffers { .. } | Defect::PartOfField { .. } => Weight::Note,
            Defect::Refused { .. } | Defect::NoBoundary(_) | Defect::FileSkipped(_) | Defect::Nothing => Weight::Loss,
        }
    }
}
