//! What a database server says of itself, for `polevod doctor`.

use tokio_postgres::Client;

use super::StoreError;
use super::edition::{Edition, probe_edition};
use super::instant::Instant;

/// Settings of the server that decide whether a stored row survives, and how much it can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Versions and licence.
    pub edition: Edition,
    /// PostgreSQL's version as a number, 170012.
    pub version_number: i32,
    /// `on`: commits reach the disk.
    pub fsync: bool,
    /// `on`: pages torn by a crash are whole again.
    pub full_page_writes: bool,
    /// As the server gives it to a session of ours.
    pub synchronous_commit: String,
    /// Connections that the server allows.
    pub max_connections: i32,
    /// Connections under way.
    pub connections: i64,
    /// Whether it is a read-only standby.
    pub in_recovery: bool,
    /// Its clock, Unix milliseconds.
    pub now_ms: i64,
}

/// Asks the server.
///
/// # Errors
/// When the question cannot be asked.
pub async fn server(client: &Client) -> Result<Server, StoreError> {
    let row = client
        .query_one(
            "select current_setting('server_version_num')::integer,
                    current_setting('fsync')::boolean,
                    current_setting('full_page_writes')::boolean,
                    -- the server's, not the one that our session sets for itself
                    coalesce((select reset_val from pg_settings where name = 'synchronous_commit'), 'on'),
                    current_setting('max_connections')::integer,
                    (select count(*) from pg_stat_activity where backend_type = 'client backend'),
                    pg_is_in_recovery(),
                    clock_timestamp()",
            &[],
        )
        .await?;
    Ok(Server {
        edition: probe_edition(client).await?,
        version_number: row.get(0),
        fsync: row.get(1),
        full_page_writes: row.get(2),
        synchronous_commit: row.get(3),
        max_connections: row.get(4),
        connections: row.get(5),
        in_recovery: row.get(6),
        now_ms: row.get::<_, Instant>(7).0,
    })
}
