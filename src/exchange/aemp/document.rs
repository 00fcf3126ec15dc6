//! A page on its way out, in either form.

use super::node::{self, Node};

/// The namespace of the standard.
const NAMESPACE: &str = "http://standards.iso.org/iso/15143/-3";
/// What comes as a list in JSON even when there is one of it.
const ARRAYS: [&str; 15] = [
    "Links",
    "Equipment",
    "FaultCode",
    // Entries of time series; in a snapshot they stand inside a machine, where there is one of each.
    "series:Location",
    "series:EngineStatus",
    "series:FuelRemaining",
    "series:DEFRemaining",
    "series:FuelUsed",
    "series:Distance",
    "series:CumulativeOperatingHours",
    "series:CumulativeIdleHours",
    "series:CumulativePowerTakeOffHours",
    "series:CumulativeActiveRegenerationHours",
    "series:AverageLoadFactorLast24",
    "series:MaximumSpeedLast24",
];

/// The two forms of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The default.
    #[default]
    Xml,
    /// On demand.
    Json,
}

/// A page of a fleet or of a time series.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) root: Node,
    pub(super) is_series: bool,
}

impl Form {
    /// The form that an `Accept` header asks for; XML for anything that names neither.
    pub fn of_accept(accept: &str) -> Self {
        // Weights are looked at in the order given: clients that want JSON name it first or alone.
        let wanted = accept.split(',').find_map(|range| {
            let kind = range.split(';').next().unwrap_or_default().trim();
            let suffix = kind.rsplit(['/', '+']).next().unwrap_or_default();
            match suffix {
                "json" => Some(Self::Json),
                "xml" => Some(Self::Xml),
                _ => None,
            }
        });
        wanted.unwrap_or_default()
    }

    /// The media type of an answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

impl Document {
    /// Writes the page.
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Xml => node::to_xml(&self.root, NAMESPACE),
            Form::Json => {
                let is_ours = |name: &&str| self.is_series || !name.starts_with("series:");
                let arrays: Vec<&str> =
                    ARRAYS.iter().filter(|name| is_ours(name)).map(|name| name.trim_start_matches("series:")).collect();
                node::to_json(&self.root, &arrays)
            }
        }
    }
}
