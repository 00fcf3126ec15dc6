//! A ring buffer in a file: what a unit keeps across power cuts. Bounded, append-only, torn writes are recognised.
//!
//! ```text
//! file       = superblock · superblock · ring          the two superblocks are written in turn
//! superblock = "PVRING1\n" · generation u64 · boot u64 · tail u64 · capacity u64 · 20 zeros · CRC-32C u32     64 bytes
//! ring       = entry*                                  an entry may run over the end and go on at the beginning
//! entry      = length u32 · CRC-32C u32 of (position u64, content) · content · zeros to a multiple of 8
//! ```
//!
//! Numbers are little-endian. A **position** counts bytes ever written, so it never repeats; modulo the capacity it is
//! the place in the ring. The checksum covers it, so that what an earlier round left is never taken for an entry. The
//! buffer holds what lies from `tail` to the first entry that does not check out.
//!
//! The tail on the disk may lag behind the real one: then entries that were freed are found again after a power cut,
//! and sent again, which is harmless. It is brought up to date before anything behind it is overwritten.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use wire::BootId;

const MAGIC: &[u8; 8] = b"PVRING1\n";
const SUPERBLOCK_BYTES: usize = 64;
const RING_STARTS_AT: u64 = 2 * SUPERBLOCK_BYTES as u64;
const ENTRY_HEAD_BYTES: usize = 8;
const ALIGNMENT: u64 = 8;
/// Longest entry, as in the ledger: a run is packed without compression.
const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;
/// Smallest ring: some frames of the usual size.
pub(super) const MIN_CAPACITY_BYTES: u64 = 16 * 1024;

/// Why a ring could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The file system refused.
    #[error("buffer {path}: {source}; give a folder on a disk with room that may be written to")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else, or both superblocks are damaged.
    #[error(
        "buffer {path} has no superblock that checks out; it is another file, or its disk is failing: move it away"
    )]
    NotARing {
        /// The file.
        path: PathBuf,
    },
    /// An entry does not check out any more: the disk lost it.
    #[error("buffer {path} is damaged at position {position}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the entry begins.
        position: u64,
    },
}

/// A ring buffer in a file.
///
/// The file is opened for each access: a fleet of ten thousand units must not hold ten thousand files open. A real
/// unit has one and keeps it open.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    capacity: u64,
    /// Whether a write is on the disk when it returns: then the buffer survives a loss of power, else only the end of
    /// the process.
    sync: bool,
    boot: u64,
    generation: u64,
    tail: u64,
    /// The tail that the superblock on the disk has.
    durable_tail: u64,
    head: u64,
}

/// An entry of a ring: where it is and what it holds.
pub(super) type Entry = (u64, Vec<u8>);

