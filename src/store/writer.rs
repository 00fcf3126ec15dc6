//! A writer stores one batch after another and does not give up: whatever the database does, a batch ends up
//! stored, or the part of it that cannot be stored ends up in quarantine.

use std::time::Duration;

use rand::Rng;
use tokio_postgres::Client;
use tracing::{info, warn};

use super::error::{ErrorClass, classify};
use super::load::{Batch, Loaded, Refusal, Run, Settings, load};
use super::registry::Registry;
use super::{StoreError, connect};
use crate::config::Database;

/// First pause after a failure.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause: an outage is noticed to be over within this.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// One connection's worth of storing.
pub struct Writer {
    database: Database,
    settings: Settings,
    client: Option<Client>,
    registry: Registry,
    on_health: Box<dyn Fn(bool) + Send + Sync>,
}

impl Writer {
    /// A writer that connects when first needed. `on_health` hears whether the database answers, at each change
    /// of mind and perhaps more often.
    pub fn new(database: Database, settings: Settings, on_health: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { database, settings, client: None, registry: Registry::default(), on_health: Box::new(on_health) }
    }

    /// Stores a batch, trying for as long as it takes. Dropping the future gives up between attempts; what had
    /// committed by then stays, the ledger knows it, and a repeat changes nothing.
    pub async fn store(&mut self, batch: Batch) -> Loaded {
        let mut total = Loaded::default();
        // Parts still to be stored; a part that the database refuses is halved until the culprit is alone.
        let mut parts = vec![batch];
        let mut backoff = BACKOFF_FIRST;
        while let Some(part) = parts.pop() {
            match self.attempt(&part).await {
                Ok(loaded) => {
                    backoff = BACKOFF_FIRST;
                    (self.on_health)(true);
                    total.add(loaded);
                }
                Err(error) if classify(&error) == ErrorClass::Data => {
                    (self.on_health)(true);
                    parts.extend(halves(part, &error).into_iter().rev());
                }
                Err(error) => {
                    (self.on_health)(false);
                    warn!(
                        records = part.records(),
                        retry_in_ms = backoff.as_millis() as u64,
                        "batch not stored yet: {error}"
                    );
                    if let Some(loaded) = self.recover(error, &mut backoff).await {
                        total.add(loaded);
                        continue;
                    }
                    parts.push(part);
                }
            }
        }
        total
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Loaded, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = None;
            // Another database may answer now: restored, switched over, emptied.
            self.registry.forget();
            self.client = Some(connect(&self.database).await?);
        }
        let client = self.client.as_mut().expect("connected just now");
        let seconds = self.database.transaction_timeout_s;
        let outcome = tokio::time::timeout(
            Duration::from_secs(seconds.into()),
            load(client, &mut self.registry, batch, &self.settings),
        )
        .await
        .unwrap_or(Err(StoreError::Timeout(seconds)));
        // An error leaves the session in a state nobody wants to reason about, except where the server answered.
        if outcome.as_ref().is_err_and(|error| classify(error) == ErrorClass::Retry) {
            self.client = None;
        }
        outcome
    }

    /// Waits, and finds out what became of a commit whose answer was lost: what it amounted to, if it happened.
    /// In every other case the batch is offered again.
    async fn recover(&mut self, error: StoreError, backoff: &mut Duration) -> Option<Loaded> {
        let pause = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
        tokio::time::sleep(pause).await;
        *backoff = (*backoff * 2).min(BACKOFF_MAX);
        let StoreError::CommitUnknown { transaction, loaded, .. } = error else { return None };
        match self.fate_of(&transaction).await {
            Ok(fate) => {
                info!(transaction, fate, "transaction {transaction}, whose commit broke off, was {fate}");
                (fate == "committed").then_some(*loaded)
            }
            // Offered again, it finds itself in the ledger if it did commit: only the count of repeats is off.
            Err(error) => {
                warn!("cannot learn the fate of transaction {transaction}: {error}");
                None
            }
        }
    }

    async fn fate_of(&mut self, transaction: &str) -> Result<String, StoreError> {
        let client = connect(&self.database).await?;
        let row = client.query_one("select pg_xact_status($1::text::xid8)", &[&transaction]).await?;
        self.client = Some(client);
        Ok(row.get::<_, Option<String>>(0).unwrap_or_else(|| "forgotten".into()))
    }
}

impl Loaded {
    fn add(&mut self, other: Self) {
        self.boots.extend(other.boots);
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.refused += other.refused;
        self.values_refused += other.values_refused;
        self.rejected_messages += other.rejected_messages;
        self.late += other.late;
    }
}

/// Splits a batch that holds something the database refuses. A single record is refused for good.
fn halves(batch: Batch, error: &StoreError) -> Vec<Batch> {
    let Batch { mut runs, rejects, statuses } = batch;
    if !rejects.is_empty() || !statuses.is_empty() {
        // Only records can hurt the database; what goes beside them goes alone.
        return vec![Batch { runs: Vec::new(), rejects, statuses }, Batch { runs, ..Batch::default() }];
    }
    if runs.len() > 1 {
        let second = runs.split_off(runs.len() / 2);
        return vec![Batch { runs, ..Batch::default() }, Batch { runs: second, ..Batch::default() }];
    }
    let Some(run) = runs.pop() else { return Vec::new() };
    if run.refusal.is_some() {
        warn!("the database refuses even the refusal of a record: {error}");
        return Vec::new();
    }
    if run.records.len() > 1 {
        let middle = run.records.start + run.records.len() / 2;
        let first = Run { records: run.records.start..middle, ..run.clone() };
        let second = Run { records: middle..run.records.end, ..run };
        return [first, second].map(|run| Batch { runs: vec![run], ..Batch::default() }).into();
    }
    let refusal = Refusal { reason: "database", detail: error.to_string() };
    vec![Batch { runs: vec![Run { refusal: Some(refusal), ..run }], ..Batch::default() }]
}
