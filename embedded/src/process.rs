//! Processes as /proc shows them.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How often a wait looks again: short beside any start or stop, long beside a system call.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// A process that cannot be confused with a later one of the same id: the start time tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks after boot, field 22 of /proc/PID/stat.
    started: u64,
}

struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

/// Parses /proc/PID/stat. The command name may hold spaces and brackets, so fields count from the last bracket.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

impl Process {
    /// Whether it still runs; a zombie does not.
    pub(crate) fn alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != 'Z')
    }

    /// Sends SIGKILL if it still runs.
    pub(crate) fn kill(self) {
        if self.alive() {
            signal(self.pid, Signal::KILL);
        }
    }

    /// The command line with blanks between arguments; PostgreSQL writes there what a backend does.
    pub(crate) fn title(self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ").trim_end().to_owned()
    }
}

/// The living children of a process.
pub(crate) fn children_of(parent: u32) -> Vec<Process> {
    living().filter(|(_, stat)| stat.parent == parent).map(|(process, _)| process).collect()
}

/// The living processes whose working folder this is. Every process of a PostgreSQL server works in its data folder,
/// orphans of a dead postmaster included, so this finds exactly what belongs to one cluster.
pub(crate) fn working_in(folder: &Path) -> Vec<Process> {
    let Ok(wanted) = fs::metadata(folder) else { return Vec::new() };
    // The link of a process in another mount namespace has no path here; device and inode still tell.
    let works_there = |process: &Process| {
        fs::metadata(format!("/proc/{}/cwd", process.pid))
            .is_ok_and(|found| (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()))
    };
    living().map(|(process, _)| process).filter(works_there).collect()
}

fn living() -> impl Iterator<Item = (Process, Stat)> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, stat)| stat.state != 'Z')
        .map(|(pid, stat)| (Process { pid, started: stat.started }, stat))
}

/// Sends a signal; a process that has just ended is no error.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // The only other error is EPERM, and all processes here are our own user's.
        let _ = kill_process(pid, signal);
    }
}

/// Waits for a child to end and reaps it; `None` when it still runs after `at_most`.
pub(crate) fn wait_child(child: &mut Child, at_most: Duration) -> Option<ExitStatus> {
    let mut status = None;
    wait_until(at_most, || {
        status = child.try_wait().ok().flatten();
        status.is_some()
    });
    status
}

/// Looks every [`POLL`] until `done` holds; false when it does not within `at_most`.
pub(crate) fn wait_until(at_most: Duration, mut done: impl FnMut() -> bool) -> bool {
    let give_up = Instant::now() + at_most;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= give_up {
            return false;
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_brackets_does_not_shift_the_fields() {
        let text = "42 (a) b) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 2777088 418";
        let stat = parse_stat(text).unwrap();
        assert_eq!((stat.state, stat.parent, stat.started), ('S', 7, 98765));
        assert!(parse_stat("42 (a) S").is_none());
    }

    #[test]
    fn processes_are_found_by_their_working_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(working_in(folder.path()), []);
        let mut child = std::process::Command::new("cat")
            .current_dir(folder.path())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let found: Vec<u32> = working_in(folder.path()).iter().map(|process| process.pid).collect();
        assert_eq!(found, [child.id()]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(working_in(folder.path()), []);
    }

    #[test]
    fn a_recycled_process_id_is_another_process() {
        let me = std::process::id();
        let started = stat(me).unwrap().started;
        assert!(Process { pid: me, started }.alive());
        assert!(!Process { pid: me, started: started - 1 }.alive());
    }
}
