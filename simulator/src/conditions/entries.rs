//! Single samples that are not recorded, or recorded after the one behind them.

use serde::Deserialize;
use wire::Sample;

use super::check_share;
use crate::random::Random;

/// Dirt within a batch. The default is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryRules {
    /// Samples that the unit does not record: the bus was busy, a buffer full. They are in nobody's count.
    pub missing_share: f64,
    /// Samples that are recorded after the one behind them: numbers ascend, times do not.
    pub out_of_order_share: f64,
}

impl EntryRules {
    pub(super) fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        check_share("entries.missing_share", self.missing_share)?;
        check_share("entries.out_of_order_share", self.out_of_order_share)
    }
}

/// The samples of one unit on their way into its buffer.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    rules: EntryRules,
    random: Random,
    held: Option<Sample>,
    missing: u64,
}

impl Entries {
    pub(crate) fn new(rules: EntryRules, seed: u64) -> Self {
        Self { rules, random: Random::fork(seed, "entries"), held: None, missing: 0 }
    }

    /// What is recorded when `sample` comes: nothing, it, it and one held back before.
    pub(crate) fn pass(&mut self, sample: Sample) -> [Option<Sample>; 2] {
        if self.rules == EntryRules::default() {
            return [Some(sample), None];
        }
        if self.random.chance(self.rules.missing_share) {
            self.missing += 1;
            return [self.held.take(), None];
        }
        if self.held.is_none() && self.random.chance(self.rules.out_of_order_share) {
            self.held = Some(sample);
            return [None, None];
        }
        [Some(sample), self.held.take()]
    }

    /// What is still held back.
    pub(crate) fn flush(&mut self) -> Option<Sample> {
        self.held.take()
    }

    /// Samples that were not recorded since the last call.
    pub(crate) fn take_missing(&mut self) -> u64 {
        std::mem::take(&mut self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_and_nothing_else_is_lost() {
        let rules = EntryRules { missing_share: 0.1, out_of_order_share: 0.3 };
        let mut entries = Entries::new(rules, 1);
        let mut times = Vec::new();
        for at_ms in 0..20_000 {
            times.extend(entries.pass(Sample::at(at_ms)).into_iter().flatten().map(|sample| sample.recorded_at_ms));
        }
        times.extend(entries.flush().map(|sample| sample.recorded_at_ms));
        let missing = entries.take_missing();
        assert_eq!(times.len() as u64 + missing, 20_000);
        assert!((1_850..2_150).contains(&missing), "{missing}");
        // One held back makes two samples change places; the one behind it is never held.
        let late = times.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!((3_700..4_700).contains(&late), "{late}");
        times.sort_unstable();
        times.dedup();
        assert_eq!(times.len() as u64 + missing, 20_000, "nothing comes twice");
    }
}
