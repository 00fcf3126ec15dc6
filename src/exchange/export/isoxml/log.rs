//! Time logs: which columns a session's log has, its records as bytes, and the header that explains them.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use wire::{SignalId, Source, catalogue};

use crate::derive::fieldwork::{CARRIED, State, Trace};
use crate::derive::{Readings, Signal as Values};

use super::super::work::Work;
use super::device::{DERIVED_ELEMENT, MACHINE_ELEMENT};
use super::registry::Machine;
use super::xml::{Xml, text};

/// Columns that a record can number with its one byte.
const MAX_COLUMNS: usize = 255;
const ACTUAL_WIDTH: u16 = 67;
const WORK_STATE: u16 = 141;
const TASK_FUEL: u16 = 148;
/// Position status: none, and not available.
const NO_FIX: u8 = 0;
const NOT_AVAILABLE: u8 = 15;
const MS_PER_DAY: i64 = 86_400_000;
/// What moves freely holds for this long.
const GAUGE_HOLDS_MS: i64 = 120_000;

/// A column of a log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub ddi: u16,
    /// Which element of the machine it belongs to.
    pub element: usize,
    source: ColumnSource,
    /// Unit of the physical value; none for codes and counts.
    pub unit: Option<&'static str>,
    /// What one raw step is worth.
    pub scale: f64,
    pub is_total: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum ColumnSource {
    /// As the machine reports it: raw steps for each unit, after an offset is added.
    Signal { signal: SignalId, per_unit: f64, offset: f64 },
    /// A counter of the machine's life, from the first record on.
    SinceStart { signal: SignalId, first: f64, per_unit: f64 },
    /// Whether we hold it to be at work.
    Working,
    /// The width that our area is made of, mm.
    Width(i32),
}

impl Column {
    /// The signal it is made of.
    fn signal(&self) -> Option<SignalId> {
        match self.source {
            ColumnSource::Signal { signal, .. } | ColumnSource::SinceStart { signal, .. } => Some(signal),
            ColumnSource::Working | ColumnSource::Width(_) => None,
        }
    }
}

/// Signals that are process data by another name: identifier, steps for each unit, offset, unit.
const ALIASES: &[(SignalId, u16, f64, f64)] = &[
    (catalogue::GROUND_SPEED_KMH, 397, 1_000.0 / 3.6, 0.0),
    (catalogue::FUEL_RATE_LPH, 149, 1e6 / 3_600.0, 0.0),
    (catalogue::ENGINE_SPEED_RPM, 484, 1e4, 0.0),
    (catalogue::ENGINE_TORQUE_PCT, 502, 1_000.0, 0.0),
    (catalogue::FUEL_LEVEL_PCT, 491, 100.0, 0.0),
    (catalogue::DEF_LEVEL_PCT, 488, 100.0, 0.0),
    (catalogue::ENGINE_HOURS_H, 493, 10.0, 0.0),
    (catalogue::REAR_PTO_RPM, 541, 1e4, 0.0),
    (catalogue::AMBIENT_TEMP_C, 192, 1_000.0, 273.15),
];

/// What the log of a session holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub columns: Vec<Column>,
    /// Signals for which there was no number left.
    pub left_out: usize,
    has_altitude: bool,
    has_hdop: bool,
    has_satellites: bool,
}

