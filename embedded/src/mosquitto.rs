//! A private Mosquitto.

use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    error::{Doing, EmbeddedError},
    files::{make_private_dir, remove_tree, write_private},
    packages::Packages,
    port::PortLease,
    run_folder::RunFolder,
    server::Server,
};

/// Reading a large persistence file takes a while.
const READY_WAIT_MAX: Duration = Duration::from_secs(30);

/// At SIGTERM the broker writes its persistence file.
const STOP_WAIT_MAX: Duration = Duration::from_secs(30);

/// Ports another program may snatch between the check and the broker's bind.
const BIND_TRIES_MAX: u32 = 5;

/// How a private Mosquitto is set up: durable, and with room for ingest at full speed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MosquittoOptions {
    /// QoS 1 messages on the way to one client; MQTT 5 clients are told it as the broker's receive maximum. The
    /// broker's own default, 20, would hold ingest to a batch of twenty frames.
    pub inflight_messages_max: u16,
    /// Messages kept for one client beyond those on the way. The broker's own default, 1000, drops the rest without a
    /// word to anyone.
    pub queued_messages_max: u32,
    /// Seconds between writes of the persistence file; what comes after the last one is lost at SIGKILL.
    pub autosave_s: u32,
    /// Whether clients without a name may connect. The port is on loopback only.
    pub allow_anonymous: bool,
    /// Further lines of mosquitto.conf, at the end: password files, more listeners, TLS.
    pub extra_config: Vec<String>,
    /// Folders the broker may read besides its own, at their own paths: certificates, password files.
    pub visible_folders: Vec<PathBuf>,
}

impl Default for MosquittoOptions {
    fn default() -> Self {
        Self {
            inflight_messages_max: 5_000,
            queued_messages_max: 1_000_000,
            autosave_s: 10,
            allow_anonymous: true,
            extra_config: Vec::new(),
            visible_folders: Vec::new(),
        }
    }
}

