//! Simulated machines with a ledger on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use simulator::{FleetConfig, Ledger, LedgerContent, Options, Report, SimulatorError, StopSwitch};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::wait::{LONG, eventually};

/// Machines of a usual test.
const MACHINES: usize = 12;
/// Simulated seconds in a second.
const ACCELERATE: f64 = 1_200.0;

/// A fleet that records for `seconds` of wall clock, some 2,500 records in each, and the same ones for the same seed.
pub(crate) fn fleet_of(seed: u64, seconds: u32) -> FleetConfig {
    let simulated = i64::from(seconds) * ACCELERATE as i64;
    // In the past, so that every clock is right.
    let starts_at = Timestamp::now() - (simulated + 3_600).seconds();
    FleetConfig {
        seed,
        machines: MACHINES,
        starts_at,
        until: Some(starts_at + simulated.seconds()),
        accelerate: ACCELERATE,
        frame_samples: 10,
        frame_wait: Duration::from_millis(200),
        json_share: 0.2,
        serial_prefix: format!("F{seed}"),
        ..FleetConfig::default()
    }
}

/// How units of the tests speak to a broker: impatient, so that tests need not wait.
pub(crate) fn unit_options(mqtt_url: &str) -> Options {
    Options {
        broker_url: mqtt_url.into(),
        resend_after: Duration::from_secs(1),
        drain_timeout: LONG,
        ..Options::default()
    }
}

/// A running fleet.
pub(crate) struct Fleet {
    _folder: TempDir,
    ledger: PathBuf,
    progress: watch::Receiver<Report>,
    task: JoinHandle<Result<Report, SimulatorError>>,
    switch: StopSwitch,
}

/// What a fleet did, and what its ledger says.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) ledger: LedgerContent,
}

impl Outcome {
    /// Of a unit that was handed its records, with the ledger it wrote.
    pub(crate) fn of_unit(report: Report, ledger: &Path) -> Self {
        Self { report, ledger: Ledger::read(ledger).unwrap() }
    }
}

impl Fleet {
    pub(crate) fn start(config: FleetConfig, mqtt_url: &str) -> Self {
        Self::start_with(config, unit_options(mqtt_url))
    }

    pub(crate) fn start_with(config: FleetConfig, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger");
        let options = Options { ledger: Some(ledger.clone()), ..options };
        let (sender, progress) = watch::channel(Report::default());
        let (switch, stop) = simulator::stop_switch();
        let show = move |report: &Report| {
            sender.send_replace(report.clone());
        };
        let task = tokio::spawn(simulator::run(config, options, show, stop));
        Self { _folder: folder, ledger, progress, task, switch }
    }

    pub(crate) fn report(&self) -> Report {
        self.progress.borrow().clone()
    }

    /// Waits until the fleet was told of at least `records` stored records. It must still be at work then: a fault that
    /// strikes an idle system shows nothing.
    pub(crate) async fn told_of(&self, records: u64) {
        assert!(self.told_of_or_ended(records, LONG).await, "the fleet has ended: {:?}", self.report());
    }

    /// Waits until the fleet was told of at least `records` stored records; false when it ended before.
    pub(crate) async fn told_of_or_ended(&self, records: u64, at_most: Duration) -> bool {
        eventually(&format!("{records} records are confirmed"), at_most, async || {
            let ended = self.task.is_finished();
            (ended || self.report().records_stored >= records).then_some(!ended)
        })
        .await
    }

    /// Records no more and sends no more, whatever is pending.
    pub(crate) async fn cut(self) -> Outcome {
        self.switch.end();
        self.finish().await
    }

    /// Waits until everything is confirmed or the drain time is over.
    pub(crate) async fn finish(self) -> Outcome {
        let Self { _folder, ledger, task, switch, progress: _progress } = self;
        let report = task.await.unwrap().unwrap();
        drop(switch);
        Outcome { report, ledger: Ledger::read(&ledger).unwrap() }
    }
}
