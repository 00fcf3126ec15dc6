//! The weather of a day: temperature, rain, dew. The same day of the same place is always the same.

use crate::random::Random;

/// Mean temperature of the months near Tomsk, °C.
const MEAN_C: [f64; 12] = [-19.5, -16.5, -8.0, 1.5, 9.5, 16.0, 18.5, 15.5, 9.0, 1.5, -8.5, -16.5];
/// Half the difference between afternoon and night, °C.
const SWING_C: [f64; 12] = [4.0, 4.5, 5.5, 5.5, 6.0, 6.0, 5.5, 5.5, 5.0, 3.5, 3.5, 4.0];
/// Chance of rain on a day.
const RAIN: [f64; 12] = [0.0, 0.0, 0.05, 0.15, 0.25, 0.30, 0.32, 0.32, 0.30, 0.28, 0.08, 0.0];
/// The warmest hour of the day.
const WARMEST_H: f64 = 15.0;

/// The weather of one local day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weather {
    mean_c: f64,
    swing_c: f64,
    /// Local hours between which it rains.
    pub(crate) rain_h: Option<(f64, f64)>,
    pub(crate) pressure_kpa: f64,
}

impl Weather {
    /// The weather of day `day` (days since 1970) of which the calendar day is `day_of_year`. Districts of one seed
    /// share their fronts.
    pub(crate) fn of(seed: u64, day: i64, day_of_year: u16) -> Self {
        let month = (f64::from(day_of_year) - 15.5) / 30.44;
        let share = month.rem_euclid(1.0);
        let now = (month.floor() as i64).rem_euclid(12) as usize;
        let next = (now + 1) % 12;
        let between = |table: &[f64; 12]| table[now] * (1.0 - share) + table[next] * share;
        let mut random = Random::new(super::hash(seed, &[day]));
        let rains = random.chance(between(&RAIN));
        let begins_h = random.range(0.0, 20.0);
        let lasts_h = random.range(0.7, 6.0);
        // Warm and cold spells last some days.
        let spell_c = 3.5 * super::smooth(seed ^ 0x7e3, day as f64 / 4.0);
        Self {
            mean_c: between(&MEAN_C) + spell_c - if rains { 2.5 } else { 0.0 },
            swing_c: between(&SWING_C) * if rains { 0.5 } else { 1.0 },
            rain_h: rains.then_some((begins_h, begins_h + lasts_h)),
            pressure_kpa: 99.8 + 1.1 * super::smooth(seed ^ 0xba0, day as f64 / 5.0),
        }
    }

    /// Air temperature at a local hour.
    pub(crate) fn air_c(&self, hour: f64) -> f64 {
        self.mean_c + self.swing_c * ((hour - WARMEST_H) / 24.0 * std::f64::consts::TAU).cos()
    }

    /// Whether `hour` is in rain, or less than `dry_h` behind it; negative where rain does not matter.
    pub(crate) fn is_wet(&self, hour: f64, dry_h: f64) -> bool {
        dry_h >= 0.0 && self.rain_h.is_some_and(|(from, to)| hour >= from && hour < to + dry_h)
    }

    /// The first dry hour at or after `hour`.
    pub(crate) fn dry_from(&self, hour: f64, dry_h: f64) -> f64 {
        match self.rain_h {
            Some((_, to)) if self.is_wet(hour, dry_h) => to + dry_h,
            _ => hour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn july_is_warm_january_cold_and_a_year_has_its_rain() {
        let mean = |days: std::ops::Range<u16>| {
            let count = f64::from(days.end - days.start) * 30.0;
            (0..30)
                .flat_map(|year| days.clone().map(move |day| (year, day)))
                .map(|(year, day)| Weather::of(5, year * 365 + i64::from(day), day).air_c(12.0))
                .sum::<f64>()
                / count
        };
        assert!((17.0..25.0).contains(&mean(182..212)), "{}", mean(182..212));
        assert!((-23.0..-14.0).contains(&mean(1..31)), "{}", mean(1..31));
        let rainy = (121..274).filter(|day| Weather::of(5, i64::from(*day), *day).rain_h.is_some()).count();
        assert!((25..70).contains(&rainy), "{rainy} days of rain from May to September");
    }
}
