//! Stored records on their way back: what every fold is computed from.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use futures_util::TryStreamExt;
use tokio_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use wire::{Fault, FaultReport, Lamps, ReportKind, SignalId, SqlType, StoreColumn, TaskEvent, catalogue};

use super::StoreError;
use super::instant::Instant;
use crate::derive::{FaultEntry, Readings, TaskEntry};

/// Most samples read at once: ten days at one a second, a day at 10 Hz.
pub const MAX_READINGS: usize = 1_000_000;
/// The `time_quality` of an estimated time.
const ESTIMATED: i16 = 2;

/// Reads what a machine reported in `period` (Unix milliseconds, half-open), catalogued signals only: raw ones mean
/// nothing to a fold. Beyond [`MAX_READINGS`] samples the rest is left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn readings(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
) -> Result<Readings, StoreError> {
    read(client, machine_id, period, CATALOGUED).await
}

/// The same with the raw signals of makers, which exports carry on.
///
/// # Errors
/// As [`readings`].
pub async fn readings_and_raw(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
) -> Result<Readings, StoreError> {
    read(client, machine_id, period, i32::MAX).await
}

/// Numbers of signals below this are catalogued.
const CATALOGUED: i32 = SignalId::RAW_DDI.cast_signed();

async fn read(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
    signals_below: i32,
) -> Result<Readings, StoreError> {
    static WIDE: LazyLock<Vec<(SignalId, SqlType)>> = LazyLock::new(|| {
        catalogue::wide()
            .filter_map(|signal| match signal.column {
                StoreColumn::Wide(sql_type) => Some((signal.id, sql_type)),
                StoreColumn::Narrow => None,
            })
            .collect()
    });
    static SAMPLES: LazyLock<String> = LazyLock::new(|| {
        let mut columns = String::new();
        for signal in catalogue::wide() {
            let _ = write!(columns, ", {}", signal.name);
        }
        format!(
            "select recorded_at, boot_id, sequence, time_quality{columns} from sample
             where machine_id = $1 and recorded_at >= $2 and recorded_at < $3
             order by recorded_at, boot_id, sequence limit {MAX_READINGS}"
        )
    });
    let (from, to) = (Instant(period.start), Instant(period.end));
    let parameters: [&(dyn ToSql + Sync); 3] = [&machine_id, &from, &to];
    let mut readings = Readings::default();
    let rows = client.query_raw(SAMPLES.as_str(), parameters).await?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let index = readings.push(row.get::<_, Instant>(0).0, row.get(1), row.get(2));
        if row.get::<_, i16>(3) == ESTIMATED {
            readings.set_estimated(index);
        }
        for (column, (signal, sql_type)) in WIDE.iter().enumerate() {
            let value = match sql_type {
                SqlType::SmallInt => row.get::<_, Option<i16>>(column + 4).map(f64::from),
                SqlType::Real => row.get::<_, Option<f32>>(column + 4).map(f64::from),
                SqlType::Double => row.get::<_, Option<f64>>(column + 4),
            };
            if let Some(value) = value {
                readings.set(index, *signal, value);
            }
        }
    }
    read_narrow(client, &parameters, signals_below, &mut readings).await?;
    readings.sort();
    Ok(readings)
}

/// Adds the signals without a column. They carry no sequence: among samples of one instant they go to the first.
async fn read_narrow(
    client: &impl GenericClient,
    parameters: &[&(dyn ToSql + Sync); 3],
    signals_below: i32,
    readings: &mut Readings,
) -> Result<(), StoreError> {
    // Of several values of one signal at one instant the greatest comes last and stays, in whatever order they came.
    let rows = client
        .query_raw(
            "select recorded_at, signal_id, value from signal_sample
             where machine_id = $1 and recorded_at >= $2 and recorded_at < $3 and signal_id < $4
             order by recorded_at, signal_id, value",
            [parameters[0], parameters[1], parameters[2], &signals_below],
        )
        .await?;
    let mut rows = std::pin::pin!(rows);
    let mut index = 0;
    while let Some(row) = rows.try_next().await? {
        let at = row.get::<_, Instant>(0).0;
        while readings.recorded_at_ms.get(index).is_some_and(|recorded| *recorded < at) {
            index += 1;
        }
        if readings.recorded_at_ms.get(index) != Some(&at) {
            continue;
        }
        if let Some(signal) = SignalId::parse(row.get::<_, i32>(1).cast_unsigned()) {
            readings.set(index, signal, row.get(2));
        }
    }
    Ok(())
}

