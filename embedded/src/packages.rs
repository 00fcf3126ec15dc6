//! Debian packages, downloaded and unpacked once into the cache folder.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::mpsc,
    thread,
};

use crate::{
    apt,
    error::{Doing, EmbeddedError},
    files::{make_private_dir, remove_tree, write_private},
    jail::{Jail, everyday_folders, require_tools},
    progress::{Progress, ProgressFn, Step},
};

/// Names the way trees are made; a new number makes new trees and leaves old ones unused.
const RECIPE: &str = "debian13-r1";

/// Written last: a tree without it was left half-made by a killed run. Holds the names of the packages' files.
const COMPLETE: &str = "complete";

/// Names a folder to take the servers from instead of the host and Debian, for example one whose TimescaleDB is the
/// Community edition.
const SERVERS: &str = "POLEVOD_SERVERS";

/// Where a root file system with the right server packages keeps them; if all are there, nothing is downloaded.
const SERVER_FILES: [&str; 6] = [
    "bin/sh",
    "usr/lib/postgresql/17/bin/initdb",
    "usr/lib/postgresql/17/bin/postgres",
    "usr/lib/postgresql/17/bin/psql",
    "usr/lib/postgresql/17/lib/timescaledb.so",
    "usr/sbin/mosquitto",
];

/// Packages that belong together in one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageSet {
    /// Name of the tree's folder.
    pub name: &'static str,
    /// Debian package names; what they depend on comes along.
    pub packages: &'static [&'static str],
}

impl PackageSet {
    /// PostgreSQL 17 with TimescaleDB, Mosquitto and their command-line clients. dash is the `/bin/sh` initdb calls.
    pub const SERVERS: PackageSet = PackageSet {
        name: "servers",
        packages: &[
            "postgresql-17-timescaledb",
            "postgresql-17",
            "postgresql-client-17",
            "mosquitto",
            "mosquitto-clients",
            "dash",
        ],
    };
}

/// An unpacked tree, ready to run programs from.
#[derive(Debug, Clone)]
pub struct Packages {
    tree: PathBuf,
    cache: PathBuf,
    pub(crate) jail: Jail,
}

impl Packages {
    /// The servers' tree: the one that `POLEVOD_SERVERS` names; else the host's own when it has all of them; else
    /// Debian's packages. Quick when already there.
    ///
    /// # Errors
    /// No apt, no keyring, no network, a named tree that lacks a server, or user namespaces forbidden: each with what
    /// to do about it.
    pub fn ensure(progress: ProgressFn<'_>) -> Result<Self, EmbeddedError> {
        if let Some(named) = env::var_os(SERVERS).filter(|folder| !folder.is_empty()) {
            let tree = named_tree(Path::new(&named))?;
            let cache = cache_folder()?.join("named").join(one_name(&tree));
            return Self::open(tree, cache);
        }
        if has_servers(Path::new("/")) {
            return Self::open(PathBuf::from("/"), cache_folder()?.join("host"));
        }
        Self::ensure_set(&PackageSet::SERVERS, progress)
    }

    /// Any set of packages in a tree of its own, for example a browser for the UI tests. The set must contain a
    /// `/bin/sh` (dash).
    ///
    /// # Errors
    /// As [`Packages::ensure`].
    pub fn ensure_set(set: &PackageSet, progress: ProgressFn<'_>) -> Result<Self, EmbeddedError> {
        require_tools(&["apt-get", "dpkg", "dpkg-deb", "unshare", "mount"])?;
        let folder = cache_folder()?.join(RECIPE).join(set.name);
        make_private_dir(&folder)?;
        let tree = folder.join("tree");
        let complete = folder.join(COMPLETE);
        if !complete.is_file() {
            let _lock = lock(&folder)?;
            // Another process may have made it while this one waited.
            if !complete.is_file() {
                build(set, &folder, &tree, progress)?;
            }
        }
        Self::open(tree, folder)
    }

    fn open(tree: PathBuf, cache: PathBuf) -> Result<Self, EmbeddedError> {
        make_private_dir(&cache)?;
        let jail = Jail::find(&tree, &cache)?;
        Ok(Self { tree, cache, jail })
    }

    /// The tree, as a root file system: `tree/usr/bin/…`.
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// A command that runs a program of the tree (absolute path as inside it, such as `/usr/bin/mosquitto_sub`) with
    /// the temporary folder, the working folder and `visible` at their own paths. The environment starts empty.
    pub fn command(&self, program: &str, visible: &[&Path]) -> Command {
        let everyday = everyday_folders();
        let folders: Vec<&Path> = everyday.iter().map(PathBuf::as_path).chain(visible.iter().copied()).collect();
        self.jail.command(program, None, &folders)
    }

    /// Where things made from this tree are cached; goes when the tree goes.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Takes the lock that whoever makes something in the cache holds meanwhile.
    pub(crate) fn lock(&self) -> Result<File, EmbeddedError> {
        lock(&self.cache)
    }
}

fn has_servers(root: &Path) -> bool {
    missing_from(root).is_none()
}

/// The first server file that a tree lacks. A link counts: it may lead somewhere only from inside the tree.
fn missing_from(root: &Path) -> Option<&'static str> {
    let is_there = |name: &str| root.join(name).symlink_metadata().is_ok_and(|file| !file.is_dir());
    SERVER_FILES.into_iter().find(|name| !is_there(name))
}

fn named_tree(folder: &Path) -> Result<PathBuf, EmbeddedError> {
    let tree = folder.canonicalize().doing(|| format!("find {}, which {SERVERS} names", folder.display()))?;
    match missing_from(&tree) {
        None => Ok(tree),
        Some(missing) => Err(EmbeddedError::ServersIncomplete { variable: SERVERS, tree, missing }),
    }
}

