//! Districts, and where their farms lie.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How well a district is covered by mobile networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkCoverage {
    /// Along the Ob and the Tom.
    Good,
    /// Holes in every forest.
    Medium,
    /// Taiga.
    Poor,
}

/// A district, as its file says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct District {
    pub(crate) name: String,
    /// Latitude and longitude of its centre, degrees.
    pub(crate) centre: (f64, f64),
    /// Share of the fleet's farms.
    pub(crate) farm_share: f64,
    /// Sizes of its fields, from and to.
    pub(crate) field_ha: (f64, f64),
    pub(crate) coverage: NetworkCoverage,
    /// Whether timber is cut here.
    #[serde(default)]
    pub(crate) forest: bool,
    /// Whether peat is dug here.
    #[serde(default)]
    pub(crate) peat: bool,
    /// Share of its fields by crop.
    pub(crate) crops: BTreeMap<String, f64>,
}

/// Farms lie on a lattice of this pitch, so that no two of them ever share a field.
const PITCH_DEG: (f64, f64) = (0.125, 0.230);
/// Operating box: latitudes and longitudes.
const BOX: [(f64, f64); 2] = [(55.9, 59.4), (80.5, 89.5)];

/// Places for farms of each district, the nearest to its centre first: (latitude, longitude).
pub(crate) fn farm_sites(districts: &[District], seed: u64) -> Vec<Vec<(f64, f64)>> {
    let mut sites = vec![Vec::new(); districts.len()];
    let count = |side: (f64, f64), pitch: f64| ((side.1 - side.0) / pitch) as usize;
    let mut random = Random::fork(seed, "farm sites");
    for row in 0..count(BOX[0], PITCH_DEG.0) {
        for column in 0..count(BOX[1], PITCH_DEG.1) {
            let jitter = (random.range(-0.05, 0.05), random.range(-0.05, 0.05));
            let latitude = BOX[0].0 + (row as f64 + 0.5 + jitter.0) * PITCH_DEG.0;
            let longitude = BOX[1].0 + (column as f64 + 0.5 + jitter.1) * PITCH_DEG.1;
            let nearest = (0..districts.len())
                .map(|index| (distance_deg(districts[index].centre, (latitude, longitude)), index))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, index)) = nearest {
                sites[index].push((latitude, longitude));
            }
        }
    }
    for (district, sites) in districts.iter().zip(&mut sites) {
        sites.sort_by(|a, b| distance_deg(district.centre, *a).total_cmp(&distance_deg(district.centre, *b)));
    }
    sites
}

/// Distance in degrees of latitude.
fn distance_deg(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot((a.1 - b.1) * a.0.to_radians().cos())
}
