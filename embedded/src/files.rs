//! Small file helpers whose errors say which path.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::error::{Doing, EmbeddedError};

/// Lines of a log that an error message quotes.
const LOG_TAIL_LINES_MAX: usize = 12;

pub(crate) fn make_private_dir(path: &Path) -> Result<(), EmbeddedError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).doing(|| format!("make folder {}", path.display()))
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), EmbeddedError> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        io::Write::write_all(&mut file, text.as_bytes())
    };
    write().doing(|| format!("write {}", path.display()))
}

pub(crate) fn read_text(path: &Path) -> Result<String, EmbeddedError> {
    fs::read_to_string(path).doing(|| format!("read {}", path.display()))
}

pub(crate) fn remove_tree(path: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).doing(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Copies a folder with everything in it. Database folders hold plain files and folders only; all else is refused.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), EmbeddedError> {
    make_private_dir(to)?;
    let mode = fs::metadata(from).doing(|| format!("look at {}", from.display()))?.permissions().mode();
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).doing(|| format!("set the mode of {}", to.display()))?;
    for entry in fs::read_dir(from).doing(|| format!("list {}", from.display()))? {
        let entry = entry.doing(|| format!("list {}", from.display()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().doing(|| format!("look at {}", source.display()))?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).doing(|| format!("copy {} to {}", source.display(), target.display()))?;
        } else {
            let error = io::Error::other("neither a file nor a folder");
            return Err(error).doing(|| format!("copy {}", source.display()));
        }
    }
    Ok(())
}

/// The last lines of a log, for error messages; empty when there is no log yet.
pub(crate) fn log_tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES_MAX)..].join("\n")
}