impl Layout {
    /// Everything the machine reports that has an identifier, and what its reader needs to see the work: work state
    /// and width, worked out where the machine reports none.
    pub(super) fn of(work: &Work, readings: &Readings, trace: &Trace) -> Self {
        let reported = |signal| readings.signal(signal).is_reported();
        let mut columns: Vec<Column> =
            readings.signals().filter(|signal| reported(*signal)).filter_map(of_signal).collect();
        let has = |columns: &[Column], ddi| columns.iter().any(|column| column.ddi == ddi);
        for (signal, ddi, per_unit, offset) in ALIASES {
            if reported(*signal) && !has(&columns, *ddi) {
                let source = ColumnSource::Signal { signal: *signal, per_unit: *per_unit, offset: *offset };
                columns.push(of_ddi(*ddi, MACHINE_ELEMENT, source));
            }
        }
        let fuel = readings.signal(catalogue::FUEL_TOTAL_L);
        if let Some(first) = span(work, readings).find_map(|index| fuel.at(index))
            && !has(&columns, TASK_FUEL)
        {
            let source = ColumnSource::SinceStart { signal: catalogue::FUEL_TOTAL_L, first, per_unit: 1_000.0 };
            columns.push(of_ddi(TASK_FUEL, DERIVED_ELEMENT, source));
        }
        if !trace.points.is_empty() && !has(&columns, WORK_STATE) {
            columns.push(of_ddi(WORK_STATE, DERIVED_ELEMENT, ColumnSource::Working));
        }
        if let Some(width_m) = work.session.width.mean_m.filter(|_| !has(&columns, ACTUAL_WIDTH)) {
            let width_mm = ColumnSource::Width((width_m * 1_000.0).round() as i32);
            columns.push(of_ddi(ACTUAL_WIDTH, DERIVED_ELEMENT, width_mm));
        }
        columns.sort_by_key(|column| (column.element, column.ddi));
        let left_out = columns.len().saturating_sub(MAX_COLUMNS);
        columns.truncate(MAX_COLUMNS);
        Self {
            columns,
            left_out,
            has_altitude: reported(catalogue::ALTITUDE_M),
            has_hdop: reported(catalogue::HDOP),
            has_satellites: reported(catalogue::SATELLITES_USED),
        }
    }
}

/// A signal that is process data already.
fn of_signal(signal: SignalId) -> Option<Column> {
    let per_unit = 1.0 / signal.resolution().physical(1);
    let source = ColumnSource::Signal { signal, per_unit, offset: 0.0 };
    let ddi = match (signal.ddi(), catalogue::find(signal).map(|signal| signal.source)) {
        (Some(raw), _) => raw,
        // The status of the position has a place of its own.
        (None, Some(Source::Ddi(ddi))) if signal != catalogue::GNSS_FIX => ddi,
        _ => return None,
    };
    Some(of_ddi(ddi, MACHINE_ELEMENT, source))
}

fn of_ddi(ddi: u16, element: usize, source: ColumnSource) -> Column {
    let known = catalogue::by_ddi(ddi);
    Column {
        ddi,
        element,
        source,
        unit: known.map(|signal| signal.unit).filter(|unit| !matches!(*unit, "enum" | "switch" | "count" | "1")),
        scale: known.map_or(1.0, |signal| signal.resolution.physical(1)),
        is_total: known.is_some_and(|signal| signal.behaviour == wire::Behaviour::Counter),
    }
}

/// The samples of a session.
fn span(work: &Work, readings: &Readings) -> std::ops::Range<usize> {
    let at = &readings.recorded_at_ms;
    let start = at.partition_point(|ms| *ms < work.session.started_at.as_millisecond());
    let end = at.partition_point(|ms| *ms <= work.session.ended_at.as_millisecond());
    start..end.max(start)
}

/// The header of a log.
pub(super) fn header(layout: &Layout, machine: &Machine) -> String {
    let mut xml = Xml::document();
    xml.open("TIM", &[("A", text("")), ("D", text("4"))]);
    let logged = |is_logged: bool| is_logged.then(String::new);
    xml.empty(
        "PTN",
        &[
            ("A", text("")),
            ("B", text("")),
            ("C", logged(layout.has_altitude)),
            ("D", text("")),
            ("F", logged(layout.has_hdop)),
            ("G", logged(layout.has_satellites)),
            ("H", text("")),
            ("I", text("")),
        ],
    );
    for column in &layout.columns {
        let ddi = format!("{:04X}", column.ddi);
        xml.empty("DLV", &[("A", Some(ddi)), ("B", text("")), ("C", Some(machine.elements[column.element].clone()))]);
    }
    xml.close("TIM");
    xml.as_str().to_owned()
}

