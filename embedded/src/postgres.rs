//! A private PostgreSQL with TimescaleDB.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    error::{Doing, EmbeddedError},
    files::write_private,
    packages::Packages,
    port::PortLease,
    process::{Process, children_of, wait_until, working_in},
    progress::ProgressFn,
    run_folder::RunFolder,
    server::Server,
    template::{Cluster, DATABASE, USER},
};

const BIN: &str = "/usr/lib/postgresql/17/bin";

/// Recovery after a crash replays WAL before the server is ready; under load that may be a gigabyte.
const READY_WAIT_MAX: Duration = Duration::from_secs(120);

/// A fast shutdown writes a checkpoint first.
const STOP_WAIT_MAX: Duration = Duration::from_secs(30);

/// After the postmaster's death its children notice within moments, unless a query keeps them busy.
const ORPHAN_WAIT_MAX: Duration = Duration::from_secs(2);

/// Ports another program may snatch between the check and the server's bind.
const BIND_TRIES_MAX: u32 = 5;

const DATABASE_NAME_LEN_MAX: usize = 63;

/// Our settings, included from the end of postgresql.conf.
const SETTINGS_FILE: &str = "polevod.conf";

/// How a private PostgreSQL is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections at the same time; the tests of one process share a server.
    pub max_connections: u16,
    /// Further settings, name and value as in postgresql.conf without quotes; the last one counts.
    pub settings: Vec<(String, String)>,
}

impl Default for PostgresOptions {
    /// As durable as a production server: fsync, full-page writes and synchronous commit are on.
    fn default() -> Self {
        Self { max_connections: 200, settings: Vec::new() }
    }
}

impl PostgresOptions {
    /// For tests that kill processes but not the machine: the page cache survives, so fsync buys nothing there.
    pub fn cheap() -> Self {
        let options = Self::default().setting("fsync", "off");
        options.setting("synchronous_commit", "off").setting("full_page_writes", "off")
    }

    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running PostgreSQL 17 with TimescaleDB on a loopback port of its own. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: the guardian in `run` ends the server, then the child is reaped.
    run: RunFolder,
    server: Server,
    port: PortLease,
    packages: Packages,
    password: String,
}

impl Postgres {
    /// Starts a server on a fresh copy of the cached cluster and waits until it takes connections.
    ///
    /// # Errors
    /// The cluster cannot be made or copied, or the server does not start: with the end of its log.
    pub fn start(
        packages: &Packages,
        options: &PostgresOptions,
        progress: ProgressFn<'_>,
    ) -> Result<Self, EmbeddedError> {
        let cluster = Cluster::ensure(packages, progress)?;
        Self::start_cluster(packages, &cluster, options)
    }

    pub(crate) fn start_cluster(
        packages: &Packages,
        cluster: &Cluster,
        options: &PostgresOptions,
    ) -> Result<Self, EmbeddedError> {
        let run = RunFolder::create(&packages.jail.run_parent()?, "postgres")?;
        cluster.copy_to(&run.path().join("data"))?;
        let mut postgres = Self {
            server: Server::new("PostgreSQL", run.path().join("postgres.log")),
            port: PortLease::take(run.base())?,
            run,
            packages: packages.clone(),
            password: cluster.password.clone(),
        };
        for _ in 1..BIND_TRIES_MAX {
            postgres.write_settings(options)?;
            match postgres.start_again() {
                Err(EmbeddedError::ServerFailed { log_tail, .. }) if log_tail.contains("Address already in use") => {
                    postgres.port = PortLease::take(postgres.run.base())?;
                }
                result => return result.map(|()| postgres),
            }
        }
        postgres.write_settings(options)?;
        postgres.start_again().map(|()| postgres)
    }

