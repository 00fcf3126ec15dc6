//! Finding a record of a time log in its bytes: where each field stands, and where the next record begins.

use super::log_header::{LogField, LogHeader, PositionLayout};

/// Bytes of a record at least: time, date, number of values.
pub(super) const MIN_RECORD_BYTES: usize = 7;
pub(super) const DAY_MS: u32 = 86_400_000;
const VALUE_BYTES: usize = 5;

/// Where the fields of a record stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub position: Option<PositionLayout>,
    pub columns: usize,
    /// Bytes of a record without values.
    fixed_bytes: usize,
}

/// A record found in the bytes, its values not looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub time_of_day_ms: u32,
    pub date_days: u16,
    pub north_e7: Option<i32>,
    pub east_e7: Option<i32>,
    pub up_mm: Option<i32>,
    pub status: Option<u8>,
    pub pdop: Option<u16>,
    pub hdop: Option<u16>,
    pub satellites: Option<u8>,
    utc_ms: Option<u32>,
    utc_days: Option<u16>,
    values_at: usize,
    /// Where the next record begins.
    pub end: usize,
}

impl Layout {
    pub(super) fn new(header: &LogHeader) -> Self {
        let logged = |field, bytes| if field == LogField::Logged { bytes } else { 0 };
        let position_bytes = header.position.map_or(0, |p| {
            [(p.north, 4), (p.east, 4), (p.up, 4), (p.status, 1), (p.pdop, 2), (p.hdop, 2), (p.satellites, 1)]
                .into_iter()
                .chain([(p.utc_time, 4), (p.utc_date, 2)])
                .map(|(field, bytes)| logged(field, bytes))
                .sum()
        });
        Self {
            position: header.position,
            columns: header.columns.len(),
            fixed_bytes: MIN_RECORD_BYTES + position_bytes,
        }
    }

    /// Frames the record at `start`, or says how many bytes it would need at least.
    pub(super) fn frame(&self, bytes: &[u8], start: usize) -> Result<Frame, usize> {
        let frame = self.fields(&mut Cursor { bytes, at: start }).ok_or(self.fixed_bytes)?;
        if frame.end <= bytes.len() { Ok(frame) } else { Err(frame.end - start) }
    }

    fn fields(&self, cursor: &mut Cursor<'_>) -> Option<Frame> {
        let time_of_day_ms = u32::from_le_bytes(cursor.take()?);
        let date_days = u16::from_le_bytes(cursor.take()?);
        let mut frame = Frame {
            time_of_day_ms,
            date_days,
            north_e7: None,
            east_e7: None,
            up_mm: None,
            status: None,
            pdop: None,
            hdop: None,
            satellites: None,
            utc_ms: None,
            utc_days: None,
            values_at: 0,
            end: 0,
        };
        if let Some(layout) = &self.position {
            frame.north_e7 = cursor.field(layout.north)?.map(i32::from_le_bytes);
            frame.east_e7 = cursor.field(layout.east)?.map(i32::from_le_bytes);
            frame.up_mm = cursor.field(layout.up)?.map(i32::from_le_bytes);
            frame.status = cursor.field(layout.status)?.map(u8::from_le_bytes);
            frame.pdop = cursor.field(layout.pdop)?.map(u16::from_le_bytes);
            frame.hdop = cursor.field(layout.hdop)?.map(u16::from_le_bytes);
            frame.satellites = cursor.field(layout.satellites)?.map(u8::from_le_bytes);
            frame.utc_ms = cursor.field(layout.utc_time)?.map(u32::from_le_bytes);
            frame.utc_days = cursor.field(layout.utc_date)?.map(u16::from_le_bytes);
        }
        let values = usize::from(u8::from_le_bytes(cursor.take()?));
        frame.values_at = cursor.at;
        frame.end = cursor.at + values * VALUE_BYTES;
        Some(frame)
    }

    /// The first value of a record that is for a column the header does not have.
    pub(super) fn column_outside(&self, bytes: &[u8], frame: &Frame) -> Option<u8> {
        frame.values(bytes).map(|(column, _)| column).find(|&column| usize::from(column) >= self.columns)
    }
}

impl Frame {
    pub(super) fn values<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (u8, i32)> + use<'a> {
        let values = bytes.get(self.values_at..self.end).unwrap_or_default();
        values.chunks_exact(VALUE_BYTES).map(|v| (v[0], i32::from_le_bytes([v[1], v[2], v[3], v[4]])))
    }

    pub(super) fn utc(&self, layout: Option<&PositionLayout>) -> Option<(u16, u32)> {
        let constant = |field: Option<LogField>| match field {
            Some(LogField::Constant(value)) => Some(value),
            _ => None,
        };
        let ms = self.utc_ms.or_else(|| constant(layout.map(|l| l.utc_time)).map(|ms| ms as u32))?;
        let days = self.utc_days.or_else(|| constant(layout.map(|l| l.utc_date)).map(|days| days as u16))?;
        // 0 and "all ones" stand for a receiver that has no time yet.
        (ms <= DAY_MS && days != 0 && days != u16::MAX).then_some((days, ms))
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    /// The bytes of a field that is logged; `Some(None)` for one that is not; `None` at the end of the bytes.
    fn field<const N: usize>(&mut self, field: LogField) -> Option<Option<[u8; N]>> {
        if field == LogField::Logged { self.take().map(Some) } else { Some(None) }
    }
}
