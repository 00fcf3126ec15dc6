//! Service in the store: what was done, and the hours that are believed.

use serde::Serialize;
use tokio_postgres::GenericClient;

use super::super::StoreError;
use super::super::instant::Instant;
use crate::derive::health::counter::GuardedCounter;
use crate::derive::health::service::Done;

/// A service to be entered.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDone {
    /// Which item of the plan.
    pub item: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What the meter showed, where it was noted.
    pub meter_h: Option<f64>,
    /// Engine hours in all, where they are known.
    pub total_h: Option<f64>,
    /// Who enters it.
    pub actor: String,
    /// What there is to say.
    pub note: Option<String>,
}

/// A service that was done, for lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct ServiceRow {
    pub id: i64,
    pub item: String,
    pub done_at_ms: i64,
    pub total_h: Option<f64>,
    pub meter_h: Option<f64>,
    pub actor: String,
    pub note: Option<String>,
}

impl ServiceRow {
    /// What is due depends on this much of it.
    pub fn done(&self) -> Done {
        Done { item: self.item.clone(), at_ms: self.done_at_ms, total_h: self.total_h }
    }
}

/// The hours of a machine that are believed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HoursRow {
    /// Last report that was believed, Unix milliseconds.
    pub at_ms: i64,
    /// What it said.
    pub meter_h: f64,
    /// Counted in all, across replaced meters.
    pub total_h: f64,
    /// Reports that were not believed.
    pub glitches: i32,
}

/// Enters a service that was done; returns its number.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enter_service(client: &impl GenericClient, machine_id: i64, new: &NewDone) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "insert into service_done (machine_id, item, done_at, total_h, meter_h, actor, note)
             values ($1, $2, $3, $4, $5, $6, $7) returning service_done_id",
            &[&machine_id, &new.item, &Instant(new.at_ms), &new.total_h, &new.meter_h, &new.actor, &new.note],
        )
        .await?;
    Ok(row.get(0))
}

/// Strikes out an entry that was a mistake. Returns whether there is one that counts.
///
/// # Errors
/// When the database cannot be asked.
pub async fn strike_service(
    client: &impl GenericClient,
    service_id: i64,
    actor: &str,
) -> Result<Option<i64>, StoreError> {
    let row = client
        .query_opt(
            "update service_done set struck_at = now(), struck_by = $2
             where service_done_id = $1 and struck_at is null returning machine_id",
            &[&service_id, &actor],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// The services of a machine that were done, in order of time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn service_done(client: &impl GenericClient, machine_id: i64) -> Result<Vec<ServiceRow>, StoreError> {
    let rows = client
        .query(
            "select service_done_id, item, done_at, total_h, meter_h, actor, note from service_done
             where machine_id = $1 and struck_at is null order by done_at, service_done_id",
            &[&machine_id],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| ServiceRow {
            id: row.get(0),
            item: row.get(1),
            done_at_ms: row.get::<_, Instant>(2).0,
            total_h: row.get(3),
            meter_h: row.get(4),
            actor: row.get(5),
            note: row.get(6),
        })
        .collect())
}

/// Keeps the hours of a machine.
///
/// # Errors
/// When the database cannot be asked.
pub async fn store_hours(
    client: &impl GenericClient,
    machine_id: i64,
    hours: &GuardedCounter,
) -> Result<(), StoreError> {
    let (Some((at_ms, meter_h)), Some(total_h)) = (hours.last(), hours.total()) else { return Ok(()) };
    client
        .execute(
            "insert into machine_hours (machine_id, at, meter_h, total_h, glitches) values ($1, $2, $3, $4, $5)
             on conflict (machine_id) do update set at = $2, meter_h = $3, total_h = $4, glitches = $5",
            &[&machine_id, &Instant(at_ms), &meter_h, &total_h, &hours.glitches.cast_signed()],
        )
        .await?;
    Ok(())
}

/// The hours of a machine; none where it reports none.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machine_hours(client: &impl GenericClient, machine_id: i64) -> Result<Option<HoursRow>, StoreError> {
    let row = client
        .query_opt("select at, meter_h, total_h, glitches from machine_hours where machine_id = $1", &[&machine_id])
        .await?;
    Ok(row.map(|row| HoursRow {
        at_ms: row.get::<_, Instant>(0).0,
        meter_h: row.get(1),
        total_h: row.get(2),
        glitches: row.get(3),
    }))
}
