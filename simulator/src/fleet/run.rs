//! Running a fleet.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use wire::{Link, TopicKind};

use super::SimulatorError;
use super::assemble::{Assembly, Unit};
use super::broker::Broker;
use super::clock::{Clock, Pacer};
use super::config::{FleetConfig, Options, Pace};
use super::counters::Counters;
use super::identity::Loaded;
use super::link::{LinkConfig, keep_connected};
use super::report::Report;
use super::shard::{Fed, Member, Shard, ShardSetup, Source};
use super::stop::Stop;
use crate::device::DeviceConfig;
use crate::ledger::{Durable, Ledger};
use crate::truth::TruthFiles;

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
/// When a setting is impossible, the address cannot be used, or ledger, truth or buffers cannot be written.
pub async fn run(
    fleet: FleetConfig,
    options: Options,
    progress: impl FnMut(&Report),
    stop: Stop,
) -> Result<Report, SimulatorError> {
    options.check(&fleet)?;
    let session = Session::open(&options)?;
    let assembly = Assembly::plan(&fleet, session.device_config(&options), options.state.as_ref())?;
    let starts_at_ms = fleet.starts_at.as_millisecond();
    let mut shards: Vec<Vec<Member>> = (0..options.connections.min(fleet.machines)).map(|_| Vec::new()).collect();
    for index in 0..fleet.machines {
        let Unit { device, onboard, impairer, model } = assembly.unit(index)?;
        session.counters.found_in_buffers.fetch_add(device.pending() as u64, Relaxed);
        let shard = index % shards.len();
        shards[shard].push(Member::new(device, Source::Machine(Box::new(onboard)), impairer, Some(model)));
    }
    // Only now, so that simulated time does not run while ten thousand machines are put together.
    let pacer = Pacer::new(session.clock.now_ms(), starts_at_ms, fleet.pace(), fleet.stay_behind);
    let timing = Timing {
        pace: fleet.pace(),
        pacer,
        simulate_until_ms: fleet.until.map_or(i64::MAX, |until| until.as_millisecond()),
    };
    let mut tasks = JoinSet::new();
    for (number, members) in shards.into_iter().enumerate() {
        let name = format!("{}-shard-{number}-{starts_at_ms:x}", fleet.serial_prefix);
        session.spawn(&mut tasks, members, name, &options, timing, stop.clone(), None)?;
    }
    session.finish(tasks, progress).await
}

/// How time passes in a run, and when it ends.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) pace: Pace,
    pub(super) pacer: Pacer,
    pub(super) simulate_until_ms: i64,
}

/// What all shards of a run share.
pub(super) struct Session {
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    ledger: Option<Arc<Ledger>>,
    truth: Option<Arc<TruthFiles>>,
    broker: Broker,
    identities: Option<Loaded>,
}

impl Session {
    pub(super) fn open(options: &Options) -> Result<Self, SimulatorError> {
        let broker: Broker = options.broker_url.parse()?;
        let identities = options.identities.as_ref().map(|identities| identities.load()).transpose()?;
        let has_certificates = options.identities.as_ref().is_some_and(|own| own.certificates.is_some());
        if broker.tls && options.tls.is_none() && !has_certificates {
            return Err(SimulatorError::Broker {
                url: format!("mqtts://{}:{}", broker.host, broker.port),
                reason: "asks for encryption, but no certificates are set",
            });
        }
        let ledger = options.ledger.as_deref().map(Ledger::open).transpose()?.map(Arc::new);
        let truth = options.truth.as_deref().map(TruthFiles::create).transpose()?.map(Arc::new);
        Ok(Self { clock: Clock::start(), counters: Arc::default(), ledger, truth, broker, identities })
    }

    pub(super) fn device_config(&self, options: &Options) -> DeviceConfig {
        let usual = DeviceConfig::default();
        let resend_after_ms = i64::try_from(options.resend_after.as_millis()).unwrap_or(i64::MAX / 64);
        // Impatient units stay impatient: the longest wait goes with the first.
        let resend_cap_ms = resend_after_ms.saturating_mul(usual.resend_cap_ms / usual.resend_after_ms);
        DeviceConfig { resend_after_ms, resend_cap_ms, logged: self.ledger.is_some(), ..usual }
    }

    /// Starts a shard and its connection.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the run that only the caller knows")]
    pub(super) fn spawn(
        &self,
        tasks: &mut JoinSet<()>,
        members: Vec<Member>,
        name: String,
        options: &Options,
        timing: Timing,
        stop: Stop,
        feed: Option<mpsc::Receiver<Fed>>,
    ) -> Result<(), SimulatorError> {
        let (event_sender, events) = mpsc::channel(EVENTS);
        let space = Arc::new(Notify::new());
        let own = if let [only] = members.as_slice() { Some(only) } else { None };
        let (network, network_seen) = own.map(|_| watch::channel(true)).unzip();
        let link = LinkConfig {
            spread: if feed.is_some() { Duration::ZERO } else { CONNECT_WITHIN },
            seed: members.len() as u64,
            network: network_seen,
            ..self.link(own, name, options)?
        };
        let record_until_ms = options.run_for.map_or(i64::MAX, |time| {
            self.clock.now_ms().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
        });
        let setup = ShardSetup {
            clock: self.clock,
            pace: timing.pace,
            pacer: timing.pacer,
            counters: Arc::clone(&self.counters),
            ledger: self.ledger.clone(),
            truth: self.truth.clone(),
            stop,
            record_until_ms,
            simulate_until_ms: timing.simulate_until_ms,
            drain_timeout: options.drain_timeout,
            feed,
            events,
            space: Arc::clone(&space),
            network,
        };
        let counters = Arc::clone(&self.counters);
        tasks.spawn(async move {
            tokio::join!(Shard::new(members, setup).run(), keep_connected(link, event_sender, space, counters)).0
        });
        Ok(())
    }

    /// How a connection introduces itself: as its only member, or as a shard.
    fn link(&self, own: Option<&Member>, name: String, options: &Options) -> Result<LinkConfig, SimulatorError> {
        let shared = || {
            let user = options.username.clone();
            user.map(|user| (user, options.password.clone().unwrap_or_default()))
                .or_else(|| self.broker.credentials.clone())
        };
        let (own_tls, own_credentials) = match (own, &self.identities) {
            (Some(member), Some(identities)) => {
                let serial = member.device.serial();
                (identities.tls(serial)?, identities.credentials(serial)?)
            }
            _ => (None, None),
        };
        Ok(LinkConfig {
            client_id: own.map_or(name, |member| member.device.serial().to_string()),
            broker: self.broker.clone(),
            credentials: own_credentials.or_else(shared),
            tls: if self.broker.tls { own_tls.or_else(|| options.tls.clone()) } else { None },
            // A shared connection has one will, but many machines: the shard speaks for those that it cuts off, and
            // the silence of all has to be noticed by the service.
            will: own.map(|member| (member.topic(TopicKind::Status), member.status(Link::Offline).encode())),
            seed: 0,
            spread: Duration::ZERO,
            network: None,
        })
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
            if let Some(reason) = self.truth.as_ref().and_then(|truth| truth.failed()) {
                return Err(SimulatorError::TruthFailed(reason));
            }
        }
        let report = self.counters.report();
        progress(&report);
        debug_assert_eq!(self.counters.frames_sent.load(Relaxed), report.frames_sent, "all shards have ended");
        Ok(report)
    }
}
