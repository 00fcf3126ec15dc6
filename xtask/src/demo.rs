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

/// What is compared with the simulator's truth: the name of the part, and the example that does it.
const ACCURACY: [(&str, &str); 2] = [("field-work", "accuracy"), ("health", "health_accuracy")];

/// Compares derived results with the truth; each part writes its own region of the page about it. Without the name of
/// a part before the flags both run.
pub(crate) fn accuracy(flags: &[OsString]) -> anyhow::Result<ExitCode> {
    let named = ACCURACY.iter().find(|(part, _)| flags.first().is_some_and(|first| first == part));
    let (parts, flags) = match named {
        Some(part) => (std::slice::from_ref(part), &flags[1..]),
        None => (&ACCURACY[..], flags),
    };
    for (part, example) in parts {
        step(&["build", "--release", "--locked", "--package", "polevod", "--example", example], &[])?;
        let path = target_folder().join("release/examples").join(example);
        let mut run = Command::new(&path);
        let status = run.args(["--write", "docs/accuracy.md"]).args(flags).current_dir(root()).status()?;
        anyhow::ensure!(status.success(), "{part}: {status}");
    }
    Ok(ExitCode::SUCCESS)
}

fn become_program(program: &str, arguments: &[&str], flags: &[OsString]) -> anyhow::Result<Infallible> {
    let path = target_folder().join("release").join(program);
    let error = Command::new(&path).args(arguments).args(flags).current_dir(root()).exec();
    Err(anyhow!("cannot start {}: {error}", path.display()))
}
