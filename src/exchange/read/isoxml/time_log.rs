//! The binary part of a time log (`TLGnnnnn.BIN`), record by record and without allocating for each.
//!
//! A record holds date, time, position fields as the header lists them, and only those values that changed or were
//! triggered. So a column that is absent keeps its last value, and [`Reading`] tells the two apart: a counter that
//! stands still because nothing was reported is not the same as a counter that was reported twice.
//!
//! Damage is judged by what stands around it. One record of another date between two that agree is damaged; a date
//! that jumps and stays is a pause. After damage the reader looks for the next place where two sound records follow
//! each other.

use std::ops::Range;

use jiff::civil::{Date, DateTime, date};
use jiff::{SignedDuration, ToSpan};

use super::super::{At, Problem, Problems};
use super::Defect;
use super::frame::{DAY_MS, Frame, Layout, MIN_RECORD_BYTES};
use super::log_header::{LogField, LogHeader};

/// Day 0 of dates in a log; not the GPS epoch, which is five days later.
const DAY_ZERO: Date = date(1980, 1, 1);
/// "No value" in process data, by this project's convention: a device that has none is meant to leave it out.
const NOT_AVAILABLE: [i32; 2] = [i32::MIN, i32::MAX];
/// Days between neighbouring records above which the date counts as a jump.
const MAX_DAYS_APART: i32 = 1;

/// A value column as it stands after a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// This record reports it.
    Reported(i32),
    /// An earlier record reported it last.
    Carried(i32),
}

impl Reading {
    /// The raw value, whichever record it came with.
    pub fn raw(self) -> i32 {
        match self {
            Reading::Reported(raw) | Reading::Carried(raw) => raw,
        }
    }
}

/// How a position was made (`PTN D`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum GnssStatus {
    NoFix,
    Gnss,
    Dgnss,
    Precise,
    RtkFixed,
    RtkFloat,
    DeadReckoning,
    Manual,
    Simulated,
    Error,
    NotAvailable,
    Reserved(u8),
}

impl GnssStatus {
    /// From the code of the standard.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::NoFix,
            1 => Self::Gnss,
            2 => Self::Dgnss,
            3 => Self::Precise,
            4 => Self::RtkFixed,
            5 => Self::RtkFloat,
            6 => Self::DeadReckoning,
            7 => Self::Manual,
            8 => Self::Simulated,
            14 => Self::Error,
            15 => Self::NotAvailable,
            other => Self::Reserved(other),
        }
    }
}

/// Where the machine was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordPosition {
    /// Latitude, degrees.
    pub lat_deg: f64,
    /// Longitude, degrees.
    pub lon_deg: f64,
    /// Height, mm.
    pub up_mm: Option<i32>,
}

/// One record. It borrows from the log, so it is used before the next is read.
#[derive(Debug)]
pub struct Record<'t> {
    /// Number in the log, from 0; damaged records that could be framed are counted.
    pub index: u64,
    /// Offset of its first byte.
    pub byte: u64,
    /// Date by the machine: days since 1980-01-01.
    pub date_days: u16,
    /// Time of day by the machine, ms.
    pub time_of_day_ms: u32,
    /// UTC date (days since 1980-01-01) and time of day (ms), if logged.
    pub utc: Option<(u16, u32)>,
    /// Position, if there is a fix.
    pub position: Option<RecordPosition>,
    /// How the position was made, if logged.
    pub status: Option<GnssStatus>,
    /// Position dilution of precision.
    pub pdop: Option<f32>,
    /// Horizontal dilution of precision.
    pub hdop: Option<f32>,
    /// Satellites used.
    pub satellites: Option<u8>,
    reported: &'t [(u8, i32)],
    columns: &'t [ColumnState],
}

