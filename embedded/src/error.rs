//! What can go wrong, each with its mend.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the private stack could not be prepared, started or used.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// A program of the host that the recipe rests on is absent.
    #[error(
        "`{tool}` is not on this machine: the private stack needs a Debian-family system with apt and util-linux; \
         elsewhere run `docker compose up` and set POLEVOD_DATABASE_URL and POLEVOD_MQTT_URL"
    )]
    ToolMissing {
        /// The program looked for on PATH.
        tool: &'static str,
    },
    /// Without the archive keyring nothing downloaded could be trusted.
    #[error(
        "no Debian archive keyring on this machine (looked at {looked_at}): run `apt-get install debian-archive-keyring`"
    )]
    KeyringMissing {
        /// The files looked at, comma separated.
        looked_at: String,
    },
    /// apt-get failed: no network, no such mirror, a bad signature.
    #[error(
        "apt-get could not {action} from {mirror}: {detail}; check the network, the proxy settings of apt, and `debian-archive-keyring`"
    )]
    Download {
        /// What was being done.
        action: &'static str,
        /// The mirror asked.
        mirror: String,
        /// apt's own error lines.
        detail: String,
    },
    /// dpkg-deb could not unpack a package.
    #[error("unpacking {package} failed: {detail}; is the disk of the cache folder full?")]
    Unpack {
        /// File name of the package.
        package: String,
        /// dpkg-deb's own error lines.
        detail: String,
    },
    /// The kernel or the container refuses the namespaces.
    #[error("cannot run the private stack in a user namespace: {detail}; {mend}")]
    NamespacesForbidden {
        /// What the probe said.
        detail: String,
        /// The setting to change.
        mend: String,
    },
    /// Neither POLEVOD_CACHE, XDG_CACHE_HOME nor HOME is set.
    #[error("no place for the cache folder: set POLEVOD_CACHE, XDG_CACHE_HOME or HOME")]
    NoCacheFolder,
    /// The folder for running servers belongs to somebody else.
    #[error("{path} belongs to user id {owner}, not to us: remove it or set TMPDIR to another folder")]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The tree that the environment names is not one to run servers from.
    #[error(
        "{tree} has no {missing}: let {variable} name a root folder with PostgreSQL 17, TimescaleDB and Mosquitto where \
         Debian's packages put them (CONTRIBUTING.md says how to make one), or unset it"
    )]
    ServersIncomplete {
        /// The variable that names it.
        variable: &'static str,
        /// The tree.
        tree: PathBuf,
        /// What it lacks.
        missing: &'static str,
    },
    /// The control file of the extension says no version.
    #[error("{path} names no default_version: install TimescaleDB for PostgreSQL 17 anew")]
    NoExtensionVersion {
        /// The control file.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done, path included.
        action: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A server ended during its start, or did not get ready in time.
    #[error("{server} did not start: {reason}; end of its log:\n{log_tail}")]
    ServerFailed {
        /// Which server.
        server: &'static str,
        /// Exit status or time-out.
        reason: String,
        /// The last lines it wrote.
        log_tail: String,
    },
    /// A tool of the tree failed.
    #[error("{tool} failed: {detail}")]
    Tool {
        /// Which tool.
        tool: &'static str,
        /// Its error output.
        detail: String,
    },
    /// Database names go into SQL and into URLs unquoted.
    #[error("database name {name:?} is not 1 to 63 of a-z, 0-9 and _, starting with a letter")]
    BadDatabaseName {
        /// The name asked for.
        name: String,
    },
    /// A process id that is not a process of this server.
    #[error("process {pid} is not a child of this postmaster")]
    NotABackend {
        /// The process id asked for.
        pid: u32,
    },
    /// A method was called in the wrong state.
    #[error("{server} is {state}: {mend}")]
    WrongState {
        /// Which server.
        server: &'static str,
        /// `running` or `stopped`.
        state: &'static str,
        /// What to call first.
        mend: &'static str,
    },
    /// All candidate ports are taken.
    #[error("no free loopback port in {first}..={last}")]
    NoFreePort {
        /// First candidate.
        first: u16,
        /// Last candidate.
        last: u16,
    },
    /// Only one of the two addresses is set.
    #[error("{set} is set and {missing} is not: set both to use your own servers, or neither for the private stack")]
    ExternalIncomplete {
        /// The variable that is set.
        set: &'static str,
        /// The variable that is not.
        missing: &'static str,
    },
}

/// Adds what was being done to an I/O error.
pub(crate) trait Doing<T> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, EmbeddedError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Io { action: action(), source })
    }
}
