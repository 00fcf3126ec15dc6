//! `polevod run`, and its parts alone: `polevod ingest`, `polevod derive`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use super::signals::stop_on_signal;
use crate::api::{self, Shared};
use crate::config::Config;
use crate::ingest::{self, Counters, Sabotage};
use crate::{notify, recompute, store};

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
    prepare_database(config, arguments.migrate).await?;
    let counters = Arc::new(Counters::default());
    let ingests = parts != Parts::Derive;
    let mut tasks = JoinSet::new();
    if let Some(listener) = listener {
        let shared = Shared::new(config, ingests.then(|| counters.clone()));
        tasks.spawn(listener.serve(shared, stop.clone()));
    }
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

/// Refuses to start on a database that is not up to date: half of the statements would fail one by one.
async fn prepare_database(config: &Config, migrate: bool) -> anyhow::Result<()> {
    let mut client = store::connect(&config.database).await?;
    if migrate {
        store::migrate(&mut client).await?;
    }
    let pending = store::pending_migrations(&client).await?;
    if let Some(first) = pending.first() {
        bail!("the database lacks {} migrations, {} first; run: polevod migrate", pending.len(), first.name);
    }
    let edition = store::probe_edition(&client).await?;
    info!(%edition, "database: {edition}");
    Ok(())
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
