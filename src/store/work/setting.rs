//! What is known of machines and implements beyond what they report. A change marks what was computed with it.

use std::ops::Range;

use serde::Serialize;
use tokio_postgres::{GenericClient, Row, Transaction};

use super::super::StoreError;
use super::super::instant::Instant;
use super::super::marks::mark;
use crate::derive::fieldwork::{FuelSource, ImplementUse, Machine, Operation};

/// Beyond any record: an implement that is still on its machine.
const FOR_EVER_MS: i64 = i64::MAX;
/// Sessions of a day may reach over this from where a setting begins or ends.
const DAY_MS: i64 = 86_400_000;

/// An implement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImplementRow {
    /// Its number.
    pub implement_id: i64,
    /// What people call it.
    pub name: String,
    /// What is done with it.
    pub operation: Option<Operation>,
    /// Working width, m.
    pub width_m: Option<f64>,
    /// Ahead of the antenna (negative: behind), m.
    pub offset_ahead_m: f64,
    /// Its middle right of the antenna, m.
    pub offset_right_m: f64,
}

/// A use of an implement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UseRow {
    /// Serial of the machine.
    pub machine: String,
    /// Name of the implement.
    pub implement: String,
    /// From when, Unix milliseconds.
    pub from_ms: i64,
    /// Until when; absent: still.
    pub to_ms: Option<i64>,
}

/// What is set for a machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MachineWork {
    /// What it does when nothing else tells.
    pub operation: Option<Operation>,
    /// Its own working width, m.
    pub width_m: Option<f64>,
    /// Content of its tank, L.
    pub tank_l: Option<f64>,
    /// The only fuel source to use.
    pub fuel_source: Option<FuelSource>,
    /// Weighbridge over monitor.
    pub mass_factor: Option<f64>,
    /// Implement ahead of the antenna, m.
    pub offset_ahead_m: f64,
    /// Middle of the implement right of the antenna, m.
    pub offset_right_m: f64,
}

/// Everything that decides a machine's sessions of `period` (Unix milliseconds).
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn machine_setting(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
) -> Result<Machine, StoreError> {
    let of_machine = machine_work(client, machine_id).await?;
    let rows = client
        .query(
            "select from_at, to_at, name, width_m, operation, offset_ahead_m, offset_right_m
             from implement_use join implement using (implement_id)
             where machine_id = $1 and from_at < $3 and (to_at is null or to_at > $2)
             order by from_at, implement_use_id",
            &[&machine_id, &Instant(period.start), &Instant(period.end)],
        )
        .await?;
    let read = |row: &Row| -> Result<ImplementUse, StoreError> {
        let to: Option<Instant> = row.try_get(1)?;
        Ok(ImplementUse {
            period: row.try_get::<_, Instant>(0)?.0..to.map_or(FOR_EVER_MS, |to| to.0),
            name: row.try_get(2)?,
            width_m: row.try_get(3)?,
            operation: operation_of("implement", row.try_get(4)?)?,
            offset_ahead_m: row.try_get(5)?,
            offset_right_m: row.try_get(6)?,
        })
    };
    Ok(Machine {
        operation: of_machine.operation,
        width_m: of_machine.width_m,
        tank_l: of_machine.tank_l,
        fuel_source: of_machine.fuel_source,
        mass_factor: of_machine.mass_factor,
        offset_ahead_m: of_machine.offset_ahead_m,
        offset_right_m: of_machine.offset_right_m,
        implements: rows.iter().map(read).collect::<Result<_, _>>()?,
    })
}

/// What is set for a machine; nothing is set where nobody did.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn machine_work(client: &impl GenericClient, machine_id: i64) -> Result<MachineWork, StoreError> {
    let select = "select operation, width_m, tank_l, fuel_source, mass_factor, offset_ahead_m, offset_right_m
                  from machine_work where machine_id = $1";
    let Some(row) = client.query_opt(select, &[&machine_id]).await? else { return Ok(MachineWork::default()) };
    let source: Option<&str> = row.try_get(3)?;
    let source = source.map(|name| {
        FuelSource::parse(name).ok_or_else(|| wrong("machine_work", format!("fuel source {name:?} is unknown")))
    });
    Ok(MachineWork {
        operation: operation_of("machine_work", row.try_get(0)?)?,
        width_m: row.try_get(1)?,
        tank_l: row.try_get(2)?,
        fuel_source: source.transpose()?,
        mass_factor: row.try_get(4)?,
        offset_ahead_m: row.try_get(5)?,
        offset_right_m: row.try_get(6)?,
    })
}

/// Sets what is known of a machine and marks all its work.
///
/// # Errors
/// When the database cannot be asked.
pub async fn set_machine_work(
    transaction: &Transaction<'_>,
    machine_id: i64,
    setting: &MachineWork,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "insert into machine_work (machine_id, operation, width_m, tank_l, fuel_source, mass_factor,
                 offset_ahead_m, offset_right_m)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (machine_id) do update set operation = $2, width_m = $3, tank_l = $4, fuel_source = $5,
                 mass_factor = $6, offset_ahead_m = $7, offset_right_m = $8",
            &[
                &machine_id,
                &setting.operation.map(Operation::name),
                &setting.width_m,
                &setting.tank_l,
                &setting.fuel_source.map(FuelSource::name),
                &setting.mass_factor,
                &setting.offset_ahead_m,
                &setting.offset_right_m,
            ],
        )
        .await?;
    mark_days(transaction, machine_id, 0..FOR_EVER_MS).await
}