    /// Address of the database that is there from the start: `postgres://user:password@127.0.0.1:port/polevod`. The
    /// user is the superuser; TimescaleDB is created in it.
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// Address of any database of this server.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port())
    }

    /// The loopback port. It stays the same over [`Postgres::start_again`].
    pub fn port(&self) -> u16 {
        self.port.port
    }

    /// Where the server writes its log.
    pub fn log_path(&self) -> &Path {
        self.server.log()
    }

    /// The server's data. Read only while it is stopped.
    pub fn data_folder(&self) -> PathBuf {
        self.run.path().join("data")
    }

    /// Makes a database with TimescaleDB created in it, and returns its address.
    ///
    /// # Errors
    /// A name that is not a plain identifier, or that is taken.
    pub fn create_database(&self, name: &str) -> Result<String, EmbeddedError> {
        let name = plain_name(name)?;
        self.sql("postgres", &format!("create database {name}"))?;
        Ok(self.url_of(name))
    }

    /// Makes a database without any extension, as a new installation finds it.
    ///
    /// # Errors
    /// As [`Postgres::create_database`].
    pub fn create_empty_database(&self, name: &str) -> Result<String, EmbeddedError> {
        let name = plain_name(name)?;
        self.sql("postgres", &format!("create database {name} template template0"))?;
        Ok(self.url_of(name))
    }

    /// Removes a database, ending whoever is connected to it. One that does not exist is no error. Tests need not: all
    /// goes with the server, and ext4 makes files slowly where many have just been removed.
    ///
    /// # Errors
    /// A name that is not a plain identifier, or a server that is not running.
    pub fn drop_database(&self, name: &str) -> Result<(), EmbeddedError> {
        let name = plain_name(name)?;
        self.sql("postgres", &format!("drop database if exists {name} with (force)")).map(drop)
    }

    /// Runs SQL in a database and returns the rows, columns parted by `|`.
    ///
    /// # Errors
    /// What the server said.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, EmbeddedError> {
        let output = self.psql(&["--dbname", database, "--quiet", "--tuples-only", "--no-align", "--command", sql])?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        let detail = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(EmbeddedError::Tool { tool: "psql", detail })
    }

    /// Runs the tree's psql against the first database (unless `--dbname` says otherwise) and returns what it wrote.
    ///
    /// # Errors
    /// psql could not be started; its own failure is in the exit status.
    pub fn psql(&self, arguments: &[&str]) -> Result<Output, EmbeddedError> {
        self.psql_command().args(arguments).output().doing(|| "run psql".to_owned())
    }

    /// The tree's psql as a command, for callers that feed its standard input (`\copy … from pstdin`). It sees the
    /// temporary folder and the working folder at their own paths.
    pub fn psql_command(&self) -> Command {
        let mut command = self.packages.command(&format!("{BIN}/psql"), &[]);
        command
            .args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1"])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port().to_string())
            .env("PGUSER", USER)
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", DATABASE)
            .env("PGSSLMODE", "disable");
        command
    }

    /// Process id of the postmaster.
    ///
    /// # Errors
    /// The server is not running.
    pub fn postmaster_pid(&mut self) -> Result<u32, EmbeddedError> {
        self.server.pid()
    }

    /// Process ids of the backends that serve clients.
    ///
    /// # Errors
    /// The server is not running.
    pub fn backend_pids(&mut self) -> Result<Vec<u32>, EmbeddedError> {
        let children = children_of(self.server.pid()?);
        // A client backend's title names where its client is: "postgres: user database 127.0.0.1(34567) idle".
        let serves_client = |child: &&Process| child.title().contains(" 127.0.0.1(");
        Ok(children.iter().filter(serves_client).map(|child| child.pid).collect())
    }

    /// Kills one process of the server with SIGKILL. PostgreSQL then ends all its other backends and recovers from
    /// WAL, as after any crash of a backend; every connection is lost.
    ///
    /// # Errors
    /// The process is not a child of this postmaster.
    pub fn kill_backend(&mut self, pid: u32) -> Result<(), EmbeddedError> {
        let children = children_of(self.server.pid()?);
        let child = children.iter().find(|child| child.pid == pid).ok_or(EmbeddedError::NotABackend { pid })?;
        child.kill();
        Ok(())
    }

    /// Kills the postmaster with SIGKILL and returns when nothing of the server is left. Its children notice the death
    /// and leave; one kept busy by a query is killed too, as a service manager would.
    ///
    /// # Errors
    /// The server is not running.
    pub fn kill_postmaster(&mut self) -> Result<(), EmbeddedError> {
        self.server.pid()?;
        self.server.end(Signal::KILL, STOP_WAIT_MAX);
        self.end_orphans();
        Ok(())
    }

    /// A second postmaster beside a backend of the first would ruin the data, and having its own IPC namespace it could
    /// not see that backend.
    fn end_orphans(&self) {
        let data = self.data_folder();
        if !wait_until(ORPHAN_WAIT_MAX, || working_in(&data).is_empty()) {
            working_in(&data).into_iter().for_each(Process::kill);
            wait_until(STOP_WAIT_MAX, || working_in(&data).is_empty());
        }
    }

    /// Starts the server again on the same data and port, after a stop, a kill or a crash.
    ///
    /// # Errors
    /// It is running, or does not come up: with the end of its log.
    pub fn start_again(&mut self) -> Result<(), EmbeddedError> {
        self.server.require_stopped()?;
        self.end_orphans();
        self.packages.jail.hand_over(self.run.path())?;
        let data = self.data_folder();
        let program = format!("{BIN}/postgres");
        let mut command = self.packages.jail.command(&program, Some(&self.run.record()), &[self.run.path()]);
        command.arg("-D").arg(&data);
        let status_file = data.join("postmaster.pid");
        self.server.start(command, READY_WAIT_MAX, |pid| is_ready(&status_file, pid))
    }

    /// Stops the server in order: clients are disconnected, a checkpoint is written. Nothing to do when it is stopped.
    pub fn stop(&mut self) {
        self.server.end(Signal::INT, STOP_WAIT_MAX);
    }

    fn write_settings(&self, options: &PostgresOptions) -> Result<(), EmbeddedError> {
        let own = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port().to_string()),
            // A socket path under a long TMPDIR would exceed the 107 bytes the system allows.
            ("unix_socket_directories", String::new()),
            ("max_connections", options.max_connections.to_string()),
            // TimescaleDB keeps one worker for each database, and tests have many databases.
            ("max_worker_processes", "64".to_owned()),
            ("timescaledb.max_background_workers", "40".to_owned()),
        ];
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let extra = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let text: String =
            own.chain(extra).map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''"))).collect();
        write_private(&self.data_folder().join(SETTINGS_FILE), &text)
    }
}

