//! Diagnostic reports and task events: few, so plain inserts.

use tokio_postgres::Transaction;
use wire::{FaultReport, ReportKind, SequenceSet, SignalId, TaskEvent, TaskRecord};

use super::StoreError;
use super::load::Run;
use crate::time::postgres_micros;

/// Reports of a batch that are new.
#[derive(Default)]
pub(super) struct Reports {
    faults: Vec<(Identity, FaultReport)>,
    tasks: Vec<(Identity, TaskRecord)>,
}

/// Whose record it is, and when it was made; times as the database counts.
struct Identity {
    machine_id: i64,
    boot_id: i64,
    sequence: i64,
    recorded_at: i64,
    recorded_at_raw: Option<i64>,
    time_quality: i16,
    received_at: i64,
}

/// Instants travel as the database's own microseconds and are turned into timestamps there.
const INSERT_IDENTITY: &str = "$1::bigint, $2::bigint, $3::bigint,
     timestamptz '2000-01-01Z' + $4::bigint * interval '1 microsecond',
     timestamptz '2000-01-01Z' + $5::bigint * interval '1 microsecond', $6::smallint,
     timestamptz '2000-01-01Z' + $7::bigint * interval '1 microsecond'";

impl Reports {
    pub(super) fn faults(&mut self, machine_id: i64, run: &Run, faults: &[FaultReport], new: &SequenceSet) {
        self.faults.extend(new_records(machine_id, run, faults, new));
    }

    pub(super) fn tasks(&mut self, machine_id: i64, run: &Run, tasks: &[TaskRecord], new: &SequenceSet) {
        self.tasks.extend(new_records(machine_id, run, tasks, new));
    }

    pub(super) async fn write(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        if !self.faults.is_empty() {
            let insert = transaction
                .prepare(&format!(
                    "insert into fault_report (machine_id, boot_id, sequence, recorded_at, recorded_at_raw,
                         time_quality, received_at, active, source_address, lamp_state, lamp_flash, codes)
                     values ({INSERT_IDENTITY}, $8, $9, $10, $11, $12)"
                ))
                .await?;
            for (id, report) in &self.faults {
                let codes: Vec<i32> = report
                    .faults
                    .iter()
                    .flat_map(|fault| {
                        [
                            // 19 bits fit.
                            fault.spn as i32,
                            i32::from(fault.fmi),
                            i32::from(fault.occurrence_count),
                            i32::from(fault.legacy_conversion),
                        ]
                    })
                    .collect();
                transaction
                    .execute(
                        &insert,
                        &[
                            &id.machine_id,
                            &id.boot_id,
                            &id.sequence,
                            &id.recorded_at,
                            &id.recorded_at_raw,
                            &id.time_quality,
                            &id.received_at,
                            &(report.report == ReportKind::Active),
                            &i16::from(report.source_address),
                            &i16::from(report.lamps.state),
                            &i16::from(report.lamps.flash),
                            &codes,
                        ],
                    )
                    .await?;
            }
        }
        if !self.tasks.is_empty() {
            let insert = transaction
                .prepare(&format!(
                    "insert into task_report (machine_id, boot_id, sequence, recorded_at, recorded_at_raw,
                         time_quality, received_at, event, task, field, operator, implement, operation, crop,
                         signal_ids, totals)
                     values ({INSERT_IDENTITY}, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
                ))
                .await?;
            for (id, record) in &self.tasks {
                let known = || record.totals.iter().filter_map(|(id, raw)| Some((SignalId::parse(*id)?, *raw)));
                let signals: Vec<i32> = known().map(|(id, _)| id.number().cast_signed()).collect();
                let totals: Vec<f64> = known().map(|(id, raw)| id.physical(raw)).collect();
                transaction
                    .execute(
                        &insert,
                        &[
                            &id.machine_id,
                            &id.boot_id,
                            &id.sequence,
                            &id.recorded_at,
                            &id.recorded_at_raw,
                            &id.time_quality,
                            &id.received_at,
                            &event_name(record.event),
                            &record.task,
                            &record.field,
                            &record.operator,
                            &record.implement,
                            &record.operation,
                            &record.crop,
                            &signals,
                            &totals,
                        ],
                    )
                    .await?;
            }
        }
        Ok(())
    }
}

fn new_records<T: Clone>(machine_id: i64, run: &Run, records: &[T], new: &SequenceSet) -> Vec<(Identity, T)> {
    let frame = &*run.frame;
    run.records
        .clone()
        .zip(run.sequences())
        .filter(|(_, sequence)| new.contains(*sequence))
        .map(|(position, sequence)| {
            let correction = frame.corrections.get(position);
            let identity = Identity {
                machine_id,
                boot_id: frame.boot.as_i64(),
                sequence: sequence.cast_signed(),
                recorded_at: postgres_micros(frame.recorded_at_ms[position]),
                recorded_at_raw: correction.and_then(|correction| correction.raw_ms).map(postgres_micros),
                time_quality: correction.map_or(0, |correction| correction.quality),
                received_at: postgres_micros(frame.received_at_ms),
            };
            (identity, records[position].clone())
        })
        .collect()
}

fn event_name(event: TaskEvent) -> &'static str {
    match event {
        TaskEvent::Started => "started",
        TaskEvent::Totals => "totals",
        TaskEvent::Paused => "paused",
        TaskEvent::Completed => "completed",
    }
}
