//! Which TimescaleDB this is. Everything works on both editions; Community also compresses.

use tokio_postgres::Client;

use super::StoreError;

/// The server, as far as the service cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// PostgreSQL's version, `17.12`.
    pub postgres: String,
    /// TimescaleDB's version, `2.19.3`; none where the extension is not in this database.
    pub timescaledb: Option<String>,
    /// Whether the Community features are licensed and loaded: columnstore, policies.
    pub community: bool,
}

impl std::fmt::Display for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.timescaledb {
            None => write!(f, "PostgreSQL {} without TimescaleDB", self.postgres),
            Some(version) => {
                let edition = if self.community { "Community" } else { "Apache 2" };
                write!(f, "PostgreSQL {}, TimescaleDB {version} ({edition})", self.postgres)
            }
        }
    }
}

/// Asks the server.
///
/// # Errors
/// When the question cannot be asked.
pub async fn probe_edition(client: &Client) -> Result<Edition, StoreError> {
    let row = client
        .query_one(
            "select split_part(current_setting('server_version'), ' ', 1),
                    (select extversion from pg_extension where extname = 'timescaledb'),
                    coalesce(current_setting('timescaledb.license', true), ''),
                    to_regprocedure('_timescaledb_functions.tsl_loaded()') is not null",
            &[],
        )
        .await?;
    let licensed = row.get::<_, String>(2) == "timescale" && row.get::<_, bool>(3);
    let community = licensed
        && client.query_one("select _timescaledb_functions.tsl_loaded()", &[]).await.is_ok_and(|row| row.get(0));
    Ok(Edition { postgres: row.get(0), timescaledb: row.get(1), community })
}
