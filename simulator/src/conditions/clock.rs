//! The clock of a unit, and the ways in which it lies.

use serde::Deserialize;

use super::episode::Episode;
use super::{check_number, check_share};
use crate::random::Random;
use crate::truth::{At, ClockError, Event};

/// What a clock without a date begins at: Unix, GPS, and a chip's own idea (1970-01-01, 1980-01-06, 2000-01-01).
const EPOCHS: [(&str, i64); 3] = [("epoch_1970", 0), ("epoch_1980", 315_964_800_000), ("epoch_2000", 946_684_800_000)];
/// 1,024 weeks: what a receiver past its week rollover is behind.
const ROLLOVER_MS: i64 = 1_024 * 7 * 86_400_000;
/// What local time is ahead of UTC in Tomsk.
const LOCAL_MS: i64 = crate::truth::LOCAL_OFFSET_MS;
/// Smaller errors of a drifting clock are not worth a word.
const TOLD_DRIFT_MS: i64 = 1_000;
const DAY_MS: f64 = 86_400_000.0;

/// Clocks that are wrong (domain section 7). The default is a right clock.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockRules {
    /// Share of boots that begin without a date: at 1970, 1980 or 2000, until the first fix.
    pub unset_share: f64,
    /// Longest time from a boot to its first fix, seconds.
    pub first_fix_max_s: f64,
    /// Share of units whose receiver is past its week rollover: 1,024 weeks behind, always.
    pub week_off_share: f64,
    /// Share of units that send local time as UTC: seven hours ahead, always.
    pub local_as_utc_share: f64,
    /// Share of units that no fix sets right: they drift until somebody does.
    pub drifting_share: f64,
    /// How fast those drift, seconds a day, either way; some twice as fast.
    pub drift_s_per_day: f64,
    /// How long until they are set right, days, mean.
    pub set_right_after_days: f64,
}

impl Default for ClockRules {
    fn default() -> Self {
        Self {
            unset_share: 0.0,
            first_fix_max_s: 180.0,
            week_off_share: 0.0,
            local_as_utc_share: 0.0,
            drifting_share: 0.0,
            drift_s_per_day: 2.0,
            set_right_after_days: 10.0,
        }
    }
}

impl ClockRules {
    pub(super) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        check_share("clock.unset_share", self.unset_share)?;
        check_share("clock.week_off_share", self.week_off_share)?;
        check_share("clock.local_as_utc_share", self.local_as_utc_share)?;
        check_share("clock.drifting_share", self.drifting_share)?;
        check_number("clock.first_fix_max_s", self.first_fix_max_s, 86_400.0)?;
        check_number("clock.drift_s_per_day", self.drift_s_per_day, 3_600.0)?;
        check_number("clock.set_right_after_days", self.set_right_after_days, 366.0)
    }
}

/// What is wrong with a clock for good.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Habit {
    Right,
    Behind { kind: &'static str, offset_ms: i64 },
    Drifts { ms_per_day: f64, since_ms: i64, set_right_ms: i64 },
}

/// The clock of one unit.
#[derive(Debug, Clone)]
pub(crate) struct UnitClock {
    rules: ClockRules,
    random: Random,
    habit: Habit,
    /// Since when the habit is told as truth.
    told: Episode,
    /// No date yet: which epoch, since when, until when.
    unset: Option<Unset>,
}

#[derive(Debug, Clone, Copy)]
struct Unset {
    kind: &'static str,
    epoch_ms: i64,
    boot_ms: i64,
    fix_ms: i64,
    told: Episode,
}

impl UnitClock {
    /// The clock of a unit that is switched on at `now_ms`.
    pub(crate) fn new(rules: ClockRules, seed: u64, now_ms: i64) -> Self {
        let mut random = Random::fork(seed, "clock");
        let choice = random.unit();
        let habit = if choice < rules.week_off_share {
            Habit::Behind { kind: "gps_week", offset_ms: -ROLLOVER_MS }
        } else if choice < rules.week_off_share + rules.local_as_utc_share {
            Habit::Behind { kind: "local_as_utc", offset_ms: LOCAL_MS }
        } else if choice < rules.week_off_share + rules.local_as_utc_share + rules.drifting_share {
            let direction = if random.chance(0.5) { 1_000.0 } else { -1_000.0 };
            let ms_per_day = direction * rules.drift_s_per_day * random.range(0.5, 2.0);
            let mut habit = Habit::Drifts { ms_per_day, since_ms: now_ms, set_right_ms: now_ms };
            set_right(&mut habit, now_ms, &rules, &mut random);
            habit
        } else {
            Habit::Right
        };
        let mut clock = Self { rules, random, habit, told: Episode::since(now_ms), unset: None };
        clock.boot(now_ms);
        clock
    }

