//! A server process of either kind: started, waited for, killed, reaped.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    error::{Doing, EmbeddedError},
    files::log_tail,
    process::{signal, wait_child, wait_until},
};

/// A killed process is gone within moments unless its disk hangs.
const REAP_WAIT_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn new(name: &'static str, log: PathBuf) -> Self {
        Self { name, log, child: None }
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Starts the command with its output appended to the log, and waits until `ready(pid)`.
    pub(crate) fn start(
        &mut self,
        mut command: Command,
        at_most: Duration,
        ready: impl Fn(u32) -> bool,
    ) -> Result<(), EmbeddedError> {
        self.require_stopped()?;
        let open = || OpenOptions::new().create(true).append(true).open(&self.log);
        let output = open().doing(|| format!("open {}", self.log.display()))?;
        let errors = open().doing(|| format!("open {}", self.log.display()))?;
        let mut child = command
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|_| EmbeddedError::ToolMissing { tool: "unshare" })?;
        let pid = child.id();
        let mut ended = None;
        let came_up = wait_until(at_most, || {
            ended = child.try_wait().ok().flatten();
            ended.is_some() || ready(pid)
        });
        if came_up && ended.is_none() {
            self.child = Some(child);
            return Ok(());
        }
        let reason = match ended {
            Some(status) => format!("it ended with {status}"),
            None => {
                signal(pid, Signal::KILL);
                wait_child(&mut child, REAP_WAIT_MAX);
                format!("it was not ready after {} s", at_most.as_secs())
            }
        };
        Err(EmbeddedError::ServerFailed { server: self.name, reason, log_tail: log_tail(&self.log) })
    }

    /// The process id; an error when it is not running. A crash is noticed here.
    pub(crate) fn pid(&mut self) -> Result<u32, EmbeddedError> {
        if let Some(child) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(child.id());
        }
        self.child = None;
        Err(EmbeddedError::WrongState { server: self.name, state: "stopped", mend: "call start_again() first" })
    }

    pub(crate) fn require_stopped(&mut self) -> Result<(), EmbeddedError> {
        if self.pid().is_err() {
            return Ok(());
        }
        Err(EmbeddedError::WrongState { server: self.name, state: "running", mend: "call stop() or kill() first" })
    }

    /// Sends a signal and waits for the end, with SIGKILL when it takes too long. Nothing to do when it has ended.
    pub(crate) fn end(&mut self, how: Signal, at_most: Duration) {
        if let Some(mut child) = self.child.take() {
            // Not reaped yet, so the id cannot belong to another process.
            if matches!(child.try_wait(), Ok(None)) {
                signal(child.id(), how);
                if wait_child(&mut child, at_most).is_none() {
                    signal(child.id(), Signal::KILL);
                    wait_child(&mut child, REAP_WAIT_MAX);
                }
            }
        }
    }
}

impl Drop for Server {
    /// The guardian has ended it already; this reaps it.
    fn drop(&mut self) {
        self.end(Signal::KILL, REAP_WAIT_MAX);
    }
}
