//! What can be wrong in task data.

use super::super::{Weigh, Weight};
use super::{MAX_COLUMNS, MAX_EXTERNAL_FILES, MAX_XML_BYTES, MAX_XML_DEPTH, MAX_XML_ELEMENTS};

/// What can be wrong in task data. Each message says what is done about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// There is no `TASKDATA.XML`.
    #[error("the file is missing; customers, fields, devices and tasks are unknown")]
    TaskDataMissing,
    /// The root element is another.
    #[error("the root element is {found}, not {expected}; the file is not read")]
    WrongRoot {
        /// Element found, `nothing` for an empty file.
        found: String,
        /// Element expected.
        expected: &'static str,
    },
    /// The XML breaks off or is damaged.
    #[error("damaged XML ({0}); what stands before it is read")]
    XmlBroken(String),
    /// An attribute that is not XML.
    #[error("damaged attributes in {element} ({reason}); the others are read")]
    AttributesBroken {
        /// Element name.
        element: String,
        /// What the XML reader said.
        reason: String,
    },
    /// Larger than [`MAX_XML_BYTES`].
    #[error("{0} bytes of XML, more than {MAX_XML_BYTES}; the file is not read")]
    XmlTooLarge(usize),
    /// Nested deeper than [`MAX_XML_DEPTH`].
    #[error("elements nested deeper than {MAX_XML_DEPTH}; the inner ones are skipped")]
    XmlTooDeep,
    /// More elements than [`MAX_XML_ELEMENTS`].
    #[error("more than {MAX_XML_ELEMENTS} elements; the rest is skipped")]
    XmlTooManyElements,
    /// Not UTF-8 or UTF-16.
    #[error("the text is not UTF-8; names are read as Latin-1 and may look wrong")]
    NotUtf8,
    /// An attribute whose value makes no sense.
    #[error("{element} {attribute}=\"{value}\" is not {expected}; it is left out")]
    BadAttribute {
        /// Element name.
        element: String,
        /// Attribute letter.
        attribute: &'static str,
        /// As written, shortened.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// An element that is useless without this attribute.
    #[error("{element} without {attribute}; the element is skipped")]
    AttributeMissing {
        /// Element name.
        element: String,
        /// Attribute letter.
        attribute: &'static str,
    },
    /// Two elements with one id.
    #[error("the id {0} is given twice; both are kept, references mean the first")]
    DuplicateId(String),
    /// A reference that leads nowhere.
    #[error("{element} {attribute}=\"{id}\" names nothing in this task data")]
    UnknownReference {
        /// Element name.
        element: &'static str,
        /// Attribute letter.
        attribute: &'static str,
        /// The id.
        id: String,
    },
    /// A field whose outline is not a polygon but a bare line.
    #[error("field {0} has its boundary as a line without a polygon; it is taken as the boundary")]
    BoundaryWithoutPolygon(String),
    /// A ring of fewer than three points.
    #[error("a ring of field {field} has {points} points and encloses nothing; it is left out")]
    RingTooShort {
        /// Field id.
        field: String,
        /// Points found.
        points: usize,
    },
    /// A point that is not on the earth.
    #[error("point {lat_deg}, {lon_deg} is not on the map; it is left out")]
    PointOutside {
        /// As written.
        lat_deg: f64,
        /// As written.
        lon_deg: f64,
    },
    /// An external file that is not there.
    #[error("the external file named by XFR is missing; its elements are unknown")]
    ExternalMissing,
    /// More external files than [`MAX_EXTERNAL_FILES`].
    #[error("more than {MAX_EXTERNAL_FILES} external files; the rest is skipped")]
    TooManyExternalFiles,
    /// The header of a log is not there.
    #[error("the header of the time log is missing; without it the log cannot be read")]
    HeaderMissing,
    /// The binary part of a log is not there.
    #[error("the time log is missing: its task names it, the recording does not hold it")]
    LogMissing,
    /// No task names the log.
    #[error("no task names this time log; it is read without a task")]
    LogWithoutTask,
    /// The file is not as long as the task says.
    #[error("{found} bytes, where the task announces {announced}")]
    LengthDiffers {
        /// `TLG B`.
        announced: u64,
        /// Bytes found.
        found: u64,
    },
    /// More columns than one byte can number.
    #[error("more than {MAX_COLUMNS} columns in the header; the rest is skipped")]
    TooManyColumns,
    /// A log without a byte.
    #[error("the time log has no bytes: the machine opened it and recorded nothing")]
    LogEmpty,
    /// The last record is incomplete.
    #[error("the log breaks off inside a record: {found} bytes left, at least {needed} needed; the rest was read")]
    Truncated {
        /// Bytes left.
        found: usize,
        /// Bytes the record needs, as far as known.
        needed: usize,
    },
    /// A value for a column that does not exist.
    #[error("value for column {index}, but the header has {columns}; the value is skipped")]
    ColumnOutside {
        /// Index in the record.
        index: u8,
        /// Columns in the header.
        columns: usize,
    },
    /// Time of day beyond midnight.
    #[error("time of day {0} ms is beyond midnight; the record is damaged")]
    TimeOfDayOutside(u32),
    /// A single record of another time.
    #[error("the date jumps by {days} days and back; the record is damaged and skipped")]
    DateJump {
        /// Days from the record before.
        days: i32,
    },
    /// A pause or a set clock: the records after it agree with each other.
    #[error("the recording goes on {days} days later")]
    DateGap {
        /// Days from the record before.
        days: i32,
    },
    /// The clock went back.
    #[error("the time goes back by {seconds} s")]
    TimeBackwards {
        /// Whole seconds.
        seconds: i64,
    },
    /// Bytes that are no record.
    #[error("{bytes} damaged bytes are skipped; reading goes on at byte {resumed_at}")]
    Skipped {
        /// Bytes skipped.
        bytes: usize,
        /// Offset of the next sound record.
        resumed_at: usize,
    },
    /// Both coordinates zero.
    #[error("position 0, 0 means no fix; the record is kept without a position")]
    PositionNull,
    /// Coordinates that are not on the earth.
    #[error("position {north_e7}, {east_e7} (1e-7 deg) is not on the map; the record is kept without a position")]
    PositionOutside {
        /// Latitude in the file.
        north_e7: i32,
        /// Longitude in the file.
        east_e7: i32,
    },
    /// The receiver does not tell its quality.
    #[error("position status 15 (not available); the positions are kept, their quality is unknown")]
    StatusNotAvailable,
    /// The receiver says it has no fix, or an error.
    #[error("position status {0} (no fix or error); the record is kept without a position")]
    StatusNoFix(u8),
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::NotUtf8
            | Defect::DuplicateId(_)
            | Defect::BoundaryWithoutPolygon(_)
            | Defect::LogWithoutTask
            | Defect::LengthDiffers { .. }
            | Defect::DateGap { .. }
            | Defect::TimeBackwards { .. }
            | Defect::StatusNotAvailable => Weight::Note,
            _ => Weight::Loss,
        }
    }
}