impl Record<'_> {
    /// Date and time by the machine's clock, usually local time.
    pub fn civil(&self) -> DateTime {
        civil(self.date_days, self.time_of_day_ms)
    }

    /// UTC by the receiver, if logged.
    pub fn utc_civil(&self) -> Option<DateTime> {
        self.utc.map(|(days, ms)| civil(days, ms))
    }

    /// The columns this record reports, as (column index, raw value).
    pub fn reported(&self) -> &[(u8, i32)] {
        self.reported
    }

    /// A column as it stands now; `None` before its first report and after "not available".
    pub fn reading(&self, column: usize) -> Option<Reading> {
        let state = self.columns.get(column)?;
        let raw = state.raw?;
        let is_fresh = state.reported_in == Some(self.index);
        Some(if is_fresh { Reading::Reported(raw) } else { Reading::Carried(raw) })
    }
}

fn civil(days: u16, ms: u32) -> DateTime {
    // u16 days reach 2159, so neither addition can leave jiff's calendar.
    DAY_ZERO
        .saturating_add(i32::from(days).days())
        .to_datetime(jiff::civil::Time::midnight())
        .saturating_add(SignedDuration::from_millis(i64::from(ms)))
}

#[derive(Debug, Clone, Copy, Default)]
struct ColumnState {
    raw: Option<i32>,
    reported_in: Option<u64>,
}

/// Reads the records of one log in order.
#[derive(Debug)]
pub struct TimeLog<'a> {
    layout: Layout,
    bytes: &'a [u8],
    at: usize,
    index: u64,
    last_time: Option<(u16, u32)>,
    columns: Vec<ColumnState>,
    reported: Vec<(u8, i32)>,
    problems: Problems<Defect>,
}

impl<'a> TimeLog<'a> {
    pub(super) fn new(file: &str, header: &LogHeader, bytes: &'a [u8]) -> Self {
        let mut problems = Problems::new(file);
        if bytes.is_empty() {
            problems.push(At::File, Defect::LogEmpty);
        }
        Self {
            layout: Layout::new(header),
            bytes,
            at: 0,
            index: 0,
            last_time: None,
            columns: vec![ColumnState::default(); header.columns.len()],
            reported: Vec::with_capacity(header.columns.len()),
            problems,
        }
    }

    /// What could not be read so far.
    pub fn problems(&self) -> &[Problem<Defect>] {
        self.problems.listed()
    }

    /// What could not be read.
    pub fn into_problems(self) -> Vec<Problem<Defect>> {
        self.problems.into_vec()
    }

