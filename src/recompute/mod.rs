//! Recompute: derived results follow stored records, whenever and in whatever order those arrive.
//!
//! ```text
//! marks ─ machine, periods ▶ working days ▶ store: readings, reports ▶ derive ▶ store: replace results
//! ```
//!
//! One transaction takes the marks of a machine, replaces what they concern and commits: results and marks cannot
//! disagree. A working day is computed whole or not at all; it begins at `derive.day_starts_h`, because harvest runs
//! past midnight, and no session crosses that hour.

mod days;
mod field_work;
mod health;

use std::ops::Range;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use tokio::sync::watch;
use tokio_postgres::{Client, Transaction};
use tracing::{debug, warn};

pub use days::{WorkingDay, WorkingDays};
pub use field_work::{Behind, behind};

use self::field_work::KnownFields;
use self::health::Health;

use crate::config::Config;
use crate::derive::{FaultEntry, Readings, TaskEntry};
use crate::store::{self, StoreError};

/// Machines asked for at once.
const MACHINES_A_ROUND: i64 = 100;
/// Working days computed in one transaction; what is left of a longer backlog is marked again.
const DAYS_A_TRANSACTION: usize = 20;
/// Pause when there is nothing to do.
const IDLE_PAUSE: Duration = Duration::from_millis(500);
/// Pause while another process works.
const OTHERS_PAUSE: Duration = Duration::from_millis(50);
/// Pause after a failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// Everything stored of one machine on one working day.
pub struct Day {
    /// Which machine.
    pub machine_id: i64,
    /// The local date on which the working day begins.
    pub date: Date,
    /// Unix milliseconds, half-open.
    pub period: Range<i64>,
    /// What it reported.
    pub readings: Readings,
    /// Its diagnostic reports.
    pub fault_reports: Vec<FaultEntry>,
    /// Its task events.
    pub tasks: Vec<TaskEntry>,
}

/// Recomputes what is marked until `stop` turns true. Any number of processes may run it.
pub async fn run(config: Config, mut stop: watch::Receiver<bool>) {
    let mut client: Option<Client> = None;
    let health = Health::of(&config);
    let fields = KnownFields::default();
    loop {
        let outcome = round(&config, &health, &fields, &mut client, i64::from(config.derive.settle_ms)).await;
        let pause = match outcome {
            Ok(0) => IDLE_PAUSE,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                warn!("recomputing did not finish, tried again in {} s: {error}", FAILURE_PAUSE.as_secs());
                client = None;
                FAILURE_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Recomputes everything that was marked before the call, and waits for what other processes have begun of it; returns how
/// many machine-days it recomputed itself. For commands that answer from derived results and must not answer from old
/// ones. Marks that come meanwhile are not waited for: from a fleet at work there are always some.
///
/// # Errors
/// When the database cannot be asked.
pub async fn catch_up(config: &Config) -> Result<usize, StoreError> {
    let mut client = None;
    let health = Health::of(config);
    let fields = KnownFields::default();
    let begun = Instant::now();
    let mut days = 0;
    loop {
        let settle_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let more = round(config, &health, &fields, &mut client, settle_ms).await?;
        days += more;
        if let (0, Some(client)) = (more, &client) {
            let is_done = store::marked_machines(client, settle_ms, 1).await?.is_empty()
                && health.pending(client).await?.is_empty();
            if is_done {
                return Ok(days);
            }
            // Others hold what is left.
            tokio::time::sleep(OTHERS_PAUSE).await;
        }
    }
}

/// Recomputes some machines; returns how many machine-days that was.
async fn round(
    config: &Config,
    health: &Health,
    fields: &KnownFields,
    client: &mut Option<Client>,
    settle_ms: i64,
) -> Result<usize, StoreError> {
    let client = match client {
        Some(client) if !client.is_closed() => client,
        other => {
            let fresh = store::connect(&config.database).await?;
            // The server may have become another since the last connection.
            store::require_readable(&fresh).await?;
            other.insert(fresh)
        }
    };
    let mut days = 0;
    for machine_id in store::marked_machines(client, settle_ms, MACHINES_A_ROUND).await? {
        days += machine(config, health, fields, client, machine_id).await?;
    }
    for machine_id in health.pending(client).await? {
        days += judge(health, client, machine_id).await?;
    }
    Ok(days)
}

/// Follows the health of a machine as far as it has not been, or else judges it by the clock; returns how many working
/// days that was, a judgement counting as one.
async fn judge(health: &Health, client: &mut Client, machine_id: i64) -> Result<usize, StoreError> {
    let transaction = client.transaction().await?;
    if !store::lock_machine(&transaction, machine_id).await? {
        return Ok(0);
    }
    let days = health.rest(&transaction, machine_id, DAYS_A_TRANSACTION).await?;
    health.judge(&transaction, machine_id).await?;
    transaction.commit().await?;
    Ok(days.max(1))
}

/// Recomputes one machine; returns how many working days that was.
async fn machine(
    config: &Config,
    health: &Health,
    fields: &KnownFields,
    client: &mut Client,
    machine_id: i64,
) -> Result<usize, StoreError> {
    let transaction = client.transaction().await?;
    let marks = store::take_marks(&transaction, machine_id).await?;
    let calendar = WorkingDays::new(config.clock.zone.0.clone(), config.derive.day_starts_h);
    let mut days =
        field_work::with_days_that_follow(&transaction, &calendar, machine_id, calendar.touched(&marks.periods))
            .await?;
    for later in days.split_off(days.len().min(DAYS_A_TRANSACTION)) {
        store::give_back(&transaction, machine_id, &marks, later.period.start..=later.period.end - 1).await?;
    }
    for day in &days {
        let period = day.period.clone();
        let day = Day {
            machine_id,
            date: day.date,
            readings: store::readings(&transaction, machine_id, period.clone()).await?,
            fault_reports: store::fault_reports(&transaction, machine_id, period.clone()).await?,
            tasks: store::task_reports(&transaction, machine_id, period.clone()).await?,
            period,
        };
        derive(health, fields, &transaction, day).await?;
    }
    transaction.commit().await?;
    debug!(machine_id, days = days.len(), "recomputed {} days of machine {machine_id}", days.len());
    Ok(days.len())
}

/// Every derivation, one after the other; each replaces its own results of the day.
async fn derive(
    health: &Health,
    fields: &KnownFields,
    transaction: &Transaction<'_>,
    day: Day,
) -> Result<(), StoreError> {
    let day = field_work::day(transaction, fields, day).await?;
    health.day(transaction, &day).await
}
