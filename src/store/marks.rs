//! Marks: which machine's derived results are out of date, and for which time.

use std::ops::RangeInclusive;

use tokio_postgres::{Client, Transaction};

use super::StoreError;
use super::instant::Instant;

/// Most marks taken at once; the rest is taken in the next round.
const MARKS_MAX: i64 = 10_000;
/// First half of the advisory lock that keeps two processes from recomputing one machine at the same time.
const LOCK_CLASS: i32 = 0x6d61_726b;

/// Machines with marks that are at least `settle_ms` old, the longest waiting first, at most `limit`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn marked_machines(client: &Client, settle_ms: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    let rows = client
        .query(
            "select machine_id from derive_mark
             where marked_at <= now() - $1::bigint * interval '1 millisecond'
             group by machine_id order by min(marked_at) limit $2",
            &[&settle_ms, &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Keeps other processes from recomputing a machine until `transaction` ends. Returns whether none is at it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lock_machine(transaction: &Transaction<'_>, machine_id: i64) -> Result<bool, StoreError> {
    // A collision of the folded number costs a wait for the next round, nothing else.
    let key = (machine_id ^ (machine_id >> 32)) as i32;
    Ok(transaction.query_one("select pg_try_advisory_xact_lock($1, $2)", &[&LOCK_CLASS, &key]).await?.get(0))
}

/// Marks of a machine that were taken.
#[derive(Debug, Default)]
pub struct Taken {
    /// The periods they name, Unix milliseconds.
    pub periods: Vec<RangeInclusive<i64>>,
    /// When the oldest was made, Unix milliseconds.
    since_ms: Option<i64>,
}

/// Takes the marks of a machine: they are gone when `transaction` commits. None when there is nothing to do, or another
/// process is at it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn take_marks(transaction: &Transaction<'_>, machine_id: i64) -> Result<Taken, StoreError> {
    if !lock_machine(transaction, machine_id).await? {
        return Ok(Taken::default());
    }
    let rows = transaction
        .query(
            "delete from derive_mark where derive_mark_id in (
                 select derive_mark_id from derive_mark where machine_id = $1
                 order by derive_mark_id limit $2 for update skip locked)
             returning from_at, to_at, marked_at",
            &[&machine_id, &MARKS_MAX],
        )
        .await?;
    Ok(Taken {
        periods: rows.iter().map(|row| row.get::<_, Instant>(0).0..=row.get::<_, Instant>(1).0).collect(),
        since_ms: rows.iter().map(|row| row.get::<_, Instant>(2).0).min(),
    })
}

/// Gives back a part of what was taken: it waits on, since when it waited.
///
/// # Errors
/// When the database cannot be asked.
pub async fn give_back(
    transaction: &Transaction<'_>,
    machine_id: i64,
    taken: &Taken,
    period: RangeInclusive<i64>,
) -> Result<(), StoreError> {
    mark_since(transaction, machine_id, period, taken.since_ms).await
}

/// Marks a period of a machine, for a setting that changed.
///
/// # Errors
/// When the database cannot be asked.
pub async fn mark(
    client: &impl tokio_postgres::GenericClient,
    machine_id: i64,
    period: RangeInclusive<i64>,
) -> Result<(), StoreError> {
    mark_since(client, machine_id, period, None).await
}

/// A mark that waits since `since_ms`; without it, from now on.
async fn mark_since(
    client: &impl tokio_postgres::GenericClient,
    machine_id: i64,
    period: RangeInclusive<i64>,
    since_ms: Option<i64>,
) -> Result<(), StoreError> {
    client
        .execute(
            "insert into derive_mark (machine_id, from_at, to_at, marked_at) values ($1, $2, $3, coalesce($4, now()))",
            &[&machine_id, &Instant(*period.start()), &Instant(*period.end()), &since_ms.map(Instant)],
        )
        .await?;
    Ok(())
}

/// Marks everything that is stored of a machine, or of all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn mark_everything(client: &Client, machine_id: Option<i64>) -> Result<u64, StoreError> {
    // By day, so that no mark spans the years between two recordings.
    Ok(client
        .execute(
            "insert into derive_mark (machine_id, from_at, to_at)
             select machine_id, day - interval '1 day', day + interval '2 days'
             from (select distinct machine_id, day::timestamp at time zone 'utc' as day from stored_day
                   where $1::bigint is null or machine_id = $1) as days",
            &[&machine_id],
        )
        .await?)
}
