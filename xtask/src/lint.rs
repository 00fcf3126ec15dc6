//! What needs no running of tests.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::cargo::{has_subcommand, heading, step};

/// Formatting and clippy; any warning fails.
pub(crate) fn quick() -> anyhow::Result<()> {
    step(&["fmt", "--all", "--check"], &[])?;
    step(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"], &[])
}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    quick()?;
    step(&["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", OsStr::new("--deny warnings"))])?;
    if has_subcommand("deny") {
        step(&["deny", "--workspace", "--locked", "check"], &[])?;
    } else {
        heading("licences and advisories: left out, `cargo install cargo-deny --locked` brings the tool");
    }
    Ok(ExitCode::SUCCESS)
}
