//! Diagnostic reports and task events of one machine: rare beside samples, and told whole.

use wire::{FaultReport, SignalId, TaskEvent};

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
