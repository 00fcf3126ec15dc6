//! Whether the database answers, asked by a connection of its own, so that it is known within five seconds also
//! while nothing is to be stored, and while the database is there but does not move.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;
use tracing::{info, warn};

use super::counters::Counters;
use crate::config::Database;
use crate::store::{self, StoreError};

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take, the making of a connection included. With the pause it stays below five seconds.
const PATIENCE: Duration = Duration::from_millis(2_500);

const _: () = assert!(ASK_EVERY.as_millis() + PATIENCE.as_millis() < 5_000, "an outage is known within five seconds");

/// Asks for ever and notes the answers.
pub(super) async fn watch(database: Database, counters: Arc<Counters>) {
    let mut client = None;
    let mut was_up = None;
    loop {
        let outcome = tokio::time::timeout(PATIENCE, ask(&database, &mut client)).await;
        let why = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} ms", PATIENCE.as_millis())),
        };
        counters.set_database_answers(why.is_none());
        if was_up != Some(why.is_none()) {
            match &why {
                None => info!("the database answers"),
                Some(why) => warn!("the database does not answer, nothing is acknowledged until it does: {why}"),
            }
        }
        was_up = Some(why.is_none());
        if why.is_some() {
            client = None;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn ask(database: &Database, client: &mut Option<Client>) -> Result<(), StoreError> {
    let asked = match client {
        Some(client) if !client.is_closed() => client,
        _ => client.insert(store::connect(database).await?),
    };
    store::ping(asked).await
}