/// A path as the name of one folder, so that each named tree has a cache of its own.
fn one_name(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('/', "%2F")
}

fn lock(folder: &Path) -> Result<File, EmbeddedError> {
    let path = folder.join("lock");
    let file = File::create(&path).doing(|| format!("make {}", path.display()))?;
    file.lock().doing(|| format!("lock {}", path.display()))?;
    Ok(file)
}

fn cache_folder() -> Result<PathBuf, EmbeddedError> {
    let folder = cache_of(|name| env::var_os(name).map(PathBuf::from)).ok_or(EmbeddedError::NoCacheFolder)?;
    make_private_dir(&folder)?;
    folder.canonicalize().doing(|| format!("find {}", folder.display()))
}

fn cache_of(read: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| read(name).filter(|path| !path.as_os_str().is_empty());
    set("POLEVOD_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("polevod")))
        .or_else(|| Some(set("HOME")?.join(".cache/polevod")))
}

/// Makes the tree aside and moves it into place. A killed earlier run may still have an unpacking child that writes:
/// into its own folder, not into this one.
fn build(set: &PackageSet, folder: &Path, tree: &Path, progress: ProgressFn<'_>) -> Result<(), EmbeddedError> {
    const ASIDE: &str = "new-";
    for entry in fs::read_dir(folder).doing(|| format!("list {}", folder.display()))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(ASIDE) {
            // Best effort: what cannot go now goes the next time.
            let _ = remove_tree(&entry.path());
        }
    }
    remove_tree(tree)?;
    let aside = folder.join(format!("{ASIDE}{}", process::id()));
    let files = apt::download(&aside.join("apt"), set.packages, progress)?;
    unpack(&files, &aside.join("tree"), progress)?;
    fs::rename(aside.join("tree"), tree).doing(|| format!("move {} into place", tree.display()))?;
    remove_tree(&aside)?;
    write_private(&folder.join(COMPLETE), &names_of(&files))
}

/// Unpacks on all cores: the packages share no files, and decompression is what takes the time.
fn unpack(files: &[PathBuf], tree: &Path, progress: ProgressFn<'_>) -> Result<(), EmbeddedError> {
    // Debian 13 keeps everything in /usr; these links keep a stray old-style path inside it.
    make_private_dir(tree)?;
    for name in ["bin", "sbin", "lib", "lib64"] {
        make_private_dir(&tree.join("usr").join(name))?;
        std::os::unix::fs::symlink(format!("usr/{name}"), tree.join(name))
            .doing(|| format!("link {}", tree.join(name).display()))?;
    }
    let total = files.len() as u64;
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let (sender, results) = mpsc::channel();
    progress(Progress { step: Step::Unpack, done: 0, total });
    thread::scope(|scope| {
        for worker in 0..workers {
            let sender = sender.clone();
            scope.spawn(move || {
                for file in files.iter().skip(worker).step_by(workers) {
                    // The receiver goes away after a first failure; the rest need not be unpacked then.
                    if sender.send(unpack_one(file, tree)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, result) in (1..).zip(results) {
            result?;
            progress(Progress { step: Step::Unpack, done, total });
        }
        Ok(())
    })
}

fn unpack_one(file: &Path, tree: &Path) -> Result<(), EmbeddedError> {
    let output = Command::new("dpkg-deb")
        .arg("--extract")
        .args([file, tree])
        .env("LC_ALL", "C")
        .output()
        .map_err(|_| EmbeddedError::ToolMissing { tool: "dpkg-deb" })?;
    if output.status.success() {
        return Ok(());
    }
    let package = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let detail = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(EmbeddedError::Unpack { package, detail })
}

fn names_of(files: &[PathBuf]) -> String {
    let names = files.iter().filter_map(|file| file.file_name()?.to_str());
    names.map(|name| format!("{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_cache(variables: &[(&str, &str)], expected: Option<&str>) {
        let read = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        assert_eq!(cache_of(read), expected.map(PathBuf::from));
    }

    #[test]
    fn the_cache_folder_is_ours_then_the_desktops_then_homes() {
        check_cache(&[("POLEVOD_CACHE", "/p"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/p"));
        check_cache(&[("POLEVOD_CACHE", ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/x/polevod"));
        check_cache(&[("HOME", "/h")], Some("/h/.cache/polevod"));
        check_cache(&[], None);
    }

    #[test]
    fn a_host_serves_only_when_no_server_file_is_missing() {
        let root = tempfile::tempdir().unwrap();
        for name in SERVER_FILES {
            assert!(!has_servers(root.path()), "before {name}");
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert!(has_servers(root.path()));
        assert_eq!(named_tree(root.path()).unwrap(), root.path().canonicalize().unwrap());
    }

    #[test]
    fn a_named_tree_that_lacks_a_server_is_refused_with_what_it_lacks() {
        let root = tempfile::tempdir().unwrap();
        let error = named_tree(root.path()).unwrap_err().to_string();
        assert!(error.contains("has no bin/sh") && error.contains("POLEVOD_SERVERS"), "{error}");
        let error = named_tree(&root.path().join("gone")).unwrap_err().to_string();
        assert!(error.contains("gone, which POLEVOD_SERVERS names"), "{error}");
    }

    #[test]
    fn two_named_trees_never_share_a_cache() {
        let names = ["/a/b", "/a%2Fb", "/a%b", "/a/c"].map(|path| one_name(Path::new(path)));
        assert_eq!(names, ["%2Fa%2Fb", "%2Fa%252Fb", "%2Fa%25b", "%2Fa%2Fc"]);
    }
}
