//! Why a run could not start or go on.

use std::path::PathBuf;

use crate::device::RingError;
use crate::ledger::LedgerError;
use crate::machine::CatalogueError;
use crate::truth::TruthError;

/// Why a run could not start or go on. A broker that is away is no error: units wait for it.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address cannot be used.
    #[error("broker address {url:?} {reason}; write mqtt://host:1883 or mqtt://user:password@host:1883")]
    Broker {
        /// As given.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A setting is out of its range.
    #[error("{key} = {value} is not possible: {reason}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// As given.
        value: String,
        /// The mend.
        reason: &'static str,
    },
    /// A certificate, a key or a password cannot be used.
    #[error("cannot use {path}: {reason}")]
    Identity {
        /// The file.
        path: PathBuf,
        /// Why not, and the mend.
        reason: String,
    },
    /// The machine catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A unit cannot keep its records on the disk.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Truth files cannot be written.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// The ledger failed while the fleet ran.
    #[error("the ledger failed, so nothing more may be published: {0}")]
    LedgerFailed(String),
    /// Truth files failed while the fleet ran.
    #[error("the run has no truth any more: {0}")]
    TruthFailed(String),
    /// A part of the program failed.
    #[error("a part of the simulator failed: {0}")]
    Internal(String),
}
