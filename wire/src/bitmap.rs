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

    /// Builds the presence of `records` records from the positions that have a value.
    pub fn from_positions(positions: impl IntoIterator<Item = usize>, records: usize) -> Self {
        let mut bytes = vec![0; records.div_ceil(8)];
        let mut count = 0;
        for position in positions {
            bytes[position / 8] |= 1 << (position % 8);
            count += 1;
        }
        if count == records { Self::ALL } else { Self(bytes) }
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
