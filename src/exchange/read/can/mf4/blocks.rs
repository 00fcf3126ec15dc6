//! Blocks: four letters, a length, links to other blocks, then data. All little-endian; every offset is checked.

/// Bytes before the links.
pub(super) const HEADER_BYTES: usize = 24;
/// Links read of one block; channels have eight and more, lists of data blocks some thousands.
const MAX_LINKS: u64 = 1 << 20;

/// A block that lies within the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    file: &'a [u8],
    /// Where it begins.
    pub(super) at: usize,
    links: usize,
    /// What follows the links, as far as it lies in the file.
    pub(super) data: &'a [u8],
    /// Bytes of data that its length announces and the file lacks.
    pub(super) missing: u64,
}

impl<'a> Block<'a> {
    /// The block at `at`, when its letters are among `ids`.
    pub(super) fn at(file: &'a [u8], at: u64, ids: &[&[u8; 4]]) -> Option<Self> {
        let at = usize::try_from(at).ok().filter(|at| *at != 0)?;
        let header = file.get(at..at.checked_add(HEADER_BYTES)?)?;
        if !ids.iter().any(|id| &header[..4] == *id) {
            return None;
        }
        let (length, links) = (u64_at(header, 8)?, u64_at(header, 16)?);
        let links = usize::try_from(links).ok().filter(|links| *links as u64 <= MAX_LINKS)?;
        let data_at = at.checked_add(HEADER_BYTES + 8 * links)?;
        let rest = file.get(data_at..)?;
        // A block that ends before its data begins holds none.
        let announced = length.saturating_sub((HEADER_BYTES + 8 * links) as u64);
        let held = usize::try_from(announced).unwrap_or(usize::MAX).min(rest.len());
        Some(Self { file, at, links, data: &rest[..held], missing: announced - held as u64 })
    }

    /// Letters of the block.
    pub(super) fn id(&self) -> &'a [u8] {
        &self.file[self.at..self.at + 4]
    }

    /// Everything from the beginning of the data to the end of the file: for a block whose length was never filled in.
    pub(super) fn data_to_end(&self) -> &'a [u8] {
        &self.file[self.at + HEADER_BYTES + 8 * self.links..]
    }

    /// A link; 0 for none.
    pub(super) fn link(&self, index: usize) -> u64 {
        if index >= self.links {
            return 0;
        }
        u64_at(self.file, self.at + HEADER_BYTES + 8 * index).unwrap_or(0)
    }

    /// Number of links.
    pub(super) fn links(&self) -> usize {
        self.links
    }

    /// The block that a link leads to, when its letters are among `ids`.
    pub(super) fn follow(&self, index: usize, ids: &[&[u8; 4]]) -> Option<Block<'a>> {
        Block::at(self.file, self.link(index), ids)
    }

    /// The text that a link leads to.
    pub(super) fn text(&self, index: usize) -> Option<&'a str> {
        let text = self.follow(index, &[b"##TX", b"##MD"])?.data;
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        std::str::from_utf8(&text[..end]).ok()
    }

    pub(super) fn u8(&self, at: usize) -> Option<u8> {
        self.data.get(at).copied()
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        u64_at(self.data, at)
    }

    pub(super) fn f64(&self, at: usize) -> Option<f64> {
        self.u64(at).map(f64::from_bits)
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
