//! The private stack: a real PostgreSQL 17 with TimescaleDB and a real Mosquitto 2.0 for the demo, the benches and
//! the tests, without Docker and without touching the host.
//!
//! ```no_run
//! let stack = embedded::Stack::start(&embedded::StackOptions::default(), &|_progress| {})?;
//! println!("{} {}", stack.postgres.url(), stack.mosquitto.url());
//! # Ok::<(), embedded::EmbeddedError>(())
//! ```
//!
//! How it works:
//!
//! ```text
//! packages   apt-get (own state, own lists, Debian's signature) ─ .deb files ▶ dpkg-deb ─ tree in the cache folder
//! jail       unshare ─ user + mount + IPC namespace, the tree's /usr as root file system ▶ server, as an ordinary user
//! run folder $TMPDIR/polevod-<uid>/runs/… : data, logs, one server; a guardian removes both when the owner is gone
//! ```
//!
//! - The servers share the host's network and process ids: they listen on 127.0.0.1 alone, and every process can be
//!   killed from outside, which is what the crash tests do.
//! - Paths are the same inside and outside: the run folder is mounted at its own path.
//! - A server ends with the process that started it, however that process ends. A small shell, the guardian, waits on a
//!   pipe whose other end only the owner holds; at end of file it ends the server and removes the run folder. Should
//!   the guardian be lost too, the next start finds the folder by its free lock and does the same.
//! - Nothing is killed that is not provably ours: process id, start time and the run folder in the command line must
//!   all agree.
//! - Everything is synchronous; asynchronous callers wrap calls in `spawn_blocking`.
//!
//! The cache folder is `$POLEVOD_CACHE`, else `$XDG_CACHE_HOME/polevod`, else `~/.cache/polevod`. It may be deleted at
//! any time while nothing runs. Debian's `postgresql-17-timescaledb` is the Apache 2 edition of TimescaleDB;
//! `POLEVOD_SERVERS` names another tree to run from, such as one with the Community edition.

#![cfg_attr(test, allow(clippy::unwrap_used))] // A failed unwrap is a failed test.

mod apt;
mod error;
mod external;
mod files;
mod jail;
mod mosquitto;
mod packages;
mod port;
mod postgres;
mod process;
mod progress;
mod run_folder;
mod server;
mod sources;
mod stack;
mod template;

pub use error::EmbeddedError;
pub use external::{External, external_from_env};
pub use mosquitto::{Mosquitto, MosquittoOptions};
pub use packages::{PackageSet, Packages};
pub use postgres::{Postgres, PostgresOptions};
pub use progress::{Progress, ProgressFn, Step};
pub use stack::{Stack, StackOptions};
