//! How hard and how fast machines were used in 24 hours.

use tokio_postgres::GenericClient;

use super::StoreError;
use super::instant::Instant;
use crate::time::postgres_micros;

/// Samples looked at of one machine and day, the newest ones: one a second all day, and some. A machine that records
/// faster is judged by the end of its day.
const SAMPLES_MAX: i64 = 90_000;
/// A sample stands for the time since the one before, but for no longer than this, s: the unit may have been silent.
const HELD_S_MAX: f64 = 120.0;

/// Use of a machine in the 24 hours before an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UseOfDay {
    /// Whose.
    pub machine_id: i64,
    /// The instant, Unix milliseconds.
    pub until_ms: i64,
    /// Average engine load over the time that the engine ran, per cent.
    pub load_pct: Option<f64>,
    /// Highest speed over ground, km/h.
    pub speed_kmh: Option<f64>,
}

/// The use of machines before the instants of `asked` (machine, Unix milliseconds), in one query. Machines without
/// records in that time are left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn use_of_days(client: &impl GenericClient, asked: &[(i64, i64)]) -> Result<Vec<UseOfDay>, StoreError> {
    let machine_ids: Vec<i64> = asked.iter().map(|(machine_id, _)| *machine_id).collect();
    let until_us: Vec<i64> = asked.iter().map(|(_, until_ms)| postgres_micros(*until_ms)).collect();
    let rows =
        client.query(include_str!("use_of_day.sql"), &[&machine_ids, &until_us, &HELD_S_MAX, &SAMPLES_MAX]).await?;
    let used = rows.iter().map(|row| UseOfDay {
        machine_id: row.get(0),
        until_ms: row.get::<_, Instant>(1).0,
        load_pct: row.get(2),
        speed_kmh: row.get(3),
    });
    Ok(used.collect())
}
