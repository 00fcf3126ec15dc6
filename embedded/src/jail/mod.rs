//! Running programs of the unpacked tree.

mod chroot;

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    error::{Doing, EmbeddedError},
    files::make_private_dir,
};

const NAMESPACES: &str = concat!(include_str!("record.sh"), include_str!("namespaces.sh"));
const CHROOT: &str = concat!(include_str!("record.sh"), include_str!("chroot.sh"));

/// The tools of util-linux live in one of these, whatever PATH the caller has.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How to run a program of a tree. Either way it has the host's network and process ids, and host paths mean the same
/// inside as outside.
#[derive(Debug, Clone)]
pub(crate) struct Jail {
    tree: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Own user, mount and IPC namespace: for everybody the kernel allows it. The new root is mounted on an empty
    /// folder; namespaces are private, so all jails share one.
    Namespaces { mount_point: PathBuf },
    /// Plain chroot, for root in a container that forbids namespaces. Run folders lie inside the tree, and other
    /// folders of the host cannot be shown.
    Chroot,
}

impl Jail {
    /// The first kind that works here.
    pub(crate) fn find(tree: &Path, cache: &Path) -> Result<Self, EmbeddedError> {
        let mount_point = cache.join("mnt");
        make_private_dir(&mount_point)?;
        let namespaces = Self { tree: tree.to_owned(), kind: Kind::Namespaces { mount_point } };
        let Err(detail) = namespaces.probe()? else { return Ok(namespaces) };
        let is_root = rustix::process::geteuid().is_root();
        if is_root && tree != Path::new("/") && chroot::prepare(tree).is_ok() {
            let chroot = Self { tree: tree.to_owned(), kind: Kind::Chroot };
            if chroot.probe()?.is_ok() {
                return Ok(chroot);
            }
        }
        Err(EmbeddedError::NamespacesForbidden { detail, mend: mend(|name| fs::read_to_string(name).ok()) })
    }

    /// Where run folders must lie.
    pub(crate) fn run_parent(&self) -> Result<PathBuf, EmbeddedError> {
        match self.kind {
            Kind::Namespaces { .. } => {
                let temporary = env::temp_dir();
                temporary.canonicalize().doing(|| format!("find the temporary folder {}", temporary.display()))
            }
            Kind::Chroot => Ok(self.tree.join(chroot::RUN_PARENT)),
        }
    }

    /// Gives a run folder with all in it to the user the servers run as, if that is another.
    pub(crate) fn hand_over(&self, run: &Path) -> Result<(), EmbeddedError> {
        match self.kind {
            Kind::Namespaces { .. } => Ok(()),
            Kind::Chroot => chroot::hand_over(run),
        }
    }

    /// A command that runs `program` (absolute, as inside the tree). `visible` are host folders shown at their own
    /// paths. The record file receives "pid start-time" just before the program takes over the process.
    pub(crate) fn command(&self, program: &str, record: Option<&Path>, visible: &[&Path]) -> Command {
        let record = record.map_or(OsStr::new(""), Path::as_os_str);
        let mut command = match &self.kind {
            Kind::Namespaces { mount_point } => {
                let mut command = Command::new("unshare");
                command
                    .args(["--user", "--map-root-user", "--mount", "--ipc", "--"])
                    .args(["sh", "-c", NAMESPACES, "polevod-jail"])
                    .args([mount_point.as_os_str(), self.tree.as_os_str(), record])
                    .args(visible)
                    .args(["--", program]);
                command
            }
            Kind::Chroot => {
                let mut command = Command::new("sh");
                let owner = format!("{0}:{0}", chroot::USER);
                command.args(["-c", CHROOT, "polevod-jail"]);
                command.arg(record).arg(owner).arg(&self.tree).arg(program);
                command
            }
        };
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            // Ctrl-C at the terminal is for the owner; it ends the servers in its own good order.
            .process_group(0)
            .stdin(Stdio::null());
        command
    }

    /// Runs a trifle, to find out early whether the kernel allows all this; the inner error is what it said.
    fn probe(&self) -> Result<Result<(), String>, EmbeddedError> {
        let mut command = self.command("/bin/sh", None, &[]);
        let output = command.args(["-c", ": > /dev/null"]).output().map_err(|_| tool_missing("unshare"))?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        Ok(Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")))
    }
}

/// Which setting forbids user namespaces, by the switches distributions are known to have.
fn mend(read: impl Fn(&str) -> Option<String>) -> String {
    const SWITCHES: [(&str, &str, &str); 3] = [
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ];
    let closed =
        SWITCHES.iter().find(|(path, forbidding, _)| read(path).is_some_and(|value| value.trim() == *forbidding));
    match closed {
        Some((_, _, setting)) => format!("allow them with `sudo sysctl {setting}`, or run `docker compose up`"),
        None => "in a container allow them (docker run --security-opt seccomp=unconfined --security-opt \
                 apparmor=unconfined --cap-add SYS_ADMIN), or run `docker compose up` on the host"
            .to_owned(),
    }
}

fn tool_missing(tool: &'static str) -> EmbeddedError {
    EmbeddedError::ToolMissing { tool }
}

/// Checks that the host's tools are there, before anything is downloaded.
pub(crate) fn require_tools(tools: &[&'static str]) -> Result<(), EmbeddedError> {
    match tools.iter().find(|tool| !on_path(tool)) {
        Some(tool) => Err(tool_missing(tool)),
        None => Ok(()),
    }
}

fn on_path(tool: &str) -> bool {
    env::split_paths(PATH).any(|folder| folder.join(tool).is_file())
}

/// Host folders a tool may want to read and write by name: the temporary folder and the working folder, unless they
/// lie where the jail has its own.
pub(crate) fn everyday_folders() -> Vec<PathBuf> {
    const OWN_TO_THE_JAIL: [&str; 8] = ["/usr", "/etc", "/dev", "/proc", "/bin", "/sbin", "/lib", "/lib64"];
    let fits = |folder: &PathBuf| {
        folder.is_absolute()
            && folder.is_dir()
            && folder != Path::new("/")
            && !OWN_TO_THE_JAIL.iter().any(|own| folder.starts_with(own))
    };
    [Some(env::temp_dir()), env::current_dir().ok()].into_iter().flatten().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, value: &str, expected: &str) {
        let mend = mend(|name| (name == path).then(|| format!("{value}\n")));
        assert!(mend.contains(expected), "{mend}");
    }

    #[test]
    fn a_forbidden_namespace_names_the_switch_that_forbids_it() {
        check("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000");
        check("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1");
        check("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "userns=0");
        check("/proc/sys/user/max_user_namespaces", "15000", "docker run --security-opt");
    }

    #[test]
    fn the_hosts_own_tree_serves_as_well_as_an_unpacked_one() {
        let cache = tempfile::tempdir().unwrap();
        let jail = Jail::find(Path::new("/"), cache.path()).unwrap();
        let mut command = jail.command("/bin/sh", None, &[cache.path()]);
        let script = format!("echo hello > {}/from-inside", cache.path().display());
        assert!(command.args(["-c", &script]).status().unwrap().success());
        assert_eq!(fs::read_to_string(cache.path().join("from-inside")).unwrap(), "hello\n");
    }

    #[test]
    fn a_missing_tool_points_to_docker_compose() {
        let error = require_tools(&["sh", "no-such-tool"]).unwrap_err().to_string();
        assert!(error.contains("`no-such-tool`") && error.contains("docker compose up"), "{error}");
    }
}
