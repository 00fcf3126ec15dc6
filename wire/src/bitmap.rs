//! Which records of a run carry a value: one bit a record, lowest bit first.

/// Presence of a column's values. An empty byte vector means that every record has one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bitmap(Vec<u8>);

impl Bitmap {
    /// Every record has a value.
    pub const ALL: Self = Self(Vec::new());

    /// Accepts the bytes of the wire for `records` records; none when their number is wrong or a bit beyond the
    /// last record is set.
    pub fn from_bytes(bytes: Vec<u8>, records: usize) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::ALL);
        }
        let spare = bytes.len() * 8 - records.min(bytes.len() * 8);
        let tail_is_clear = spare < 8 && bytes.last().is_some_and(|last| u32::from(*last) >> (8 - spare) == 0);
        (bytes.len() == records.div_ceil(8) && tail_is_clear).then_some(Self(bytes))
    }

    /// Builds the presence of `records` records from the positions that have a value, in any order.
    ///
    /// # Panics
    /// When a position is not below `records`.
    pub fn from_positions(positions: impl IntoIterator<Item = usize>, records: usize) -> Self {
        let mut bitmap = Self(vec![0; records.div_ceil(8)]);
        for position in positions {
            assert!(position < records, "position {position} is beyond the last of {records} records");
            bitmap.0[position / 8] |= 1 << (position % 8);
        }
        if bitmap.count(records) == records { Self::ALL } else { bitmap }
    }

    /// Whether record `position` has a value.
    pub fn contains(&self, position: usize) -> bool {
        self.0.is_empty() || self.0.get(position / 8).is_some_and(|byte| byte & (1 << (position % 8)) != 0)
    }

    /// How many of `records` records have a value.
    pub fn count(&self, records: usize) -> usize {
        if self.0.is_empty() { records } else { self.0.iter().map(|byte| byte.count_ones() as usize).sum() }
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The positions of `records` records that have a value, ascending.
    pub fn positions(&self, records: usize) -> impl Iterator<Item = usize> + '_ {
        (0..records).filter(|position| self.contains(*position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_survive_and_the_bytes_of_a_bitmap_are_accepted_again(
            present in prop::collection::vec(any::<bool>(), 1..40), twice in any::<bool>(),
        ) {
            let records = present.len();
            let positions: Vec<_> = (0..records).filter(|position| present[*position]).collect();
            let again = if twice { positions.clone() } else { Vec::new() };
            let bitmap = Bitmap::from_positions(positions.iter().copied().chain(again), records);
            prop_assert_eq!(bitmap.positions(records).collect::<Vec<_>>(), positions.clone());
            prop_assert_eq!(bitmap.count(records), positions.len());
            prop_assert_eq!((0..records).map(|position| bitmap.contains(position)).collect::<Vec<_>>(), present);
            prop_assert_eq!(Bitmap::from_bytes(bitmap.as_bytes().to_vec(), records), Some(bitmap));
        }
    }
}
