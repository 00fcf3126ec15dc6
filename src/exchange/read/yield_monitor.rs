//! Yield monitor text, Ag Leader "advanced" export: comma-separated, no header row, US units. One row is one
//! measurement of a combine, already shifted by the monitor for its flow delay.
//!
//! | column | content | column | content |
//! |---|---|---|---|
//! | 1 | longitude, deg | 9 | header status |
//! | 2 | latitude, deg | 10 | pass number |
//! | 3 | flow, lb/s | 11 | monitor serial |
//! | 4 | GPS time, s | 12 | field |
//! | 5 | logging interval, s | 13 | load |
//! | 6 | distance in the interval, in | 14 | crop |
//! | 7 | swath width, in | 15… | varies by version |
//! | 8 | moisture, % | | |

use super::text::{Encoding, decode};
use super::{At, Problem, Problems, Weigh, Weight};

/// Kilograms in a pound, exact (international pound, 1959).
pub const KG_PER_LB: f64 = 0.453_592_37;
/// Metres in an inch, exact (international inch, 1959).
pub const M_PER_INCH: f64 = 0.0254;
/// Columns up to and including the crop.
pub const MIN_COLUMNS: usize = 14;
/// Columns that are looked at; what a later version appends is not needed.
const COLUMNS_READ: usize = 15;
/// Longest line taken.
pub const MAX_LINE_BYTES: usize = 4096;

/// One measurement, in SI units.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Latitude, degrees.
    pub lat_deg: f64,
    /// Longitude, degrees.
    pub lon_deg: f64,
    /// Wet mass flow, kg/s.
    pub flow_kg_per_s: f64,
    /// Seconds of GPS time: since 1980-01-06, without leap seconds. Publishers replace it to hide the farm.
    pub gps_time_s: f64,
    /// Seconds this row stands for.
    pub interval_s: f64,
    /// Metres driven in the interval.
    pub distance_m: f64,
    /// Metres of crop taken.
    pub swath_m: f64,
    /// Moisture, percent of wet mass.
    pub moisture_pct: f64,
    /// Whether the header was down.
    pub header: Header,
    /// Pass through the field, from 1.
    pub pass: Option<u32>,
    /// Serial of the monitor; often scrambled, and then different in each row.
    pub monitor_serial: String,
    /// Field name.
    pub field: String,
    /// Load name.
    pub load: String,
    /// Crop name.
    pub crop: String,
}

impl Row {
    /// Wet mass taken in the interval, kg.
    pub fn mass_kg(&self) -> f64 {
        self.flow_kg_per_s * self.interval_s
    }

    /// Area covered in the interval, m².
    pub fn area_m2(&self) -> f64 {
        self.distance_m * self.swath_m
    }
}

/// Header status: 1 and 33 mean down, 0 and 34 up; makers write others too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Cutting.
    Down,
    /// Lifted.
    Up,
    /// A code of unknown meaning.
    Other(i32),
}

/// A yield log.
#[derive(Debug, Clone)]
pub struct YieldLog {
    /// Rows in file order.
    pub rows: Vec<Row>,
    /// What could not be read.
    pub problems: Vec<Problem<Defect>>,
}

/// What can be wrong in a yield log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// Too few columns: another format, or a row cut off.
    #[error("{found} columns, where an \"advanced\" row has at least {MIN_COLUMNS}; the row is skipped")]
    TooFewColumns {
        /// Columns found.
        found: usize,
    },
    /// A number that is none.
    #[error("{column} = {value:?} is not a number; the row is skipped")]
    NotANumber {
        /// Name of the column.
        column: &'static str,
        /// As written, shortened.
        value: String,
    },
    /// A number out of any sense.
    #[error("{column} = {value} is outside {min}..={max}; the row is skipped")]
    Outside {
        /// Name of the column.
        column: &'static str,
        /// As written.
        value: f64,
        /// Least sensible value.
        min: f64,
        /// Greatest sensible value.
        max: f64,
    },
    /// Latitude and longitude both zero: no fix.
    #[error("position 0, 0 means no fix; the row is skipped")]
    NoFix,
    /// The first line names the columns.
    #[error("a header line, which this format does not have; it is skipped")]
    HeaderLine,
    /// The line is longer than [`MAX_LINE_BYTES`].
    #[error("the line has more than {MAX_LINE_BYTES} bytes; it is skipped")]
    LineTooLong,
    /// Not UTF-8.
    #[error("the text is not UTF-8; names are read as Latin-1 and may look wrong")]
    NotUtf8,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::HeaderLine | Defect::NotUtf8 => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

/// Reads a yield log; `file` names it in problems.
pub fn read(file: &str, bytes: &[u8]) -> YieldLog {
    let mut problems = Problems::new(file);
    let (text, encoding) = decode(bytes);
    if encoding == Encoding::Latin1 {
        problems.push(At::File, Defect::NotUtf8);
    }
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        match read_row(number, line) {
            Ok(row) => rows.push(row),
            Err(Defect::NotANumber { .. }) if number == 1 => problems.push(At::Line(1), Defect::HeaderLine),
            Err(defect) => problems.push(At::Line(number), defect),
        }
    }
    YieldLog { rows, problems: problems.into_vec() }
}

