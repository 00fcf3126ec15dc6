//! The one place that touches files: a path becomes named bytes of a known format.

use std::fs;
use std::io::{self, Cursor, Read as _};
use std::path::{Path, PathBuf};

use super::read::can;
use super::read::isoxml::{FileSet, MAX_FILES};
use super::read::{At, Problem, Problems};
use super::recording::{self, Defect, Format, Options, Recordings};

/// Bytes of one recording, unpacked. Logs reach some megabytes a day; a bus log of a season is cut by its recorder.
pub const MAX_RECORDING_BYTES: u64 = 1024 * 1024 * 1024;
/// Lines looked at to tell the format.
const LINES_LOOKED_AT: usize = 40;
/// Columns of a yield monitor row that make a line look like one.
const YIELD_COLUMNS: usize = 14;

/// Why a path could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Too much for the memory.
    #[error("{} holds more than {} MiB; split it", path.display(), MAX_RECORDING_BYTES >> 20)]
    TooLarge {
        /// The path.
        path: PathBuf,
    },
    /// None of the known formats.
    #[error(
        "{} is none of the formats that can be replayed: a folder or zip with TASKDATA.XML and its time logs, gpsd \
         JSON lines, yield monitor text (\"advanced\", 14 columns or more), a bus log (candump, Vector ASC, PEAK trc, MF4)", path.display()
    )]
    UnknownFormat {
        /// The path.
        path: PathBuf,
    },
    /// A folder or archive without task data.
    #[error("{} has neither TASKDATA.XML nor time logs (TLG00001.BIN) in it; name the files to replay", path.display())]
    NoTaskData {
        /// The path.
        path: PathBuf,
    },
    /// A zip that cannot be unpacked.
    #[error("cannot unpack {}: {reason}", path.display())]
    BadArchive {
        /// The path.
        path: PathBuf,
        /// What the unpacker said.
        reason: String,
    },
}

/// What lies at a path, in memory.
#[derive(Debug)]
pub enum Input {
    /// Folders of task data; an archive may hold several.
    TaskData {
        /// The folders.
        folders: Vec<FileSet>,
        /// Name of the folder or archive, for machines that task data leaves unnamed.
        name: String,
        /// Files that were left out.
        problems: Vec<Problem<Defect>>,
    },
    /// A recording that is one file.
    File {
        /// Its format, told by its content.
        format: Format,
        /// Its name.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
}

/// Opens and reads a recording: a file, a folder of task data, or any file inside one.
///
/// # Errors
/// [`OpenError`] when nothing at all could be read; what is wrong inside comes with the result.
pub fn open(path: &Path, options: &Options) -> Result<Recordings, OpenError> {
    Ok(match load(path)? {
        Input::File { format, name, bytes } => recording::from_file(format, &name, &bytes, options),
        Input::TaskData { folders, name, problems } => {
            let mut all = Recordings { problems, ..Recordings::default() };
            for folder in &folders {
                let mut found = recording::from_task_data(folder, &name, options);
                all.recordings.append(&mut found.recordings);
                all.problems.append(&mut found.problems);
            }
            all
        }
    })
}

/// Brings what lies at a path into memory and tells its format by its content.
///
/// # Errors
/// As [`open`].
pub fn load(path: &Path) -> Result<Input, OpenError> {
    let read_error = |source| OpenError::Read { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(read_error)?;
    if metadata.is_dir() {
        return load_folder(path, path);
    }
    let name = file_name(path);
    if is_task_data(&name) {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        return load_folder(folder.unwrap_or(Path::new(".")), path);
    }
    let mut budget = MAX_RECORDING_BYTES;
    let bytes = read_file(path, path, &mut budget)?;
    if bytes.starts_with(b"PK\x03\x04") {
        return load_archive(path, &bytes);
    }
    let format = detect(&bytes).ok_or_else(|| OpenError::UnknownFormat { path: path.to_owned() })?;
    Ok(Input::File { format, name, bytes })
}

/// Tells a format by its first bytes or lines; `None` for none of them.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    if can::mf4::MAGIC.iter().any(|magic| bytes.starts_with(*magic)) {
        return Some(Format::Mf4);
    }
    super::read::first_lines(bytes, LINES_LOOKED_AT).find_map(|line| {
        let text = String::from_utf8_lossy(line);
        let is_yield_row = || {
            let columns: Vec<&str> = text.split(',').collect();
            let is_number = |column: &str| column.trim().parse::<f64>().is_ok();
            columns.len() >= YIELD_COLUMNS && columns.iter().take(8).all(|column| is_number(column))
        };
        if text.starts_with('{') && text.contains("\"class\"") {
            Some(Format::Gpsd)
        } else if text.starts_with('(') && text.contains(')') && text.contains(['#', '[']) {
            Some(Format::Candump)
        } else if is_asc(&text) {
            Some(Format::Asc)
        } else if is_trc(&text) {
            Some(Format::Trc)
        } else {
            is_yield_row().then_some(Format::YieldMonitor)
        }
    })
}

/// A line of the head of a Vector log.
fn is_asc(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let is_date = || line.starts_with("date ") && line.contains(':');
    ["base hex", "base dec", "begin triggerblock"].iter().any(|start| line.starts_with(start)) || is_date()
}

