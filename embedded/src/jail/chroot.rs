//! What a plain chroot needs and namespaces would have brought along.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, lchown, symlink},
    path::Path,
    process::{Command, Stdio},
};

use crate::error::{Doing, EmbeddedError};

/// The user and group servers run as: PostgreSQL refuses root. Debian gives this number to nobody.
pub(super) const USER: u32 = 65_432;

/// Where in the tree run folders lie.
pub(super) const RUN_PARENT: &str = "run";

/// Devices the servers open: name, major, minor.
const DEVICES: [(&str, &str, &str); 4] =
    [("null", "1", "3"), ("zero", "1", "5"), ("random", "1", "8"), ("urandom", "1", "9")];

/// Makes the tree fit to be a root by itself. May be repeated, also by several processes at once.
pub(super) fn prepare(tree: &Path) -> Result<(), EmbeddedError> {
    let folders =
        [("", 0o755), ("etc", 0o755), ("dev", 0o755), ("dev/shm", 0o1777), ("tmp", 0o1777), (RUN_PARENT, 0o755)];
    for (name, mode) in folders {
        let folder = tree.join(name);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)))
            .doing(|| format!("make folder {}", folder.display()))?;
    }
    for (name, line) in
        [("passwd", format!("polevod:x:{USER}:{USER}::/:/bin/sh\n")), ("group", format!("polevod:x:{USER}:\n"))]
    {
        let path = tree.join("etc").join(name);
        fs::write(&path, line).doing(|| format!("write {}", path.display()))?;
    }
    for (name, major, minor) in DEVICES {
        let path = tree.join("dev").join(name);
        if !path.exists() {
            // Refused in some containers; whether that matters, the probe tells.
            let _ = Command::new("mknod")
                .args(["-m", "666"])
                .arg(&path)
                .args(["c", major, minor])
                .stderr(Stdio::null())
                .status();
        }
    }
    link_to_itself(tree)
}

/// Inside the tree, the tree's own host path leads back to its root: so host paths of run folders are right inside too.
fn link_to_itself(tree: &Path) -> Result<(), EmbeddedError> {
    let inside = tree.join(tree.strip_prefix("/").unwrap_or(tree));
    let parent = inside.parent().unwrap_or(tree);
    fs::create_dir_all(parent).doing(|| format!("make folder {}", parent.display()))?;
    match symlink("/", &inside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(error).doing(|| format!("link {}", inside.display()))
        }
        _ => Ok(()),
    }
}

/// Gives a run folder and all in it to [`USER`], and lets that user walk to it.
pub(super) fn hand_over(run: &Path) -> Result<(), EmbeddedError> {
    // runs/ and polevod-<uid>/
    for folder in run.ancestors().skip(1).take(2) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
            .doing(|| format!("set the mode of {}", folder.display()))?;
    }
    give(run)
}

fn give(path: &Path) -> Result<(), EmbeddedError> {
    lchown(path, Some(USER), Some(USER)).doing(|| format!("give {} to user id {USER}", path.display()))?;
    if !path.symlink_metadata().doing(|| format!("look at {}", path.display()))?.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path).doing(|| format!("list {}", path.display()))? {
        give(&entry.doing(|| format!("list {}", path.display()))?.path())?;
    }
    Ok(())
}
