//! A writer stores one batch after another and does not give up: whatever the database does, a batch ends up
//! stored, or the part of it that cannot be stored ends up in quarantine.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tracing::{info, warn};

use super::backend::Backend;
use super::error::{ErrorClass, classify};
use super::load::{Batch, Loaded, Refusal, Run, Settings, load};
use super::session::Session;
use super::{StoreError, connect};
use crate::config::Database;

/// First pause after a failure.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause: an outage is noticed to be over within this.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A transaction that takes longer than this has run into something.
const STUCK_AFTER: Duration = Duration::from_secs(4);
const _: () = assert!(STUCK_AFTER.as_secs() < 5, "an outage is known within five seconds");
/// How often the fate of a transaction is asked for while the server is still busy with it.
const FATE_QUESTIONS_MAX: u32 = 20;
/// Pause between two of these questions.
const FATE_EVERY: Duration = Duration::from_millis(250);

/// One connection's worth of storing.
pub struct Writer {
    database: Database,
    settings: Settings,
    session: Option<Session>,
    /// The server's end of a connection that was given up, until it is known to be gone.
    abandoned: Option<Backend>,
    on_health: Arc<dyn Fn(bool) + Send + Sync>,
}

impl Writer {
    /// A writer that connects when first needed. `on_health` hears whether storing goes on: false when an attempt
    /// failed or takes long, true when one has succeeded.
    pub fn new(database: Database, settings: Settings, on_health: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { database, settings, session: None, abandoned: None, on_health: Arc::new(on_health) }
    }

    /// Stores a batch, trying for as long as it takes. Dropping the future gives up between attempts; what had
    /// committed by then stays, the ledger knows it, and a repeat changes nothing.
    pub async fn store(&mut self, batch: Batch) -> Loaded {
        let mut total = Loaded::default();
        // Parts still to be stored; a part that the database refuses is split until the culprit is alone.
        let mut parts = vec![batch];
        let mut backoff = BACKOFF_FIRST;
        while let Some(part) = parts.pop() {
            let error = match self.attempt_watched(&part).await {
                Ok(loaded) => {
                    backoff = BACKOFF_FIRST;
                    (self.on_health)(true);
                    total.add(loaded);
                    continue;
                }
                Err(error) => error,
            };
            match classify(&error) {
                ErrorClass::Data => {
                    (self.on_health)(true);
                    let Split { smaller, given_up } = split(part, &error);
                    parts.extend(smaller.into_iter().rev());
                    total.add(given_up);
                    continue;
                }
                ErrorClass::Conflict => {}
                ErrorClass::Retry => (self.on_health)(false),
            }
            warn!(records = part.records(), retry_in_ms = backoff.as_millis() as u64, "batch not stored yet: {error}");
            match self.recover(error, &mut backoff).await {
                Some(loaded) => {
                    (self.on_health)(true);
                    total.add(loaded);
                }
                None => parts.push(part),
            }
        }
        total
    }