fn read_row(line: u64, text: &str) -> Result<Row, Defect> {
    if text.len() > MAX_LINE_BYTES {
        return Err(Defect::LineTooLong);
    }
    let mut columns = [""; COLUMNS_READ];
    let found = split_columns(text, &mut columns);
    if found < MIN_COLUMNS {
        return Err(Defect::TooFewColumns { found });
    }
    // Bounds are far outside any combine: they tell numbers from rubbish, not good work from bad.
    let lon_deg = number("longitude", columns[0], -180.0, 180.0)?;
    let lat_deg = number("latitude", columns[1], -90.0, 90.0)?;
    if lon_deg == 0.0 && lat_deg == 0.0 {
        return Err(Defect::NoFix);
    }
    Ok(Row {
        line,
        lat_deg,
        lon_deg,
        flow_kg_per_s: number("flow", columns[2], -1_000.0, 10_000.0)? * KG_PER_LB,
        gps_time_s: number("GPS time", columns[3], 0.0, 1e10)?,
        interval_s: number("interval", columns[4], 0.0, 3_600.0)?,
        distance_m: number("distance", columns[5], 0.0, 1e6)? * M_PER_INCH,
        swath_m: number("swath", columns[6], 0.0, 10_000.0)? * M_PER_INCH,
        moisture_pct: number("moisture", columns[7], -100.0, 200.0)?,
        header: match number("header status", columns[8], -1e6, 1e6)? as i32 {
            1 | 33 => Header::Down,
            0 | 34 => Header::Up,
            other => Header::Other(other),
        },
        pass: columns[9].parse().ok(),
        monitor_serial: columns[10].to_owned(),
        field: columns[11].to_owned(),
        load: columns[12].to_owned(),
        crop: columns[13].to_owned(),
    })
}

/// Splits at commas outside double quotes, without copying. Returns the number of columns in the line, of which as
/// many as fit are stored.
fn split_columns<'a>(line: &'a str, columns: &mut [&'a str]) -> usize {
    let mut found = 0;
    let mut quoted = false;
    let column_ends = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    for text in line.split(column_ends) {
        if let Some(column) = columns.get_mut(found) {
            *column = text.trim().trim_matches('"').trim();
        }
        found += 1;
    }
    found
}

fn number(column: &'static str, text: &str, min: f64, max: f64) -> Result<f64, Defect> {
    let value: f64 = text.parse().map_err(|_| Defect::NotANumber { column, value: text.chars().take(20).collect() })?;
    // NaN lies in no range, so it is refused here too.
    if (min..=max).contains(&value) { Ok(value) } else { Err(Defect::Outside { column, value, min, max }) }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "84.97,56.5,10,1200000000,2,39.37,240,14.5,1,3,77,\"North, upper\",L1,WHEAT,9";

    fn check(input: &str, expected: Expect) {
        let log = read("a.txt", input.as_bytes());
        let mut said: Vec<String> = log
            .rows
            .iter()
            .map(|r| {
                format!(
                    "line {}: {} {} {:.3} kg {:.3} m2 {} % {:?} {:?} {}",
                    r.line,
                    r.lat_deg,
                    r.lon_deg,
                    r.mass_kg(),
                    r.area_m2(),
                    r.moisture_pct,
                    r.header,
                    r.field,
                    r.crop
                )
            })
            .collect();
        said.extend(log.problems.iter().map(ToString::to_string));
        expected.assert_eq(&said.join("\n"));
    }

    #[test]
    fn pounds_and_inches_become_kilograms_and_metres() {
        check(GOOD, expect![[r#"line 1: 56.5 84.97 9.072 kg 6.096 m2 14.5 % Down "North, upper" WHEAT"#]]);
    }

    #[test]
    fn a_bad_row_is_named_and_its_neighbours_are_read() {
        check(
            &format!(
                "Longitude,Latitude,Flow,Time,Int,Dist,Swath,M,H,P,S,F,L,C,x\n{GOOD}\n\n84.97,56.5,10\n{}\n{}\n{}\n{GOOD}",
                GOOD.replace("240", "wide"),
                GOOD.replace("84.97", "840.97"),
                GOOD.replace("84.97,56.5", "0,0"),
            ),
            expect![[r#"
                line 2: 56.5 84.97 9.072 kg 6.096 m2 14.5 % Down "North, upper" WHEAT
                line 8: 56.5 84.97 9.072 kg 6.096 m2 14.5 % Down "North, upper" WHEAT
                a.txt, line 1: a header line, which this format does not have; it is skipped
                a.txt, line 4: 3 columns, where an "advanced" row has at least 14; the row is skipped
                a.txt, line 5: swath = "wide" is not a number; the row is skipped
                a.txt, line 6: longitude = 840.97 is outside -180..=180; the row is skipped
                a.txt, line 7: position 0, 0 means no fix; the row is skipped"#]],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let log = read("x", &bytes);
            prop_assert!(log.rows.len() <= bytes.len());
        }

        #[test]
        fn a_damaged_row_never_panics(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            prop_assert!(read("x", &bytes).rows.len() <= 2);
        }
    }
}
