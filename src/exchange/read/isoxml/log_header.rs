//! The header of a time log (`TLGnnnnn.XML`): which fields each binary record holds.

use super::super::{At, Problem, Problems};
use super::Defect;
use super::task_data::parse_ddi;
use super::xml::{self, Element};

/// Columns a record can number with its one byte.
pub const MAX_COLUMNS: usize = 255;

/// What each record of a log holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LogHeader {
    /// Position fields; `None` when the log has no positions.
    pub position: Option<PositionLayout>,
    /// Values, in the order the records number them.
    pub columns: Vec<Column>,
}

/// A value column (`DLV`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Data dictionary identifier.
    pub ddi: u16,
    /// Id of the device element it belongs to.
    pub element: Option<String>,
}

/// Where a field of the position comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogField {
    /// Not at all.
    Absent,
    /// It stands in each record.
    Logged,
    /// It is the same throughout.
    Constant(f64),
}

/// The position fields (`PTN`), in the order they stand in a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionLayout {
    /// Latitude.
    pub north: LogField,
    /// Longitude.
    pub east: LogField,
    /// Height, mm.
    pub up: LogField,
    /// How the fix was made.
    pub status: LogField,
    /// Position dilution of precision.
    pub pdop: LogField,
    /// Horizontal dilution of precision.
    pub hdop: LogField,
    /// Satellites used.
    pub satellites: LogField,
    /// UTC time of day, ms.
    pub utc_time: LogField,
    /// UTC date, days since 1980-01-01.
    pub utc_date: LogField,
}

/// Reads a header; `file` names it in problems.
pub(super) fn read(file: &str, bytes: &[u8]) -> (Option<LogHeader>, Vec<Problem<Defect>>) {
    let mut problems = Problems::new(file);
    let root = xml::read(bytes, &mut problems);
    let found = root.as_ref().map_or("nothing", |root| &root.name);
    let Some(root) = root.as_ref().filter(|root| &*root.name == "TIM") else {
        let found = found.chars().take(40).collect();
        problems.push(At::File, Defect::WrongRoot { found, expected: "TIM" });
        return (None, problems.into_vec());
    };
    let position = root.children_named("PTN").next().map(|ptn| position(ptn, &mut problems));
    let mut columns = Vec::new();
    for dlv in root.children_named("DLV") {
        if columns.len() == MAX_COLUMNS {
            problems.push(At::Byte(dlv.byte), Defect::TooManyColumns);
            break;
        }
        columns.push(column(dlv, &mut problems));
    }
    (Some(LogHeader { position, columns }), problems.into_vec())
}

/// A column is never left out, or all after it would move.
fn column(dlv: &Element, problems: &mut Problems<Defect>) -> Column {
    let written = dlv.get("A").unwrap_or_default();
    let ddi = parse_ddi(written).unwrap_or_else(|| {
        let defect = Defect::BadAttribute {
            element: "DLV".to_owned(),
            attribute: "A",
            value: written.chars().take(40).collect(),
            expected: "a data dictionary identifier of 4 hex digits (0 is taken)",
        };
        problems.push(At::Byte(dlv.byte), defect);
        0
    });
    Column { ddi, element: dlv.get("C").filter(|id| !id.is_empty()).map(str::to_owned) }
}

fn position(ptn: &Element, problems: &mut Problems<Defect>) -> PositionLayout {
    let mut field = |attribute: &'static str| match ptn.get(attribute).map(str::trim) {
        None => LogField::Absent,
        Some("") => LogField::Logged,
        Some(constant) => match constant.parse::<f64>() {
            Ok(value) if value.is_finite() => LogField::Constant(value),
            _ => {
                let defect = Defect::BadAttribute {
                    element: "PTN".to_owned(),
                    attribute,
                    value: constant.chars().take(40).collect(),
                    expected: "a number or empty",
                };
                problems.push(At::Byte(ptn.byte), defect);
                LogField::Absent
            }
        },
    };
    PositionLayout {
        north: field("A"),
        east: field("B"),
        up: field("C"),
        status: field("D"),
        pdop: field("E"),
        hdop: field("F"),
        satellites: field("G"),
        utc_time: field("H"),
        utc_date: field("I"),
    }
}
