//! A decoded frame: a header and a run of records.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bitmap::Bitmap;
use crate::error::DroppedValue;
use crate::identity::{BootId, MachineSerial};
use crate::signal::SignalId;

/// A run of records of one machine and boot.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Whose records, and which.
    pub header: Header,
    /// The records.
    pub body: Body,
}

/// Whose records a frame carries, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The machine that recorded them.
    pub machine: MachineSerial,
    /// The run of its unit.
    pub boot: BootId,
    /// Sequence number of the first record; the others follow without a gap.
    pub first_sequence: u64,
    /// Number of records, at least 1.
    pub count: u32,
    /// Age of the last record when the frame was sent, by the unit's monotonic clock; 0 where it keeps none.
    /// It lets the service place records of a unit whose wall clock is wrong.
    pub age_ms: u64,
}

impl Header {
    /// The sequence numbers of the run, half-open.
    pub fn sequences(&self) -> std::ops::Range<u64> {
        self.first_sequence..self.first_sequence + u64::from(self.count)
    }
}

/// The records of a frame, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Samples, column by column.
    Telemetry(Columns),
    /// J1939 diagnostic reports.
    Faults(Vec<FaultReport>),
    /// Task events with totals.
    Task(Vec<TaskRecord>),
}

/// Kind of a frame on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Samples.
    Telemetry = 1,
    /// Diagnostic reports.
    Faults = 2,
    /// Task events.
    Task = 3,
}

impl Body {
    /// The kind on the wire.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Telemetry(_) => Kind::Telemetry,
            Self::Faults(_) => Kind::Faults,
            Self::Task(_) => Kind::Task,
        }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        match self {
            Self::Telemetry(columns) => columns.recorded_at_ms.len(),
            Self::Faults(reports) => reports.len(),
            Self::Task(records) => records.len(),
        }
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Samples column by column: what travels is what the loader reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    /// When each sample was recorded by the machine's clock, Unix milliseconds UTC.
    pub recorded_at_ms: Vec<i64>,
    /// The signals that at least one sample reports; ids ascend.
    pub columns: Vec<Column>,
}

/// The values of one signal in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Which signal.
    pub signal: SignalId,
    /// Which samples report it.
    pub presence: Bitmap,
    /// The reported values in catalogue resolution, one for each set bit.
    pub values: Vec<i64>,
}

/// One diagnostic message (J1939-73 DM1 or DM2) of one controller: the complete list at that instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct FaultReport {
    /// Machine clock, Unix milliseconds UTC.
    #[serde(rename = "recorded_at", with = "crate::json::time::field", default = "crate::json::no_time")]
    pub recorded_at_ms: i64,
    /// Which list it is.
    pub report: ReportKind,
    /// J1939 source address of the controller.
    pub source_address: u8,
    /// Warning lamps.
    pub lamps: Lamps,
    /// The trouble codes; empty says that there is none.
    pub faults: Vec<Fault>,
}

/// Which list a report carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// DM1: active now.
    Active,
    /// DM2: previously active.
    PreviouslyActive,
}

/// Lamp states of a diagnostic message: bytes 1 and 2 of DM1 as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Lamps {
    /// Byte 1: malfunction, red stop, amber warning, protect; two bits each from the top.
    pub state: u8,
    /// Byte 2: flashing of the same lamps.
    pub flash: u8,
}

/// One diagnostic trouble code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Suspect parameter number, 19 bits.
    pub spn: u32,
    /// Failure mode identifier, 5 bits.
    pub fmi: u8,
    /// Occurrence count, 7 bits; 127 is "not available".
    pub occurrence_count: u8,
    /// Conversion method bit; true flags an older bit order of the SPN.
    #[serde(default)]
    pub legacy_conversion: bool,
}

/// A task that began, went on or ended, with the totals at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct TaskRecord {
    /// Machine clock, Unix milliseconds UTC.
    #[serde(rename = "recorded_at", with = "crate::json::time::field", default = "crate::json::no_time")]
    pub recorded_at_ms: i64,
    /// What happened.
    pub event: TaskEvent,
    /// The task's own identifier.
    pub task: String,
    /// Name of the field; empty where the machine knows none.
    #[serde(default)]
    pub field: String,
    /// Name of the operator.
    #[serde(default)]
    pub operator: String,
    /// Name of the implement.
    #[serde(default)]
    pub implement: String,
    /// What was done: `ploughing`, `grain_harvest`.
    #[serde(default)]
    pub operation: String,
    /// The crop.
    #[serde(default)]
    pub crop: String,
    /// Totals in catalogue resolution, as (signal number, value).
    #[serde(default, with = "crate::json::totals")]
    pub totals: Vec<(u32, i64)>,
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum TaskEvent {
    /// Work began.
    Started,
    /// Totals while it goes on.
    Totals,
    /// Work was interrupted.
    Paused,
    /// Work ended.
    Completed,
}

/// A frame with what had to be left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The frame; every value in it is of a known signal.
    pub frame: Frame,
    /// Values that were left out.
    pub dropped: Vec<DroppedValue>,
    /// The form it came in; answers go out in the same.
    pub encoding: crate::messages::Encoding,
}