    /// An attempt that is told of when it takes long.
    async fn attempt_watched(&mut self, batch: &Batch) -> Result<Loaded, StoreError> {
        let on_health = self.on_health.clone();
        let mut attempt = pin!(self.attempt(batch));
        match tokio::time::timeout(STUCK_AFTER, &mut attempt).await {
            Ok(outcome) => outcome,
            Err(_) => {
                on_health(false);
                attempt.await
            }
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Loaded, StoreError> {
        let seconds = self.database.transaction_timeout_s;
        let limit = Duration::from_secs(seconds.into());
        let timed_out = || StoreError::Timeout(seconds);
        tokio::time::timeout(limit, self.connected()).await.unwrap_or_else(|_| Err(timed_out()))?;
        let session = self.session.as_mut().expect("connected just now");
        let outcome = tokio::time::timeout(limit, load(session, batch, &self.settings))
            .await
            .unwrap_or_else(|_| Err(timed_out()));
        if outcome.as_ref().is_err_and(|error| classify(error) == ErrorClass::Retry) {
            // The session is in a state nobody wants to reason about.
            self.abandoned = self.session.take().map(|session| session.backend);
        }
        outcome
    }

    /// Makes sure that there is a connection, and that nothing given up before still holds locks.
    async fn connected(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(());
        }
        self.session = None;
        let client = connect(&self.database).await?;
        if let Some(backend) = &self.abandoned {
            backend.end(&client).await?;
            self.abandoned = None;
        }
        self.session = Some(Session::on(client).await?);
        Ok(())
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
        self.connected().await?;
        let client = &self.session.as_ref().expect("connected just now").client;
        for _ in 0..FATE_QUESTIONS_MAX {
            let row = client.query_one("select pg_xact_status($1::text::xid8)", &[&transaction]).await?;
            match row.get::<_, Option<String>>(0) {
                Some(fate) if fate == "in progress" => tokio::time::sleep(FATE_EVERY).await,
                Some(fate) => return Ok(fate),
                None => return Ok("forgotten".into()),
            }
        }
        Ok("in progress".into())
    }
}

impl Loaded {
    fn add(&mut self, other: Self) {
        self.boots.extend(other.boots);
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.refused += other.refused;
        self.unaccounted += other.unaccounted;
        self.values_refused += other.values_refused;
        self.rejected_messages += other.rejected_messages;
        self.late += other.late;
    }
}

/// What is left of a batch that holds something the database refuses.
#[derive(Debug, Default)]
struct Split {
    /// Parts to be offered, in order of arrival.
    smaller: Vec<Batch>,
    /// What cannot be kept in any form.
    given_up: Loaded,
}

/// Splits a batch that holds something the database refuses. A single record is refused for good; of the rest, what
/// the database refuses even alone is given up, with a warning: there is no other place to keep it.
fn split(batch: Batch, error: &StoreError) -> Split {
    let records = batch.records() as u64;
    let Batch { mut runs, mut rejects, mut statuses } = batch;
    let of_runs = |runs| Batch { runs, ..Batch::default() };
    let of_rejects = |rejects| Batch { rejects, ..Batch::default() };
    let of_statuses = |statuses| Batch { statuses, ..Batch::default() };
    let smaller = |smaller: Vec<Batch>| Split { smaller, ..Split::default() };
    match (runs.len(), rejects.len(), statuses.len()) {
        (2.., 0, 0) => {
            let second = runs.split_off(runs.len() / 2);
            smaller(vec![of_runs(runs), of_runs(second)])
        }
        (0, 2.., 0) => {
            let second = rejects.split_off(rejects.len() / 2);
            smaller(vec![of_rejects(rejects), of_rejects(second)])
        }
        (0, 0, 2..) => {
            let second = statuses.split_off(statuses.len() / 2);
            smaller(vec![of_statuses(statuses), of_statuses(second)])
        }
        (1, 0, 0) => {
            let run = runs.swap_remove(0);
            if run.refusal.is_none() {
                return smaller(smaller_runs(run, error).into_iter().map(|run| of_runs(vec![run])).collect());
            }
            warn!(topic = run.frame.topic, "the database refuses even the refusal of a record: {error}");
            let given_up = Loaded { unaccounted: records, rejected_messages: 1, ..Loaded::default() };
            Split { given_up, ..Split::default() }
        }
        (0, 1, 0) => {
            warn!(topic = rejects[0].topic, "the database refuses to keep a message that was refused: {error}");
            let given_up = Loaded { rejected_messages: 1, ..Loaded::default() };
            Split { given_up, ..Split::default() }
        }
        (0, 0, 1) => {
            warn!(machine = %statuses[0].machine, "the database refuses a status message: {error}");
            Split::default()
        }
        (0, 0, 0) => Split::default(),
        _ => {
            let parts = [of_runs(runs), of_rejects(rejects), of_statuses(statuses)];
            smaller(parts.into_iter().filter(|part| !part.is_empty()).collect())
        }
    }
}

/// The halves of a run; a run of one record becomes its refusal.
fn smaller_runs(run: Run, error: &StoreError) -> Vec<Run> {
    if run.records.len() < 2 {
        let refusal = Refusal { reason: "database", detail: error.to_string() };
        return vec![Run { refusal: Some(refusal), ..run }];
    }
    let middle = run.records.start + run.records.len() / 2;
    let first = Run { records: run.records.start..middle, ..run.clone() };
    vec![first, Run { records: middle..run.records.end, ..run }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Reject, StatusUpdate};
    use wire::{Link, MachineSerial};

    fn reject(detail: &str) -> Reject {
        Reject {
            topic: "polevod/v1/a/telemetry".into(),
            payload: bytes::Bytes::new(),
            received_at_ms: 0,
            refusal: Refusal { reason: "checksum", detail: detail.into() },
        }
    }

    fn status() -> StatusUpdate {
        let machine = MachineSerial::parse("a").expect("a serial");
        StatusUpdate { machine, received_at_ms: 0, link: Link::Online, model: None, firmware: None }
    }

    /// Splits until nothing is left; gives how many splits that took and what was given up.
    fn split_to_the_end(batch: Batch) -> (usize, Loaded) {
        let error = StoreError::Setup("refused".into());
        let (mut parts, mut splits, mut given_up) = (vec![batch], 0, Loaded::default());
        while let Some(part) = parts.pop() {
            splits += 1;
            assert!(splits < 100, "splitting ends");
            let split = split(part, &error);
            parts.extend(split.smaller);
            given_up.add(split.given_up);
        }
        (splits, given_up)
    }

    #[test]
    fn whatever_the_database_refuses_splitting_comes_to_an_end() {
        let rejects = ["a", "b", "c"].map(reject).into();
        let (splits, given_up) =
            split_to_the_end(Batch { rejects, statuses: vec![status(), status()], ..Batch::default() });
        assert_eq!((splits, given_up.rejected_messages), (9, 3));
        assert_eq!(split_to_the_end(Batch::default()).0, 1);
    }
}