/// Reads the diagnostic reports of a machine in `period` (Unix milliseconds, half-open), in order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn fault_reports(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
) -> Result<Vec<FaultEntry>, StoreError> {
    let rows = client
        .query(
            "select recorded_at, boot_id, sequence, active, source_address, lamp_state, lamp_flash, codes
             from fault_report
             where machine_id = $1 and recorded_at >= $2 and recorded_at < $3
             order by recorded_at, boot_id, sequence",
            &[&machine_id, &Instant(period.start), &Instant(period.end)],
        )
        .await?;
    let byte = |value: i16| u8::try_from(value).unwrap_or(u8::MAX);
    Ok(rows
        .iter()
        .map(|row| {
            let codes: Vec<i32> = row.get(7);
            let faults = codes.as_chunks::<4>().0.iter().map(|[spn, fmi, count, legacy]| Fault {
                spn: spn.cast_unsigned(),
                fmi: u8::try_from(*fmi).unwrap_or(u8::MAX),
                occurrence_count: u8::try_from(*count).unwrap_or(u8::MAX),
                legacy_conversion: *legacy != 0,
            });
            FaultEntry {
                identity: (row.get(1), row.get(2)),
                report: FaultReport {
                    recorded_at_ms: row.get::<_, Instant>(0).0,
                    report: if row.get(3) { ReportKind::Active } else { ReportKind::PreviouslyActive },
                    source_address: byte(row.get(4)),
                    lamps: Lamps { state: byte(row.get(5)), flash: byte(row.get(6)) },
                    faults: faults.collect(),
                },
            }
        })
        .collect())
}

/// Reads the task events of a machine in `period` (Unix milliseconds, half-open), in order.
///
/// # Errors
/// When the database cannot be asked or a row makes no sense.
pub async fn task_reports(
    client: &impl GenericClient,
    machine_id: i64,
    period: Range<i64>,
) -> Result<Vec<TaskEntry>, StoreError> {
    let rows = client
        .query(
            "select recorded_at, boot_id, sequence, event, task, field, operator, implement, operation, crop,
                    signal_ids, totals
             from task_report
             where machine_id = $1 and recorded_at >= $2 and recorded_at < $3
             order by recorded_at, boot_id, sequence",
            &[&machine_id, &Instant(period.start), &Instant(period.end)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let signals: Vec<i32> = row.get(10);
            let totals: Vec<f64> = row.get(11);
            Ok(TaskEntry {
                identity: (row.get(1), row.get(2)),
                recorded_at_ms: row.get::<_, Instant>(0).0,
                event: event_of(row.get(3))?,
                task: row.get(4),
                field: row.get(5),
                operator: row.get(6),
                implement: row.get(7),
                operation: row.get(8),
                crop: row.get(9),
                totals: signals
                    .iter()
                    .zip(totals)
                    .filter_map(|(id, total)| Some((SignalId::parse(id.cast_unsigned())?, total)))
                    .collect(),
            })
        })
        .collect()
}

fn event_of(name: &str) -> Result<TaskEvent, StoreError> {
    Ok(match name {
        "started" => TaskEvent::Started,
        "totals" => TaskEvent::Totals,
        "paused" => TaskEvent::Paused,
        "completed" => TaskEvent::Completed,
        other => {
            return Err(StoreError::Row { table: "task_report", message: format!("event {other:?} is unknown") });
        }
    })
}
