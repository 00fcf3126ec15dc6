//! The data of a group: one block, a list of blocks, packed blocks, or a list of those.

use std::borrow::Cow;
use std::io::Read as _;

use super::super::super::At;
use super::super::Defect;
use super::blocks::Block;

/// Bytes of one group unpacked: as much as a whole recording may have.
const MAX_UNPACKED_BYTES: usize = 1024 * 1024 * 1024;
/// Lists followed behind each other.
const MAX_LISTS: usize = 65_536;
/// Packed after transposing.
const TRANSPOSED: u8 = 1;

/// Where the data of a group begins.
pub(super) struct Source<'a> {
    file: &'a [u8],
    at: u64,
    to_end: bool,
}

/// A stream of bytes and what was wrong with it.
pub(super) struct Stream<'a> {
    /// The bytes; borrowed where they lie in one piece.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where in the file they begin, for messages; of several pieces, the first.
    pub(super) at: u64,
    /// What could not be read.
    pub(super) defects: Vec<(At, Defect)>,
}

impl<'a> Source<'a> {
    /// Data behind a link. `to_end`: a plain block reaches to the end of the file, whatever its length says.
    pub(super) fn new(file: &'a [u8], at: u64, to_end: bool) -> Self {
        Self { file, at, to_end }
    }

    /// Reads all of it.
    pub(super) fn read(&self) -> Stream<'a> {
        let mut stream = Stream { bytes: Cow::Borrowed(&[]), at: self.at, defects: Vec::new() };
        if self.at == 0 {
            return stream;
        }
        let ids: [&[u8; 4]; 5] = [b"##DT", b"##SD", b"##DL", b"##DZ", b"##HL"];
        let Some(block) = Block::at(self.file, self.at, &ids) else {
            stream.bad(self.at, "a link leads to no data");
            return stream;
        };
        match block.id() {
            b"##DT" | b"##SD" => {
                let data = if self.to_end { block.data_to_end() } else { block.data };
                stream.bytes = Cow::Borrowed(data);
                if block.missing > 0 && !self.to_end {
                    stream.defects.push((At::Byte(block.at as u64), Defect::CutOff { missing: block.missing }));
                }
            }
            b"##HL" => self.list(block.link(0), &mut stream),
            b"##DL" => self.list(self.at, &mut stream),
            _ => stream.append(self.file, self.at),
        }
        stream
    }

    fn list(&self, first: u64, stream: &mut Stream<'a>) {
        let mut next = first;
        for _ in 0..MAX_LISTS {
            if next == 0 {
                return;
            }
            let Some(list) = Block::at(self.file, next, &[b"##DL"]) else {
                return stream.bad(next, "a list of data leads nowhere");
            };
            for index in 1..list.links() {
                stream.append(self.file, list.link(index));
            }
            next = list.link(0);
        }
    }
}

impl<'a> Stream<'a> {
    fn append(&mut self, file: &'a [u8], at: u64) {
        // Lists are filled up with empty links.
        if at == 0 {
            return;
        }
        let Some(block) = Block::at(file, at, &[b"##DT", b"##SD", b"##DZ"]) else {
            return self.bad(at, "a link leads to no data");
        };
        if block.missing > 0 {
            self.defects.push((At::Byte(at), Defect::CutOff { missing: block.missing }));
        }
        let room = MAX_UNPACKED_BYTES - self.bytes.len();
        if block.id() == b"##DZ" {
            match unpack(&block, room) {
                Some(bytes) => self.bytes.to_mut().extend(bytes),
                None => self.bad(at, "it cannot be unpacked"),
            }
        } else if block.data.len() <= room {
            match self.bytes.is_empty() {
                true => self.bytes = Cow::Borrowed(block.data),
                false => self.bytes.to_mut().extend_from_slice(block.data),
            }
        } else {
            self.bad(at, "there is more of it than a recording may hold");
        }
    }

    fn bad(&mut self, at: u64, reason: &'static str) {
        let defect = Defect::BadBlock { block: "a data block", reason, consequence: "its frames are missing" };
        self.defects.push((At::Byte(at), defect));
    }
}

/// Unpacks a `##DZ` block: zlib, and for kind 1 rows that were written column by column.
fn unpack(block: &Block<'_>, room: usize) -> Option<Vec<u8>> {
    let (kind, columns) = (block.u8(2)?, block.u32(4)? as usize);
    let unpacked_bytes = usize::try_from(block.u64(8)?).ok().filter(|bytes| *bytes <= room)?;
    let packed = block.data.get(24..)?;
    let mut bytes = Vec::new();
    // What the block says of its size is not believed: no more than that is taken. What could be unpacked of a
    // block that was cut off is worth having.
    let outcome = flate2::read::ZlibDecoder::new(packed).take(unpacked_bytes as u64).read_to_end(&mut bytes);
    if outcome.is_err() && bytes.is_empty() {
        return None;
    }
    if kind != TRANSPOSED {
        return Some(bytes);
    }
    if bytes.len() != unpacked_bytes || columns == 0 {
        return None;
    }
    let rows = bytes.len() / columns;
    let mut plain = Vec::with_capacity(bytes.len());
    for row in 0..rows {
        plain.extend((0..columns).map(|column| bytes[column * rows + row]));
    }
    // What does not fill a row was left as it was.
    plain.extend_from_slice(&bytes[rows * columns..]);
    Some(plain)
}
