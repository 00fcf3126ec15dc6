//! One connection and what it remembers: machines by serial, and statements that the server has planned already.

use tokio_postgres::{Client, Statement};

use super::backend::Backend;
use super::registry::Registry;
use super::{StoreError, connect, copy, ledger, state};
use crate::config::Database;

/// A connection that stores batches.
pub struct Session {
    pub(super) client: Client,
    pub(super) backend: Backend,
    pub(super) registry: Registry,
    pub(super) statements: Statements,
}

/// The statements of every batch, prepared once. Planning them anew would cost a small batch more than storing it.
pub(super) struct Statements {
    pub(super) lock_boots: Statement,
    pub(super) enter_boots: Statement,
    pub(super) extend_boots: Statement,
    pub(super) number: Statement,
    pub(super) add_to_days: Statement,
    pub(super) mark: Statement,
    pub(super) move_states: Statement,
    pub(super) name_models: Statement,
    pub(super) copy_samples: Statement,
    pub(super) copy_signals: Statement,
}

impl Session {
    /// Connects. What an earlier session knew is not carried over: another database may answer now - restored, switched
    /// over, emptied.
    ///
    /// # Errors
    /// [`StoreError::Connect`] when there is no connection, [`StoreError::Database`] when its tables are not ours.
    pub async fn connect(database: &Database) -> Result<Self, StoreError> {
        Self::on(connect(database).await?).await
    }

    /// A session on a fresh connection.
    pub(super) async fn on(client: Client) -> Result<Self, StoreError> {
        let backend = Backend::of(&client).await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, backend, registry: Registry::default(), statements })
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self, StoreError> {
        Ok(Self {
            lock_boots: client.prepare(ledger::LOCK_BOOTS).await?,
            enter_boots: client.prepare(ledger::ENTER_BOOTS).await?,
            extend_boots: client.prepare(ledger::EXTEND_BOOTS).await?,
            number: client.prepare(ledger::NUMBER).await?,
            add_to_days: client.prepare(ledger::ADD_TO_DAYS).await?,
            mark: client.prepare(ledger::MARK).await?,
            move_states: client.prepare(state::MOVE_STATES).await?,
            name_models: client.prepare(state::NAME_MODELS).await?,
            copy_samples: client.prepare(&copy::sample_statement()).await?,
            copy_signals: client.prepare(copy::SIGNAL_STATEMENT).await?,
        })
    }
}
