//! Building a program for speed and becoming it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::anyhow;

use crate::cargo::{root, step, target_folder};

/// Builds `program` and replaces this process by it, so that Ctrl-C and the exit code are the program's own.
pub(crate) fn run(program: &str, arguments: &[&str], flags: &[OsString]) -> anyhow::Result<ExitCode> {
    step(&["build", "--release", "--package", program, "--bin", program], &[])?;
    Err(become_program(program, arguments, flags).expect_err("nothing comes back from exec but an error"))
}

fn become_program(program: &str, arguments: &[&str], flags: &[OsString]) -> anyhow::Result<Infallible> {
    let path = target_folder().join("release").join(program);
    let error = Command::new(&path).args(arguments).args(flags).current_dir(root()).exec();
    Err(anyhow!("cannot start {}: {error}", path.display()))
}
