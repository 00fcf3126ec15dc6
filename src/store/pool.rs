//! A few connections that requests share.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;

use super::{StoreError, connect};
use crate::config::Database;

/// Connections at a time; requests beyond wait for one.
const CONNECTIONS_MAX: usize = 8;

/// Connections for reading and small writes; each is opened when first needed.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Database,
    permits: Arc<Semaphore>,
    // A std mutex: nothing is awaited while it is held.
    idle: Mutex<Vec<Client>>,
}

/// A connection on loan.
pub struct Pooled {
    client: Option<Client>,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool without a connection yet.
    pub fn new(settings: Database) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { shared: Arc::new(Shared { settings, permits, idle: Mutex::default() }) }
    }

    /// A connection, as soon as one is free.
    ///
    /// # Errors
    /// When none can be opened.
    pub async fn get(&self) -> Result<Pooled, StoreError> {
        let permit = self.shared.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = {
            let mut idle = self.shared.idle.lock().expect("no holder panics");
            idle.retain(|client| !client.is_closed());
            idle.pop()
        };
        let client = match idle {
            Some(client) => client,
            None => connect(&self.shared.settings).await?,
        };
        Ok(Pooled { client: Some(client), shared: self.shared.clone(), _permit: permit })
    }
}

impl Deref for Pooled {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("taken in drop alone")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("taken in drop alone")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // A transaction that was left open rolls back by itself before the connection is used again.
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            self.shared.idle.lock().expect("no holder panics").push(client);
        }
    }
}
