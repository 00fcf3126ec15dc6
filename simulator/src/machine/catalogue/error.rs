//! Why a catalogue file cannot be used.

/// Why the catalogue cannot be used. Every message names the file, the key, the value and the mend.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No model of that code.
    #[error("machine model {code:?} is in no catalogue; known are {known}")]
    Unknown {
        /// As given.
        code: String,
        /// All codes.
        known: String,
    },
    /// The folder or a file in it cannot be read.
    #[error("cannot read {path}: {reason}; give a folder with .toml files that this user may read")]
    Unreadable {
        /// Folder or file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A file is no TOML, or has a key too many, too few, or of the wrong type.
    #[error("{file}: {reason}")]
    Syntax {
        /// File.
        file: String,
        /// What the parser said, with line and column.
        reason: String,
    },
    /// A value makes no sense.
    #[error("{file}: {key} = {value}: {mend}")]
    Value {
        /// File.
        file: String,
        /// Key with its table, `engine.rated_kw`.
        key: String,
        /// As given.
        value: String,
        /// What to write instead.
        mend: String,
    },
}

/// Collects where one is in a file, so that a check reads as one line.
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
}

impl Place<'_> {
    /// An error about `key`.
    pub(super) fn error(&self, key: &str, value: impl std::fmt::Display, mend: &str) -> CatalogueError {
        CatalogueError::Value {
            file: self.file.to_string(),
            key: key.to_string(),
            value: value.to_string(),
            mend: mend.to_string(),
        }
    }

    /// Fails unless `value` lies in `low..=high`.
    pub(super) fn within(&self, key: &str, value: f64, low: f64, high: f64) -> Result<(), CatalogueError> {
        if value >= low && value <= high {
            return Ok(());
        }
        Err(self.error(key, value, &format!("give {low} to {high}")))
    }
}
