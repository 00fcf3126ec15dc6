//! Which TimescaleDB this is. Everything works on both editions; Community also compresses.

use tokio_postgres::Client;

use super::StoreError;

/// The first TimescaleDB whose columnstore goes by this name and takes rows that come later.
const COLUMNSTORE_SINCE: (u32, u32) = (2, 18);

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

impl Edition {
    /// The edition in a word, for labels.
    pub fn word(&self) -> &'static str {
        match (&self.timescaledb, self.community) {
            (None, _) => "none",
            (Some(_), false) => "apache2",
            (Some(_), true) => "community",
        }
    }

    /// Why this server keeps no samples as columns; none where it can.
    pub fn no_columnstore(&self) -> Option<String> {
        let Some(version) = &self.timescaledb else { return Some("there is no TimescaleDB in this database".into()) };
        if !self.community {
            return Some("the Apache 2 edition of TimescaleDB has no columnstore, the Community edition has".into());
        }
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let (since_major, since_minor) = COLUMNSTORE_SINCE;
        ((major, minor) < COLUMNSTORE_SINCE).then(|| {
            format!(
                "TimescaleDB {version} is older than {since_major}.{since_minor}, whose columnstore takes late rows"
            )
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(timescaledb: Option<&str>, community: bool, why: Option<&str>) {
        let edition = Edition { postgres: "17.2".into(), timescaledb: timescaledb.map(str::to_owned), community };
        let said = edition.no_columnstore();
        match why {
            None => assert_eq!(said, None, "{edition}"),
            Some(why) => assert!(said.as_deref().is_some_and(|said| said.contains(why)), "{edition}: {said:?}"),
        }
    }

    #[test]
    fn samples_become_columns_on_community_since_2_18() {
        check(Some("2.19.3"), true, None);
        check(Some("2.29.2"), true, None);
        check(Some("3.0.0"), true, None);
        check(Some("2.18.0-dev"), true, None);
        check(Some("2.17.2"), true, Some("TimescaleDB 2.17.2 is older than 2.18"));
        check(Some("2.29.2"), false, Some("Apache 2"));
        check(None, false, Some("no TimescaleDB"));
    }
}
