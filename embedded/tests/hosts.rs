//! Hosts that differ: an ordinary user, no user namespaces, no network.

#![allow(clippy::unwrap_used)] // A failed unwrap is a failed test.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use embedded::{PackageSet, Packages};
use rustix::process::{Pid, Signal, kill_process};

/// An ordinary user of most machines; it need not exist by name.
const ORDINARY_USER: u32 = 1000;

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn check_refused(output: &Output, words: &[&str]) {
    let text = text(output);
    assert!(!output.status.success(), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

/// Waits for both addresses of `stack up`, then interrupts it.
#[track_caller]
fn check_comes_up_and_stops(mut child: Child) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let addresses: Vec<String> = lines.take(2).collect();
    if addresses.len() == 2 {
        let pid = i32::try_from(child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(addresses[0].starts_with("POLEVOD_DATABASE_URL=postgres://"), "{addresses:?}");
    assert!(addresses[1].starts_with("POLEVOD_MQTT_URL=mqtt://"), "{addresses:?}");
}

/// The tree these tests are about, whichever one the environment names.
fn debians() -> Packages {
    Packages::ensure_set(&PackageSet::SERVERS, &|_| {}).unwrap()
}

/// Makes the unpacked tree readable at another place, without a second download.
fn share_cache(with: &Path, owner: u32) {
    let packages = debians();
    let set = packages.tree().parent().unwrap();
    let recipe = set.parent().unwrap();
    let copy = with.join(recipe.file_name().unwrap()).join(set.file_name().unwrap());
    fs::create_dir_all(&copy).unwrap();
    let linked = Command::new("cp").arg("-al").args([packages.tree(), &copy]).status().unwrap().success();
    if !linked {
        // Another file system: links do not reach there.
        assert!(Command::new("cp").arg("-a").args([packages.tree(), &copy]).status().unwrap().success());
    }
    fs::write(copy.join("complete"), "").unwrap();
    for folder in [with, copy.parent().unwrap(), &copy, &copy.join("tree")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        chown(folder, Some(owner), Some(owner)).unwrap();
    }
}

#[test]
fn an_ordinary_user_can_run_the_stack() {
    if !is_root() {
        println!("run by an ordinary user: every other test shows it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (cache, temporary) = (folder.path().join("cache"), folder.path().join("tmp"));
    fs::create_dir(&cache).unwrap();
    fs::create_dir(&temporary).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(&temporary, Some(ORDINARY_USER), Some(ORDINARY_USER)).unwrap();
    share_cache(&cache, ORDINARY_USER);
    let program = folder.path().join("stack");
    fs::copy(env!("CARGO_BIN_EXE_stack"), &program).unwrap();

    let user = ORDINARY_USER.to_string();
    let child = Command::new("setpriv")
        .args(["--clear-groups", "--reuid", &user, "--regid", &user])
        .arg(&program)
        .arg("up")
        .env("POLEVOD_CACHE", &cache)
        .env_remove("POLEVOD_SERVERS")
        .env("TMPDIR", &temporary)
        .current_dir("/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check_comes_up_and_stops(child);
    let runs = temporary.join(format!("polevod-{user}/runs"));
    assert_eq!(fs::read_dir(runs).unwrap().count(), 0);
}

/// Like a container's root under Docker's default profile: root over files and users, but with no namespaces to make and
/// nothing to mount. Its devices are there because such a container may make them and a test's user namespace may not.
#[test]
fn root_can_run_the_stack_where_namespaces_are_forbidden() {
    if !is_root() {
        test_support::skip("mapping all users into a namespace needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    share_cache(&cache, 0);
    let tree = glob_one(&glob_one(&cache)).join("tree");
    // Another test may have made the folder in the tree these files are linked from.
    fs::create_dir_all(tree.join("dev")).unwrap();
    for (name, minor) in [("null", "3"), ("zero", "5"), ("random", "8"), ("urandom", "9")] {
        let mut mknod = Command::new("mknod");
        assert!(
            mknod
                .args(["-m", "666"])
                .arg(tree.join("dev").join(name))
                .args(["c", "1", minor])
                .status()
                .unwrap()
                .success()
        );
    }

    // The second shell is started as a mapped user 0, and so has root's capabilities.
    let script = r#"read go; exec sh -euc 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" up' "$0""#;
    let mut child = Command::new("unshare")
        .args(["--user", "--", "sh", "-c", script, env!("CARGO_BIN_EXE_stack")])
        .env("POLEVOD_CACHE", &cache)
        .env_remove("POLEVOD_SERVERS")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // unshare has taken its namespace once it has become the shell.
    while fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap().trim() != "sh" {
        thread::yield_now();
    }
    for map in ["uid_map", "gid_map"] {
        fs::write(format!("/proc/{}/{map}", child.id()), "0 0 65536").unwrap();
    }
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    check_comes_up_and_stops(child);
    let runs = tree.join("run/polevod-0/runs");
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
}

fn glob_one(folder: &Path) -> PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

/// Runs `stack prepare` inside namespaces of its own, where a setting can be changed without touching the host.
fn prepare_within(unshare: &[&str], first: &str, cache: Option<&Path>) -> Output {
    // The tree must be there: this is not a test of the download.
    debians();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user"]).args(unshare).args(["--", "sh", "-c"]);
    command.arg(format!("{first} exec \"$0\" prepare")).arg(env!("CARGO_BIN_EXE_stack"));
    command.env_remove("POLEVOD_SERVERS");
    if let Some(cache) = cache {
        command.env("POLEVOD_CACHE", cache);
    }
    command.output().unwrap()
}

#[test]
fn where_user_namespaces_are_forbidden_the_error_names_the_setting() {
    let output = prepare_within(&[], "echo 0 > /proc/sys/user/max_user_namespaces;", None);
    check_refused(&output, &["sudo sysctl user.max_user_namespaces=15000", "docker compose up"]);
}

#[test]
fn a_half_made_tree_is_not_used_and_without_network_the_error_says_so() {
    let cache = tempfile::tempdir().unwrap();
    let packages = debians();
    let set = packages.tree().parent().unwrap();
    let half = cache.path().join(set.parent().unwrap().file_name().unwrap()).join(set.file_name().unwrap());
    fs::create_dir_all(half.join("tree/usr/lib")).unwrap();
    fs::create_dir_all(half.join("new-1/tree/usr/lib")).unwrap();

    let output = prepare_within(&["--net"], "", Some(cache.path()));
    check_refused(&output, &["apt-get could not read the package lists", "debian", "check the network"]);
    assert!(!half.join("complete").exists());
    assert!(!half.join("tree").exists() && !half.join("new-1").exists());
}
