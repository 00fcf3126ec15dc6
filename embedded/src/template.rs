//! A ready database cluster that every start copies: initdb and `create extension` cost a second, a copy a tenth.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Doing, EmbeddedError},
    files::{copy_tree, log_tail, make_private_dir, read_text, remove_tree, write_private},
    packages::Packages,
    postgres::{Postgres, PostgresOptions, include_settings},
    progress::{Progress, ProgressFn, Step},
    run_folder::RunFolder,
};

/// Names the way clusters are made, as [`crate::packages`] does for trees.
const RECIPE: &str = "cluster-r3";

/// Superuser of every private cluster.
pub(crate) const USER: &str = "polevod";

/// Database that is there from the start, with TimescaleDB in it.
pub(crate) const DATABASE: &str = "polevod";

/// What `create database` copies unless told otherwise. TimescaleDB is in it already, so a test's own database is a
/// plain copy.
const TEMPLATE: &str = "template1";

const PARTS: u64 = 3;

/// Where a tree says which TimescaleDB `create extension` makes.
const CONTROL_FILE: &str = "usr/share/postgresql/17/extension/timescaledb.control";

/// A cluster in the cache folder, shut down cleanly.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    data: PathBuf,
    pub(crate) password: String,
}

impl Cluster {
    /// The cached cluster, made first if it is not there.
    pub(crate) fn ensure(packages: &Packages, progress: ProgressFn<'_>) -> Result<Self, EmbeddedError> {
        let folder = packages.cache().join(format!("{RECIPE}-{}", extension_version(packages.tree())?));
        let complete = folder.join("complete");
        if !complete.is_file() {
            let _lock = packages.lock()?;
            if !complete.is_file() {
                remove_tree(&folder)?;
                make_private_dir(&folder)?;
                make(packages, &folder, progress)?;
                write_private(&complete, "")?;
            }
        }
        let password = read_text(&folder.join("password"))?.trim().to_owned();
        Ok(Self { data: folder.join("data"), password })
    }

    pub(crate) fn copy_to(&self, data: &Path) -> Result<(), EmbeddedError> {
        copy_tree(&self.data, data)
    }
}

/// The version of TimescaleDB in a tree. It is a part of the cluster's name: the host's tree and a named one are upgraded
/// by others, and a cluster made before asks for a library that is gone.
fn extension_version(tree: &Path) -> Result<String, EmbeddedError> {
    let path = tree.join(CONTROL_FILE);
    let version = default_version(&read_text(&path)?).map(str::to_owned);
    version.ok_or(EmbeddedError::NoExtensionVersion { path })
}

fn default_version(control: &str) -> Option<&str> {
    let value = control.lines().find_map(|line| line.trim_start().strip_prefix("default_version"))?;
    let version = value.trim_start().strip_prefix('=')?.trim().trim_matches('\'');
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    (!version.is_empty() && version.chars().all(plain)).then_some(version)
}

fn make(packages: &Packages, folder: &Path, progress: ProgressFn<'_>) -> Result<(), EmbeddedError> {
    let report = |done| progress(Progress { step: Step::Template, done, total: PARTS });
    report(0);
    let password_file = folder.join("password");
    write_private(&password_file, &random_password()?)?;
    let cluster = Cluster { data: folder.join("data"), password: read_text(&password_file)? };

    // First in a run folder, so that a killed run leaves no initdb behind.
    let run = RunFolder::create(&packages.jail.run_parent()?, "initdb")?;
    let data = run.path().join("data");
    init(packages, &run, &password_file, &data)?;
    include_settings(&data)?;
    copy_tree(&data, &cluster.data)?;
    drop(run);
    report(1);

    let mut postgres = Postgres::start_cluster(packages, &cluster, &PostgresOptions::cheap())?;
    postgres.sql(TEMPLATE, "create extension timescaledb")?;
    // Housekeeping of job logs, which the Apache edition schedules and then refuses to run, with an error in the log.
    postgres.sql(TEMPLATE, "update _timescaledb_config.bgw_job set scheduled = false")?;
    // No connections: TimescaleDB's background workers must not sit in a database that is being copied.
    postgres.sql("postgres", &format!("alter database {TEMPLATE} with allow_connections false"))?;
    postgres.stop();
    postgres.start_again()?;
    postgres.sql("postgres", &format!("create database {DATABASE}"))?;
    postgres.stop();
    report(2);

    remove_tree(&cluster.data)?;
    copy_tree(&postgres.data_folder(), &cluster.data)?;
    report(PARTS);
    Ok(())
}

fn init(packages: &Packages, run: &RunFolder, password_file: &Path, data: &Path) -> Result<(), EmbeddedError> {
    let log = run.path().join("initdb.log");
    let secret = run.path().join("password");
    fs::copy(password_file, &secret).doing(|| format!("write {}", secret.display()))?;
    let log_file = fs::File::create(&log).doing(|| format!("make {}", log.display()))?;
    let errors = log_file.try_clone().doing(|| format!("open {}", log.display()))?;
    packages.jail.hand_over(run.path())?;
    let mut command: Command =
        packages.jail.command("/usr/lib/postgresql/17/bin/initdb", Some(&run.record()), &[run.path()]);
    command
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(&secret)
        .args(["--username", USER, "--encoding", "UTF8", "--locale", "C"])
        // Sorts and folds Cyrillic and Latin alike without the host's locales.
        .args(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"])
        .args(["--auth-local", "trust", "--auth-host", "scram-sha-256", "--no-sync"])
        // The password is random: iterations would only slow down each connection of the tests.
        .args(["--set", "scram_iterations=1"])
        .args(["--set", "shared_preload_libraries=timescaledb"])
        .args(["--set", "timescaledb.telemetry_level=off"]);
    let status =
        command.stdout(log_file).stderr(errors).status().map_err(|_| EmbeddedError::ToolMissing { tool: "unshare" })?;
    if status.success() {
        return Ok(());
    }
    Err(EmbeddedError::ServerFailed { server: "initdb", reason: status.to_string(), log_tail: log_tail(&log) })
}

/// 128 random bits. On a shared machine other users can reach the loopback port too.
fn random_password() -> Result<String, EmbeddedError> {
    let mut bytes = [0u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| std::io::Read::read_exact(&mut source, &mut bytes))
        .doing(|| "read /dev/urandom".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_postgresql_writes_it_and_names_a_folder_or_nothing() {
        assert_eq!(default_version("comment = 'x'\ndefault_version = '2.19.3'\n"), Some("2.19.3"));
        assert_eq!(default_version("default_version='2.30.0-dev'"), Some("2.30.0-dev"));
        assert_eq!(default_version("default_version = '../..//x'"), None);
        assert_eq!(default_version("relocatable = false"), None);
    }
}
