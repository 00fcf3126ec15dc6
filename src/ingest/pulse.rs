//! Whether the database answers, asked every second: a service that has nothing to store must know it too, and one
//! whose transaction hangs must not wait for its end to say so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::Client;

use super::counters::Counters;
use crate::config::Database;
use crate::store::{self, StoreError};

/// Pause between two questions.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take; with the pause, an outage is known within 4 s.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks until `stop` turns true.
pub(super) async fn run(database: Database, counters: Arc<Counters>, mut stop: watch::Receiver<bool>) {
    let mut client = None;
    loop {
        let up = tokio::time::timeout(PATIENCE, ask(&database, &mut client)).await.is_ok_and(|answer| answer.is_ok());
        if !up {
            client = None;
        }
        counters.set_database_up(up);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn ask(database: &Database, client: &mut Option<Client>) -> Result<(), StoreError> {
    let client = match client {
        Some(client) => client,
        None => client.insert(store::connect(database).await?),
    };
    store::ping(client).await
}