    /// The unit starts: perhaps without a date.
    pub(crate) fn boot(&mut self, at_ms: i64) {
        if self.rules.unset_share <= 0.0 {
            return;
        }
        let (unset, fix_s) =
            (self.random.chance(self.rules.unset_share), self.random.range(5.0, self.rules.first_fix_max_s.max(6.0)));
        let (kind, epoch_ms) = EPOCHS[self.random.below(EPOCHS.len())];
        self.unset = unset.then(|| Unset {
            kind,
            epoch_ms,
            boot_ms: at_ms,
            fix_ms: at_ms + (fix_s * 1_000.0) as i64,
            told: Episode::since(at_ms),
        });
    }

    /// Goes on to `at_ms`: clocks are set, days end.
    pub(crate) fn step(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        if let Some(unset) = self.unset.take_if(|unset| unset.fix_ms <= at_ms) {
            unset.tell(unset.fix_ms, truth);
        }
        match self.habit {
            Habit::Right => {}
            Habit::Behind { kind, offset_ms } => {
                self.told.tell_past_days(at_ms, |from, to| truth.push(error(from, to, kind, offset_ms)));
            }
            Habit::Drifts { set_right_ms, .. } => {
                let habit = self.habit;
                self.told.tell_past_days(at_ms.min(set_right_ms), |from, to| habit.tell_drift(from, to, truth));
                if set_right_ms <= at_ms {
                    self.told.end(set_right_ms, |from, to| habit.tell_drift(from, to, truth));
                    self.told = Episode::since(set_right_ms);
                    set_right(&mut self.habit, set_right_ms, &self.rules, &mut self.random);
                }
            }
        }
    }

    /// What the clock shows at the true time `at_ms`, which is not before the last step.
    pub(crate) fn read(&self, at_ms: i64) -> i64 {
        match self.unset {
            Some(unset) if at_ms < unset.fix_ms => unset.epoch_ms + (at_ms - unset.boot_ms),
            _ => at_ms + self.habit.offset_ms(at_ms),
        }
    }

    /// Ends the run: what lasts is told up to now.
    pub(crate) fn close(&mut self, at_ms: i64, truth: &mut Vec<Event>) {
        self.step(at_ms, truth);
        if let Some(unset) = self.unset.take() {
            unset.tell(at_ms, truth);
        }
        let habit = self.habit;
        match habit {
            Habit::Right => {}
            Habit::Behind { kind, offset_ms } => {
                self.told.end(at_ms, |from, to| truth.push(error(from, to, kind, offset_ms)));
            }
            Habit::Drifts { .. } => self.told.end(at_ms, |from, to| habit.tell_drift(from, to, truth)),
        }
        self.told = Episode::since(at_ms);
    }
}

impl Habit {
    /// The clock's time less the true time.
    fn offset_ms(self, at_ms: i64) -> i64 {
        match self {
            Self::Right => 0,
            Self::Behind { offset_ms, .. } => offset_ms,
            Self::Drifts { ms_per_day, since_ms, .. } => (ms_per_day * (at_ms - since_ms) as f64 / DAY_MS) as i64,
        }
    }

    fn tell_drift(self, from_ms: i64, to_ms: i64, truth: &mut Vec<Event>) {
        let offset_ms = self.offset_ms(to_ms);
        if offset_ms.abs() >= TOLD_DRIFT_MS {
            truth.push(error(from_ms, to_ms, "drift", offset_ms));
        }
    }
}

impl Unset {
    fn tell(self, end_ms: i64, truth: &mut Vec<Event>) {
        let offset_ms = self.epoch_ms - self.boot_ms;
        self.told.end(end_ms, |from, to| truth.push(error(from, to, self.kind, offset_ms)));
    }
}

