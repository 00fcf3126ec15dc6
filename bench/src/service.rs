//! `polevod ingest` as a process of its own, as it runs in service.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use polevod::ingest::RawMessage;
use wire::{Compression, encode};

use crate::publisher;
use crate::server::Server;
use crate::workload::{self, Unit};

/// A running ingest. Dropping it ends it.
pub(crate) struct Service {
    child: Child,
}

impl Service {
    pub(crate) fn start(server: &Server<'_>) -> anyhow::Result<Self> {
        let program = program()?;
        let child = Command::new(&program)
            .arg("ingest")
            .env("POLEVOD_DATABASE_URL", server.stack.postgres.url())
            .env("POLEVOD_MQTT_URL", server.stack.mosquitto.url())
            .env("POLEVOD_LOG_FILTER", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}; `cargo xtask bench` builds it", program.display()))?;
        Ok(Self { child })
    }

    /// Starts it on a fresh session and waits until it takes in messages.
    pub(crate) fn ready(server: &Server<'_>) -> anyhow::Result<Self> {
        let broker = &server.config.mqtt.url;
        server.runtime.block_on(publisher::forget_service(broker, &server.config.mqtt.client_id))?;
        let service = Self::start(server)?;
        // One frame of a machine of its own goes ahead.
        let mut unit = Unit::new(workload::MACHINES);
        let frame = unit.frame(1, Timestamp::now().as_millisecond());
        let message =
            RawMessage { topic: unit.topic(), payload: encode(&frame, Compression::None).into(), received_at_ms: 0 };
        let before = server.stored()?;
        while server.stored()? == before {
            server.runtime.block_on(publisher::publish(broker, std::slice::from_ref(&message)))?;
            std::thread::sleep(Duration::from_millis(20));
        }
        server.empty()?;
        Ok(service)
    }

    /// The most memory it ever held, in MiB.
    pub(crate) fn memory_mib_max(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path)?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok(kib.ok_or_else(|| anyhow!("no VmHWM in {path}"))? / 1024.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A kill is what ingest is built for; nothing of it is needed after a measurement.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The service's binary beside this one.
fn program() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    Ok(here.parent().context("a program lies in a folder")?.join("polevod"))
}
