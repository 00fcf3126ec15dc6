//! `cargo xtask test` and `cargo xtask soak`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Instant;
use std::{fs, io};

use anyhow::Context as _;

use crate::cargo::{cargo, heading, step, target_folder};
use crate::lint;
use crate::tally::Tally;

/// Everything that is built is built before the first test runs, with progress.
const BUILD: &[&str] = &["test", "--workspace", "--locked", "--no-run"];
/// A failure does not hide the ones after it.
const TEST: &[&str] = &["test", "--workspace", "--locked", "--no-fail-fast"];

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    prepare_servers()?;
    // A badly formatted file must not hide a failing test, so this is told again at the end.
    let linted = lint::quick();
    let tested = tests(&[])?;
    let in_ci = std::env::var("CI").as_deref() == Ok("true");
    let all_well = linted.is_ok() && tested.status.success() && (!in_ci || tested.skips.is_empty());
    if let Err(error) = linted {
        eprintln!("\nxtask: {error:#}");
    }
    close(&tested, began, in_ci);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn soak(filter: Option<&str>) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    prepare_servers()?;
    let arguments: Vec<&str> = ["--", "--ignored", "--nocapture"].into_iter().chain(filter).collect();
    let tested = tests(&arguments)?;
    close(&tested, began, false);
    Ok(if tested.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Downloads the private servers once, before a hundred tests wait for the same lock in silence.
fn prepare_servers() -> anyhow::Result<()> {
    step(&["run", "--locked", "--package", "embedded", "--bin", "stack", "--", "prepare"], &[])
}

struct Tested {
    status: ExitStatus,
    tally: Tally,
    skips: BTreeSet<String>,
}

fn tests(arguments: &[&str]) -> anyhow::Result<Tested> {
    step(BUILD, &[])?;
    let arguments: Vec<&str> = TEST.iter().chain(arguments).copied().collect();
    heading(&format!("cargo {}", arguments.join(" ")));
    let skips = SkipFile::fresh()?;
    let (output, pipe) = io::pipe().context("cannot make a pipe")?;
    let mut child = {
        let mut command = cargo();
        command.args(&arguments).env(test_support::SKIPS, &skips.path);
        // One pipe for both, so that cargo's "Running …" stays ahead of what that program says.
        command.stdout(pipe.try_clone()?).stderr(pipe);
        command.spawn().context("cannot start cargo test")?
    };
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what cargo test says")?;
        let line = String::from_utf8_lossy(&line);
        if !tally.take(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    Ok(Tested { status, tally, skips: skips.read()? })
}

/// Says what was left out, sums up, and closes with what the test programs themselves said.
fn close(tested: &Tested, began: Instant, in_ci: bool) {
    let Tested { tally, skips, .. } = tested;
    if !skips.is_empty() {
        let verdict = if in_ci { "which fails this run" } else { "so this run proves less than it could" };
        println!("\n!!! left out for want of something on this machine, {verdict}:");
        skips.iter().for_each(|skip| println!("!!! {skip}"));
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!("\n{} tests wait for `cargo xtask soak`; all this took {minutes:.1} min", tally.ignored);
    tally.closing.iter().for_each(|line| println!("{line}"));
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, skips.len());
    let _ = io::stdout().flush();
}

/// Collects what tests leave out: see [`test_support::skip`].
struct SkipFile {
    path: PathBuf,
}

impl SkipFile {
    fn fresh() -> anyhow::Result<Self> {
        let path = target_folder().join("skips.txt");
        fs::write(&path, "").with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path })
    }

    fn read(&self) -> anyhow::Result<BTreeSet<String>> {
        let path: &Path = &self.path;
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}
