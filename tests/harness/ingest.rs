//! Ingest, as a process that can be killed, and inside the test, where it can be broken on purpose.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use polevod::ingest::{self, Counters, Sabotage, Totals};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::servers::blocking;
use super::settings::Settings;
use super::wait::{LONG, eventually};

/// `polevod ingest` as a process. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Process {
    pub(crate) fn start(settings: &Settings) -> Self {
        Self::run(&["ingest"], settings.variables())
    }

    /// Any command of the binary, with these variables and no others of its own.
    pub(crate) fn run<'a>(arguments: &[&str], variables: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let output = File::create(&log).unwrap();
        // Were this process killed, nothing of it could end the child.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_polevod")]).args(arguments);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POLEVOD_")) {
            command.env_remove(name);
        }
        let child = command
            .envs(variables)
            .current_dir(folder.path())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("setpriv (util-linux) and the binary are there");
        Self { child, log, _folder: folder }
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits for a line in what it prints.
    pub(crate) async fn says(&mut self, text: &str) {
        eventually(&format!("ingest says {text:?}"), LONG, async || {
            let log = self.log();
            let ended = self.child.try_wait().unwrap();
            if log.contains(text) {
                return Some(());
            }
            assert!(ended.is_none(), "ingest ended with {ended:?} before it said {text:?}:\n{log}");
            None
        })
        .await;
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "ingest ended by itself:\n{}", self.log());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop with SIGTERM, and waits.
    pub(crate) async fn terminate(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        (status, self.log())
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("ingest ends", LONG, async || self.child.try_wait().unwrap()).await
    }

    /// Exit code and what it printed, of a command that ends by itself.
    pub(crate) async fn outcome(mut self) -> (Option<i32>, String) {
        let status = self.ended().await;
        assert_eq!(status.signal(), None, "{}", self.log());
        (status.code(), self.log())
    }

    /// Memory in use, MiB; the most so far.
    pub(crate) fn memory_mib_max(&mut self) -> u64 {
        assert!(!self.has_ended(), "ingest ended by itself:\n{}", self.log());
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1_024
    }

    fn signal(&self, signal: Signal) {
        // Not reaped yet, so the id is our child's.
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It can only have ended in between, which is what is wanted.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The status code of an answer over HTTP; none where nobody answers.
pub(crate) async fn http_status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// A port on which nobody listens at the moment.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Ingest on a runtime of its own inside this process.
pub(crate) struct InProcess {
    pub(crate) counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<anyhow::Result<()>>>,
    runtime: Option<Runtime>,
}

impl InProcess {
    pub(crate) fn start(settings: &Settings) -> Self {
        Self::sabotaged(settings, Sabotage::None)
    }

    pub(crate) fn sabotaged(settings: &Settings, sabotage: Sabotage) -> Self {
        let config = settings.config();
        let counters = Arc::new(Counters::default());
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let task = runtime.spawn({
            let counters = counters.clone();
            async move { ingest::run(&config, counters, stopped, sabotage).await }
        });
        Self { counters, stop, task: Some(task), runtime: Some(runtime) }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.counters.totals()
    }

    /// Waits until the counters show something.
    #[track_caller]
    pub(crate) fn shows(&self, what: &str, look: impl Fn(&Totals) -> bool) -> impl Future<Output = Totals> {
        let counters = self.counters.clone();
        eventually(what, LONG, async move || Some(counters.totals()).filter(|totals| look(totals)))
    }

    /// Stops it in order; gives its last counters.
    pub(crate) async fn stop(mut self) -> Totals {
        self.stop.send_replace(true);
        let task = self.task.take().unwrap();
        tokio::time::timeout(Duration::from_secs(30), task).await.expect("it stops").unwrap().unwrap();
        self.totals()
    }

    /// Ends it without a word, as a crash would: its tasks are dropped wherever they are.
    pub(crate) fn crash(mut self) {
        let runtime = self.runtime.take().unwrap();
        blocking(|| runtime.shutdown_timeout(Duration::from_secs(10)));
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
