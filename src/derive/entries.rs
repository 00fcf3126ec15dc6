//! Diagnostic reports and task events of one machine: rare beside samples, and told whole.

use wire::{FaultReport, SignalId, TaskEvent, TaskRecord};

/// A diagnostic report of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultEntry {
    /// Boot and sequence: ends ties between equal times.
    pub identity: (i64, i64),
    /// The report; its time is the corrected machine clock.
    pub report: FaultReport,
}

/// A task event of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskEntry {
    /// Boot and sequence: ends ties between equal times.
    pub identity: (i64, i64),
    /// Corrected machine clock, Unix milliseconds.
    pub recorded_at_ms: i64,
    /// What happened.
    pub event: TaskEvent,
    /// The task's own identifier.
    pub task: String,
    /// Name of the field; empty where the machine knows none.
    pub field: String,
    /// Name of the operator.
    pub operator: String,
    /// Name of the implement.
    pub implement: String,
    /// What was done.
    pub operation: String,
    /// The crop.
    pub crop: String,
    /// The machine's own totals, in the unit of the catalogue.
    pub totals: Vec<(SignalId, f64)>,
}

impl TaskEntry {
    /// A record as the store gives it back. Totals of numbers that are no signals are left out.
    pub fn of(identity: (i64, i64), record: &TaskRecord) -> Self {
        let total = |(number, raw): &(u32, i64)| {
            let signal = SignalId::parse(*number)?;
            Some((signal, signal.physical(*raw)))
        };
        Self {
            identity,
            recorded_at_ms: record.recorded_at_ms,
            event: record.event,
            task: record.task.clone(),
            field: record.field.clone(),
            operator: record.operator.clone(),
            implement: record.implement.clone(),
            operation: record.operation.clone(),
            crop: record.crop.clone(),
            totals: record.totals.iter().filter_map(total).collect(),
        }
    }
}