/// The head of a PEAK trace, or its first message: `1)`.
fn is_trc(line: &str) -> bool {
    let is_message =
        || line.split_once(')').is_some_and(|(number, rest)| number.parse::<u32>().is_ok() && !rest.is_empty());
    line.starts_with(";$FILEVERSION") || is_message()
}

/// Task data lies in the folder, or in a folder `TASKDATA` inside it.
fn load_folder(folder: &Path, asked: &Path) -> Result<Input, OpenError> {
    let name = fs::canonicalize(folder).map_or_else(|_| file_name(folder), |path| file_name(&path));
    let mut problems = Problems::new(&name);
    let mut budget = MAX_RECORDING_BYTES;
    let mut found = read_folder(folder, asked, &mut budget, &mut problems)?;
    if found.is_none() {
        let entries = fs::read_dir(folder).map_err(|source| OpenError::Read { path: folder.to_owned(), source })?;
        let is_inner = |path: &PathBuf| path.is_dir() && file_name(path).eq_ignore_ascii_case("TASKDATA");
        let inner = entries.filter_map(Result::ok).map(|entry| entry.path()).find(is_inner);
        if let Some(inner) = inner {
            found = read_folder(&inner, asked, &mut budget, &mut problems)?;
        }
    }
    let files = found.ok_or_else(|| OpenError::NoTaskData { path: asked.to_owned() })?;
    Ok(Input::TaskData { folders: vec![files], name, problems: problems.into_vec() })
}

/// The XML and BIN files of a folder; `None` when none of them is task data.
fn read_folder(
    folder: &Path,
    asked: &Path,
    budget: &mut u64,
    problems: &mut Problems<Defect>,
) -> Result<Option<FileSet>, OpenError> {
    let read_error = |source| OpenError::Read { path: folder.to_owned(), source };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(read_error)?.take(MAX_FILES) {
        paths.push(entry.map_err(read_error)?.path());
    }
    paths.retain(|path| is_xml_or_bin(&file_name(path)) && path.is_file());
    if !paths.iter().any(|path| is_task_data(&file_name(path))) {
        return Ok(None);
    }
    // The system lists files in any order; which of two alike names is taken must not depend on it.
    paths.sort();
    let mut files = FileSet::default();
    for path in paths {
        let bytes = read_file(&path, asked, budget)?;
        insert(&mut files, &file_name(&path), bytes, problems);
    }
    Ok(Some(files))
}

/// Each folder of an archive that holds task data.
fn load_archive(path: &Path, bytes: &[u8]) -> Result<Input, OpenError> {
    let bad =
        |error: &dyn std::fmt::Display| OpenError::BadArchive { path: path.to_owned(), reason: error.to_string() };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(&e))?;
    let name = file_name(path);
    let mut problems = Problems::new(&name);
    let mut budget = MAX_RECORDING_BYTES;
    let mut folders: Vec<(String, FileSet)> = Vec::new();
    for index in 0..archive.len().min(MAX_FILES) {
        let member = archive.by_index(index).map_err(|e| bad(&e))?;
        let member_name = member.name().map_err(|e| bad(&e))?.replace('\\', "/");
        let (folder, file) = member_name.rsplit_once('/').unwrap_or(("", &member_name));
        if !member.is_file() || !is_xml_or_bin(file) {
            continue;
        }
        // What a member says of its own size is not believed: it is read up to what is left.
        let mut unpacked = Vec::new();
        member.take(budget + 1).read_to_end(&mut unpacked).map_err(|e| bad(&e))?;
        let left = budget.checked_sub(unpacked.len() as u64);
        budget = left.ok_or_else(|| OpenError::TooLarge { path: path.to_owned() })?;
        let known = folders.iter().position(|(known, _)| known == folder).unwrap_or_else(|| {
            folders.push((folder.to_owned(), FileSet::default()));
            folders.len() - 1
        });
        insert(&mut folders[known].1, file, unpacked, &mut problems);
    }
    folders.retain(|(_, files)| files.iter().any(|(name, _)| is_task_data(name)));
    if folders.is_empty() {
        return Err(OpenError::NoTaskData { path: path.to_owned() });
    }
    let folders = folders.into_iter().map(|(_, files)| files).collect();
    Ok(Input::TaskData { folders, name, problems: problems.into_vec() })
}

fn insert(files: &mut FileSet, name: &str, bytes: Vec<u8>, problems: &mut Problems<Defect>) {
    if files.insert(name, bytes).is_err() {
        problems.push(At::File, Defect::FileSkipped(name.to_owned()));
    }
}

fn read_file(path: &Path, asked: &Path, budget: &mut u64) -> Result<Vec<u8>, OpenError> {
    let read_error = |source| OpenError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(read_error)?;
    let mut bytes = Vec::new();
    file.take(*budget + 1).read_to_end(&mut bytes).map_err(read_error)?;
    let left = budget.checked_sub(bytes.len() as u64);
    *budget = left.ok_or_else(|| OpenError::TooLarge { path: asked.to_owned() })?;
    Ok(bytes)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "recording".into(), |name| name.to_string_lossy().into_owned())
}

fn is_xml_or_bin(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extension.eq_ignore_ascii_case("xml") || extension.eq_ignore_ascii_case("bin")
}

fn is_task_data(name: &str) -> bool {
    let is_log = || is_xml_or_bin(name) && name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("TLG"));
    name.eq_ignore_ascii_case("TASKDATA.XML") || is_log()
}
