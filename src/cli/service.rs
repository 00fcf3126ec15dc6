//! `polevod run`, and its parts alone: `polevod ingest`, `polevod derive`.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::signals::stop_on_signal;
use crate::api::{self, Shared};
use crate::config::Config;
use crate::ingest::{self, Counters, Sabotage};
use crate::store::Edition;
use crate::{notify, recompute, store};

/// First pause while the database is waited for.
const DATABASE_PAUSE_FIRST: Duration = Duration::from_millis(250);
/// Longest pause: a database that is there is noticed within this.
const DATABASE_PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often it is said that the database is still waited for.
const DATABASE_SAID_EVERY: Duration = Duration::from_secs(60);

/// Pause between two lines that sum up what ingest did.
const SUMMARY_EVERY: Duration = Duration::from_secs(60);

/// What `run`, `ingest` and `derive` take.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Bring the database up to date first.
    #[arg(long)]
    migrate: bool,
}

/// Which parts of the service a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// All of them.
    Whole,
    /// Ingest alone.
    Ingest,
    /// Recomputing alone.
    Derive,
}

pub(super) async fn run(config: &Config, arguments: Arguments, parts: Parts) -> anyhow::Result<ExitCode> {
    let stop = stop_on_signal()?;
    let listener = api::bind(config).await?;
    let counters = Arc::new(Counters::default());
    let ingests = parts != Parts::Derive;
    let mut tasks = JoinSet::new();
    let mut shown = Arc::new(OnceLock::new());
    if let Some(listener) = listener {
        let shared = Shared::new(config, ingests.then(|| counters.clone()));
        shown = shared.edition.clone();
        tasks.spawn(listener.serve(shared, stop.clone()));
    }
    // Nothing is taken from the broker before: for a session that it knows it keeps what is not asked for.
    let Some(edition) = database_prepared(config, arguments.migrate, stop.clone()).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    info!(%edition, "database: {edition}");
    shown.get_or_init(|| edition);
    if parts != Parts::Ingest {
        let work = recompute::run(config.clone(), stop.clone());
        let telling = notify::run(config.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::join!(work, telling);
            Ok(())
        });
    }
    if ingests {
        let summary = tokio::spawn(summarise(counters.clone(), stop.clone()));
        ingest::run(config, counters, stop, Sabotage::None).await?;
        summary.abort();
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the database is there and fit to work on; none where the service is asked to stop before.
///
/// # Errors
/// What waiting cannot mend: a wrong password, a database that does not exist or is not up to date.
async fn database_prepared(
    config: &Config,
    migrate: bool,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<Edition>> {
    let begun = Instant::now();
    let mut pause = DATABASE_PAUSE_FIRST;
    let mut said: Option<(Instant, String)> = None;
    let edition = loop {
        let why = tokio::select! {
            outcome = prepare_database(config, migrate) => match outcome {
                Ok(edition) => break edition,
                Err(error) if error.downcast_ref().is_some_and(store::waiting_helps) => error.to_string(),
                Err(error) => return Err(error),
            },
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        };
        if said.as_ref().is_none_or(|(at, before)| *before != why || at.elapsed() >= DATABASE_SAID_EVERY) {
            warn!(
                waited_s = begun.elapsed().as_secs(),
                "waiting for the database, nothing is taken from the broker until it answers: {why}"
            );
            said = Some((Instant::now(), why));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(DATABASE_PAUSE_MAX),
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        }
    };
    if said.is_some() {
        info!(waited_s = begun.elapsed().as_secs(), "the database answers after {} s", begun.elapsed().as_secs());
    }
    Ok(Some(edition))
}

/// Refuses to start on a database that is not up to date: half of the statements would fail one by one.
async fn prepare_database(config: &Config, migrate: bool) -> anyhow::Result<Edition> {
    let mut client = store::connect(&config.database).await?;
    if migrate {
        store::migrate(&mut client).await?;
    }
    let pending = store::pending_migrations(&client).await?;
    if let Some(first) = pending.first() {
        bail!("the database lacks {} migrations, {} first; run: polevod migrate", pending.len(), first.name);
    }
    store::require_readable(&client).await?;
    Ok(store::probe_edition(&client).await?)
}

async fn summarise(counters: Arc<Counters>, mut stop: watch::Receiver<bool>) {
    let mut before = counters.totals();
    while tokio::time::timeout(SUMMARY_EVERY, stop.wait_for(|stop| *stop)).await.is_err() {
        let now = counters.totals();
        info!(
            stored = now.stored - before.stored,
            duplicate = now.duplicate - before.duplicate,
            refused = now.refused - before.refused,
            rejected_messages = now.rejected_messages - before.rejected_messages,
            database_up = now.database_up,
            broker_up = now.broker_up,
            "stored {} records in the last minute",
            now.stored - before.stored
        );
        before = now;
    }
}
