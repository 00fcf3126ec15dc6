//! gpsd JSON: one report a line, of which `TPV` (time, position, velocity) matters here. Field meanings and units are
//! those of the gpsd_json(5) manual page: metres, metres per second, degrees from true north.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::text::lines;
use super::{At, Problem, Problems, Weigh, Weight};

/// Longest line taken. A `SKY` report of 140 satellites has some 15,000 bytes.
pub const MAX_LINE_BYTES: usize = 256 * 1024;
/// Different report classes that are counted by name; gpsd knows about twenty.
pub const MAX_CLASSES: usize = 64;
/// Longest class name that is kept for the count.
const MAX_CLASS_BYTES: usize = 32;

/// A position report. Everything gpsd may leave out is optional.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Line in the file, from 1.
    pub line: u64,
    /// UTC, by the receiver.
    pub time: Timestamp,
    /// Latitude, degrees, WGS-84.
    pub lat_deg: f64,
    /// Longitude, degrees, WGS-84.
    pub lon_deg: f64,
    /// Height above mean sea level, metres.
    pub altitude_m: Option<f64>,
    /// Ground speed, metres per second.
    pub speed_mps: Option<f64>,
    /// Course over ground, degrees from true north.
    pub track_deg: Option<f64>,
    /// Horizontal error estimate at 95 %, metres.
    pub error_m: Option<f64>,
    /// Two- or three-dimensional fix.
    pub mode: FixMode,
    /// How the fix was made (gpsd `status`), if told.
    pub status: Option<u8>,
    /// Receiver device, such as `/dev/ttyUSB0`.
    pub device: Option<String>,
}

/// gpsd `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixMode {
    /// Position without height.
    TwoD,
    /// Position with height.
    ThreeD,
}

/// A gpsd stream: its positions, and what else was in it.
#[derive(Debug, Clone)]
pub struct GpsdStream {
    /// Reports with a position, in file order.
    pub fixes: Vec<Fix>,
    /// `TPV` reports, with and without a position.
    pub tpv_count: u64,
    /// Lines of other classes, skipped, by class.
    pub skipped: BTreeMap<String, u64>,
    /// What could not be read.
    pub problems: Vec<Problem<Defect>>,
}

/// What can be wrong in a gpsd stream.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// The line is not a JSON object with a `class`.
    #[error("not a gpsd report: {0}; the line is skipped")]
    NotAReport(String),
    /// The line is longer than [`MAX_LINE_BYTES`].
    #[error("the line has more than {MAX_LINE_BYTES} bytes; it is skipped")]
    LineTooLong,
    /// A `TPV` whose mode says there is no fix.
    #[error("TPV without a fix; it is skipped")]
    NoFix,
    /// A position without a time cannot be placed.
    #[error("TPV with a position and no usable time ({0}); it is skipped")]
    NoTime(String),
    /// Latitude or longitude is impossible, or both are zero.
    #[error("position {lat_deg}, {lon_deg} is not on the map; it is skipped")]
    PositionOutside {
        /// As written.
        lat_deg: f64,
        /// As written.
        lon_deg: f64,
    },
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::NoFix => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

/// Reads a gpsd stream; `file` names it in problems.
pub fn read(file: &str, bytes: &[u8]) -> GpsdStream {
    let mut stream = GpsdStream { fixes: Vec::new(), tpv_count: 0, skipped: BTreeMap::new(), problems: Vec::new() };
    let mut problems = Problems::new(file);
    for (line, bytes) in lines(bytes) {
        if bytes.len() > MAX_LINE_BYTES {
            problems.push(At::Line(line), Defect::LineTooLong);
            continue;
        }
        match read_line(line, bytes) {
            Ok(Report::Fix(fix)) => {
                stream.tpv_count += 1;
                stream.fixes.push(fix);
            }
            Ok(Report::Other(class)) => count_class(&mut stream.skipped, class),
            Err(defect) => {
                stream.tpv_count += u64::from(!matches!(defect, Defect::NotAReport(_)));
                problems.push(At::Line(line), defect);
            }
        }
    }
    stream.problems = problems.into_vec();
    stream
}

enum Report {
    Fix(Fix),
    Other(String),
}

#[derive(Deserialize)]
struct Head {
    class: String,
}

#[derive(Deserialize)]
struct Tpv {
    device: Option<String>,
    mode: Option<u8>,
    status: Option<u8>,
    time: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(rename = "altMSL")]
    alt_msl: Option<f64>,
    alt: Option<f64>,
    speed: Option<f64>,
    track: Option<f64>,
    eph: Option<f64>,
    epx: Option<f64>,
    epy: Option<f64>,
}

