//! Housekeeping: retention and the bound on the quarantine. Works on both editions.

use tokio_postgres::Client;
use tracing::info;

use super::StoreError;
use crate::config::{Quarantine, Retention};

/// Drops what has outlived its keeping and trims the quarantine. Any number of processes may call it.
///
/// # Errors
/// When the database refuses; nothing is lost by trying later.
pub async fn maintain(client: &Client, retention: &Retention, quarantine: &Quarantine) -> Result<(), StoreError> {
    if retention.sample_days > 0 {
        for table in ["sample", "signal_sample"] {
            let dropped = client
                .query(
                    "select drop_chunks($1::text::regclass, older_than => now() - $2::integer * interval '1 day')",
                    &[&table, &retention.sample_days.cast_signed()],
                )
                .await?
                .len();
            if dropped > 0 {
                info!(
                    table,
                    chunks = dropped,
                    "dropped {dropped} chunks of {table} beyond {} days",
                    retention.sample_days
                );
            }
        }
    }
    let trimmed = client
        .execute(
            "delete from quarantine where quarantine_id in (
                 select quarantine_id from quarantine order by last_seen_at desc offset $1)",
            &[&i64::from(quarantine.rows_max)],
        )
        .await?;
    if trimmed > 0 {
        info!(rows = trimmed, "trimmed {trimmed} oldest rows of the quarantine beyond {}", quarantine.rows_max);
    }
    Ok(())
}
