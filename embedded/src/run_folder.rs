//! A folder for one running server, which does not outlive its owner.

use std::{
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    time::Duration,
};

use crate::{
    error::{Doing, EmbeddedError},
    files::make_private_dir,
    process::wait_child,
};

const GUARDIAN: &str = include_str!("run_folder.sh");

/// The guardian itself gives a server five seconds; beyond this it is stuck on the disk and is left to finish alone.
const GUARDIAN_WAIT_MAX: Duration = Duration::from_secs(15);

/// More servers than one process ever runs, leftovers of a recycled process id included.
const FOLDERS_PER_PROCESS_MAX: u32 = 10_000;

/// The folder of a server, held by a lock that ends with the owning process, and watched by a guardian.
#[derive(Debug)]
pub(crate) struct RunFolder {
    base: PathBuf,
    path: PathBuf,
    guardian: Child,
    _owner: File,
}

/// `<parent>/polevod-<uid>`: made for us alone, refused when somebody else made it first.
fn base_folder(parent: &Path) -> Result<PathBuf, EmbeddedError> {
    let uid = rustix::process::geteuid().as_raw();
    let base = parent.join(format!("polevod-{uid}"));
    make_private_dir(&base)?;
    let owner = fs::symlink_metadata(&base).doing(|| format!("look at {}", base.display()))?.uid();
    if owner != uid {
        return Err(EmbeddedError::ForeignFolder { path: base, owner });
    }
    Ok(base)
}

impl RunFolder {
    /// Makes a folder named after the kind of server, after clearing away what dead owners left behind.
    pub(crate) fn create(parent: &Path, kind: &str) -> Result<Self, EmbeddedError> {
        let base = base_folder(parent)?;
        let runs = base.join("runs");
        make_private_dir(&runs)?;
        spread_out(&runs);
        // Held while making and clearing: a folder that is not locked yet must not look abandoned.
        let gate = base.join("lock");
        let gate_file = File::create(&gate).doing(|| format!("make {}", gate.display()))?;
        gate_file.lock().doing(|| format!("lock {}", gate.display()))?;

        clear_leftovers(&runs)?;
        let path = new_folder(&runs, kind)?;
        let owner = File::create(path.join("owner")).doing(|| format!("make a file in {}", path.display()))?;
        owner.lock().doing(|| format!("lock {}", path.display()))?;
        let guardian = guard(&path, Stdio::piped())?;
        Ok(Self { base, path, guardian, _owner: owner })
    }

    /// The folder that all of this user's private stacks share.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the jail notes the server's process.
    pub(crate) fn record(&self) -> PathBuf {
        self.path.join("server")
    }
}

impl Drop for RunFolder {
    /// Closing the pipe is the guardian's sign; the same clean-up runs whether the owner drops this or dies.
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        wait_child(&mut self.guardian, GUARDIAN_WAIT_MAX);
    }
}

/// Tells ext4 that the folders in here have nothing to do with each other, so that each goes to a region of the disk of
/// its own. ext4 avoids inodes freed within the last minutes by searching past them one by one: where clusters of 1,700
/// files had just been removed, making the next took 2 s instead of 0.15 s.
fn spread_out(runs: &Path) {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
    // Only a hint: other file systems refuse it, and all works without.
    if let Ok(folder) = File::open(runs)
        && let Ok(flags) = ioctl_getflags(&folder)
        && !flags.contains(IFlags::TOPDIR)
    {
        let _ = ioctl_setflags(&folder, flags | IFlags::TOPDIR);
    }
}

fn new_folder(runs: &Path, kind: &str) -> Result<PathBuf, EmbeddedError> {
    for number in 0..FOLDERS_PER_PROCESS_MAX {
        let path = runs.join(format!("{kind}-{}-{number}", process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).doing(|| format!("make folder {}", path.display())),
        }
    }
    let error = io::Error::other("too many run folders");
    Err(error).doing(|| format!("make a folder in {}", runs.display()))
}

/// Ends the servers of owners that are gone and removes their folders.
fn clear_leftovers(runs: &Path) -> Result<(), EmbeddedError> {
    for entry in fs::read_dir(runs).doing(|| format!("list {}", runs.display()))?.flatten() {
        let path = entry.path();
        let abandoned = match File::open(path.join("owner")) {
            Ok(owner) => owner.try_lock().is_ok(),
            // Its guardian is removing it right now, or its owner died before taking hold of it.
            Err(_) => true,
        };
        if abandoned {
            // With nothing on its standard input the guardian acts at once.
            let mut guardian = guard(&path, Stdio::null())?;
            wait_child(&mut guardian, GUARDIAN_WAIT_MAX);
        }
    }
    Ok(())
}

fn guard(path: &Path, stdin: Stdio) -> Result<Child, EmbeddedError> {
    Command::new("sh")
        .args(["-c", GUARDIAN, "polevod-guardian"])
        .arg(path)
        .current_dir("/")
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .doing(|| "start the run_folder.shell".to_owned())
}
