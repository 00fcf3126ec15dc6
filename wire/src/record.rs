//! What a unit records: one number of its sequence space each.

use crate::frame::{Body, FaultReport, Kind, TaskRecord};
use crate::sample::{Sample, columns_of, samples_of};

/// One record of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Readings.
    Sample(Sample),
    /// A diagnostic report.
    Faults(FaultReport),
    /// A task that began, went on or ended.
    Task(TaskRecord),
}

impl Record {
    /// On which topic it travels.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sample(_) => Kind::Telemetry,
            Self::Faults(_) => Kind::Faults,
            Self::Task(_) => Kind::Task,
        }
    }

    /// Machine clock, Unix milliseconds UTC.
    pub fn recorded_at_ms(&self) -> i64 {
        match self {
            Self::Sample(sample) => sample.recorded_at_ms,
            Self::Faults(report) => report.recorded_at_ms,
            Self::Task(task) => task.recorded_at_ms,
        }
    }

    /// The same record with another time.
    pub fn stamped(mut self, at_ms: i64) -> Self {
        match &mut self {
            Self::Sample(sample) => sample.recorded_at_ms = at_ms,
            Self::Faults(report) => report.recorded_at_ms = at_ms,
            Self::Task(task) => task.recorded_at_ms = at_ms,
        }
        self
    }

    /// How many numbers it carries; bounds what a frame gathers.
    pub fn values(&self) -> usize {
        match self {
            Self::Sample(sample) => sample.values.len(),
            Self::Faults(report) => report.faults.len(),
            Self::Task(task) => task.totals.len(),
        }
    }
}

impl From<Sample> for Record {
    fn from(sample: Sample) -> Self {
        Self::Sample(sample)
    }
}

/// The body of a frame that carries `records`, which are all of one kind; none when they are not, or there is none.
pub fn body_of(records: &[Record]) -> Option<Body> {
    let body = match records.first()? {
        Record::Sample(_) => {
            let samples: Vec<_> = records
                .iter()
                .filter_map(|record| if let Record::Sample(sample) = record { Some(sample.clone()) } else { None })
                .collect();
            Body::Telemetry(columns_of(&samples))
        }
        Record::Faults(_) => Body::Faults(
            records
                .iter()
                .filter_map(|record| if let Record::Faults(report) = record { Some(report.clone()) } else { None })
                .collect(),
        ),
        Record::Task(_) => Body::Task(
            records
                .iter()
                .filter_map(|record| if let Record::Task(task) = record { Some(task.clone()) } else { None })
                .collect(),
        ),
    };
    (body.len() == records.len()).then_some(body)
}

/// The records of a frame, in the order of their sequence numbers.
pub fn records_of(body: &Body) -> Vec<Record> {
    match body {
        Body::Telemetry(columns) => samples_of(columns).into_iter().map(Record::Sample).collect(),
        Body::Faults(reports) => reports.iter().cloned().map(Record::Faults).collect(),
        Body::Task(tasks) => tasks.iter().cloned().map(Record::Task).collect(),
    }
}
