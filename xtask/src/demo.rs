//! Building a program for speed and becoming it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::anyhow;

use crate::cargo::{root, step, target_folder};

/// Builds the service, and `program` if that is another, and becomes `program`: Ctrl-C and the exit code are its own.
pub(crate) fn run(program: &str, arguments: &[&str], flags: &[OsString]) -> anyhow::Result<ExitCode> {
    let (service, wanted) = (["--package", "polevod", "--bin", "polevod"], ["--package", program, "--bin", program]);
    step(&[&["build", "--release", "--locked"], &service[..], &wanted[..]].concat(), &[])?;
    Err(become_program(program, arguments, flags).expect_err("nothing comes back from exec but an error"))
}

fn become_program(program: &str, arguments: &[&str], flags: &[OsString]) -> anyhow::Result<Infallible> {
    let path = target_folder().join("release").join(program);
    let error = Command::new(&path).args(arguments).args(flags).current_dir(root()).exec();
    Err(anyhow!("cannot start {}: {error}", path.display()))
}
