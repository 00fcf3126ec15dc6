//! What else the fold of a day needs: which records are accounted for, and what held when the day began.

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;
use wire::{SignalId, StoreColumn, catalogue};

use super::super::StoreError;
use super::super::instant::Instant;
use super::super::multirange::Multirange;
use crate::derive::fieldwork::{CARRIED, Ledger};

/// How far back a value may have been reported that still holds when the day begins.
const CARRIED_FROM_MS: i64 = 24 * 3_600_000;
/// A unit that recorded this shortly before the day began was at it when it began.
const AT_IT_MS: i64 = 10 * 60_000;

/// Which records of some boots are accounted for.
///
/// # Errors
/// When the database cannot be asked.
pub async fn accounted(client: &impl GenericClient, machine_id: i64, boots: &[i64]) -> Result<Ledger, StoreError> {
    let select = "select boot_id, stored, refused from stored_sequence where machine_id = $1 and boot_id = any ($2)";
    let rows = client.query(select, &[&machine_id, &boots]).await?;
    let mut accounted = BTreeMap::new();
    for row in rows {
        let mut sequences = row.try_get::<_, Multirange>(1)?.0;
        sequences.extend(&row.try_get::<_, Multirange>(2)?.0);
        accounted.insert(row.try_get(0)?, sequences);
    }
    Ok(Ledger { accounted })
}

/// Whether a machine was at it when a working day began: then that day follows from the one before it too.
///
/// # Errors
/// When the database cannot be asked.
pub async fn was_at_it(client: &impl GenericClient, machine_id: i64, day_starts_ms: i64) -> Result<bool, StoreError> {
    let select = "select exists (select from sample where machine_id = $1 and recorded_at >= $2 and recorded_at < $3)
                     and exists (select from sample where machine_id = $1 and recorded_at >= $3 and recorded_at < $4)";
    let around = [day_starts_ms - AT_IT_MS, day_starts_ms, day_starts_ms + AT_IT_MS].map(Instant);
    let row = client.query_one(select, &[&machine_id, &around[0], &around[1], &around[2]]).await?;
    Ok(row.try_get(0)?)
}

/// What signals said last before `day_starts_ms` in a boot that was under way then: a log that runs past that hour does
/// not repeat what did not change.
///
/// # Errors
/// When the database cannot be asked.
pub async fn carried(
    client: &impl GenericClient,
    machine_id: i64,
    boot: i64,
    day_starts_ms: i64,
) -> Result<Vec<(SignalId, f64)>, StoreError> {
    let start = Instant(day_starts_ms);
    let under_way = "select exists (select from sample where machine_id = $1 and boot_id = $2
                                    and recorded_at >= $3 and recorded_at < $4)";
    let row = client.query_one(under_way, &[&machine_id, &boot, &Instant(day_starts_ms - AT_IT_MS), &start]).await?;
    if !row.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let from = Instant(day_starts_ms - CARRIED_FROM_MS);
    let is_wide =
        |signal: &SignalId| catalogue::find(*signal).is_some_and(|row| matches!(row.column, StoreColumn::Wide(_)));
    let wide: Vec<SignalId> = CARRIED.into_iter().filter(is_wide).collect();
    let columns: Vec<_> = wide
        .iter()
        .map(|signal| format!("(last({signal}, recorded_at) filter (where {signal} is not null))::double precision"))
        .collect();
    let select = format!(
        "select {} from sample where machine_id = $1 and boot_id = $2 and recorded_at >= $3 and recorded_at < $4",
        columns.join(", ")
    );
    let row = client.query_one(&select, &[&machine_id, &boot, &from, &start]).await?;
    let mut carried = Vec::new();
    for (column, signal) in wide.iter().enumerate() {
        carried.extend(row.try_get::<_, Option<f64>>(column)?.map(|value| (*signal, value)));
    }
    let narrow: Vec<i32> =
        CARRIED.into_iter().filter(|signal| !is_wide(signal)).map(|signal| signal.number().cast_signed()).collect();
    let select = "select distinct on (signal_id) signal_id, value from signal_sample
                  where machine_id = $1 and recorded_at >= $2 and recorded_at < $3 and signal_id = any ($4)
                  order by signal_id, recorded_at desc, value desc";
    for row in client.query(select, &[&machine_id, &from, &start, &narrow]).await? {
        let signal = SignalId::parse(row.try_get::<_, i32>(0)?.cast_unsigned());
        carried.extend(signal.map(|signal| row.try_get(1).map(|value| (signal, value))).transpose()?);
    }
    Ok(carried)
}
