//! The server's end of a connection.

use tokio_postgres::Client;

use super::StoreError;

/// How long a backend may take to end once it was told to.
const END_PATIENCE_MS: i64 = 5_000;

/// A server process that serves, or served, one of our connections. The start tells it from a later one of the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    pid: i32,
    started: String,
}

impl Backend {
    /// The backend of a connection.
    pub(super) async fn of(client: &Client) -> Result<Self, StoreError> {
        let row = client
            .query_one("select pid, backend_start::text from pg_stat_activity where pid = pg_backend_pid()", &[])
            .await?;
        Ok(Self { pid: row.get(0), started: row.get(1) })
    }

    /// Ends it, asked through another connection, and waits until it is gone. Where the link broke without the server
    /// noticing, it would go on holding its locks, for hours. One that is gone already is no error.
    pub(super) async fn end(&self, through: &Client) -> Result<(), StoreError> {
        through
            .execute(
                "select pg_terminate_backend(pid, $3) from pg_stat_activity where pid = $1 and backend_start::text = $2",
                &[&self.pid, &self.started, &END_PATIENCE_MS],
            )
            .await?;
        Ok(())
    }
}
