//! How far health has been followed on a machine, and what is kept to go on from there.

use jiff::civil::Date;
use tokio_postgres::{GenericClient, Row};

use super::super::StoreError;
use super::super::instant::Instant;
use crate::derive::health::rule::DayFigures;
use crate::derive::health::{Cohort, HealthState, UsualFigure};
use crate::time::{date_of_postgres_days, postgres_days};

/// Days before 1970-01-01 that the database's first day is later: 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;

/// Where a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Earliest record that has not been followed, Unix milliseconds; none: all are.
    pub dirty_from_ms: Option<i64>,
    /// When it was last judged by the clock.
    pub judged_at_ms: i64,
}

/// A state to go on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Every record before this has been followed, none after.
    pub at_ms: i64,
    /// The state.
    pub state: HealthState,
    /// As it is stored.
    pub bytes: Vec<u8>,
}

/// Where a machine stands; none: health has not met it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn progress(client: &impl GenericClient, machine_id: i64) -> Result<Option<Progress>, StoreError> {
    let row = client
        .query_opt(
            "select dirty_from, greatest(judged_at, '1970-01-01Z') from health_progress where machine_id = $1",
            &[&machine_id],
        )
        .await?;
    Ok(row.map(|row| Progress {
        dirty_from_ms: row.get::<_, Option<Instant>>(0).map(|at| at.0),
        judged_at_ms: row.get::<_, Instant>(1).0,
    }))
}

/// Notes where a machine stands.
///
/// # Errors
/// When the database cannot be asked.
pub async fn set_progress(client: &impl GenericClient, machine_id: i64, progress: Progress) -> Result<(), StoreError> {
    client
        .execute(
            "insert into health_progress (machine_id, dirty_from, judged_at) values ($1, $2, $3)
             on conflict (machine_id) do update set dirty_from = $2, judged_at = $3",
            &[&machine_id, &progress.dirty_from_ms.map(Instant), &Instant(progress.judged_at_ms)],
        )
        .await?;
    Ok(())
}

/// Machines with records that have not been followed, and those that were last judged before `before_ms`; at most
/// `limit`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machines_to_judge(
    client: &impl GenericClient,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let rows = client
        .query(
            "select machine_id from health_progress where dirty_from is not null or judged_at < $1
             order by dirty_from is null, judged_at limit $2",
            &[&Instant(before_ms), &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The last checkpoint at or before an instant that was left by these rules.
///
/// # Errors
/// When the database cannot be asked.
pub async fn checkpoint_before(
    client: &impl GenericClient,
    machine_id: i64,
    at_ms: i64,
    rules: u64,
) -> Result<Option<Checkpoint>, StoreError> {
    let row = client
        .query_opt(
            "select at, state from health_checkpoint where machine_id = $1 and at <= $2 and rules = $3
             order by at desc limit 1",
            &[&machine_id, &Instant(at_ms), &rules.cast_signed()],
        )
        .await?;
    Ok(row.as_ref().and_then(checkpoint))
}

/// The last checkpoint that was left by these rules.
///
/// # Errors
/// When the database cannot be asked.
pub async fn latest_checkpoint(
    client: &impl GenericClient,
    machine_id: i64,
    rules: u64,
) -> Result<Option<Checkpoint>, StoreError> {
    checkpoint_before(client, machine_id, wire::limits::MAX_RECORDED_AT_MS, rules).await
}

/// A state that cannot be read is of another version: as if it were not there.
fn checkpoint(row: &Row) -> Option<Checkpoint> {
    let bytes: Vec<u8> = row.get(1);
    let state = HealthState::decode(&bytes)?;
    Some(Checkpoint { at_ms: row.get::<_, Instant>(0).0, state, bytes })
}

/// Keeps a state. Returns whether the same was there: then what follows from it has not changed.
///
/// # Errors
/// When the database cannot be asked.
pub async fn store_checkpoint(
    client: &impl GenericClient,
    machine_id: i64,
    at_ms: i64,
    rules: u64,
    state: &[u8],
) -> Result<bool, StoreError> {
    let changed = client
        .execute(
            "insert into health_checkpoint (machine_id, at, rules, state) values ($1, $2, $3, $4)
             on conflict (machine_id, at) do update set rules = $3, state = $4
             where health_checkpoint.state <> $4 or health_checkpoint.rules <> $3",
            &[&machine_id, &Instant(at_ms), &rules.cast_signed(), &state],
        )
        .await?;
    Ok(changed == 0)
}

/// Drops the checkpoints after an instant, which records before it have made untrue, and thins out the old ones: of
/// days more than `keep_days` before it one a month is kept.
///
/// # Errors
/// When the database cannot be asked.
pub async fn drop_checkpoints_after(
    client: &impl GenericClient,
    machine_id: i64,
    at_ms: i64,
    keep_days: i32,
) -> Result<(), StoreError> {
    client
        .execute(
            "delete from health_checkpoint as checkpoint
             where machine_id = $1
               and (at > $2
                    or (at < $2 - $3::integer * interval '1 day'
                        and exists (select from health_checkpoint as earlier
                                    where earlier.machine_id = checkpoint.machine_id
                                      and earlier.at < checkpoint.at
                                      and date_trunc('month', earlier.at) = date_trunc('month', checkpoint.at))))",
            &[&machine_id, &Instant(at_ms), &keep_days],
        )
        .await?;
    Ok(())
}

/// When the first record at or after an instant was made, sample or diagnostic report; none where there is none.
///
/// # Errors
/// When the database cannot be asked.
pub async fn next_record(
    client: &impl GenericClient,
    machine_id: i64,
    from_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let row = client
        .query_one(
            "select least((select recorded_at from sample where machine_id = $1 and recorded_at >= $2
                           order by recorded_at limit 1),
                          (select recorded_at from fault_report where machine_id = $1 and recorded_at >= $2
                           order by recorded_at limit 1))",
            &[&machine_id, &Instant(from_ms)],
        )
        .await?;
    Ok(row.get::<_, Option<Instant>>(0).map(|at| at.0))
}

