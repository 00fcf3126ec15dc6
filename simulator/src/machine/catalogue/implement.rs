//! Implements and headers.

use serde::Deserialize;

use super::error::{CatalogueError, Place};

/// How an implement hangs on its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carried {
    /// On the three-point hitch, which lifts it.
    Mounted,
    /// Drawn, lifted by its own hydraulics.
    Trailed,
    /// A header of a self-propelled machine.
    Header,
}

/// An implement or header.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Implement {
    pub(crate) code: String,
    pub(crate) name: String,
    /// Name of the operation it is for.
    pub(crate) operation: String,
    pub(crate) carried: Carried,
    pub(crate) width_m: f64,
    /// Usual speed in work, from and to.
    pub(crate) speed_kmh: (f64, f64),
    /// Rated power of the machines that have it, from and to; headers name their machines instead.
    #[serde(default)]
    pub(crate) machine_kw: (f64, f64),
    /// Codes of the machines that have it; empty for all tractors of its power class.
    #[serde(default)]
    pub(crate) machines: Vec<String>,
    #[serde(default)]
    pub(crate) mass_kg: f64,
    /// Draft at the mean speed, by width.
    #[serde(default)]
    pub(crate) draft_kn_per_m: f64,
    /// What the power take-off gives at all times in work, by width.
    #[serde(default)]
    pub(crate) pto_kw_per_m: f64,
    /// 540 or 1000; 0 without.
    #[serde(default)]
    pub(crate) pto_rpm: f64,
    /// What external hydraulics give, by width.
    #[serde(default)]
    pub(crate) hydraulic_kw_per_m: f64,
    /// By how much neighbouring swaths overlap without guidance, share of the width.
    pub(crate) overlap: f64,
    /// Whether a pass has to lie beside the one before it.
    #[serde(default)]
    pub(crate) neighbours_only: bool,
    /// Hectares from one filling to the next; 0 for never.
    #[serde(default)]
    pub(crate) filling_ha: f64,
    /// Applied by area: kg/ha or L/ha.
    #[serde(default)]
    pub(crate) rate_per_ha: f64,
    /// Working depth.
    #[serde(default)]
    pub(crate) depth_m: f64,
    /// Whether it speaks ISO 11783, so that the task controller knows what it does.
    #[serde(default)]
    pub(crate) isobus: bool,
}

impl Implement {
    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let place = Place { file };
        let key = |name: &str| format!("implement[{}].{name}", self.code);
        place.within(&key("width_m"), self.width_m, 0.5, 60.0)?;
        place.within(&key("speed_kmh"), self.speed_kmh.0, 0.5, self.speed_kmh.1)?;
        place.within(&key("speed_kmh"), self.speed_kmh.1, self.speed_kmh.0, 40.0)?;
        place.within(&key("overlap"), self.overlap, 0.0, 0.3)?;
        place.within(&key("draft_kn_per_m"), self.draft_kn_per_m, 0.0, 60.0)?;
        place.within(&key("pto_kw_per_m"), self.pto_kw_per_m, 0.0, 60.0)?;
        if self.machines.is_empty() && self.machine_kw.1 <= self.machine_kw.0 {
            let given = format!("{:?}", self.machine_kw);
            return Err(place.error(&key("machine_kw"), given, "give the power class as [from, to], or name machines"));
        }
        Ok(())
    }
}