impl MosquittoOptions {
    fn config(&self, port: u16, persistence: &Path) -> String {
        let mut text = format!(
            "listener {port} 127.0.0.1\n\
             allow_anonymous {}\n\
             persistence true\n\
             persistence_location {}/\n\
             autosave_interval {}\n\
             max_inflight_messages {}\n\
             max_queued_messages {}\n\
             set_tcp_nodelay true\n\
             log_dest stdout\n\
             log_timestamp_format %Y-%m-%dT%H:%M:%S\n",
            self.allow_anonymous,
            persistence.display(),
            self.autosave_s,
            self.inflight_messages_max,
            self.queued_messages_max,
        );
        for line in &self.extra_config {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// A running Mosquitto 2.0 on a loopback port of its own. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Mosquitto {
    // Dropped in this order: the guardian in `run` ends the broker, then the child is reaped.
    run: RunFolder,
    server: Server,
    port: PortLease,
    packages: Packages,
    visible_folders: Vec<PathBuf>,
}

impl Mosquitto {
    /// Starts a broker and waits until it takes connections.
    ///
    /// # Errors
    /// It does not start: with the end of its log.
    pub fn start(packages: &Packages, options: &MosquittoOptions) -> Result<Self, EmbeddedError> {
        let run = RunFolder::create(&packages.jail.run_parent()?, "mosquitto")?;
        let mut mosquitto = Self {
            server: Server::new("Mosquitto", run.path().join("mosquitto.log")),
            port: PortLease::take(run.base())?,
            run,
            packages: packages.clone(),
            visible_folders: options.visible_folders.clone(),
        };
        make_private_dir(&mosquitto.persistence_folder())?;
        for _ in 1..BIND_TRIES_MAX {
            mosquitto.write_config(options)?;
            match mosquitto.start_again() {
                Err(EmbeddedError::ServerFailed { log_tail, .. }) if log_tail.contains("Address already in use") => {
                    mosquitto.port = PortLease::take(mosquitto.run.base())?;
                }
                result => return result.map(|()| mosquitto),
            }
        }
        mosquitto.write_config(options)?;
        mosquitto.start_again().map(|()| mosquitto)
    }

    /// `mqtt://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port())
    }

    /// The loopback port. It stays the same over [`Mosquitto::start_again`].
    pub fn port(&self) -> u16 {
        self.port.port
    }

    /// Where the broker writes its log.
    pub fn log_path(&self) -> &Path {
        self.server.log()
    }

    /// Process id of the broker.
    ///
    /// # Errors
    /// The broker is not running.
    pub fn pid(&mut self) -> Result<u32, EmbeddedError> {
        self.server.pid()
    }

    /// Kills the broker with SIGKILL: what it had not yet written to its persistence file is lost.
    ///
    /// # Errors
    /// The broker is not running.
    pub fn kill(&mut self) -> Result<(), EmbeddedError> {
        self.server.pid()?;
        self.server.end(Signal::KILL, STOP_WAIT_MAX);
        Ok(())
    }

    /// Stops the broker in order; it writes its persistence file. Nothing to do when it is stopped.
    pub fn stop(&mut self) {
        self.server.end(Signal::TERM, STOP_WAIT_MAX);
    }

    /// Starts the broker again on the same persistence file and port, after a stop, a kill or a crash.
    ///
    /// # Errors
    /// It is running, or does not come up: with the end of its log.
    pub fn start_again(&mut self) -> Result<(), EmbeddedError> {
        self.server.require_stopped()?;
        self.packages.jail.hand_over(self.run.path())?;
        let mut visible = vec![self.run.path()];
        visible.extend(self.visible_folders.iter().map(PathBuf::as_path));
        let mut command = self.packages.jail.command("/usr/sbin/mosquitto", Some(&self.run.record()), &visible);
        command.arg("-c").arg(self.config_file());
        let log = self.server.log().to_owned();
        let seen = fs::metadata(&log).map_or(0, |metadata| metadata.len());
        self.server.start(command, READY_WAIT_MAX, |_| says_running(&log, seen))
    }

    /// Removes what the broker kept on disk, as if its disk had been lost: retained messages, sessions, queues.
    ///
    /// # Errors
    /// The broker is running.
    pub fn wipe_persistence(&mut self) -> Result<(), EmbeddedError> {
        self.server.require_stopped()?;
        remove_tree(&self.persistence_folder())?;
        make_private_dir(&self.persistence_folder())
    }

    fn persistence_folder(&self) -> PathBuf {
        self.run.path().join("persistence")
    }

    fn config_file(&self) -> PathBuf {
        self.run.path().join("mosquitto.conf")
    }

    fn write_config(&self, options: &MosquittoOptions) -> Result<(), EmbeddedError> {
        write_private(&self.config_file(), &options.config(self.port(), &self.persistence_folder()))
    }
}

/// The broker's own word, given once its listeners are open; a connection attempt could reach somebody else's port.
fn says_running(log: &Path, seen: u64) -> bool {
    let read = || {
        let mut file = fs::File::open(log)?;
        file.seek(SeekFrom::Start(seen))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(text)
    };
    let text: Result<String, EmbeddedError> = std::io::Result::doing(read(), || format!("read {}", log.display()));
    text.is_ok_and(|text| text.lines().any(|line| line.ends_with(" running")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_durable_and_on_loopback_only() {
        let options = MosquittoOptions { extra_config: vec!["max_keepalive 60".into()], ..Default::default() };
        let text = options.config(20_000, Path::new("/run/p"));
        for line in [
            "listener 20000 127.0.0.1",
            "persistence true",
            "persistence_location /run/p/",
            "max_inflight_messages 5000",
            "max_queued_messages 1000000",
            "max_keepalive 60",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn the_word_of_an_earlier_start_does_not_count_as_running() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "2026: mosquitto version 2.0.21 running\n").unwrap();
        assert!(says_running(file.path(), 0));
        assert!(!says_running(file.path(), 39));
    }
}
