//! Running a fleet.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use wire::{BootId, Encoding, Link, MachineSerial, Topic, TopicKind};

use super::SimulatorError;
use super::broker::Broker;
use super::clock::{Clock, Pacer};
use super::config::{FleetConfig, Options};
use super::counters::Counters;
use super::link::{LinkConfig, keep_connected};
use super::report::Report;
use super::shard::{Fed, Member, Shard, ShardSetup, status_of_unit};
use super::stop::Stop;
use crate::device::{Device, DeviceConfig, Impairer};
use crate::ledger::{Durable, Ledger};
use crate::machine::{Catalogue, Fleet};
use crate::random::Random;

const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Messages that may wait for a shard; beyond, the connection stops reading.
const EVENTS: usize = 256;
/// A fleet knocks at the broker within this time.
const CONNECT_WITHIN: Duration = Duration::from_millis(1_000);

/// Runs a fleet until its time is over or it is told to stop, then waits until everything it recorded is stored.
///
/// `progress` is called five times a second. A broker or a service that is away is waited for; what they have not
/// confirmed when the drain time is over is `pending` in the report.
///
/// # Errors
/// When a setting is impossible, the address cannot be used, or the ledger cannot be written.
pub async fn run(
    fleet: FleetConfig,
    options: Options,
    progress: impl FnMut(&Report),
    stop: Stop,
) -> Result<Report, SimulatorError> {
    fleet.check()?;
    let catalogue = Catalogue::load(fleet.models_folder.as_deref())?;
    let world = Fleet::plan(&fleet, &catalogue)?;
    let session = Session::open(&options)?;
    let starts_at_ms = fleet.starts_at.as_millisecond();
    let pacer = Pacer::new(session.clock.now_ms(), starts_at_ms, fleet.pace());
    let config = DeviceConfig {
        frame_records: fleet.frame_samples,
        frame_wait_ms: i64::try_from(fleet.frame_wait.as_millis()).unwrap_or(i64::MAX),
        buffer_records: fleet.unit_buffer_records(),
        ..session.device_config(&options)
    };
    let mut shards: Vec<Vec<Member>> = (0..options.connections.min(fleet.machines)).map(|_| Vec::new()).collect();
    for index in 0..fleet.machines {
        let (serial, machine) = world.machine(index);
        let seed = Random::fork(fleet.seed, serial.as_str()).next_u64();
        let speaks_json = Random::fork(seed, "encoding").chance(fleet.json_share);
        let encoding = if speaks_json { Encoding::Json } else { Encoding::Binary };
        let device =
            Device::new(serial, boot_of(starts_at_ms, seed), seed, DeviceConfig { encoding, ..config.clone() });
        let impairer = (!fleet.impairments.is_none()).then(|| Impairer::new(fleet.impairments, seed, starts_at_ms));
        let model = Some(machine.model_code().to_string());
        let shard = index % shards.len();
        shards[shard].push(Member::new(device, Some(Box::new(machine)), impairer, model));
    }
    let mut tasks = JoinSet::new();
    for (number, members) in shards.into_iter().enumerate() {
        let name = format!("{}-shard-{number}-{starts_at_ms:x}", fleet.serial_prefix);
        let until_ms = fleet.until.map_or(i64::MAX, |until| until.as_millisecond());
        session.spawn(&mut tasks, members, name, &options, (fleet.pace(), pacer, until_ms), stop.clone(), None);
    }
    session.finish(tasks, progress).await
}

/// A boot number of 51 bits, which also JavaScript holds exactly: the second of power-up, then 20 random bits. The
/// same fleet started twice at the same simulated time has the same boots, any other start has others.
fn boot_of(starts_at_ms: i64, seed: u64) -> BootId {
    let second = starts_at_ms.div_euclid(1_000).unsigned_abs() & 0x7fff_ffff;
    let random = Random::fork(seed, "boot").next_u64() & 0xf_ffff;
    BootId::new(second << 20 | random).expect("51 bits fit 63")
}

/// What all shards of a run share.
pub(super) struct Session {
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    ledger: Option<Arc<Ledger>>,
    broker: Broker,
}

