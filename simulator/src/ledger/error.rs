//! Why a ledger could not be written or read.

use std::io;
use std::path::PathBuf;

/// Why a ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refused.
    #[error("ledger {path}: {source}; give a path on a disk with room that may be written to")]
    Io {
        /// The ledger file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else.
    #[error("ledger {path} does not begin with PVLEDG1; it is another file, give a new path")]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// An entry in the middle is damaged.
    #[error("ledger {path} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// The ledger file.
        path: PathBuf,
        /// Where the entry begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
}