impl Ring {
    /// Opens the ring at `path`, or makes one of `capacity_bytes`; gives what it holds, oldest first. A ring that
    /// exists keeps its capacity.
    pub(super) fn open(path: &Path, capacity_bytes: u64, sync: bool) -> Result<(Self, Vec<Entry>), RingError> {
        let fail = |source| RingError::Io { path: path.to_path_buf(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        let capacity = capacity_bytes.max(MIN_CAPACITY_BYTES).next_multiple_of(ALIGNMENT);
        let mut ring = Self {
            path: path.to_path_buf(),
            capacity,
            sync,
            boot: 0,
            generation: 0,
            tail: 0,
            durable_tail: 0,
            head: 0,
        };
        if file.metadata().map_err(fail)?.len() == 0 {
            ring.write_superblock(&file).map_err(fail)?;
            return Ok((ring, Vec::new()));
        }
        ring.read_superblocks(&file).map_err(fail)?.ok_or_else(|| RingError::NotARing { path: path.to_path_buf() })?;
        let mut entries = Vec::new();
        ring.head = ring.tail;
        while ring.head - ring.tail < ring.capacity
            && let Some(content) = ring.read_at(&file, ring.head).map_err(fail)?
        {
            let size = entry_bytes(content.len());
            entries.push((ring.head, content));
            ring.head += size;
        }
        Ok((ring, entries))
    }

    /// The greatest boot number that was ever used with this ring; 0 for none.
    pub(super) fn last_boot(&self) -> u64 {
        self.boot
    }

    /// Notes that `boot` runs, before its first record: no later start may use the number again.
    pub(super) fn begin_boot(&mut self, boot: BootId) -> Result<(), RingError> {
        self.boot = self.boot.max(boot.as_u64());
        self.with_file(|ring, file| ring.write_superblock(file))
    }

    /// Whether an entry with `length` bytes of content fits without anything being released.
    pub(super) fn has_room_for(&self, length: usize) -> bool {
        self.head + entry_bytes(length) - self.tail <= self.capacity
    }

    /// Appends an entry, for which there is room; gives its position.
    pub(super) fn append(&mut self, content: &[u8]) -> Result<u64, RingError> {
        debug_assert!(self.has_room_for(content.len()) && content.len() <= MAX_ENTRY_BYTES);
        let position = self.head;
        let end = position + entry_bytes(content.len());
        let mut bytes = Vec::with_capacity((end - position) as usize);
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend(checksum(position, content).to_le_bytes());
        bytes.extend(content);
        bytes.resize((end - position) as usize, 0);
        self.with_file(|ring, file| {
            if end - ring.durable_tail > ring.capacity {
                ring.write_superblock(file)?;
            }
            ring.write_wrapped(file, position, &bytes)?;
            if ring.sync { file.sync_data() } else { Ok(()) }
        })?;
        self.head = end;
        Ok(position)
    }

    /// Reads the entry at `position`.
    pub(super) fn read(&self, position: u64) -> Result<Vec<u8>, RingError> {
        let read = File::open(&self.path).and_then(|file| self.read_at(&file, position));
        match read {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(RingError::Damaged { path: self.path.clone(), position }),
            Err(source) => Err(RingError::Io { path: self.path.clone(), source }),
        }
    }

    /// Gives up what lies before `position`; none: everything.
    pub(super) fn release(&mut self, position: Option<u64>) {
        self.tail = position.unwrap_or(self.head);
    }

    /// Writes the tail to the disk; without it, what was freed last is sent again after a restart.
    pub(super) fn close(&mut self) -> Result<(), RingError> {
        self.with_file(|ring, file| ring.write_superblock(file))
    }

    fn with_file(&mut self, work: impl FnOnce(&mut Self, &File) -> io::Result<()>) -> Result<(), RingError> {
        let outcome = OpenOptions::new().read(true).write(true).open(&self.path).and_then(|file| work(self, &file));
        outcome.map_err(|source| RingError::Io { path: self.path.clone(), source })
    }

    fn write_superblock(&mut self, file: &File) -> io::Result<()> {
        let generation = self.generation + 1;
        let mut block = [0; SUPERBLOCK_BYTES];
        block[..8].copy_from_slice(MAGIC);
        for (place, number) in block[8..40].chunks_exact_mut(8).zip([generation, self.boot, self.tail, self.capacity]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = crc32c::crc32c(&block[..SUPERBLOCK_BYTES - 4]);
        block[SUPERBLOCK_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
        file.write_all_at(&block, (generation % 2) * SUPERBLOCK_BYTES as u64)?;
        if self.sync {
            file.sync_data()?;
        }
        self.generation = generation;
        self.durable_tail = self.tail;
        Ok(())
    }

    /// Takes over the newer of the superblocks that check out; none when neither does.
    fn read_superblocks(&mut self, file: &File) -> io::Result<Option<()>> {
        let mut newest: Option<[u64; 4]> = None;
        for number in 0..2u64 {
            let mut block = [0; SUPERBLOCK_BYTES];
            match file.read_exact_at(&mut block, number * SUPERBLOCK_BYTES as u64) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                other => other?,
            }
            let sum = crc32c::crc32c(&block[..SUPERBLOCK_BYTES - 4]);
            if &block[..8] != MAGIC || block[SUPERBLOCK_BYTES - 4..] != sum.to_le_bytes() {
                continue;
            }
            let at = |index: usize| block[8 + 8 * index..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let found = [at(0), at(1), at(2), at(3)];
            if newest.is_none_or(|newest| newest[0] < found[0]) {
                newest = Some(found);
            }
        }
        let Some([generation, boot, tail, capacity]) = newest else { return Ok(None) };
        (self.generation, self.boot, self.tail, self.durable_tail, self.capacity) =
            (generation, boot, tail, tail, capacity);
        // A capacity that checks out and is still impossible was written by somebody else.
        Ok((capacity >= MIN_CAPACITY_BYTES).then_some(()))
    }

    /// The content of the entry at `position`; none when there is no entry.
    fn read_at(&self, file: &File, position: u64) -> io::Result<Option<Vec<u8>>> {
        let mut head = [0; ENTRY_HEAD_BYTES];
        if !self.read_wrapped(file, position, &mut head)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let sum = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if length == 0 || length > MAX_ENTRY_BYTES || entry_bytes(length) > self.capacity {
            return Ok(None);
        }
        let mut content = vec![0; length];
        let whole = self.read_wrapped(file, position + ENTRY_HEAD_BYTES as u64, &mut content)?;
        Ok((whole && checksum(position, &content) == sum).then_some(content))
    }

    fn write_wrapped(&self, file: &File, position: u64, bytes: &[u8]) -> io::Result<()> {
        let place = position % self.capacity;
        let to_the_end = ((self.capacity - place) as usize).min(bytes.len());
        file.write_all_at(&bytes[..to_the_end], RING_STARTS_AT + place)?;
        file.write_all_at(&bytes[to_the_end..], RING_STARTS_AT)
    }

    /// False when the file ends before `bytes` are full: nothing was ever written there.
    fn read_wrapped(&self, file: &File, position: u64, bytes: &mut [u8]) -> io::Result<bool> {
        let place = position % self.capacity;
        let to_the_end = ((self.capacity - place) as usize).min(bytes.len());
        let (first, second) = bytes.split_at_mut(to_the_end);
        let read =
            file.read_exact_at(first, RING_STARTS_AT + place).and_then(|()| file.read_exact_at(second, RING_STARTS_AT));
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            other => other.map(|()| true),
        }
    }
}

fn entry_bytes(length: usize) -> u64 {
    ((ENTRY_HEAD_BYTES + length) as u64).next_multiple_of(ALIGNMENT)
}

fn checksum(position: u64, content: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&position.to_le_bytes()), content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn ring() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ring");
        (folder, path)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Append(usize),
        Release(usize),
        /// The process ends and starts again; the entry that is being written is cut off after so many bytes.
        Kill(Option<usize>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (1usize..3_000).prop_map(Step::Append),
            3 => (0usize..6).prop_map(Step::Release),
            2 => prop::option::of(0usize..600).prop_map(Step::Kill),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_was_appended_and_not_released_is_there_after_every_kill(
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let (_folder, path) = ring();
            let (mut ring, _) = Ring::open(&path, 0, false).expect("a new ring");
            let mut kept: VecDeque<Entry> = VecDeque::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Append(length) => {
                        let content = vec![number as u8; length];
                        while !ring.has_room_for(length) {
                            kept.pop_front();
                            ring.release(kept.front().map(|(position, _)| *position));
                        }
                        kept.push_back((ring.append(&content).expect("room"), content));
                    }
                    Step::Release(count) => {
                        kept.drain(..count.min(kept.len()));
                        ring.release(kept.front().map(|(position, _)| *position));
                    }
                    Step::Kill(torn) => {
                        if let Some(bytes) = torn.filter(|_| ring.has_room_for(1_000)) {
                            // The head of an entry and a part of its content reach the disk, and no more.
                            if ring.head + 1_008 - ring.durable_tail > ring.capacity {
                                ring.close().expect("written");
                            }
                            let file = OpenOptions::new().write(true).open(&path).expect("the ring");
                            let mut entry = 1_000u32.to_le_bytes().to_vec();
                            entry.extend(checksum(ring.head, &[0xee; 1_000]).to_le_bytes());
                            entry.resize(8 + bytes, 0xee);
                            ring.write_wrapped(&file, ring.head, &entry).expect("written");
                        }
                        let (reopened, found) = Ring::open(&path, 999_999, false).expect("the same ring");
                        // What was freed after the superblock was last written is found again, before the rest.
                        let known = found.len() - kept.len();
                        prop_assert!(found[known..].iter().eq(kept.iter()), "{} of {}", known, found.len());
                        prop_assert_eq!(reopened.capacity, ring.capacity);
                        ring = reopened;
                        kept = found.into();
                    }
                }
                for (position, content) in &kept {
                    prop_assert_eq!(&ring.read(*position).expect("kept"), content);
                }
            }
        }
    }

