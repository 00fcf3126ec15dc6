//! What can be wrong with a recording: what its reader met, and what the mapping met.

use super::super::read::{Weigh, Weight, can, gpsd, isoxml, j1939, yield_monitor};
use super::MAX_RECORDS;

/// What can be wrong with a recording.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// In task data or a time log.
    #[error(transparent)]
    Isoxml(#[from] isoxml::Defect),
    /// In a gpsd stream.
    #[error(transparent)]
    Gpsd(#[from] gpsd::Defect),
    /// In a yield log.
    #[error(transparent)]
    YieldMonitor(#[from] yield_monitor::Defect),
    /// In a bus log.
    #[error(transparent)]
    Can(#[from] can::Defect),
    /// In a message longer than a frame.
    #[error(transparent)]
    J1939(#[from] j1939::Defect),
    /// A value of a maker's own.
    #[error("{code} is not in the signal catalogue{}; its values are kept as raw numbers", words(name, unit))]
    Uncatalogued {
        /// `DDI EA60` or `SPN 4306`.
        code: String,
        /// The device's own name for it.
        name: Option<String>,
        /// The device's own unit.
        unit: Option<String>,
    },
    /// A value that is no measurement.
    #[error("{signal} = {example} is outside its valid range; such values are left out")]
    OutsideRange {
        /// Name of the signal.
        signal: String,
        /// The first such value, as text.
        example: String,
    },
    /// One identifier of several device elements.
    #[error("DDI {ddi:04X} comes from {elements}; {used}")]
    SeveralElements {
        /// The identifier.
        ddi: u16,
        /// The elements, in the order of the columns.
        elements: String,
        /// What is made of them.
        used: &'static str,
    },
    /// A signal of several senders on the bus.
    #[error("{signal} comes from address {used} and also from {other}; the values of {other} are left out")]
    SeveralSources {
        /// Name of the signal.
        signal: String,
        /// Address whose values are used.
        used: u8,
        /// Address whose values are not.
        other: u8,
    },
    /// Messages that nothing is known of.
    #[error("PGN {pgn} from address {source_address} is not decoded")]
    UndecodedGroup {
        /// The group.
        pgn: u32,
        /// Who sent it.
        source_address: u8,
    },
    /// A sensor that reports itself broken.
    #[error("address {source_address} reports an error instead of SPN {spn}")]
    SensorError {
        /// The parameter.
        spn: u32,
        /// Who sent it.
        source_address: u8,
    },
    /// A trouble code message that is too short.
    #[error("a trouble code message of address {source_address} is too short to be one; it is skipped")]
    BadDiagnostics {
        /// Who sent it.
        source_address: u8,
    },
    /// Frames that are no J1939.
    #[error("{0} frames carry no J1939; they are skipped")]
    OtherFrames(&'static str),
    /// Times that were made unrecognisable.
    #[error(
        "the first time, {first}, is before satellite navigation served farming: it was made unrecognisable; \
         records are dated from {start} with their own intervals (set another start with --start)"
    )]
    AnonymousTime {
        /// The first time as the recording has it.
        first: String,
        /// The start that is taken.
        start: String,
    },
    /// Times that count from the beginning of the log.
    #[error(
        "the log tells no date; records are dated from {start} with their own intervals (set another start with --start)"
    )]
    NoDate {
        /// The start that is taken.
        start: String,
    },
    /// Times that no calendar holds.
    #[error("a time beyond any calendar; the record is skipped")]
    TimeOutside,
    /// XML and log disagree about the time by a time zone.
    #[error("task {task} is timed {hours} h from its own log: another time zone; the log's is used")]
    ZonesDiffer {
        /// Task id.
        task: String,
        /// Hours from log to task.
        hours: String,
    },
    /// More than can be replayed at once.
    #[error("more than {MAX_RECORDS} records; the rest is skipped: split the recording")]
    TooManyRecords,
    /// Nothing to replay.
    #[error("nothing in it can be replayed")]
    NothingRecorded,
    /// Two files in one archive whose names differ in case alone, or too many files.
    #[error("{0} is skipped: a file of that name is there already, or there are too many")]
    FileSkipped(String),
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::Isoxml(defect) => defect.weight(),
            Defect::Gpsd(defect) => defect.weight(),
            Defect::YieldMonitor(defect) => defect.weight(),
            Defect::Can(defect) => defect.weight(),
            Defect::J1939(defect) => defect.weight(),
            Defect::Uncatalogued { .. }
            | Defect::UndecodedGroup { .. }
            | Defect::SensorError { .. }
            | Defect::AnonymousTime { .. }
            | Defect::NoDate { .. }
            | Defect::ZonesDiffer { .. }
            // A value that is no measurement: there was nothing to lose.
            | Defect::OutsideRange { .. } => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

fn words(name: &Option<String>, unit: &Option<String>) -> String {
    match (name, unit) {
        (Some(name), Some(unit)) => format!(" (the device calls it \"{name}\", in {unit})"),
        (Some(name), None) => format!(" (the device calls it \"{name}\")"),
        (None, _) => String::new(),
    }
}
