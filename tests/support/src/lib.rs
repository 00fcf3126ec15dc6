//! What the tests of all crates share: the real recordings, and how a test says that it was left out.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Names the file that collects what was left out. `cargo xtask test` sets it: the test runner shows nothing of a
/// test that passes, and a test that was left out passes.
pub const SKIPS: &str = "POLEVOD_SKIPS";

/// Names the folder of the real recordings; without it they are looked for in `../shared/data` beside the project.
pub const DATA: &str = "POLEVOD_DATA";

/// Says that the calling test, or a part of it, is left out, and what the machine would need. The caller returns then.
///
/// # Panics
/// In continuous integration (`CI=true`): nothing is left out there.
#[track_caller]
pub fn skip(reason: impl Display) {
    let line = format!("SKIPPED: {reason}\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os(SKIPS) {
        // One write of one line: tests append from many processes at once.
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("cannot note in {} what was left out: {error}", path.display()));
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "nothing is left out in CI: {reason}");
}

/// A file or folder of the real recordings; `None`, said by [`skip`], where it is not at hand.
///
/// # Panics
/// As [`skip`].
#[track_caller]
pub fn recording(name: &str) -> Option<PathBuf> {
    let path = recordings().join(name);
    if path.exists() {
        return Some(path);
    }
    skip(format_args!("no {}; set {DATA} to the folder of real recordings", path.display()));
    None
}

/// Where the real recordings should be.
pub fn recordings() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os(DATA).map_or_else(beside, PathBuf::from)
}
