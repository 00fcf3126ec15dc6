//! Sets of sequence numbers as sorted, disjoint, half-open ranges: the ledger's arithmetic.

use std::fmt;
use std::ops::Range;

/// A set of sequence numbers. Ranges are half-open, sorted, disjoint and never touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct SequenceSet {
    ranges: Vec<Range<u64>>,
}

impl SequenceSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// The set of `start..end`.
    pub fn from_range(range: Range<u64>) -> Self {
        let mut set = Self::new();
        set.insert(range);
        set
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers it holds.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// One past the greatest number; 0 for the empty set.
    pub fn end(&self) -> u64 {
        self.ranges.last().map_or(0, |range| range.end)
    }

    /// One past the run that begins at 0; 0 when 0 itself is missing.
    pub fn contiguous_end(&self) -> u64 {
        self.ranges.first().filter(|range| range.start == 0).map_or(0, |range| range.end)
    }

    /// Whether `sequence` is in it.
    pub fn contains(&self, sequence: u64) -> bool {
        let at = self.ranges.partition_point(|range| range.end <= sequence);
        self.ranges.get(at).is_some_and(|range| range.start <= sequence)
    }

    /// Adds `range`, joining what it touches.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.start >= range.end {
            return;
        }
        // Nearly always the next run of the same machine: the last range grows.
        if let Some(last) = self.ranges.last_mut()
            && last.start <= range.start
            && range.start <= last.end
        {
            last.end = last.end.max(range.end);
            return;
        }
        let first = self.ranges.partition_point(|r| r.end < range.start);
        let last = self.ranges.partition_point(|r| r.start <= range.end);
        let joined =
            self.ranges[first..last].iter().fold(range, |joined, r| joined.start.min(r.start)..joined.end.max(r.end));
        self.ranges.splice(first..last, [joined]);
    }

    /// Adds every number of `other`.
    pub fn extend(&mut self, other: &Self) {
        for range in &other.ranges {
            self.insert(range.clone());
        }
    }

    /// The numbers that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let common = x.start.max(y.start)..x.end.min(y.end);
            let x_ends_first = x.end < y.end;
            if common.start < common.end {
                ranges.push(common);
            }
            if x_ends_first {
                a.next()
            } else {
                b.next()
            };
        }
        Self { ranges }
    }

    /// The numbers of this set that are not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let mut others = other.ranges.iter().peekable();
        for range in &self.ranges {
            let mut start = range.start;
            while others.next_if(|o| o.end <= start).is_some() {}
            while let Some(o) = others.peek().filter(|o| o.start < range.end) {
                if start < o.start {
                    ranges.push(start..o.start);
                }
                start = start.max(o.end);
                if o.end > range.end {
                    break;
                }
                others.next();
            }
            if start < range.end {
                ranges.push(start..range.end);
            }
        }
        Self { ranges }
    }

    /// What is missing below [`SequenceSet::end`].
    pub fn gaps(&self) -> Self {
        Self::from_range(0..self.end()).difference(self)
    }
}

impl FromIterator<Range<u64>> for SequenceSet {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::new();
        for range in ranges {
            set.insert(range);
        }
        set
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, range) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "[{},{})", range.start, range.end)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn numbers(set: &SequenceSet) -> BTreeSet<u64> {
        set.ranges.iter().cloned().flatten().collect()
    }

    fn any_set() -> impl Strategy<Value = SequenceSet> {
        prop::collection::vec((0u64..60, 0u64..9), 0..12)
            .prop_map(|runs| runs.into_iter().map(|(start, length)| start..start + length).collect())
    }

    proptest! {
        #[test]
        fn set_arithmetic_agrees_with_plain_sets(a in any_set(), b in any_set()) {
            let (x, y) = (numbers(&a), numbers(&b));
            let mut joined = a.clone();
            joined.extend(&b);
            prop_assert_eq!(numbers(&joined), x.union(&y).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(numbers(&a.intersection(&b)), x.intersection(&y).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(numbers(&a.difference(&b)), x.difference(&y).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(a.count(), x.len() as u64);
            for set in [&joined, &a.intersection(&b), &a.difference(&b), &a.gaps()] {
                prop_assert!(set.ranges.iter().all(|r| r.start < r.end));
                prop_assert!(set.ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{}", set);
            }
            for n in 0..80 {
                prop_assert_eq!(a.contains(n), x.contains(&n));
            }
        }
    }

    #[test]
    fn gaps_are_what_a_machine_must_send_again() {
        let set: SequenceSet = [0..10, 12..20, 30..31].into_iter().collect();
        assert_eq!(set.contiguous_end(), 10);
        assert_eq!(set.gaps().to_string(), "{[10,12),[20,30)}");
        assert_eq!(SequenceSet::from_range(5..8).gaps().to_string(), "{[0,5)}");
    }
}
