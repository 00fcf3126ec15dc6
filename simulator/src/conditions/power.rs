//! Restarts of a unit, in order or by a loss of power.

use serde::Deserialize;

use super::{check_number, check_share};
use crate::random::Random;

/// How long a unit is away when it restarts, seconds.
const AWAY_S: (f64, f64) = (4.0, 60.0);

/// Restarts. The default is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PowerRules {
    /// Restarts of a unit in a day, mean.
    pub restarts_per_day: f64,
    /// Share of restarts that come in the middle of a frame: what had not been finished is lost, and whatever was not
    /// confirmed is sent again.
    pub power_cut_share: f64,
}

impl PowerRules {
    pub(super) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        check_number("power.restarts_per_day", self.restarts_per_day, 1_000.0)?;
        check_share("power.power_cut_share", self.power_cut_share)
    }
}

/// A restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restart {
    /// When the unit stops.
    pub(crate) from_ms: i64,
    /// When it records again.
    pub(crate) to_ms: i64,
    /// Whether it stops in the middle of a frame.
    pub(crate) is_power_cut: bool,
}

/// The restarts of one unit.
#[derive(Debug, Clone)]
pub(crate) struct Power {
    rules: PowerRules,
    random: Random,
    next: Option<Restart>,
}

impl Power {
    pub(crate) fn new(rules: PowerRules, seed: u64, now_ms: i64) -> Self {
        let mut power = Self { rules, random: Random::fork(seed, "power"), next: None };
        power.plan(now_ms);
        power
    }

    /// The restart that is due at `at_ms`, if one is.
    pub(crate) fn due(&mut self, at_ms: i64) -> Option<Restart> {
        let restart = self.next.filter(|restart| restart.from_ms <= at_ms)?;
        self.plan(restart.to_ms);
        Some(restart)
    }

    fn plan(&mut self, from_ms: i64) {
        self.next = (self.rules.restarts_per_day > 0.0).then(|| {
            let wait_ms = self.random.exponential(86_400_000.0 / self.rules.restarts_per_day) as i64 + 1;
            let away_ms = (self.random.range(AWAY_S.0, AWAY_S.1) * 1_000.0) as i64;
            let from_ms = from_ms + wait_ms;
            let is_power_cut = self.random.chance(self.rules.power_cut_share);
            Restart { from_ms, to_ms: from_ms + away_ms, is_power_cut }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_as_often_as_the_rules_say_and_never_overlap() {
        let mut power = Power::new(PowerRules { restarts_per_day: 2.0, power_cut_share: 0.25 }, 1, 0);
        let mut restarts = Vec::new();
        for day in 0..1_000 {
            while let Some(restart) = power.due(day * 86_400_000) {
                restarts.push(restart);
            }
        }
        assert!((1_850..2_150).contains(&restarts.len()), "{}", restarts.len());
        assert!(restarts.windows(2).all(|pair| pair[0].to_ms < pair[1].from_ms));
        let cuts = restarts.iter().filter(|restart| restart.is_power_cut).count();
        assert!((430..570).contains(&cuts), "{cuts}");
        assert_eq!(Power::new(PowerRules::default(), 1, 0).due(i64::MAX), None);
    }
}
