//! Writing a ledger: appends gather in memory, one thread writes and syncs them together.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use wire::{Encoding, MachineSerial, Stored};

use super::read::{for_each_entry, io_error};
use super::{FILE_MAGIC, KIND_RUN, KIND_STORED, LedgerContent, LedgerError, read};

/// Bytes that may wait for the disk; beyond, units wait before they record more.
const MAX_WAITING_BYTES: u64 = 32 * 1024 * 1024;

/// How often a thread that waits for the disk looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A ledger that is being written.
#[derive(Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
    durable: watch::Receiver<Durable>,
    writer: Option<JoinHandle<()>>,
}

/// How far the ledger has reached the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Durable {
    /// All entries up to this position are on the disk.
    Up(u64),
    /// The disk refused; nothing more becomes durable.
    Failed(String),
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Bytes ever appended: the position of the last entry's end.
    appended: u64,
    closing: bool,
}

impl Ledger {
    /// Opens the ledger at `path` for appending, or begins one. A torn end, which a crash left, is cut off.
    ///
    /// # Errors
    /// When the file cannot be written, or is no ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let fail = |source| io_error(path, source);
        let exists = std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0);
        let whole_bytes = if exists { for_each_entry(path, |_, _, _| Ok(()))? } else { 0 };
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(fail)?;
        if exists {
            file.set_len(whole_bytes).map_err(fail)?;
        } else {
            file.write_all(FILE_MAGIC).map_err(fail)?;
        }
        file.sync_all().map_err(fail)?;
        let shared = Arc::new(Shared { state: Mutex::default(), work: Condvar::new() });
        let (sender, durable) = watch::channel(Durable::Up(0));
        let writer = std::thread::Builder::new()
            .name("ledger".into())
            .spawn({
                let (shared, path) = (Arc::clone(&shared), path.to_path_buf());
                move || write_all(&shared, file, &path, &sender)
            })
            .map_err(fail)?;
        Ok(Self { shared, durable, writer: Some(writer) })
    }

    /// Reads the ledger at `path` back.
    ///
    /// # Errors
    /// When the file cannot be read, is no ledger, or is damaged before its end.
    pub fn read(path: &Path) -> Result<LedgerContent, LedgerError> {
        read::read(path)
    }

    /// Appends a run, packed as an uncompressed frame; gives the position at which it is durable.
    pub fn append_run(&self, packed: &[u8]) -> u64 {
        self.append(KIND_RUN, &[packed])
    }

    /// Appends a `stored` message that arrived for `machine`.
    pub fn append_stored(&self, machine: &MachineSerial, stored: &Stored) -> u64 {
        let serial = machine.as_str().as_bytes();
        let length = u8::try_from(serial.len()).expect("a serial has at most 64 bytes");
        self.append(KIND_STORED, &[&[length], serial, &stored.encode(Encoding::Binary)])
    }

    /// How far the disk is; changes are notified.
    pub fn durable(&self) -> watch::Receiver<Durable> {
        self.durable.clone()
    }

    /// Waits until the disk has caught up enough for more to be appended.
    pub async fn room(&self) {
        let mut durable = self.durable.clone();
        loop {
            let appended = self.state().appended;
            match &*durable.borrow_and_update() {
                // The disk may have passed what was appended a moment ago.
                Durable::Up(position) if appended.saturating_sub(*position) > MAX_WAITING_BYTES => {}
                _ => return,
            }
            if durable.changed().await.is_err() {
                return;
            }
        }
    }

    /// As [`Ledger::room`], for callers outside a runtime.
    pub fn wait_for_room(&self) {
        loop {
            let appended = self.state().appended;
            match &*self.durable.borrow() {
                Durable::Up(position) if appended - position > MAX_WAITING_BYTES => {}
                _ => return,
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn append(&self, kind: u8, parts: &[&[u8]]) -> u64 {
        let size = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
        let checksum = parts.iter().fold(crc32c::crc32c(&[kind]), |crc, part| crc32c::crc32c_append(crc, part));
        let size_field = u32::try_from(size).expect("a run is bounded by its number of values");
        let mut state = self.state();
        state.waiting.extend(size_field.to_le_bytes());
        state.waiting.extend(checksum.to_le_bytes());
        state.waiting.push(kind);
        for part in parts {
            state.waiting.extend(*part);
        }
        state.appended += (super::ENTRY_HEAD_BYTES + size) as u64;
        let position = state.appended;
        drop(state);
        self.shared.work.notify_one();
        position
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Drop for Ledger {
    /// Writes out what waits.
    fn drop(&mut self) {
        self.state().closing = true;
        self.shared.work.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told so; there is nothing left to save.
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// The lock is held for a copy of memory only, and never across a wait.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_all(shared: &Shared, mut file: File, path: &Path, durable: &watch::Sender<Durable>) {
    let mut batch = Vec::new();
    loop {
        let (position, closing) = {
            let mut state = shared.lock();
            while state.waiting.is_empty() && !state.closing {
                state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            batch.clear();
            std::mem::swap(&mut batch, &mut state.waiting);
            (state.appended, state.closing)
        };
        if !batch.is_empty()
            && let Err(source) = file.write_all(&batch).and_then(|()| file.sync_data())
        {
            let error = LedgerError::Io { path: PathBuf::from(path), source };
            tracing::error!("{error}");
            durable.send_replace(Durable::Failed(error.to_string()));
            return;
        }
        durable.send_replace(Durable::Up(position));
        if closing && shared.lock().waiting.is_empty() {
            return;
        }
    }
}
