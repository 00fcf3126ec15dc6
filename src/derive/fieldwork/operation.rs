//! Operations: what a machine does on a field.

use serde::{Deserialize, Serialize};

/// What is done on a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Operation {
    Ploughing,
    Discing,
    Cultivation,
    Harrowing,
    Rolling,
    Sowing,
    Spraying,
    Fertilizing,
    GrainHarvest,
    ForageHarvest,
    Mowing,
    Raking,
    Baling,
    FlaxPulling,
    FlaxTurning,
    PeatMilling,
    PeatHarvest,
    /// Field work that nobody names.
    #[default]
    Unknown,
}

/// Working speeds of an operation, km/h: below and above it is something else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeedBand {
    /// Slowest.
    pub low_kmh: f64,
    /// Fastest.
    pub high_kmh: f64,
}

struct Row(Operation, &'static str, SpeedBand, &'static [&'static str]);

const fn band(low_kmh: f64, high_kmh: f64) -> SpeedBand {
    SpeedBand { low_kmh, high_kmh }
}

/// Name, usual speeds widened by a third at both ends (a cloddy corner, a wet spot, a fast operator), other names.
const TABLE: &[Row] = &[
    Row(Operation::Ploughing, "ploughing", band(3.0, 13.0), &["plowing", "plough", "plow"]),
    Row(Operation::Discing, "discing", band(4.5, 19.0), &["disc", "disking", "disc_harrowing"]),
    Row(Operation::Cultivation, "cultivation", band(4.5, 19.0), &["cultivating", "tillage", "subsoiling"]),
    Row(Operation::Harrowing, "harrowing", band(4.5, 18.0), &["harrow"]),
    Row(Operation::Rolling, "rolling", band(4.5, 18.0), &["roll"]),
    Row(Operation::Sowing, "sowing", band(4.0, 18.0), &["seeding", "planting", "drilling"]),
    Row(Operation::Spraying, "spraying", band(4.0, 26.0), &["spray", "crop_protection"]),
    Row(Operation::Fertilizing, "fertilizing", band(5.0, 24.0), &["fertilizer_spreading", "fertilizer", "spreading"]),
    Row(
        Operation::GrainHarvest,
        "grain_harvest",
        band(1.0, 11.0),
        &["harvest", "harvesting", "combining", "threshing"],
    ),
    Row(Operation::ForageHarvest, "forage_harvest", band(1.5, 16.0), &["forage_chopping", "chopping", "silage"]),
    Row(Operation::Mowing, "mowing", band(3.5, 20.0), &["mow"]),
    Row(Operation::Raking, "raking", band(3.5, 20.0), &["rake", "tedding", "swathing"]),
    Row(Operation::Baling, "baling", band(2.5, 16.0), &["bale"]),
    Row(Operation::FlaxPulling, "flax_pulling", band(3.5, 15.0), &[]),
    Row(Operation::FlaxTurning, "flax_turning", band(4.0, 16.0), &[]),
    Row(Operation::PeatMilling, "peat_milling", band(2.0, 13.0), &[]),
    Row(Operation::PeatHarvest, "peat_harvest", band(2.0, 13.0), &[]),
    Row(Operation::Unknown, "unknown", band(1.0, 20.0), &[]),
];

impl Operation {
    /// Every operation, [`Operation::Unknown`] last.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// Name as in tasks, JSON and the database.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Speeds at which the operation is done.
    pub fn speed_band(self) -> SpeedBand {
        self.row().2
    }

    /// The operation that people or machines call `name`; none for words this project does not know.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace([' ', '-'], "_");
        let row = TABLE.iter().find(|row| row.1 == name || row.3.contains(&name.as_str()))?;
        (row.0 != Self::Unknown).then_some(row.0)
    }

    /// Whether a crop is taken off the field.
    pub fn is_harvest(self) -> bool {
        matches!(self, Self::GrainHarvest | Self::ForageHarvest | Self::Baling | Self::FlaxPulling | Self::PeatHarvest)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.0 == self).expect("a test holds that the table has a row for each operation")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_that_reads_back_and_serializes_alike() {
        for operation in Operation::all() {
            let json = serde_json::to_value(operation).expect("a name");
            assert_eq!(json, operation.name());
            if operation != Operation::Unknown {
                assert_eq!(Operation::parse(operation.name()), Some(operation));
            }
            assert!(operation.speed_band().low_kmh < operation.speed_band().high_kmh);
        }
    }

    #[test]
    fn other_words_for_an_operation_are_understood() {
        assert_eq!(Operation::parse("Forage chopping"), Some(Operation::ForageHarvest));
        assert_eq!(Operation::parse("SEEDING"), Some(Operation::Sowing));
        assert_eq!(Operation::parse("unknown"), None);
        assert_eq!(Operation::parse("painting"), None);
    }
}
