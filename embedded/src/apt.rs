//! apt-get as a downloader: own state, own lists, nothing of the host's but its network settings and the keyring.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use crate::{
    error::{Doing, EmbeddedError},
    files::{make_private_dir, remove_tree, write_private},
    progress::{Progress, ProgressFn, Step},
    sources::{self, SUITE},
};

/// Lines of apt's complaints that an error message quotes.
const DETAIL_LINES_MAX: usize = 4;

/// apt reports percentages with decimals; permille keeps one of them.
const PERMILLE: u64 = 1000;

/// Downloads packages with all they depend on and returns the files. `work` is emptied first.
pub(crate) fn download(
    work: &Path,
    packages: &[&str],
    progress: ProgressFn<'_>,
) -> Result<Vec<PathBuf>, EmbeddedError> {
    let keyring = sources::keyring(Path::new("/"))?;
    let mut mirrors = sources::mirrors(Path::new("/")).into_iter().peekable();
    loop {
        let mirror = mirrors.next().expect("the standard mirror is always there");
        match download_from(&mirror, &keyring, work, packages, progress) {
            // The host's own mirror may not carry Debian 13.
            Err(EmbeddedError::Download { .. }) if mirrors.peek().is_some() => {}
            result => return result,
        }
    }
}

fn download_from(
    mirror: &str,
    keyring: &Path,
    work: &Path,
    packages: &[&str],
    progress: ProgressFn<'_>,
) -> Result<Vec<PathBuf>, EmbeddedError> {
    remove_tree(work)?;
    let archives = work.join("cache/archives");
    make_private_dir(&work.join("state/lists/partial"))?;
    make_private_dir(&archives.join("partial"))?;
    write_private(&work.join("status"), "")?;
    write_private(&work.join("polevod.sources"), &source_list(mirror, keyring, &architecture()?))?;
    write_private(&work.join("apt.conf"), &configuration(work, &network_settings()))?;

    run(work, mirror, "read the package lists", &["update"], Step::Lists, progress)?;
    let install = ["install", "--yes", "--download-only", "--"];
    let arguments: Vec<&str> = install.iter().chain(packages).copied().collect();
    run(work, mirror, "download packages", &arguments, Step::Download, progress)?;

    let mut files: Vec<PathBuf> = fs::read_dir(&archives)
        .doing(|| format!("list {}", archives.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .collect();
    files.sort();
    Ok(files)
}

fn source_list(mirror: &str, keyring: &Path, architecture: &str) -> String {
    format!(
        "Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\nArchitectures: {architecture}\nSigned-By: {}\n",
        keyring.display()
    )
}

/// The whole configuration: APT_CONFIG is read first and turns the host's files off.
fn configuration(work: &Path, network: &str) -> String {
    let work = work.display();
    format!(
        r#"Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "{work}/polevod.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Log "{work}/log";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
{network}// The folder is private, so apt's own user could not write there.
APT::Sandbox::User "root";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
"#
    )
}

/// The host's proxies, and whether it trusts its clock and its mirror's dates.
fn network_settings() -> String {
    const KEPT: [&str; 5] =
        ["Acquire::http", "Acquire::https", "Acquire::ftp", "Acquire::Check-Valid-Until", "Acquire::Check-Date"];
    let dump = Command::new("apt-config").args(["dump", "Acquire"]).env("LC_ALL", "C").output();
    let text = dump.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let kept = |line: &&str| KEPT.iter().any(|name| line.starts_with(name));
    text.lines().filter(kept).map(|line| format!("{line}\n")).collect()
}

fn architecture() -> Result<String, EmbeddedError> {
    let output = Command::new("dpkg")
        .arg("--print-architecture")
        .output()
        .map_err(|_| EmbeddedError::ToolMissing { tool: "dpkg" })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(
    work: &Path,
    mirror: &str,
    action: &'static str,
    arguments: &[&str],
    step: Step,
    progress: ProgressFn<'_>,
) -> Result<(), EmbeddedError> {
    let mut child = Command::new("apt-get")
        .args(["-q", "-o", "APT::Status-Fd=1"])
        .args(arguments)
        .env("APT_CONFIG", work.join("apt.conf"))
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|_| EmbeddedError::ToolMissing { tool: "apt-get" })?;

    // Both pipes are read at once, so that neither can fill up and stall apt.
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let complaints = thread::spawn(move || {
        let mut text = Vec::new();
        // A broken pipe ends the text early, nothing more.
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let report = |done| progress(Progress { step, done, total: PERMILLE });
    report(0);
    let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    for line in stdout.split(b'\n').map_while(Result::ok) {
        if let Some(done) = permille_done(&String::from_utf8_lossy(&line)) {
            report(done.min(PERMILLE - 1));
        }
    }
    let status = child.wait().doing(|| "wait for apt-get".to_owned())?;
    let complaints = complaints.join().unwrap_or_default();
    if !status.success() {
        let detail = errors_of(&complaints);
        return Err(EmbeddedError::Download { action, mirror: mirror.to_owned(), detail });
    }
    report(PERMILLE);
    Ok(())
}

/// Reads apt's status line `dlstatus:<item>:<percent>:<text>`.
fn permille_done(line: &str) -> Option<u64> {
    let percent: f64 = line.strip_prefix("dlstatus:")?.split(':').nth(1)?.parse().ok()?;
    // A percentage is small, and a cast of anything odd saturates.
    Some((percent * 10.0) as u64)
}

fn errors_of(complaints: &str) -> String {
    let errors: Vec<&str> = complaints.lines().filter(|line| line.starts_with("E:")).take(DETAIL_LINES_MAX).collect();
    if errors.is_empty() { "no reason given".to_owned() } else { errors.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_status_lines_become_permille() {
        assert_eq!(permille_done("dlstatus:3:14.4773:Retrieving file 3 of 3"), Some(144));
        assert_eq!(permille_done("dlstatus:1:100.0000:Retrieving"), Some(1000));
        assert_eq!(permille_done("Get:1 http://mirror.example trixie"), None);
        assert_eq!(permille_done("dlstatus:x"), None);
    }

    #[test]
    fn nothing_unsigned_is_ever_accepted_whatever_the_host_says() {
        let text = configuration(Path::new("/w"), "Acquire::AllowInsecureRepositories \"true\";\n");
        let allowed = text.rfind("AllowInsecureRepositories \"true\"").unwrap();
        assert!(text.rfind("AllowInsecureRepositories \"false\"").unwrap() > allowed);
    }

    #[test]
    fn only_apts_errors_are_quoted() {
        assert_eq!(errors_of("W: old\nE: Unable to locate package x\n"), "E: Unable to locate package x");
        assert_eq!(errors_of(""), "no reason given");
    }
}
