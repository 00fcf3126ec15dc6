//! Where packages come from and who signs them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::error::EmbeddedError;

/// Debian's own name for the nearest mirror.
pub(crate) const STANDARD_MIRROR: &str = "http://deb.debian.org/debian";

/// Debian 13.
pub(crate) const SUITE: &str = "trixie";

/// Keyrings that hold the keys of Debian 13, the general one first. `.pgp` is the name from Debian 13 on.
const KEYRINGS: [&str; 4] = [
    "usr/share/keyrings/debian-archive-keyring.pgp",
    "usr/share/keyrings/debian-archive-keyring.gpg",
    "usr/share/keyrings/debian-archive-trixie-stable.gpg",
    "etc/apt/trusted.gpg.d/debian-archive-trixie-stable.asc",
];

/// The first archive keyring below `root`.
pub(crate) fn keyring(root: &Path) -> Result<PathBuf, EmbeddedError> {
    let candidates: Vec<PathBuf> = KEYRINGS.iter().map(|name| root.join(name)).collect();
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| EmbeddedError::KeyringMissing {
        looked_at: candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// Mirrors to try in order: the one the host itself uses for Debian, then the standard one.
pub(crate) fn mirrors(root: &Path) -> Vec<String> {
    let mut mirrors: Vec<String> = source_files(root).iter().filter_map(|text| debian_mirror(text)).take(1).collect();
    if mirrors.first().map(String::as_str) != Some(STANDARD_MIRROR) {
        mirrors.push(STANDARD_MIRROR.to_owned());
    }
    mirrors
}

fn source_files(root: &Path) -> Vec<String> {
    let apt = root.join("etc/apt");
    let mut paths: Vec<PathBuf> = fs::read_dir(apt.join("sources.list.d"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "list" || ending == "sources"));
    paths.push(apt.join("sources.list"));
    paths.sort();
    paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// The first address of a Debian archive in a source list of either format. An archive of Debian ends in `/debian`
/// by convention; security, backports and other makers' archives do not.
fn debian_mirror(text: &str) -> Option<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with("deb ") || line.to_ascii_lowercase().starts_with("uris:"))
        .flat_map(str::split_ascii_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| (word.starts_with("http://") || word.starts_with("https://")) && word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(debian_mirror(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_hosts_own_debian_mirror_is_found_in_both_formats() {
        check("deb [arch=amd64] http://mirror.example/debian/ bookworm main", Some("http://mirror.example/debian"));
        check("Types: deb\nURIs: https://mirror.example/debian\nSuites: trixie", Some("https://mirror.example/debian"));
    }

    #[test]
    fn archives_that_are_not_debians_are_passed_over() {
        check("deb http://mirror.example/debian-security bookworm-security main", None);
        check("deb http://archive.example/ubuntu noble main", None);
        check("# deb http://mirror.example/debian bookworm main", None);
        check("deb cdrom:[Debian]/debian bookworm main", None);
    }

    #[test]
    fn without_a_keyring_the_error_says_what_to_install() {
        let root = tempfile::tempdir().unwrap();
        let error = keyring(root.path()).unwrap_err().to_string();
        assert!(error.contains("apt-get install debian-archive-keyring"), "{error}");
    }

    #[test]
    fn the_standard_mirror_stands_behind_the_hosts_own() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(mirrors(root.path()), [STANDARD_MIRROR]);
        fs::create_dir_all(root.path().join("etc/apt")).unwrap();
        fs::write(root.path().join("etc/apt/sources.list"), "deb http://mirror.example/debian trixie main").unwrap();
        assert_eq!(mirrors(root.path()), ["http://mirror.example/debian", STANDARD_MIRROR]);
    }
}
