//! Truth files: `{folder}/{day}/{serial}.jsonl`, one machine's working day each, one event a line.
//!
//! Lines gather in memory; one thread appends them to their files, one file open at a time, so that ten thousand
//! machines do not hold ten thousand files open. The lines of a machine keep their order, so the same run makes the
//! same files.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::civil::Date;
use tokio::sync::Notify;
use wire::MachineSerial;

use super::Event;

/// Lines are written when so many bytes wait, or so much time has passed.
const WRITE_AT_BYTES: usize = 4 * 1024 * 1024;
const WRITE_EVERY: Duration = Duration::from_secs(2);
/// How often a thread that waits for the disk looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Bytes that may wait for the disk; beyond, machines wait before they go on.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Why truth files could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file system refused.
    #[error("truth {path}: {source}; check the folder, its disk and who may use it")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something in the folder already, which new lines would mix with.
    #[error("truth folder {path} is not empty; give a new one, or remove what is in it")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A line is no event.
    #[error("truth file {path}, line {line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Truth files that are being written. Dropping it writes out what waits.
#[derive(Debug)]
pub struct TruthFiles {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
    written: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<(Date, MachineSerial), Vec<u8>>,
    bytes: usize,
    closing: bool,
    failed: Option<String>,
}

impl TruthFiles {
    /// Begins to write into `folder`, which is empty or does not exist yet.
    ///
    /// # Errors
    /// When it is not empty or cannot be written.
    pub fn create(folder: &Path) -> Result<Self, TruthError> {
        let fail = |source| TruthError::Io { path: folder.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(fail)?;
        if std::fs::read_dir(folder).map_err(fail)?.next().is_some() {
            return Err(TruthError::NotEmpty { path: folder.to_path_buf() });
        }
        let shared = Arc::new(Shared { state: Mutex::default(), work: Condvar::new(), written: Notify::new() });
        let writer = std::thread::Builder::new()
            .name("truth".into())
            .spawn({
                let (shared, folder) = (Arc::clone(&shared), folder.to_path_buf());
                move || write_all(&shared, &folder)
            })
            .map_err(fail)?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Adds what happened to `machine`.
    pub fn add(&self, machine: &MachineSerial, events: &[Event]) {
        let mut state = self.shared.lock();
        for event in events {
            let lines = state.waiting.entry((event.day(), machine.clone())).or_default();
            let before = lines.len();
            serde_json::to_writer(&mut *lines, event).expect("plain data always serialises into memory");
            lines.push(b'\n');
            let added = lines.len() - before;
            state.bytes += added;
        }
        if state.bytes >= WRITE_AT_BYTES {
            self.shared.work.notify_one();
        }
    }

    /// Waits until the disk has caught up enough for more to be added.
    pub async fn room(&self) {
        loop {
            let written = self.shared.written.notified();
            {
                let state = self.shared.lock();
                if state.bytes < MAX_WAITING_BYTES || state.failed.is_some() {
                    return;
                }
            }
            written.await;
        }
    }

    /// As [`TruthFiles::room`], for callers outside a runtime.
    pub fn wait_for_room(&self) {
        let is_full = |state: &State| state.bytes >= MAX_WAITING_BYTES && state.failed.is_none();
        while is_full(&self.shared.lock()) {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Why nothing more can be written, if so.
    pub fn failed(&self) -> Option<String> {
        self.shared.lock().failed.clone()
    }
}

impl Drop for TruthFiles {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told so; there is nothing left to save.
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// The lock is held for work in memory only, and never across a wait.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_all(shared: &Shared, folder: &Path) {
    loop {
        let (waiting, closing) = {
            let state = shared.lock();
            let (mut state, _) = shared
                .work
                .wait_timeout_while(state, WRITE_EVERY, |state| !state.closing && state.bytes < WRITE_AT_BYTES)
                .unwrap_or_else(PoisonError::into_inner);
            state.bytes = 0;
            (std::mem::take(&mut state.waiting), state.closing)
        };
        for ((day, machine), lines) in &waiting {
            if let Err(error) = append(folder, *day, machine, lines) {
                tracing::error!("{error}");
                shared.lock().failed = Some(error.to_string());
                shared.written.notify_waiters();
                return;
            }
        }
        shared.written.notify_waiters();
        if closing {
            return;
        }
    }
}

fn append(folder: &Path, day: Date, machine: &MachineSerial, lines: &[u8]) -> Result<(), TruthError> {
    let folder = folder.join(day.to_string());
    let path = folder.join(format!("{machine}.jsonl"));
    let open = || OpenOptions::new().create(true).append(true).open(&path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::create_dir_all(&folder).and_then(|()| open()),
        other => other,
    };
    file.and_then(|mut file| file.write_all(lines)).map_err(|source| TruthError::Io { path: path.clone(), source })
}

/// Reads every truth file in `folder`, day after day, machine after machine, and calls `each` with the machine and the
/// event of every line, until it has enough.
///
/// # Errors
/// When a file cannot be read, or a line is no event.
pub fn read_truth(folder: &Path, mut each: impl FnMut(&str, Event) -> ControlFlow<()>) -> Result<(), TruthError> {
    for day in sorted(folder)? {
        for path in sorted(&day)? {
            let machine = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let fail = |source| TruthError::Io { path: path.clone(), source };
            let lines = BufReader::new(File::open(&path).map_err(fail)?).lines();
            for (number, line) in lines.enumerate() {
                let event = serde_json::from_str(&line.map_err(fail)?).map_err(|error| TruthError::Line {
                    path: path.clone(),
                    line: number + 1,
                    reason: error.to_string(),
                })?;
                if each(&machine, event).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, TruthError> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut paths: Vec<_> = entries.map_err(|source| TruthError::Io { path: folder.to_path_buf(), source })?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::{At, Outage, OutageCause};

    fn outage(from_ms: i64) -> Event {
        Event::Outage(Outage { from: At(from_ms), to: At(from_ms + 1), cause: OutageCause::NoNetwork })
    }

    #[test]
    fn lines_stand_in_the_file_of_their_machine_and_day_in_the_order_they_came() {
        const DAY_MS: i64 = 86_400_000;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path().join("truth");
        let machines = ["M-1", "M-2"].map(|serial| MachineSerial::parse(serial).expect("a serial"));
        let files = TruthFiles::create(&folder).expect("a new folder");
        let start = 1_787_198_400_000;
        for second in 0..5 {
            for machine in &machines {
                files.add(machine, &[outage(start + second), outage(start + DAY_MS + second)]);
            }
        }
        drop(files);
        let mut found = Vec::new();
        let keep = |machine: &str, event| {
            found.push((machine.to_string(), event));
            ControlFlow::Continue(())
        };
        read_truth(&folder, keep).expect("readable");
        let expected: Vec<_> = [start, start + DAY_MS]
            .into_iter()
            .flat_map(|day| ["M-1", "M-2"].map(|machine| (day, machine)))
            .flat_map(|(day, machine)| (0..5).map(move |second| (machine.to_string(), outage(day + second))))
            .collect();
        assert_eq!(found, expected);
        assert!(folder.join("2026-08-20/M-1.jsonl").is_file());
        let again = TruthFiles::create(&folder).expect_err("it would mix two runs").to_string();
        assert!(again.contains("is not empty"), "{again}");
    }
}