impl Session {
    pub(super) fn open(options: &Options) -> Result<Self, SimulatorError> {
        options.check()?;
        let broker: Broker = options.broker_url.parse()?;
        if broker.tls && options.tls.is_none() {
            return Err(SimulatorError::Broker {
                url: format!("mqtts://{}:{}", broker.host, broker.port),
                reason: "asks for encryption, but no certificates are set",
            });
        }
        let ledger = options.ledger.as_deref().map(Ledger::open).transpose()?.map(Arc::new);
        Ok(Self { clock: Clock::start(), counters: Arc::default(), ledger, broker })
    }

    pub(super) fn device_config(&self, options: &Options) -> DeviceConfig {
        let resend_after_ms = i64::try_from(options.resend_after.as_millis()).unwrap_or(i64::MAX / 8);
        DeviceConfig { resend_after_ms, logged: self.ledger.is_some(), ..DeviceConfig::default() }
    }

    /// Starts a shard and its connection. The timing is the pace, the pacer and the simulated time of the end.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the run that only the caller knows")]
    pub(super) fn spawn(
        &self,
        tasks: &mut JoinSet<()>,
        members: Vec<Member>,
        name: String,
        options: &Options,
        (pace, pacer, simulate_until_ms): (super::config::Pace, Pacer, i64),
        stop: Stop,
        feed: Option<mpsc::Receiver<Fed>>,
    ) {
        let (event_sender, events) = mpsc::channel(EVENTS);
        let space = Arc::new(Notify::new());
        let own = if let [only] = members.as_slice() { Some(only) } else { None };
        let tls = if self.broker.tls { options.tls.clone() } else { None };
        let link = LinkConfig {
            client_id: own.map_or(name, |member| member.device.serial().to_string()),
            broker: self.broker.clone(),
            credentials: options
                .username
                .clone()
                .map(|user| (user, options.password.clone().unwrap_or_default()))
                .or_else(|| self.broker.credentials.clone()),
            tls,
            // A shared connection has one will, but many machines: their silence has to be noticed by the service.
            will: own.map(|member| {
                let status = status_of_unit(&member.device, member.model.as_deref(), Link::Offline);
                (status_topic(member.device.serial()), status.encode())
            }),
            seed: members.len() as u64,
            spread: if feed.is_some() { Duration::ZERO } else { CONNECT_WITHIN },
        };
        let record_until_ms = options.run_for.map_or(i64::MAX, |time| {
            self.clock.now_ms().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
        });
        let setup = ShardSetup {
            clock: self.clock,
            pace,
            pacer,
            counters: Arc::clone(&self.counters),
            ledger: self.ledger.clone(),
            stop,
            record_until_ms,
            simulate_until_ms,
            drain_timeout: options.drain_timeout,
            feed,
            events,
            space: Arc::clone(&space),
        };
        let counters = Arc::clone(&self.counters);
        tasks.spawn(async move {
            tokio::join!(Shard::new(members, setup).run(), keep_connected(link, event_sender, space, counters)).0
        });
    }

    /// Waits for all shards.
    pub(super) async fn finish(
        self,
        mut tasks: JoinSet<()>,
        mut progress: impl FnMut(&Report),
    ) -> Result<Report, SimulatorError> {
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        loop {
            tokio::select! {
                ended = tasks.join_next() => match ended {
                    Some(Ok(())) => {}
                    Some(Err(error)) => return Err(SimulatorError::Internal(error.to_string())),
                    None => break,
                },
                _ = ticks.tick() => progress(&self.counters.report()),
            }
            if let Some(ledger) = &self.ledger
                && let Durable::Failed(reason) = &*ledger.durable().borrow()
            {
                return Err(SimulatorError::LedgerFailed(reason.clone()));
            }
        }
        let report = self.counters.report();
        progress(&report);
        debug_assert_eq!(self.counters.frames_sent.load(Relaxed), report.frames_sent, "all shards have ended");
        Ok(report)
    }
}

fn status_topic(serial: &MachineSerial) -> String {
    Topic::new(serial, TopicKind::Status).to_string()
}