/// Implements by name.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn implements(client: &impl GenericClient) -> Result<Vec<ImplementRow>, StoreError> {
    let rows = client
        .query(
            "select implement_id, name, operation, width_m, offset_ahead_m, offset_right_m from implement order by name",
            &[],
        )
        .await?;
    let read = |row: &Row| -> Result<ImplementRow, StoreError> {
        Ok(ImplementRow {
            implement_id: row.try_get(0)?,
            name: row.try_get(1)?,
            operation: operation_of("implement", row.try_get(2)?)?,
            width_m: row.try_get(3)?,
            offset_ahead_m: row.try_get(4)?,
            offset_right_m: row.try_get(5)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Enters an implement, its number ignored, and returns its number; one of that name is changed, and all work done with
/// it marked.
///
/// # Errors
/// When the database cannot be asked.
pub async fn enter_implement(transaction: &Transaction<'_>, implement: &ImplementRow) -> Result<i64, StoreError> {
    let row = transaction
        .query_one(
            "insert into implement (name, operation, width_m, offset_ahead_m, offset_right_m)
             values ($1, $2, $3, $4, $5)
             on conflict (name) do update set operation = $2, width_m = $3, offset_ahead_m = $4, offset_right_m = $5
             returning implement_id",
            &[
                &implement.name,
                &implement.operation.map(Operation::name),
                &implement.width_m,
                &implement.offset_ahead_m,
                &implement.offset_right_m,
            ],
        )
        .await?;
    let implement_id: i64 = row.get(0);
    let select = "select machine_id, from_at, to_at from implement_use where implement_id = $1";
    for row in transaction.query(select, &[&implement_id]).await? {
        let to: Option<Instant> = row.try_get(2)?;
        let period = row.try_get::<_, Instant>(1)?.0..to.map_or(FOR_EVER_MS, |to| to.0);
        mark_days(transaction, row.try_get(0)?, period).await?;
    }
    Ok(implement_id)
}

/// Notes that a machine has an implement from an instant on, or for a time, and marks its work of that time. A use that
/// was open ends where the new one begins.
///
/// # Errors
/// When the database cannot be asked.
pub async fn use_implement(
    transaction: &Transaction<'_>,
    machine_id: i64,
    implement_id: i64,
    from_ms: i64,
    to_ms: Option<i64>,
) -> Result<(), StoreError> {
    let (from, to) = (Instant(from_ms), to_ms.map(Instant));
    let close = "update implement_use set to_at = $2 where machine_id = $1 and to_at is null and from_at < $2";
    transaction.execute(close, &[&machine_id, &from]).await?;
    let insert = "insert into implement_use (machine_id, implement_id, from_at, to_at) values ($1, $2, $3, $4)";
    transaction.execute(insert, &[&machine_id, &implement_id, &from, &to]).await?;
    mark_days(transaction, machine_id, from_ms..to_ms.unwrap_or(FOR_EVER_MS)).await
}

/// Which machine had which implement, by machine and time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn implement_uses(client: &impl GenericClient) -> Result<Vec<UseRow>, StoreError> {
    let rows = client
        .query(
            "select serial, implement.name, from_at, to_at
             from implement_use join implement using (implement_id) join machine using (machine_id)
             order by serial, from_at",
            &[],
        )
        .await?;
    let read = |row: &Row| -> Result<UseRow, tokio_postgres::Error> {
        let to: Option<Instant> = row.try_get(3)?;
        Ok(UseRow {
            machine: row.try_get(0)?,
            implement: row.try_get(1)?,
            from_ms: row.try_get::<_, Instant>(2)?.0,
            to_ms: to.map(|to| to.0),
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Marks the days of a period on which the machine has records, each by itself: no mark spans the years between.
async fn mark_days(transaction: &Transaction<'_>, machine_id: i64, period: Range<i64>) -> Result<(), StoreError> {
    let rows = transaction
        .query(
            "select distinct extract(epoch from day::timestamp at time zone 'utc')::bigint * 1000
             from stored_day where machine_id = $1",
            &[&machine_id],
        )
        .await?;
    for row in rows {
        let noon: i64 = row.try_get(0)?;
        // Local days: their ends lie up to a day from those of Greenwich.
        let (from, to) = ((noon - DAY_MS).max(period.start), (noon + 2 * DAY_MS).min(period.end.saturating_sub(1)));
        if from <= to {
            mark(transaction, machine_id, from..=to).await?;
        }
    }
    Ok(())
}

fn operation_of(table: &'static str, name: Option<&str>) -> Result<Option<Operation>, StoreError> {
    name.map(|name| Operation::parse(name).ok_or_else(|| wrong(table, format!("operation {name:?} is unknown"))))
        .transpose()
}

fn wrong(table: &'static str, message: String) -> StoreError {
    StoreError::Row { table, message }
}
