//! Ingest: from bytes on the broker to rows in the store.
//!
//! ```text
//! mqtt ─ RawMessage ▶ decode ─ Frame ▶ validate ─ Prepared ▶ lane ─ Batch ▶ store ─ Loaded ▶ ack + stored
//!                       └────────────────┴──── Reject ▶ quarantine, in the same transaction
//! ```
//!
//! A message is acknowledged to the broker, and its records to their machine, only after the transaction that
//! stores or refuses them has committed. Machines are spread over lanes by serial, so the records of one machine
//! are stored in order of arrival; acknowledgements leave in the order in which the broker delivered.

mod ack;
mod clock;
mod counters;
mod health;
mod intake;
mod lane;
mod mqtt;
mod outbox;
mod prepare;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

pub use clock::ClockRules;
pub use counters::{Counters, Totals};
pub use mqtt::connection_options;
pub use prepare::{Item, RawMessage, Rules, prepare};

use crate::config::Config;
use crate::store::{self, Settings, StoreError, Writer};
use intake::Intake;
use lane::{Lane, Limits};

/// What a test breaks on purpose, to prove that the fault tests would notice. Never set in service.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// As it should be.
    #[default]
    None,
    /// Acknowledges, and says `stored`, before the commit.
    AckBeforeCommit,
    /// Stores without asking the ledger.
    WithoutLedger,
}

/// How long a graceful stop may take before what is unfinished is left to redelivery.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two rounds of housekeeping.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);

/// Rounds of housekeeping from one conversion of old samples to the next: what comes late for a day that is columns
/// already is taken in once an hour, not minute by minute.
const ROUNDS_A_CONVERSION: u32 = 60;

/// Runs ingest until `stop` turns true.
///
/// # Errors
/// When the settings cannot work at all; outages of broker and database are waited out.
pub async fn run(
    config: &Config,
    counters: Arc<Counters>,
    stop: watch::Receiver<bool>,
    sabotage: Sabotage,
) -> anyhow::Result<()> {
    let rules = Arc::new(Rules::of(&config.clock));
    let settings = Settings {
        register_unknown_machines: config.ingest.register_unknown_machines,
        late_after_ms: i64::from(config.clock.late_after_s) * 1_000,
        zone: config.clock.zone.0.clone(),
        payload_bytes_max: config.quarantine.payload_bytes_max as usize,
        without_ledger: sabotage == Sabotage::WithoutLedger,
    };
    let limits = Limits {
        samples: config.ingest.batch_samples as usize,
        // Half of what may be under way in one lane: the other half arrives while this half commits.
        messages: (config.mqtt.receive_maximum / config.ingest.lanes / 2).max(1) as usize,
        flush_after: Duration::from_millis(config.ingest.flush_after_ms.into()),
    };
    let (outbox, sending) = outbox::new(counters.clone());
    let intake = Arc::new(Intake::new(config.ingest.lanes as usize, config.mqtt.receive_maximum as usize));
    let mut lanes = JoinSet::new();
    for (number, queue) in (0..).zip(intake.lanes()) {
        let health = counters.clone();
        let on_health = move |well: bool| health.set_lane_stuck(number, !well);
        let writer = Writer::new(config.database.clone(), settings.clone(), on_health);
        let (rules, counters, outbox) = (rules.clone(), counters.clone(), outbox.clone());
        let lane = Lane { queue, writer, rules, limits, counters, outbox, sabotage };
        lanes.spawn(lane.run(number));
    }
    // Dropping it ends them, whichever way this function ends.
    let mut aside = JoinSet::new();
    aside.spawn(sending);
    aside.spawn(health::watch(config.database.clone(), counters.clone()));
    aside.spawn(housekeeping(config.clone()));
    // The connection outlives the lanes, so that their last acknowledgements get out.
    let finish = end_of_lanes(lanes, intake.clone(), stop);
    let settings = config.mqtt.clone();
    let connection = {
        let counters = counters.clone();
        async move { mqtt::run(&settings, &intake, &outbox, &counters, finish).await }
    };
    on_own_thread("broker", connection).await??;
    info!(totals = ?counters.totals(), "ingest stopped");
    Ok(())
}

/// Runs `work` on a thread of its own, until it ends or the caller gives up.
///
/// What is read from the broker makes up nearly all memory in use. The system's allocator keeps a heap for each thread
/// and does not give one thread what another has freed: read on any thread, each new session took its megabytes anew.
async fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl Future<Output = T> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Dropped with this future.
    let (_caller, caller_gone) = oneshot::channel::<()>();
    let (outcome, ended) = oneshot::channel();
    let _thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                result = work => {
                    // An error means that nobody waits any more.
                    let _ = outcome.send(result);
                }
                _ = caller_gone => {}
            }
        });
    })?;
    ended.await.with_context(|| format!("the thread {name} has panicked"))
}

/// Waits until the service is to stop and everything taken in is stored, or patience is over.
async fn end_of_lanes(mut lanes: JoinSet<()>, intake: Arc<Intake>, mut stop: watch::Receiver<bool>) {
    let asked_to_stop = async {
        // An error means that nobody is left who could ask.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        () = asked_to_stop => {}
        ended = lanes.join_next() => {
            error!("a lane ended by itself ({ended:?}); stopping, so that a restart begins from a sound state");
        }
    }
    // What was delivered before is stored too: a message behind one that is not cannot be acknowledged.
    intake.close();
    let all = async { while lanes.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, all).await.is_err() {
        warn!("a batch did not commit in time; its messages will be delivered again");
    }
}

/// Retention and bounds, once in a while; a failure is told and tried again.
async fn housekeeping(config: Config) {
    for round in 0_u32.. {
        tokio::time::sleep(MAINTAIN_EVERY).await;
        let outcome = async {
            let client = store::connect(&config.database).await?;
            store::maintain(&client, &config.retention, &config.quarantine).await?;
            // After the drop: what goes anyway need not be converted.
            if round.is_multiple_of(ROUNDS_A_CONVERSION) {
                store::convert_old_samples(&client, config.retention.columns_after_days).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = outcome.await {
            warn!("housekeeping did not finish: {error}");
        }
    }
}