    #[test]
    fn a_boot_number_outlives_the_process_and_a_torn_superblock() {
        let (_folder, path) = ring();
        let (mut ring, _) = Ring::open(&path, 0, true).expect("a new ring");
        for boot in [7, 8] {
            ring.begin_boot(BootId::new(boot).expect("small")).expect("written");
        }
        let torn = (ring.generation % 2) * SUPERBLOCK_BYTES as u64;
        let file = OpenOptions::new().write(true).open(&path).expect("the ring");
        file.write_all_at(&[0xff; 20], torn + 16).expect("written");
        let (ring, entries) = Ring::open(&path, 0, true).expect("one superblock is enough");
        assert_eq!((ring.last_boot(), entries.len()), (7, 0));
    }

    #[test]
    fn another_file_and_a_lost_entry_are_recognised() {
        let (_folder, path) = ring();
        std::fs::write(&path, "not a ring, but long enough to hold two superblocks ".repeat(4)).expect("written");
        let error = Ring::open(&path, 0, false).expect_err("no ring").to_string();
        assert!(error.contains("has no superblock that checks out"), "{error}");
        std::fs::remove_file(&path).expect("removed");
        let (mut ring, _) = Ring::open(&path, 0, false).expect("a new ring");
        let position = ring.append(b"content").expect("room");
        let file = OpenOptions::new().write(true).open(&path).expect("the ring");
        file.write_all_at(b"X", RING_STARTS_AT + 10).expect("written");
        assert!(matches!(ring.read(position), Err(RingError::Damaged { .. })));
    }
}