/// When the first record of a machine was made; none where nothing is stored of it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn earliest_record(client: &impl GenericClient, machine_id: i64) -> Result<Option<i64>, StoreError> {
    next_record(client, machine_id, wire::limits::MIN_RECORDED_AT_MS).await
}

/// Stores days of a machine, in place of what was known of them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn store_days(client: &impl GenericClient, machine_id: i64, days: &[DayFigures]) -> Result<(), StoreError> {
    for day in days {
        let Some(date) = date_of(day.day) else { continue };
        let figures = serde_json::to_value(day).map_err(|error| StoreError::Row {
            table: "health_day",
            message: format!("machine {machine_id}, {date}: {error}"),
        })?;
        client
            .execute(
                "insert into health_day (machine_id, day, first_at, last_at, figures)
                 values ($1, date '2000-01-01' + $2::integer, $3, $4, $5)
                 on conflict (machine_id, day) do update set first_at = $3, last_at = $4, figures = $5",
                &[&machine_id, &postgres_days(date), &Instant(day.first_ms), &Instant(day.last_ms), &figures],
            )
            .await?;
    }
    Ok(())
}

/// The last `limit` days of a machine, ascending.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn health_days(
    client: &impl GenericClient,
    machine_id: i64,
    limit: i64,
) -> Result<Vec<DayFigures>, StoreError> {
    let rows = client
        .query(
            "select figures from (select day, figures from health_day where machine_id = $1
                                  order by day desc limit $2) as last order by day",
            &[&machine_id, &limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            serde_json::from_value(row.get(0)).map_err(|error| StoreError::Row {
                table: "health_day",
                message: format!("machine {machine_id}: {error}"),
            })
        })
        .collect()
}

/// Keeps what has been usual on a machine lately.
///
/// # Errors
/// When the database cannot be asked.
pub async fn store_usual(
    client: &impl GenericClient,
    machine_id: i64,
    model: &str,
    day: i64,
    usual: &[UsualFigure],
) -> Result<(), StoreError> {
    let Some(date) = date_of(day) else { return Ok(()) };
    let figures = serde_json::to_value(usual).map_err(|error| StoreError::Row {
        table: "health_usual",
        message: format!("machine {machine_id}: {error}"),
    })?;
    client
        .execute(
            "insert into health_usual (machine_id, model, day, figures)
             values ($1, $2, date '2000-01-01' + $3::integer, $4)
             on conflict (machine_id) do update set model = $2, day = excluded.day, figures = $4",
            &[&machine_id, &model, &postgres_days(date), &figures],
        )
        .await?;
    Ok(())
}

/// What is usual on the other machines of a model, as far as they worked within a year of `day`.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn cohort(client: &impl GenericClient, machine_id: i64, model: &str, day: i64) -> Result<Cohort, StoreError> {
    let mut cohort = Cohort::default();
    let Some(date) = date_of(day) else { return Ok(cohort) };
    let rows = client
        .query(
            "select machine_id, figures from health_usual
             where model = $2 and machine_id <> $1 and abs(day - (date '2000-01-01' + $3::integer)) <= 366
             order by machine_id",
            &[&machine_id, &model, &postgres_days(date)],
        )
        .await?;
    for row in rows {
        let usual: Vec<UsualFigure> = serde_json::from_value(row.get(1)).map_err(|error| StoreError::Row {
            table: "health_usual",
            message: format!("machine {}: {error}", row.get::<_, i64>(0)),
        })?;
        cohort.add(&usual);
    }
    Ok(cohort)
}

/// The date of a count of days since 1970-01-01.
fn date_of(day: i64) -> Option<Date> {
    date_of_postgres_days(i32::try_from(day - EPOCH_DAYS).ok()?)
}