fn read_line(line: u64, bytes: &[u8]) -> Result<Report, Defect> {
    let head: Head = parse(bytes)?;
    if head.class != "TPV" {
        return Ok(Report::Other(head.class));
    }
    let tpv: Tpv = parse(bytes)?;
    let (Some(lat_deg), Some(lon_deg)) = (tpv.lat, tpv.lon) else {
        return Err(Defect::NoFix);
    };
    let mode = match tpv.mode {
        Some(3) => FixMode::ThreeD,
        Some(2) => FixMode::TwoD,
        _ => return Err(Defect::NoFix),
    };
    let on_the_map = (-90.0..=90.0).contains(&lat_deg) && (-180.0..=180.0).contains(&lon_deg);
    if !on_the_map || (lat_deg == 0.0 && lon_deg == 0.0) {
        return Err(Defect::PositionOutside { lat_deg, lon_deg });
    }
    let time = tpv.time.unwrap_or_default();
    Ok(Report::Fix(Fix {
        line,
        time: time.parse().map_err(|_| Defect::NoTime(time))?,
        lat_deg,
        lon_deg,
        altitude_m: tpv.alt_msl.or(tpv.alt),
        speed_mps: tpv.speed,
        track_deg: tpv.track,
        error_m: tpv.eph.or_else(|| Some(tpv.epx?.hypot(tpv.epy?))),
        mode,
        status: tpv.status,
        device: tpv.device,
    }))
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Defect> {
    // The column is dropped from serde's message so that alike lines count as one problem.
    serde_json::from_slice(bytes).map_err(|error| {
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default();
        Defect::NotAReport(reason.to_owned())
    })
}

fn count_class(skipped: &mut BTreeMap<String, u64>, class: String) {
    let class = if class.len() > MAX_CLASS_BYTES { "(other)".to_owned() } else { class };
    if skipped.len() < MAX_CLASSES || skipped.contains_key(&class) {
        *skipped.entry(class).or_default() += 1;
    } else {
        *skipped.entry("(other)".to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expected: Expect) {
        let stream = read("a.jsonl", input.as_bytes());
        let mut said: Vec<String> = stream
            .fixes
            .iter()
            .map(|f| format!("line {}: {} {} {} {:?} m/s", f.line, f.time, f.lat_deg, f.lon_deg, f.speed_mps))
            .collect();
        said.extend(stream.skipped.iter().map(|(class, n)| format!("skipped {class} {n}")));
        said.extend(stream.problems.iter().map(ToString::to_string));
        expected.assert_eq(&said.join("\n"));
    }

    #[test]
    fn a_position_is_read_and_other_classes_are_counted() {
        check(
            concat!(
                "{\"class\":\"VERSION\",\"release\":\"3.17\"}\r\n",
                "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2020-10-26T19:47:55.000Z\",\"lat\":41.5,\"lon\":-84.9,\"speed\":2.2}\r\n",
                "{\"class\":\"SKY\",\"satellites\":[]}\n{\"class\":\"SKY\"}",
            ),
            expect![[r#"
                line 2: 2020-10-26T19:47:55Z 41.5 -84.9 Some(2.2) m/s
                skipped SKY 2
                skipped VERSION 1"#]],
        );
    }

    #[test]
    fn what_is_no_position_is_named_and_what_follows_is_read() {
        check(
            concat!(
                "{\"class\":\"TPV\",\"mode\":1}\n{\"class\":\"TPV\",\"mode\":1}\n",
                "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2020-10-26T19:47:55Z\",\"lat\":0,\"lon\":0}\n",
                "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2020-10-26T19:47:55Z\",\"lat\":95,\"lon\":5}\n",
                "{\"class\":\"TPV\",\"mode\":3,\"lat\":41.5,\"lon\":-84.9}\n",
                "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2020-10-26T19:47:56Z\",\"lat\":41.5,\"lon\":-84.9}\n",
                "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2020-10-",
            ),
            expect![[r#"
                line 6: 2020-10-26T19:47:56Z 41.5 -84.9 None m/s
                a.jsonl, line 1: TPV without a fix; it is skipped (2 times)
                a.jsonl, line 3: position 0, 0 is not on the map; it is skipped
                a.jsonl, line 4: position 95, 5 is not on the map; it is skipped
                a.jsonl, line 5: TPV with a position and no usable time (); it is skipped
                a.jsonl, line 7: not a gpsd report: EOF while parsing a string; the line is skipped"#]],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let stream = read("x", &bytes);
            prop_assert!(stream.fixes.len() as u64 <= stream.tpv_count);
        }
    }
}
