//! From a path to sources of known format, told by their content: people rename files.

use std::fs;
use std::io::{self, Cursor, Read as _};
use std::path::{Path, PathBuf};

use super::super::open::{self as recordings, Input};
use super::super::read::isoxml::{FileSet, MAX_FILES};
use super::super::read::{At, Problem, Problems};
use super::Defect;

/// Bytes of one file or archive, unpacked.
pub const MAX_IMPORT_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes looked at to tell XML formats apart.
const LOOKED_AT_BYTES: usize = 4096;

/// Files of one format.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder of task data.
    TaskData {
        /// Name of the folder or archive.
        name: String,
        /// Its files.
        files: FileSet,
    },
    /// GeoJSON.
    GeoJson {
        /// File name.
        name: String,
        /// Content.
        bytes: Vec<u8>,
    },
    /// KML.
    Kml {
        /// File name.
        name: String,
        /// Content.
        bytes: Vec<u8>,
    },
}

/// Why nothing could be read from a path.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The path or file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Too much.
    #[error("{name} holds more than {} MiB; split it", MAX_IMPORT_BYTES >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// None of the known formats.
    #[error(
        "{name} is none of the formats that can be imported: GeoJSON, KML or KMZ, ISOXML task data (TASKDATA.XML, its \
         folder or a zip of it)"
    )]
    UnknownFormat {
        /// The file.
        name: String,
    },
    /// A shape file.
    #[error(
        "{name} is a shape file; convert it first, for example: ogr2ogr -t_srs EPSG:4326 fields.geojson fields.shp"
    )]
    ShapeFile {
        /// The file.
        name: String,
    },
    /// A zip that cannot be unpacked.
    #[error("cannot unpack {name}: {reason}")]
    BadArchive {
        /// The file.
        name: String,
        /// What the unpacker said.
        reason: String,
    },
    /// Task data that cannot be opened.
    #[error(transparent)]
    TaskData(#[from] recordings::OpenError),
}

/// Opens a file, an archive or a folder of task data.
///
/// # Errors
/// [`OpenError`] when nothing at all could be read.
pub fn open(path: &Path) -> Result<(Vec<Source>, Vec<Problem<Defect>>), OpenError> {
    let name = path.file_name().map_or_else(|| "folder".into(), |name| name.to_string_lossy().into_owned());
    let is_folder = fs::metadata(path).map_err(|source| read_error(path, source))?.is_dir();
    if is_folder || name.eq_ignore_ascii_case("TASKDATA.XML") {
        let Input::TaskData { folders, name, .. } = recordings::load(path)? else {
            return Err(OpenError::UnknownFormat { name });
        };
        let sources = folders.into_iter().map(|files| Source::TaskData { name: name.clone(), files });
        return Ok((sources.collect(), Vec::new()));
    }
    let file = fs::File::open(path).map_err(|source| read_error(path, source))?;
    let mut bytes = Vec::new();
    file.take(MAX_IMPORT_BYTES + 1).read_to_end(&mut bytes).map_err(|source| read_error(path, source))?;
    from_bytes(&name, bytes)
}

/// The sources in the bytes of one file, as an upload brings them.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<(Vec<Source>, Vec<Problem<Defect>>), OpenError> {
    if bytes.len() as u64 > MAX_IMPORT_BYTES {
        return Err(OpenError::TooLarge { name: name.to_owned() });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return archive(name, &bytes);
    }
    let source = single(name, bytes).map_err(|bytes| match bytes.as_slice() {
        [0, 0, 0x27, 0x0A, ..] => OpenError::ShapeFile { name: name.to_owned() },
        _ => OpenError::UnknownFormat { name: name.to_owned() },
    })?;
    Ok((vec![source], Vec::new()))
}

/// A file by its first letters; handed back where they say nothing.
fn single(name: &str, bytes: Vec<u8>) -> Result<Source, Vec<u8>> {
    let start = super::super::read::start_of_text(&bytes, LOOKED_AT_BYTES);
    let name = name.to_owned();
    match start.trim_start_matches(['\u{1e}', ' ', '\t', '\r', '\n']).chars().next() {
        Some('{' | '[') => Ok(Source::GeoJson { name, bytes }),
        Some('<') if start.contains("ISO11783_TaskData") => {
            Ok(Source::TaskData { name, files: FileSet::from_iter([("TASKDATA.XML", bytes)]) })
        }
        Some('<') if start.contains("<kml") || start.contains(":kml") => Ok(Source::Kml { name, bytes }),
        _ => Err(bytes),
    }
}

/// Task data by folder, and each GeoJSON or KML file.
fn archive(archive_name: &str, bytes: &[u8]) -> Result<(Vec<Source>, Vec<Problem<Defect>>), OpenError> {
    let bad = |reason: &dyn std::fmt::Display| OpenError::BadArchive {
        name: archive_name.to_owned(),
        reason: reason.to_string(),
    };
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| bad(&error))?;
    let mut problems = Problems::new(archive_name);
    let mut budget = MAX_IMPORT_BYTES;
    let mut folders: Vec<(String, FileSet)> = Vec::new();
    let mut sources = Vec::new();
    let mut holds_shapes = false;
    for index in 0..zip.len().min(MAX_FILES) {
        let member = zip.by_index(index).map_err(|error| bad(&error))?;
        let path = member.name().map_err(|error| bad(&error))?.replace('\\', "/");
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let extension = file.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase());
        holds_shapes |= extension == "shp";
        if !member.is_file() || !matches!(&*extension, "xml" | "bin" | "kml" | "json" | "geojson") {
            continue;
        }
        let mut unpacked = Vec::new();
        member.take(budget + 1).read_to_end(&mut unpacked).map_err(|error| bad(&error))?;
        let left = budget.checked_sub(unpacked.len() as u64);
        budget = left.ok_or_else(|| OpenError::TooLarge { name: archive_name.to_owned() })?;
        if !matches!(&*extension, "xml" | "bin") {
            sources.extend(single(file, unpacked).ok());
            continue;
        }
        let known = folders.iter().position(|(known, _)| known == folder).unwrap_or_else(|| {
            folders.push((folder.to_owned(), FileSet::default()));
            folders.len() - 1
        });
        if folders[known].1.insert(file, unpacked).is_err() {
            problems.push(At::File, Defect::FileSkipped(file.to_owned()));
        }
    }
    folders.retain(|(_, files)| files.get("TASKDATA.XML").is_some());
    sources.extend(folders.into_iter().map(|(_, files)| Source::TaskData { name: archive_name.to_owned(), files }));
    match (sources.is_empty(), holds_shapes) {
        (true, true) => Err(OpenError::ShapeFile { name: archive_name.to_owned() }),
        (true, false) => Err(OpenError::UnknownFormat { name: archive_name.to_owned() }),
        (false, _) => Ok((sources, problems.into_vec())),
    }
}

fn read_error(path: &Path, source: io::Error) -> OpenError {
    let name: PathBuf = path.to_owned();
    OpenError::Read { name: name.display().to_string(), source }
}