    /// The next sound record; `None` at the end of the log. An iterator cannot do this: the record borrows the log.
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        let (byte, frame) = self.next_sound_frame()?;
        let index = self.index;
        self.index += 1;
        self.at = frame.end;
        self.note_time(index, byte, &frame);
        self.take_values(index, byte, &frame);
        let status = self.status(index, byte, &frame);
        let position = self.position(index, byte, &frame, status);
        let layout = self.layout.position;
        Some(Record {
            index,
            byte: byte as u64,
            date_days: frame.date_days,
            time_of_day_ms: frame.time_of_day_ms,
            utc: frame.utc(layout.as_ref()),
            position,
            status,
            pdop: dilution(frame.pdop, layout.map(|l| l.pdop)),
            hdop: dilution(frame.hdop, layout.map(|l| l.hdop)),
            satellites: match (frame.satellites, layout.map(|l| l.satellites)) {
                (None, Some(LogField::Constant(count))) => Some(count as u8),
                (logged, _) => logged.filter(|&count| count != u8::MAX),
            },
            reported: &self.reported,
            columns: &self.columns,
        })
    }

    /// Frames the next record that makes sense, passing over damage.
    fn next_sound_frame(&mut self) -> Option<(usize, Frame)> {
        loop {
            let byte = self.at;
            if byte >= self.bytes.len() {
                return None;
            }
            let at = At::Record { index: self.index, byte: byte as u64 };
            let frame = match self.layout.frame(self.bytes, byte) {
                Ok(frame) => frame,
                Err(needed) => {
                    // Usually the log breaks off here. But where whole records follow, it is the count of values, or
                    // all of this, that is damaged.
                    let end = self.bytes.len();
                    let resumed_at = self.find_sound_pair(byte + 1..end, Tail::Whole);
                    if resumed_at == end {
                        self.problems.push(at, Defect::Truncated { found: end - byte, needed });
                        self.at = end;
                        return None;
                    }
                    self.skip_to(resumed_at);
                    continue;
                }
            };
            match self.judge(byte, &frame) {
                Verdict::Sound => return Some((byte, frame)),
                Verdict::Gap(days) => {
                    self.problems.push(at, Defect::DateGap { days });
                    return Some((byte, frame));
                }
                Verdict::Alone(days) => {
                    self.problems.push(at, Defect::DateJump { days });
                    self.at = frame.end;
                    self.index += 1;
                }
                Verdict::Damaged(defect) => {
                    self.problems.push(at, defect);
                    self.skip_to(self.find_sound_pair(byte + 1..self.bytes.len(), Tail::MayBreakOff));
                }
            }
        }
    }

    fn skip_to(&mut self, resumed_at: usize) {
        let at = At::Record { index: self.index, byte: self.at as u64 };
        self.problems.push(at, Defect::Skipped { bytes: resumed_at - self.at, resumed_at });
        self.at = resumed_at;
        self.index += 1;
    }

    fn judge(&self, byte: usize, frame: &Frame) -> Verdict {
        if frame.time_of_day_ms > DAY_MS {
            return Verdict::Damaged(Defect::TimeOfDayOutside(frame.time_of_day_ms));
        }
        let next = self.layout.frame(self.bytes, frame.end).ok().filter(|next| next.time_of_day_ms <= DAY_MS);
        let at_end = frame.end == self.bytes.len();
        if let Some(index) = self.layout.column_outside(self.bytes, frame) {
            let leads_on = match &next {
                Some(next) => days_between(frame.date_days, next.date_days).abs() <= MAX_DAYS_APART,
                None => at_end,
            };
            // A damaged count of values may end by chance where a later record begins; then whole records lie among
            // the values.
            let swallows_records = || self.find_sound_pair(byte + 1..frame.end, Tail::Whole) < frame.end;
            if !leads_on || swallows_records() {
                let columns = self.layout.columns;
                return Verdict::Damaged(Defect::ColumnOutside { index, columns });
            }
        }
        let Some((last_date, _)) = self.last_time else {
            return Verdict::Sound;
        };
        let days = days_between(last_date, frame.date_days);
        if days.abs() <= MAX_DAYS_APART {
            return Verdict::Sound;
        }
        let agrees = |date, next: &Frame| days_between(date, next.date_days).abs() <= MAX_DAYS_APART;
        match next {
            Some(next) if agrees(frame.date_days, &next) => Verdict::Gap(days),
            Some(next) if agrees(last_date, &next) => Verdict::Alone(days),
            None if at_end => Verdict::Alone(days),
            _ => Verdict::Damaged(Defect::DateJump { days }),
        }
    }

    /// The first place in `within` where two records that agree with each other and with the last one follow each
    /// other, or one that ends the log; the end of `within` when there is none. Bytes passed over are not looked at
    /// again, so a log is searched once.
    fn find_sound_pair(&self, within: Range<usize>, tail: Tail) -> usize {
        let is_sound = |frame: &Frame, date: Option<u16>| {
            frame.time_of_day_ms <= DAY_MS
                && date.is_none_or(|date| days_between(date, frame.date_days).abs() <= MAX_DAYS_APART)
                && self.layout.column_outside(self.bytes, frame).is_none()
        };
        let last_date = self.last_time.map(|(date, _)| date);
        let is_pair = |&at: &usize| {
            let Ok(first) = self.layout.frame(self.bytes, at) else { return false };
            if !is_sound(&first, last_date) {
                return false;
            }
            match self.layout.frame(self.bytes, first.end) {
                Ok(second) => is_sound(&second, Some(first.date_days)),
                Err(_) if first.end == self.bytes.len() => true,
                Err(_) => tail == Tail::MayBreakOff && last_date.is_some(),
            }
        };
        let last_start = self.bytes.len().saturating_sub(MIN_RECORD_BYTES - 1);
        (within.start..within.end.min(last_start)).find(is_pair).unwrap_or(within.end)
    }

    fn note_time(&mut self, index: u64, byte: usize, frame: &Frame) {
        let now = (frame.date_days, frame.time_of_day_ms);
        if let Some((last_date, last_ms)) = self.last_time.filter(|&last| now < last) {
            let days = i64::from(days_between(last_date, frame.date_days));
            let ms = days * i64::from(DAY_MS) + i64::from(frame.time_of_day_ms) - i64::from(last_ms);
            if days.abs() <= i64::from(MAX_DAYS_APART) {
                let at = At::Record { index, byte: byte as u64 };
                self.problems.push(at, Defect::TimeBackwards { seconds: -ms / 1000 });
            }
        }
        self.last_time = Some(now);
    }

    fn take_values(&mut self, index: u64, byte: usize, frame: &Frame) {
        self.reported.clear();
        for (column, raw) in frame.values(self.bytes) {
            let Some(state) = self.columns.get_mut(usize::from(column)) else {
                let at = At::Record { index, byte: byte as u64 };
                let columns = self.columns.len();
                self.problems.push(at, Defect::ColumnOutside { index: column, columns });
                continue;
            };
            let is_available = !NOT_AVAILABLE.contains(&raw);
            *state = ColumnState { raw: is_available.then_some(raw), reported_in: Some(index) };
            if is_available {
                self.reported.push((column, raw));
            }
        }
    }

    fn status(&mut self, index: u64, byte: usize, frame: &Frame) -> Option<GnssStatus> {
        let code = match (frame.status, self.layout.position.map(|layout| layout.status)) {
            (None, Some(LogField::Constant(code))) => Some(code as u8),
            (logged, _) => logged,
        };
        let status = code.map(GnssStatus::from_code);
        if status == Some(GnssStatus::NotAvailable) {
            self.problems.push(At::Record { index, byte: byte as u64 }, Defect::StatusNotAvailable);
        }
        status
    }

    fn position(
        &mut self,
        index: u64,
        byte: usize,
        frame: &Frame,
        status: Option<GnssStatus>,
    ) -> Option<RecordPosition> {
        let layout = self.layout.position?;
        let at = At::Record { index, byte: byte as u64 };
        let north_e7 = degrees_e7(frame.north_e7, layout.north)?;
        let east_e7 = degrees_e7(frame.east_e7, layout.east)?;
        let no_fix = match status {
            Some(GnssStatus::NoFix) => Some(0),
            Some(GnssStatus::Error) => Some(14),
            _ => None,
        };
        let defect = match no_fix {
            Some(code) => Defect::StatusNoFix(code),
            None if north_e7 == 0 && east_e7 == 0 => Defect::PositionNull,
            None if north_e7.unsigned_abs() > 900_000_000 || east_e7.unsigned_abs() > 1_800_000_000 => {
                Defect::PositionOutside { north_e7, east_e7 }
            }
            None => {
                return Some(RecordPosition {
                    lat_deg: f64::from(north_e7) / 1e7,
                    lon_deg: f64::from(east_e7) / 1e7,
                    up_mm: match (frame.up_mm, layout.up) {
                        (None, LogField::Constant(mm)) => Some(mm as i32),
                        (logged, _) => logged.filter(|mm| !NOT_AVAILABLE.contains(mm)),
                    },
                });
            }
        };
        self.problems.push(at, defect);
        None
    }
}

/// What may stand behind the last whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Whole,
    /// A record that breaks off.
    MayBreakOff,
}

enum Verdict {
    Sound,
    /// The date jumps by so many days, and the next record agrees with the new date.
    Gap(i32),
    /// The date jumps, and the next record agrees with the old date.
    Alone(i32),
    Damaged(Defect),
}

fn days_between(from: u16, to: u16) -> i32 {
    i32::from(to) - i32::from(from)
}

fn degrees_e7(logged: Option<i32>, field: LogField) -> Option<i32> {
    match (logged, field) {
        (Some(raw), _) => Some(raw),
        (None, LogField::Constant(degrees)) => Some((degrees * 1e7).round() as i32),
        (None, _) => None,
    }
}

fn dilution(logged: Option<u16>, field: Option<LogField>) -> Option<f32> {
    match (logged, field) {
        (Some(u16::MAX), _) => None,
        (Some(raw), _) => Some(f32::from(raw) / 10.0),
        (None, Some(LogField::Constant(value))) => Some(value as f32),
        (None, _) => None,
    }
}