/// Writes the records of a session and returns their bytes.
pub(super) fn write(
    layout: &Layout,
    work: &Work,
    readings: &Readings,
    trace: &Trace,
    zone: &TimeZone,
    mut out: impl Write,
) -> io::Result<u64> {
    let mut position = Position::of(readings);
    let columns: Vec<(&Column, Option<Values<'_>>)> =
        layout.columns.iter().map(|column| (column, column.signal().map(|signal| readings.signal(signal)))).collect();
    let first = span(work, readings).start;
    let mut states = States { trace, next: 0, state: State::Unknown };
    let mut last_derived: Vec<Option<i32>> = vec![None; columns.len()];
    let mut record = Vec::with_capacity(64);
    let mut byte_len = 0;
    for index in span(work, readings) {
        let at_ms = readings.recorded_at_ms[index];
        let state = states.at(at_ms);
        record.clear();
        put_time(&mut record, at_ms, zone);
        position.put(&mut record, layout, index);
        put_utc(&mut record, at_ms);
        let count_at = record.len();
        record.push(0);
        let mut count = 0_u8;
        for (number, (column, values)) in (0_u8..).zip(&columns) {
            let reported = values.and_then(|values| {
                let before = || carried(readings, column.signal()?, first).filter(|_| index == first);
                values.at(index).or_else(before)
            });
            let raw = match &column.source {
                ColumnSource::Signal { per_unit, offset, .. } => {
                    reported.and_then(|value| to_raw((value + offset) * per_unit))
                }
                ColumnSource::SinceStart { first, per_unit, .. } => {
                    reported.and_then(|value| to_raw((value - first).max(0.0) * per_unit))
                }
                // What we work out is said when it changes.
                ColumnSource::Working => {
                    changed(&mut last_derived[usize::from(number)], i32::from(state == State::Working))
                }
                ColumnSource::Width(width_mm) => changed(&mut last_derived[usize::from(number)], *width_mm),
            };
            if let Some(raw) = raw {
                record.push(number);
                record.extend(raw.to_le_bytes());
                count += 1;
            }
        }
        record[count_at] = count;
        out.write_all(&record)?;
        byte_len += record.len() as u64;
    }
    Ok(byte_len)
}

/// What a signal said last before a record, where it still holds: a log begins with what its machine will not repeat
/// because it does not change.
fn carried(readings: &Readings, signal: SignalId, first: usize) -> Option<f64> {
    let boot = readings.identity.get(first)?.0;
    let earlier = (0..first).rev().take_while(|index| readings.identity[*index].0 == boot);
    let values = readings.signal(signal);
    let (index, value) = earlier.filter_map(|index| Some((index, values.at(index)?))).next()?;
    let age_ms = readings.recorded_at_ms[first] - readings.recorded_at_ms[index];
    let moves = catalogue::find(signal).is_some_and(|signal| signal.behaviour == wire::Behaviour::Gauge);
    (!moves || CARRIED.contains(&signal) || age_ms <= GAUGE_HOLDS_MS).then_some(value)
}

/// A raw value; none for one that does not fit, and for the two patterns that stand for "no value". States of many
/// sections fill all 32 bits.
fn to_raw(value: f64) -> Option<i32> {
    let rounded = value.round();
    let fits = rounded > f64::from(i32::MIN) && rounded <= f64::from(u32::MAX) && rounded != f64::from(i32::MAX);
    fits.then_some(rounded as i64 as i32).filter(|raw| *raw != i32::MIN && *raw != i32::MAX)
}

fn changed(last: &mut Option<i32>, now: i32) -> Option<i32> {
    (*last != Some(now)).then(|| *last.insert(now))
}

/// Days since 1980-01-01 and milliseconds of the day of a civil time in Unix milliseconds.
fn days_and_ms(civil_ms: i64) -> (u16, u32) {
    let epoch_ms = i64::from(date(1970, 1, 1).until(date(1980, 1, 1)).map_or(0, |span| span.get_days())) * MS_PER_DAY;
    let since = civil_ms - epoch_ms;
    let days = u16::try_from(since.div_euclid(MS_PER_DAY).clamp(0, i64::from(u16::MAX))).unwrap_or(0);
    (days, u32::try_from(since.rem_euclid(MS_PER_DAY)).unwrap_or(0))
}

fn put_time(record: &mut Vec<u8>, at_ms: i64, zone: &TimeZone) {
    let offset_s = Timestamp::from_millisecond(at_ms).map_or(0, |at| zone.to_offset(at).seconds());
    let (days, ms) = days_and_ms(at_ms + i64::from(offset_s) * 1_000);
    record.extend(ms.to_le_bytes());
    record.extend(days.to_le_bytes());
}

fn put_utc(record: &mut Vec<u8>, at_ms: i64) {
    let (days, ms) = days_and_ms(at_ms);
    record.extend(ms.to_le_bytes());
    record.extend(days.to_le_bytes());
}

/// The position fields of a record. Height and quality have no pattern for "not known" that every reader heeds, so
/// what the receiver said last stands where it says nothing.
struct Position<'r> {
    lat: Values<'r>,
    lon: Values<'r>,
    fix: Values<'r>,
    altitude_m: Held<'r>,
    hdop: Held<'r>,
    satellites: Held<'r>,
}

