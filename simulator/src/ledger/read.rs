//! Reading a ledger back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use wire::{BootId, Frame, MachineSerial, SequenceSet, Stored};

use super::{ENTRY_HEAD_BYTES, FILE_MAGIC, KIND_RUN, KIND_STORED, LedgerError, MAX_ENTRY_BYTES};
use wire::{Record, records_of};

/// What a ledger says.
#[derive(Debug, Clone, Default)]
pub struct LedgerContent {
    /// By machine and boot.
    pub boots: BTreeMap<(MachineSerial, BootId), BootLedger>,
    /// Bytes at the end that a crash cut off in the middle of an entry.
    pub torn_bytes: u64,
}

/// What a ledger says of one boot.
#[derive(Debug, Clone, Default)]
pub struct BootLedger {
    /// What was recorded, as runs, in the order of writing.
    pub runs: Vec<Frame>,
    /// Union of all that `stored` messages named. It may name more than was recorded here when another unit has used
    /// the same boot number.
    pub freed: SequenceSet,
}

impl BootLedger {
    /// The sequence numbers recorded.
    pub fn recorded(&self) -> SequenceSet {
        self.runs.iter().map(|run| run.header.sequences()).collect()
    }

    /// The records with their sequence numbers, in the order of writing.
    pub fn records(&self) -> impl Iterator<Item = (u64, Record)> + '_ {
        self.runs.iter().flat_map(|run| run.header.sequences().zip(records_of(&run.body)))
    }
}

impl LedgerContent {
    /// Number of records in the ledger.
    pub fn recorded(&self) -> u64 {
        self.boots.values().map(|boot| boot.recorded().count()).sum()
    }

    /// Number of records of the ledger that `stored` messages named.
    pub fn freed(&self) -> u64 {
        self.boots.values().map(|boot| boot.recorded().intersection(&boot.freed).count()).sum()
    }
}

/// Reads the ledger at `path`.
pub(super) fn read(path: &Path) -> Result<LedgerContent, LedgerError> {
    let mut content = LedgerContent::default();
    let intact_bytes = for_each_entry(path, |offset, kind, bytes| {
        add(&mut content, kind, bytes).map_err(|reason| LedgerError::Damaged {
            path: path.to_path_buf(),
            offset,
            reason,
        })
    })?;
    let length = std::fs::metadata(path).map_err(|source| io_error(path, source))?.len();
    content.torn_bytes = length.saturating_sub(intact_bytes);
    Ok(content)
}

/// Calls `each` with the offset, kind and content of every whole entry; gives the length of the whole part.
///
/// An entry whose checksum is wrong ends the whole part when nothing follows it: a crash may have synced its length
/// before its content.
pub(super) fn for_each_entry(
    path: &Path,
    mut each: impl FnMut(u64, u8, &[u8]) -> Result<(), LedgerError>,
) -> Result<u64, LedgerError> {
    let fail = |source| io_error(path, source);
    let file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; FILE_MAGIC.len()];
    if read_full(&mut reader, &mut magic).map_err(fail)? < magic.len() || magic != *FILE_MAGIC {
        return Err(LedgerError::NotALedger { path: path.to_path_buf() });
    }
    let mut offset = FILE_MAGIC.len() as u64;
    let mut bytes = Vec::new();
    loop {
        let mut head = [0; ENTRY_HEAD_BYTES];
        if read_full(&mut reader, &mut head).map_err(fail)? < head.len() {
            return Ok(offset);
        }
        let size = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let checksum = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let end = offset + (ENTRY_HEAD_BYTES + size) as u64;
        let damaged = |reason: &str| LedgerError::Damaged { path: path.to_path_buf(), offset, reason: reason.into() };
        if end > length {
            return Ok(offset);
        }
        if size == 0 || size > MAX_ENTRY_BYTES {
            return Err(damaged("an entry has an impossible length"));
        }
        bytes.resize(size, 0);
        reader.read_exact(&mut bytes).map_err(fail)?;
        if crc32c::crc32c(&bytes) != checksum {
            return if end == length { Ok(offset) } else { Err(damaged("the checksum of an entry is wrong")) };
        }
        each(offset, bytes[0], &bytes[1..])?;
        offset = end;
    }
}

fn add(content: &mut LedgerContent, kind: u8, bytes: &[u8]) -> Result<(), String> {
    match kind {
        KIND_RUN => {
            let frame = wire::decode(bytes).map_err(|error| error.to_string())?.frame;
            let key = (frame.header.machine.clone(), frame.header.boot);
            content.boots.entry(key).or_default().runs.push(frame);
        }
        KIND_STORED => {
            let (length, rest) = bytes.split_first().ok_or("a stored entry is empty")?;
            let (serial, message) = rest.split_at_checked(usize::from(*length)).ok_or("a serial is cut off")?;
            let serial = std::str::from_utf8(serial).map_err(|error| error.to_string())?;
            let serial = MachineSerial::parse(serial).map_err(|error| error.to_string())?;
            let stored = Stored::decode(message).map_err(|error| error.to_string())?;
            let boot = BootId::new(stored.boot).map_err(|error| error.to_string())?;
            content.boots.entry((serial, boot)).or_default().freed.extend(&stored.freed());
        }
        other => return Err(format!("entry kind {other} is unknown")),
    }
    Ok(())
}

/// Reads until `buffer` is full or the file ends.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

pub(super) fn io_error(path: &Path, source: io::Error) -> LedgerError {
    LedgerError::Io { path: path.to_path_buf(), source }
}
