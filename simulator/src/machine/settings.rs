//! What a fleet can be told about its world.

use serde::{Deserialize, Serialize};

/// Which season's work is done, whatever the calendar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// May: tillage and sowing.
    Spring,
    /// July: haying, spraying, peat.
    Summer,
    /// August and September: grain, flax, forage, dryers.
    Harvest,
    /// October: ploughing.
    Autumn,
    /// January: timber; the rest stands.
    Winter,
}

impl Season {
    /// The day of the year on which a run begins that has this season.
    pub(crate) fn first_day_of_year(self) -> u16 {
        match self {
            Self::Spring => 132,
            Self::Summer => 178,
            Self::Harvest => 232,
            Self::Autumn => 268,
            Self::Winter => 15,
        }
    }
}

/// Which faults a fleet has.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultSettings {
    /// How often faults come by chance: 1 as on real machines, 0 never, 10 for a hard season.
    pub random_rate: f64,
    /// Faults that come for certain.
    pub scripted: Vec<ScriptedFault>,
}

impl Default for FaultSettings {
    fn default() -> Self {
        Self { random_rate: 1.0, scripted: Vec::new() }
    }
}

/// A fault that comes for certain.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// Serial of the machine, or its number in the fleet.
    pub machine: String,
    /// Name of the fault, `radiator_clogged`; [`fault_kinds`](super::fault_kinds) names all.
    pub kind: String,
    /// When the cause begins to act.
    pub at: jiff::Timestamp,
    /// When it is mended; none for when people would have noticed and mended it.
    #[serde(default)]
    pub mended_at: Option<jiff::Timestamp>,
}
