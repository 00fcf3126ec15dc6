//! What one machine reported over a time: the input of every fold.

use std::collections::BTreeMap;

use wire::SignalId;

/// Readings of one machine, ascending by (recorded time, boot, sequence): an order that arrival cannot change.
///
/// Signals are columns of the length of `recorded_at_ms`; NaN says that a sample did not report the signal. What
/// was not reported was not reported: carrying a value on is the business of the fold that knows how long it holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    /// When each sample was recorded, corrected machine clock, Unix milliseconds UTC.
    pub recorded_at_ms: Vec<i64>,
    /// Boot and sequence of each sample: the identity that ends ties between equal times.
    pub identity: Vec<(i64, i64)>,
    columns: BTreeMap<SignalId, Vec<f64>>,
    /// Whether the time of each sample was estimated; as long as the last of those.
    estimated: Vec<bool>,
}

/// One signal over all samples of some [`Readings`].
#[derive(Debug, Clone, Copy)]
pub struct Signal<'a> {
    values: Option<&'a [f64]>,
}

impl Signal<'_> {
    /// The value that sample `index` reported.
    #[inline]
    pub fn at(&self, index: usize) -> Option<f64> {
        self.values.map(|values| values[index]).filter(|value| !value.is_nan())
    }

    /// Whether any sample reported it.
    pub fn is_reported(&self) -> bool {
        self.values.is_some_and(|values| values.iter().any(|value| !value.is_nan()))
    }
}

impl Readings {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.recorded_at_ms.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.recorded_at_ms.is_empty()
    }

    /// A signal; one that nobody reported is empty, not an error.
    pub fn signal(&self, signal: SignalId) -> Signal<'_> {
        Signal { values: self.columns.get(&signal).map(Vec::as_slice) }
    }

    /// The signals that have a column.
    pub fn signals(&self) -> impl Iterator<Item = SignalId> {
        self.columns.keys().copied()
    }

    /// Adds a sample and returns its index. Samples may come in any order; see [`Readings::sort`].
    pub fn push(&mut self, recorded_at_ms: i64, boot: i64, sequence: i64) -> usize {
        self.recorded_at_ms.push(recorded_at_ms);
        self.identity.push((boot, sequence));
        self.recorded_at_ms.len() - 1
    }

    /// Sets what sample `index` reported of a signal.
    pub fn set(&mut self, index: usize, signal: SignalId, value: f64) {
        let column = self.columns.entry(signal).or_default();
        // Columns grow when they are written to, so that a rare signal costs nothing elsewhere.
        if column.len() <= index {
            column.resize(index + 1, f64::NAN);
        }
        column[index] = value;
    }

    /// Notes that the time of sample `index` is an estimate: the machine's clock was wrong.
    pub fn set_estimated(&mut self, index: usize) {
        if self.estimated.len() <= index {
            self.estimated.resize(index + 1, false);
        }
        self.estimated[index] = true;
    }

    /// How many samples of a range have an estimated time.
    pub fn estimated_in(&self, range: std::ops::Range<usize>) -> usize {
        range.filter(|index| self.estimated.get(*index) == Some(&true)).count()
    }

    /// Leaves out the signals that are not wanted, as if nobody had reported them.
    pub fn keep(&mut self, wanted: impl Fn(SignalId) -> bool) {
        self.columns.retain(|signal, _| wanted(*signal));
    }

    /// Brings samples into order, drops repeats of an identity, and completes every column. Call it once after the
    /// last [`Readings::push`] and [`Readings::set`].
    pub fn sort(&mut self) {
        for column in self.columns.values_mut() {
            column.resize(self.recorded_at_ms.len(), f64::NAN);
        }
        let key = |index: &usize| (self.recorded_at_ms[*index], self.identity[*index]);
        if (1..self.len()).all(|index| key(&(index - 1)) < key(&index)) {
            return;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(key);
        order.dedup_by_key(|index| key(index));
        self.recorded_at_ms = order.iter().map(|index| self.recorded_at_ms[*index]).collect();
        self.identity = order.iter().map(|index| self.identity[*index]).collect();
        for column in self.columns.values_mut() {
            *column = order.iter().map(|index| column[*index]).collect();
        }
        if !self.estimated.is_empty() {
            self.estimated = order.iter().map(|index| self.estimated.get(*index) == Some(&true)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::catalogue::{ENGINE_SPEED_RPM, FUEL_RATE_LPH};

    #[test]
    fn order_of_arrival_and_repeats_leave_no_trace() {
        let build = |order: &[usize]| {
            let mut readings = Readings::default();
            for &n in order {
                let index = readings.push(1_000 * (n as i64 / 2), 7, n as i64);
                readings.set(index, ENGINE_SPEED_RPM, 800.0 + n as f64);
                if n == 1 {
                    readings.set(index, FUEL_RATE_LPH, 4.5);
                    readings.set_estimated(index);
                }
            }
            readings.sort();
            assert_eq!(readings.estimated_in(0..readings.len()), 1);
            let value = |signal, index| readings.signal(signal).at(index);
            let rows = (0..readings.len()).map(|i| {
                (readings.recorded_at_ms[i], readings.identity[i], value(ENGINE_SPEED_RPM, i), value(FUEL_RATE_LPH, i))
            });
            rows.collect::<Vec<_>>()
        };
        assert_eq!(build(&[0, 1, 2, 3]), build(&[3, 1, 0, 2, 1, 0]));
        assert_eq!(build(&[1, 0])[1], (0, (7, 1), Some(801.0), Some(4.5)));
    }

    #[test]
    fn a_signal_that_nobody_reports_is_empty() {
        let mut readings = Readings::default();
        readings.push(0, 1, 0);
        readings.sort();
        assert!(!readings.signal(FUEL_RATE_LPH).is_reported());
        assert_eq!(readings.signal(FUEL_RATE_LPH).at(0), None);
    }
}
