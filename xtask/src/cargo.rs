//! Cargo, called as a person would call it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The project's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project's root")
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this task, in the project's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// One line ahead of each step, so that a long log can be read.
pub(crate) fn heading(title: &str) {
    eprintln!("\n── {title}");
}

/// Runs one cargo command under its own heading; its output is the caller's.
pub(crate) fn step(arguments: &[&str], environment: &[(&str, &OsStr)]) -> anyhow::Result<()> {
    let shown = format!("cargo {}", arguments.join(" "));
    heading(&shown);
    let status = cargo().args(arguments).envs(environment.iter().copied()).status();
    let status = status.with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// Whether `cargo NAME` is installed.
pub(crate) fn has_subcommand(name: &str) -> bool {
    let program = OsString::from(format!("cargo-{name}"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(&program).is_file())
}