/// A signal that holds until it is reported again.
struct Held<'r> {
    values: Values<'r>,
    last: f64,
}

impl Held<'_> {
    fn at(&mut self, index: usize) -> f64 {
        self.last = self.values.at(index).unwrap_or(self.last);
        self.last
    }
}

impl<'r> Position<'r> {
    fn of(readings: &'r Readings) -> Self {
        let held = |signal| Held { values: readings.signal(signal), last: 0.0 };
        Self {
            lat: readings.signal(catalogue::LATITUDE_DEG),
            lon: readings.signal(catalogue::LONGITUDE_DEG),
            fix: readings.signal(catalogue::GNSS_FIX),
            altitude_m: held(catalogue::ALTITUDE_M),
            hdop: held(catalogue::HDOP),
            satellites: held(catalogue::SATELLITES_USED),
        }
    }

    fn put(&mut self, record: &mut Vec<u8>, layout: &Layout, index: usize) {
        let place = self.lat.at(index).zip(self.lon.at(index));
        let (lat, lon) = place.unwrap_or((0.0, 0.0));
        for degrees in [lat, lon] {
            record.extend(((degrees * 1e7).round() as i32).to_le_bytes());
        }
        if layout.has_altitude {
            record.extend(((self.altitude_m.at(index) * 1_000.0).round() as i32).to_le_bytes());
        }
        let unknown = if place.is_some() { NOT_AVAILABLE } else { NO_FIX };
        record.push(self.fix.at(index).map_or(unknown, |fix| fix as u8));
        if layout.has_hdop {
            record.extend(((self.hdop.at(index) * 10.0).round() as u16).to_le_bytes());
        }
        if layout.has_satellites {
            record.push(self.satellites.at(index) as u8);
        }
    }
}

/// The state at each sample, from the places of the trace.
struct States<'t> {
    trace: &'t Trace,
    next: usize,
    state: State,
}

impl States<'_> {
    /// Asked for one time after another.
    fn at(&mut self, at_ms: i64) -> State {
        while let Some(point) = self.trace.points.get(self.next).filter(|point| point.at.as_millisecond() <= at_ms) {
            self.state = point.state;
            self.next += 1;
        }
        self.state
    }
}
