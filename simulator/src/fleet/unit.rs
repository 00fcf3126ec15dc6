//! A unit in the hands of a caller: publishes what it is given as a machine would. Replaying recordings uses it, and
//! tests that need exact records.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use wire::{BootId, Encoding, MachineSerial, limits};

use super::SimulatorError;
use super::clock::Pacer;
use super::config::{Options, Pace};
use super::counters::Counters;
use super::report::Report;
use super::run::{Session, Timing};
use super::shard::{Fed, Member, Source};
use super::stop::{Phase, Stop, StopSwitch, stop_switch};
use crate::conditions::{Home, Network};
use crate::device::{Device, DeviceConfig, Impairer, Impairments};
use crate::machine::NetworkCoverage;
use wire::Record;

/// Records that may wait between the caller and the unit.
const FEED: usize = 256;
/// Pause between two calls of `progress`.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Records in a frame, unless told otherwise: recordings are sent as the backlog they are.
const FRAME_RECORDS: usize = 200;

/// How a hand-fed unit sends.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitConfig {
    /// Records that a frame gathers.
    pub frame_records: usize,
    /// Longest time a record waits for its frame to fill.
    pub frame_wait: Duration,
    /// Form of the frames.
    pub encoding: Encoding,
    /// What happens to frames on their way.
    pub impairments: Impairments,
    /// Model code for the status message.
    pub model: Option<String>,
}

impl Default for UnitConfig {
    fn default() -> Self {
        Self {
            frame_records: FRAME_RECORDS,
            frame_wait: Duration::from_millis(200),
            encoding: Encoding::Binary,
            impairments: Impairments::default(),
            model: None,
        }
    }
}

/// A unit with a connection of its own. Dropping it ends it at once; [`Unit::finish`] waits for the store.
#[derive(Debug)]
pub struct Unit {
    feed: mpsc::Sender<Fed>,
    counters: Arc<Counters>,
    given: u64,
    task: JoinHandle<Result<Report, SimulatorError>>,
    switch: StopSwitch,
}

impl Unit {
    /// Starts a unit; it connects in the background, and again whenever the connection breaks.
    ///
    /// Of the options, `connections` does not matter and `run_for` ends recording as in a fleet.
    ///
    /// # Errors
    /// When the address cannot be used or the ledger cannot be written.
    pub fn start(
        options: &Options,
        serial: MachineSerial,
        boot: BootId,
        config: UnitConfig,
    ) -> Result<Self, SimulatorError> {
        let session = Session::open(options)?;
        let counters = Arc::clone(&session.counters);
        let device_config = DeviceConfig {
            frame_records: config.frame_records.clamp(1, limits::MAX_RECORDS),
            frame_wait_ms: i64::try_from(config.frame_wait.as_millis()).unwrap_or(i64::MAX),
            // Never reached: the feed stops at four windows.
            buffer_records: usize::MAX,
            encoding: config.encoding,
            ..session.device_config(options)
        };
        let seed = boot.as_u64();
        let now_ms = session.clock.now_ms();
        let impairer = (!config.impairments.is_none()).then(|| Impairer::new(config.impairments, seed));
        let network = config.impairments.outages.map(|outages| {
            let home = Home { fleet_seed: seed, district: "", coverage: NetworkCoverage::Good };
            Box::new(Network::new(outages.into(), home, seed, now_ms))
        });
        let device = Device::new(serial, boot, seed, device_config);
        let member = Member::new(device, Source::Fed(network), impairer, config.model);
        let (feed, fed) = mpsc::channel(FEED);
        let (switch, stop) = stop_switch();
        let mut tasks = JoinSet::new();
        let timing =
            Timing { pace: Pace::Accelerated(1.0), pacer: Pacer::real_time(now_ms), simulate_until_ms: i64::MAX };
        session.spawn(&mut tasks, vec![member], String::new(), options, timing, stop, Some(fed))?;
        let task = tokio::spawn(session.finish(tasks, |_| {}));
        Ok(Self { feed, counters, given: 0, task, switch })
    }

    /// Hands a record over; waits while too much is unconfirmed. False when the unit has ended.
    pub async fn record(&mut self, record: impl Into<Record>) -> bool {
        let taken = self.feed.send(Fed::Record(Box::new(record.into()))).await.is_ok();
        self.given += u64::from(taken);
        taken
    }

    /// Sends what has gathered without waiting for more.
    pub async fn seal(&self) {
        // A unit that has ended sends nothing more anyway.
        let _ = self.feed.send(Fed::Seal).await;
    }

    /// Restarts the unit under another boot: sequence numbers begin again at 0, the backlog stays.
    pub async fn reboot(&self, boot: BootId) {
        let _ = self.feed.send(Fed::Reboot(boot)).await;
    }

    /// Waits until everything handed over so far is stored; false when `time` is over first.
    pub async fn stored(&self, time: Duration) -> bool {
        self.seal().await;
        let settled = async {
            loop {
                let told = self.counters.settled.notified();
                if self.report().records_stored >= self.given {
                    return;
                }
                told.await;
            }
        };
        tokio::time::timeout(time, settled).await.is_ok()
    }

    /// What it did so far.
    pub fn report(&self) -> Report {
        let mut report = self.counters.report();
        report.pending = self.given - self.counters.records_stored.load(Relaxed).min(self.given);
        report
    }

    /// Ends recording, waits until everything is stored or the drain time is over, and says what was done.
    ///
    /// # Errors
    /// When the ledger failed.
    pub async fn finish(self) -> Result<Report, SimulatorError> {
        let Self { feed, task, switch, .. } = self;
        drop(feed);
        let outcome = task.await.map_err(|error| SimulatorError::Internal(error.to_string()))?;
        drop(switch);
        outcome
    }

    /// Ends at once, as at a loss of power: nothing is waited for, what is pending is lost with the process.
    pub async fn cut(self) -> Result<Report, SimulatorError> {
        self.switch.end();
        self.finish().await
    }
}

/// Sends recorded records as the machine `serial` would have under `boot`, and waits until all of them are stored.
///
/// Bounded by what is unconfirmed, whatever the length of `records`. The same records under the same serial and boot
/// are the same records: sent again, they add nothing.
///
/// # Errors
/// As for [`Unit::start`].
pub async fn replay(
    options: &Options,
    serial: MachineSerial,
    boot: BootId,
    records: impl IntoIterator<Item = Record>,
    mut progress: impl FnMut(&Report),
    mut stop: Stop,
) -> Result<Report, SimulatorError> {
    let mut unit = Unit::start(options, serial, boot, UnitConfig::default())?;
    let counters = Arc::clone(&unit.counters);
    let mut tick = tokio::time::interval(PROGRESS_EVERY);
    'records: for record in records {
        let mut handing_over = std::pin::pin!(unit.record(record));
        loop {
            tokio::select! {
                taken = &mut handing_over => if taken { break } else { break 'records },
                _ = stop.changed() => break 'records,
                // A unit whose window is full waits here for as long as nobody confirms: that is worth showing.
                _ = tick.tick() => progress(&counters.report()),
            }
        }
    }
    if stop.phase() == Phase::End {
        return unit.cut().await;
    }
    let mut finishing = std::pin::pin!(unit.finish());
    let report = loop {
        tokio::select! {
            report = &mut finishing => break report?,
            _ = tick.tick() => progress(&counters.report()),
        }
    };
    progress(&report);
    Ok(report)
}