/// The drift begins anew at `at_ms`.
fn set_right(habit: &mut Habit, at_ms: i64, rules: &ClockRules, random: &mut Random) {
    if let Habit::Drifts { since_ms, set_right_ms, .. } = habit {
        *since_ms = at_ms;
        *set_right_ms = at_ms + random.exponential(rules.set_right_after_days.max(0.01) * DAY_MS) as i64 + 1;
    }
}

fn error(from_ms: i64, to_ms: i64, kind: &str, offset_ms: i64) -> Event {
    Event::Clock(ClockError { from: At(from_ms), to: At(to_ms), kind: kind.into(), offset_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-08-20T04:00:00Z.
    const START_MS: i64 = 1_787_198_400_000;

    fn told(truth: &[Event]) -> Vec<(String, i64, i64, i64)> {
        truth
            .iter()
            .map(|event| match event {
                Event::Clock(error) => (error.kind.clone(), error.from.0, error.to.0, error.offset_ms),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_right_clock_shows_the_time_and_says_nothing() {
        let mut clock = UnitClock::new(ClockRules::default(), 1, START_MS);
        let mut truth = Vec::new();
        clock.step(START_MS + 86_400_000, &mut truth);
        assert_eq!(clock.read(START_MS + 86_400_001), START_MS + 86_400_001);
        clock.close(START_MS + 86_400_001, &mut truth);
        assert_eq!(truth, []);
    }

    #[test]
    fn a_clock_without_a_date_counts_from_its_epoch_until_the_first_fix() {
        let rules = ClockRules { unset_share: 1.0, ..ClockRules::default() };
        let mut kinds = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let mut clock = UnitClock::new(rules, seed, START_MS);
            let mut truth = Vec::new();
            let shown = clock.read(START_MS + 1_500);
            assert!(EPOCHS.iter().any(|(_, epoch)| shown == epoch + 1_500), "{shown}");
            clock.step(START_MS + 180_000, &mut truth);
            assert_eq!(clock.read(START_MS + 180_000), START_MS + 180_000);
            let told = told(&truth);
            let (kind, from, to, offset) = &told[0];
            assert_eq!((told.len(), *from, shown), (1, START_MS, START_MS + 1_500 + offset));
            assert!((5_000..=180_000).contains(&(to - from)));
            kinds.insert(kind.clone());
        }
        assert_eq!(kinds.len(), 3, "every epoch comes: {kinds:?}");
    }

    #[test]
    fn a_rollover_is_told_day_by_day_and_is_exactly_1024_weeks() {
        let rules = ClockRules { week_off_share: 1.0, ..ClockRules::default() };
        let mut clock = UnitClock::new(rules, 1, START_MS);
        let mut truth = Vec::new();
        clock.step(START_MS + 2 * 86_400_000, &mut truth);
        clock.close(START_MS + 2 * 86_400_000 + 5_000, &mut truth);
        let shown = jiff::Timestamp::from_millisecond(clock.read(START_MS)).expect("in range").to_string();
        assert_eq!(shown, "2007-01-04T04:00:00Z", "as the field reference says of 2026-08-20");
        let told = told(&truth);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().all(|(kind, _, _, offset)| kind == "gps_week" && *offset == -ROLLOVER_MS));
    }

    #[test]
    fn a_drifting_clock_is_off_by_seconds_and_jumps_back() {
        let rules = ClockRules { drifting_share: 1.0, ..ClockRules::default() };
        let mut clock = UnitClock::new(rules, 3, START_MS);
        let (mut truth, mut jumps, mut worst, mut before) = (Vec::new(), 0, 0, 0);
        for hour in 0..24 * 120 {
            let at_ms = START_MS + hour * 3_600_000;
            clock.step(at_ms, &mut truth);
            let offset = clock.read(at_ms) - at_ms;
            jumps += u32::from(offset.abs() + 1_000 < before);
            (before, worst) = (offset.abs(), worst.max(offset.abs()));
        }
        assert!((4..40).contains(&jumps), "{jumps}");
        assert!((5_000..180_000).contains(&worst), "{worst}");
        assert!(told(&truth).iter().any(|(kind, _, _, offset)| kind == "drift" && offset.abs() > 5_000));
    }
}