/// Appends the line that brings in our settings, last so that they count.
pub(crate) fn include_settings(data: &Path) -> Result<(), EmbeddedError> {
    let path = data.join("postgresql.conf");
    OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| writeln!(file, "\ninclude_if_exists '{SETTINGS_FILE}'"))
        .doing(|| format!("write {}", path.display()))
}

/// pg_ctl's own way: the eighth line of postmaster.pid says `ready`. The first tells this start from one that crashed.
fn is_ready(status_file: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(status_file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first().and_then(|line| line.parse().ok()) == Some(pid) && lines.get(7) == Some(&"ready")
}

fn plain_name(name: &str) -> Result<&str, EmbeddedError> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts_well && name.len() <= DATABASE_NAME_LEN_MAX && name.chars().all(plain) {
        return Ok(name);
    }
    Err(EmbeddedError::BadDatabaseName { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, fits: bool) {
        assert_eq!(plain_name(name).is_ok(), fits, "{name:?}");
    }

    #[test]
    fn database_names_are_plain_identifiers() {
        check("test_42", true);
        check(&"x".repeat(63), true);
        check(&"x".repeat(64), false);
        check("", false);
        check("4x", false);
        check("x\"; drop database y; --", false);
        check("Большая", false);
    }

    #[test]
    fn a_status_file_of_an_earlier_start_does_not_count_as_ready() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "41\n/data\n1700000000\n5432\n\n127.0.0.1\n 1 2\nready   \n").unwrap();
        assert!(is_ready(file.path(), 41));
        assert!(!is_ready(file.path(), 42));
        fs::write(file.path(), "41\n/data\n1700000000\n5432\n\n127.0.0.1\n 1 2\nstarting\n").unwrap();
        assert!(!is_ready(file.path(), 41));
    }
}
