//! Servers end with their owner, however it ends, and nothing else is ever touched.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The clean-up takes a fraction of a second; a machine under full load takes longer.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// `stack up` in a temporary folder of its own, so that it meets no other test's servers.
struct Owner {
    child: Child,
    runs: PathBuf,
}

fn start(temporary: &Path) -> Owner {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["up", "--cheap"])
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["POLEVOD_DATABASE_URL=postgres://", "POLEVOD_MQTT_URL=mqtt://"] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with(name), "{line}");
    }
    let uid = rustix::process::getuid().as_raw();
    Owner { child, runs: temporary.join(format!("polevod-{uid}/runs")) }
}

impl Owner {
    /// The servers' process ids, as they recorded them.
    fn servers(&self) -> Vec<i32> {
        folders(&self.runs).iter().map(|folder| recorded_pid(folder)).collect()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Already gone in most tests. Asked, not killed: the temporary folder goes next, and with it what a guardian reads.
        if let Ok(None) = self.child.try_wait() {
            signal(i32::try_from(self.child.id()).unwrap(), Signal::INT);
        }
        let _ = self.child.wait();
    }
}

fn folders(runs: &Path) -> Vec<PathBuf> {
    fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn recorded_pid(folder: &Path) -> i32 {
    let record = fs::read_to_string(folder.join("server")).unwrap();
    record.split(' ').next().unwrap().parse().unwrap()
}

fn alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[track_caller]
fn check_becomes_true(what: &str, holds: impl Fn() -> bool) {
    let give_up = Instant::now() + WAIT_MAX;
    while !holds() {
        assert!(Instant::now() < give_up, "not within {WAIT_MAX:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn check_all_gone(servers: &[i32], runs: &Path) {
    assert_eq!(servers.len(), 2, "a database and a broker");
    check_becomes_true("the servers have ended", || !servers.iter().any(|pid| alive(*pid)));
    check_becomes_true("the run folders are removed", || folders(runs).is_empty());
}

/// The guardian shells of these run folders, found by their command lines.
fn guardians(runs: &Path) -> Vec<i32> {
    let is_guardian = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("polevod-guardian") && line.contains(runs.to_str().unwrap())
    };
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str()?.parse().ok()).filter(is_guardian).collect()
}

#[test]
fn servers_end_when_their_owner_is_interrupted() {
    let temporary = tempfile::tempdir().unwrap();
    let mut owner = start(temporary.path());
    let servers = owner.servers();
    signal(i32::try_from(owner.child.id()).unwrap(), Signal::INT);
    assert!(owner.child.wait().unwrap().success());
    assert!(folders(&owner.runs).is_empty());
    check_all_gone(&servers, &owner.runs);
}

#[test]
fn servers_end_when_their_owner_is_killed() {
    let temporary = tempfile::tempdir().unwrap();
    let mut owner = start(temporary.path());
    let servers = owner.servers();
    assert!(servers.iter().all(|pid| alive(*pid)));
    owner.kill();
    check_all_gone(&servers, &owner.runs);
}

#[test]
fn servers_whose_owner_and_guardians_were_killed_are_ended_by_the_next_start() {
    let temporary = tempfile::tempdir().unwrap();
    let mut lost = start(temporary.path());
    let (servers, abandoned) = (lost.servers(), folders(&lost.runs));
    for guardian in guardians(&lost.runs) {
        signal(guardian, Signal::KILL);
    }
    lost.kill();
    assert!(servers.iter().all(|pid| alive(*pid)), "nobody is left to end them");

    let next = start(temporary.path());
    assert!(!servers.iter().any(|pid| alive(*pid)));
    assert!(!abandoned.iter().any(|folder| folder.exists()));
    assert!(next.servers().iter().all(|pid| alive(*pid)));
}

#[test]
fn a_start_leaves_the_servers_of_a_living_owner_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let first = start(temporary.path());
    let servers = first.servers();
    let mut second = start(temporary.path());
    second.kill();
    check_becomes_true("only the first owner's folders are left", || folders(&first.runs).len() == 2);
    assert!(servers.iter().all(|pid| alive(*pid)));
}

#[test]
fn a_record_that_names_somebody_elses_process_kills_nobody() {
    let temporary = tempfile::tempdir().unwrap();
    let uid = rustix::process::getuid().as_raw();
    let runs = temporary.path().join(format!("polevod-{uid}/runs"));
    let mut innocent = Command::new("sleep").arg("600").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", innocent.id())).unwrap();
    let started: u64 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap();
    let records = [
        // A recycled process id, a process that is no server of ours, and what a killed run may leave half-written.
        ("postgres-1-0", format!("{} {}\n", innocent.id(), started - 1)),
        ("mosquitto-1-0", format!("{} {started}\n", innocent.id())),
        ("postgres-1-1", "1".to_owned()),
        ("postgres-1-2", String::new()),
    ];
    for (name, record) in &records {
        fs::create_dir_all(runs.join(name)).unwrap();
        fs::write(runs.join(name).join("server"), record).unwrap();
    }
    let owner = start(temporary.path());
    assert_eq!(folders(&owner.runs).len(), 2, "the forged folders are gone");
    assert!(alive(i32::try_from(innocent.id()).unwrap()));
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}
