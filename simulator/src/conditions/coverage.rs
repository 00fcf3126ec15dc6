//! Where there is network: a map of holes, and outages of a whole district.

use serde::Deserialize;

use crate::machine::NetworkCoverage;
use crate::random::Random;

/// Side of a cell of the map, degrees of latitude and longitude: 6 km each way in Tomsk.
const CELL_DEG: (f64, f64) = (0.054, 0.1);
/// Kilometres in a cell's side.
const CELL_KM: f64 = 6.0;
/// Radius of a hole, kilometres, least and most. A hole lies within its cell.
const HOLE_KM: (f64, f64) = (0.6, 2.8);
const WEEK_MS: i64 = 7 * 86_400_000;
/// Spread of the logarithm of a regional outage's length: half of them last from 2 to 8 hours.
const REGIONAL_SIGMA: f64 = 1.0;
const REGIONAL_MEDIAN_S: f64 = 4.0 * 3_600.0;
const REGIONAL_MAX_S: f64 = 2.0 * 86_400.0;

/// A number for each quality of coverage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByCoverage {
    /// Along the Ob and the Tom.
    pub good: f64,
    /// Holes in every forest.
    pub medium: f64,
    /// Taiga.
    pub poor: f64,
}

impl ByCoverage {
    /// The same number everywhere.
    pub const fn everywhere(number: f64) -> Self {
        Self { good: number, medium: number, poor: number }
    }

    /// The number for `coverage`.
    pub fn of(&self, coverage: NetworkCoverage) -> f64 {
        match coverage {
            NetworkCoverage::Good => self.good,
            NetworkCoverage::Medium => self.medium,
            NetworkCoverage::Poor => self.poor,
        }
    }
}

/// The map of one fleet's country. Nothing is stored: a hole follows from the seed and its cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoverageMap {
    seed: u64,
    /// Share of cells with a hole.
    holes: ByCoverage,
}

impl CoverageMap {
    /// The map of the fleet with `seed`, with a hole in a share of the cells of 6 km by 6 km.
    pub fn new(seed: u64, holes: ByCoverage) -> Self {
        Self { seed: Random::fork(seed, "coverage map").next_u64(), holes }
    }

    /// Whether there is no network at a place (latitude, longitude) in a district of such coverage.
    pub fn is_hole(&self, (latitude_deg, longitude_deg): (f64, f64), coverage: NetworkCoverage) -> bool {
        let cell = ((latitude_deg / CELL_DEG.0).floor(), (longitude_deg / CELL_DEG.1).floor());
        self.hole(cell, coverage).is_some_and(|((latitude, longitude), radius_km)| {
            let north_km = (latitude_deg - latitude) / CELL_DEG.0 * CELL_KM;
            let east_km = (longitude_deg - longitude) / CELL_DEG.1 * CELL_KM;
            north_km.hypot(east_km) < radius_km
        })
    }

    /// Centre and radius in kilometres of the hole in a cell.
    fn hole(&self, (row, column): (f64, f64), coverage: NetworkCoverage) -> Option<((f64, f64), f64)> {
        let place = (row as i64 as u64).rotate_left(32) ^ column as i64 as u64;
        let mut random = Random::new(self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if !random.chance(self.holes.of(coverage)) {
            return None;
        }
        let radius_km = random.range(HOLE_KM.0, HOLE_KM.1);
        let margin = radius_km / CELL_KM;
        let latitude = (row + random.range(margin, 1.0 - margin)) * CELL_DEG.0;
        let longitude = (column + random.range(margin, 1.0 - margin)) * CELL_DEG.1;
        Some(((latitude, longitude), radius_km))
    }
}

/// Outages of a whole district: a mast without power, a cable cut. All its machines lose the network at once and come
/// back at once.
#[derive(Debug, Clone)]
pub(super) struct Regional {
    district_seed: u64,
    /// Chance of one in a week.
    per_week: f64,
    week: i64,
    /// Beginning and end of the outages that begin in this week or began in the one before.
    outages: [Option<(i64, i64)>; 2],
}

impl Regional {
    pub(super) fn new(seed: u64, district: &str, per_month: f64) -> Self {
        let district_seed = Random::fork(seed, district).next_u64();
        Self { district_seed, per_week: (per_month / 4.35).min(1.0), week: i64::MIN, outages: [None; 2] }
    }

    /// The outage that holds `at_ms`.
    pub(super) fn at(&mut self, at_ms: i64) -> Option<(i64, i64)> {
        if self.per_week <= 0.0 {
            return None;
        }
        let week = at_ms.div_euclid(WEEK_MS);
        if week != self.week {
            self.week = week;
            self.outages = [self.of_week(week - 1), self.of_week(week)];
        }
        self.outages.into_iter().flatten().find(|(from, to)| (*from..*to).contains(&at_ms))
    }

    fn of_week(&self, week: i64) -> Option<(i64, i64)> {
        let mut random = Random::new(self.district_seed ^ (week as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.chance(self.per_week).then(|| {
            let from_ms = week * WEEK_MS + random.below(WEEK_MS as usize) as i64;
            let length_s = (REGIONAL_MEDIAN_S * (REGIONAL_SIGMA * random.normal()).exp()).min(REGIONAL_MAX_S);
            (from_ms, from_ms + (length_s * 1_000.0) as i64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_take_the_share_of_the_land_that_their_number_says() {
        let holes = ByCoverage { good: 0.0, medium: 0.2, poor: 0.6 };
        let map = CoverageMap::new(7, holes);
        let share = |coverage| {
            let mut random = Random::new(3);
            let hits = (0..20_000)
                .filter(|_| map.is_hole((random.range(56.0, 59.0), random.range(81.0, 89.0)), coverage))
                .count();
            hits as f64 / 20_000.0
        };
        // A hole of mean square radius 3.3 km² takes 29 % of its cell.
        assert_eq!(share(NetworkCoverage::Good), 0.0);
        let (medium, poor) = (share(NetworkCoverage::Medium), share(NetworkCoverage::Poor));
        assert!((medium - 0.2 * 0.29).abs() < 0.012, "{medium}");
        assert!((poor - 0.6 * 0.29).abs() < 0.02, "{poor}");
    }

    #[test]
    fn machines_of_one_district_lose_the_network_together() {
        let mut first = Regional::new(1, "Bakcharsky", 4.0);
        let mut second = Regional::new(1, "Bakcharsky", 4.0);
        let hours: Vec<_> = (0..24 * 70).map(|hour| 1_780_000_000_000 + hour * 3_600_000).collect();
        let out: Vec<_> = hours.iter().map(|at| first.at(*at)).collect();
        // In whatever order one asks.
        assert!(hours.iter().rev().map(|at| second.at(*at)).eq(out.iter().rev().copied()));
        let outages: std::collections::BTreeSet<_> = out.into_iter().flatten().collect();
        assert!((4..=10).contains(&outages.len()), "{outages:?}");
    }
}
