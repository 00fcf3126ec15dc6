//! The binary frame: 12 bytes of envelope, a header, a body that may be compressed.
//!
//! bincode is unmaintained, so nothing outside this module names it and `docs/wire-format.md` specifies the bytes.

use std::cell::RefCell;

use bincode::{Decode, Encode, config};

use crate::bitmap::Bitmap;
use crate::error::{DecodeError, DroppedValue};
use crate::frame::{Body, Column, Columns, Decoded, FaultReport, Frame, Header, Kind, TaskRecord};
use crate::identity::{BootId, MachineSerial};
use crate::limits::{
    DECODE_MEMORY_BYTES, MAX_BODY_BYTES, MAX_COLUMNS, MAX_DROPPED_VALUES, MAX_FAULTS_PER_REPORT, MAX_RECORDS,
    MAX_SEQUENCE, MAX_SERIAL_BYTES, MAX_TEXT_BYTES, MAX_TOTALS, MAX_VALUES,
};
use crate::messages::Encoding;
use crate::signal::SignalId;

const MAGIC: [u8; 2] = *b"PV";
const VERSION: u8 = 1;
const FLAG_ZSTD: u8 = 1;
const ENVELOPE_BYTES: usize = 12;
const ZSTD_LEVEL: i32 = 3;

/// Whether [`encode`] compresses the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is: for units without the memory for zstd.
    None,
    /// zstd, kept only where it makes the body smaller.
    Zstd,
}

#[derive(Encode, Decode)]
struct WireHeader {
    machine: String,
    boot: u64,
    first_sequence: u64,
    count: u32,
    age_ms: u64,
}

/// Times: the first as it is, the second as difference, every later one as difference of differences.
/// Values: the first as it is, every later one as difference to the one before in the same column.
#[derive(Encode, Decode)]
struct WireColumns {
    recorded_at_ms: Vec<i64>,
    columns: Vec<WireColumn>,
}

#[derive(Encode, Decode)]
struct WireColumn {
    signal: u32,
    presence: Vec<u8>,
    values: Vec<i64>,
}

/// Writes a binary frame.
///
/// # Panics
/// When `frame.header.count` is not the number of records: the header would lie about the run.
pub fn encode(frame: &Frame, compression: Compression) -> Vec<u8> {
    assert_eq!(frame.header.count as usize, frame.body.len(), "a header counts the records of its body");
    let header = WireHeader {
        machine: frame.header.machine.to_string(),
        boot: frame.header.boot.as_u64(),
        first_sequence: frame.header.first_sequence,
        count: frame.header.count,
        age_ms: frame.header.age_ms,
    };
    let plain = match &frame.body {
        Body::Telemetry(columns) => to_bytes(&WireColumns::from(columns)),
        Body::Faults(reports) => to_bytes(reports),
        Body::Task(records) => to_bytes(records),
    };
    let packed = match compression {
        Compression::None => None,
        Compression::Zstd => zstd::bulk::compress(&plain, ZSTD_LEVEL).ok().filter(|packed| packed.len() < plain.len()),
    };
    let flags = if packed.is_some() { FLAG_ZSTD } else { 0 };
    let mut bytes = vec![MAGIC[0], MAGIC[1], VERSION, frame.body.kind() as u8, flags, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(to_bytes(&header));
    bytes.extend(packed.unwrap_or(plain));
    let checksum = checksum(&bytes);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads a binary frame; see [`crate::decode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let (kind, compressed) = open_envelope(bytes)?;
    let content = &bytes[ENVELOPE_BYTES..];
    let (header, header_bytes) = decode_header(content)?;
    let body = &content[header_bytes..];
    let mut dropped = Vec::new();
    let body = if compressed {
        UNPACKED.with_borrow_mut(|unpacked| {
            unpack(body, unpacked).ok_or_else(|| DecodeError::body_too_long(&header))?;
            decode_body(kind, &header, unpacked, &mut dropped)
        })
    } else {
        decode_body(kind, &header, body, &mut dropped)
    }?;
    Ok(Decoded { frame: Frame { header, body }, dropped, encoding: Encoding::Binary })
}

/// CRC-32C over everything but the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[ENVELOPE_BYTES..])
}

fn open_envelope(bytes: &[u8]) -> Result<(Kind, bool), DecodeError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(DecodeError::Magic { first: bytes.iter().take(4).copied().collect() });
    }
    if bytes.len() < ENVELOPE_BYTES {
        return Err(DecodeError::Header(format!("{} bytes; the envelope alone has {ENVELOPE_BYTES}", bytes.len())));
    }
    if bytes[2] != VERSION {
        return Err(DecodeError::Version(bytes[2]));
    }
    let found = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    let computed = checksum(bytes);
    if found != computed {
        return Err(DecodeError::Checksum { found, computed });
    }
    let (flags, reserved) = (bytes[4], [bytes[5], bytes[6], bytes[7]]);
    if flags & !FLAG_ZSTD != 0 || reserved != [0; 3] {
        return Err(DecodeError::Flags { flags, reserved });
    }
    let kind = match bytes[3] {
        1 => Kind::Telemetry,
        2 => Kind::Faults,
        3 => Kind::Task,
        other => return Err(DecodeError::UnknownKind(other)),
    };
    Ok((kind, flags & FLAG_ZSTD != 0))
}

fn decode_header(content: &[u8]) -> Result<(Header, usize), DecodeError> {
    // The limit counts decoded sizes: the serial and four numbers.
    const LIMIT: usize = MAX_SERIAL_BYTES + 64;
    let (header, consumed): (WireHeader, usize) =
        bincode::decode_from_slice(content, config::standard().with_limit::<LIMIT>())
            .map_err(|error| DecodeError::Header(error.to_string()))?;
    check_run(header.first_sequence, u64::from(header.count)).map_err(DecodeError::Header)?;
    let header = Header {
        machine: MachineSerial::parse(&header.machine)?,
        boot: BootId::new(header.boot)?,
        first_sequence: header.first_sequence,
        count: header.count,
        age_ms: header.age_ms,
    };
    Ok((header, consumed))
}

/// A run has 1 to [`MAX_RECORDS`] records and ends below [`MAX_SEQUENCE`].
pub(crate) fn check_run(first_sequence: u64, count: u64) -> Result<(), String> {
    if count == 0 || count > MAX_RECORDS as u64 {
        return Err(format!("count = {count} is outside 1..={MAX_RECORDS}"));
    }
    if first_sequence > MAX_SEQUENCE - count {
        return Err(format!("first_sequence = {first_sequence} is above {}", MAX_SEQUENCE - count));
    }
    Ok(())
}

thread_local! {
    /// One decompression buffer a thread: bodies are read out of it before the next one comes.
    static UNPACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Decompresses into `unpacked`; none when the bytes are no zstd frame or unpack to more than [`MAX_BODY_BYTES`].
fn unpack(packed: &[u8], unpacked: &mut Vec<u8>) -> Option<()> {
    unpacked.clear();
    unpacked.reserve(MAX_BODY_BYTES);
    let mut decompressor = zstd::bulk::Decompressor::new().ok()?;
    let length = decompressor.decompress_to_buffer(packed, unpacked).ok()?;
    (length <= MAX_BODY_BYTES).then_some(())
}

fn decode_body(
    kind: Kind,
    header: &Header,
    bytes: &[u8],
    dropped: &mut Vec<DroppedValue>,
) -> Result<Body, DecodeError> {
    let fail = |reason: String| DecodeError::body(header, reason);
    let records = header.count as usize;
    let body = match kind {
        Kind::Telemetry => {
            Body::Telemetry(decode_columns(from_bytes(bytes).map_err(fail)?, records, dropped).map_err(fail)?)
        }
        Kind::Faults => {
            let reports: Vec<FaultReport> = from_bytes(bytes).map_err(fail)?;
            reports.iter().try_for_each(check_report).map_err(fail)?;
            Body::Faults(reports)
        }
        Kind::Task => {
            let tasks: Vec<TaskRecord> = from_bytes(bytes).map_err(fail)?;
            tasks.iter().try_for_each(check_task).map_err(fail)?;
            Body::Task(tasks)
        }
    };
    if body.len() != records {
        return Err(fail(format!("it has {} records, the header says {records}", body.len())));
    }
    Ok(body)
}

fn decode_columns(wire: WireColumns, records: usize, dropped: &mut Vec<DroppedValue>) -> Result<Columns, String> {
    let WireColumns { mut recorded_at_ms, columns } = wire;
    if columns.len() > MAX_COLUMNS {
        return Err(format!("it has {} columns; at most {MAX_COLUMNS} are allowed", columns.len()));
    }
    if recorded_at_ms.len() != records {
        return Err(format!("it has {} times, the header says {records}", recorded_at_ms.len()));
    }
    undo_differences_of_differences(&mut recorded_at_ms);
    let mut known = Vec::with_capacity(columns.len());
    let mut values_total = 0;
    let mut previous = None;
    for WireColumn { signal: number, presence, mut values } in columns {
        if previous.is_some_and(|previous| previous >= number) {
            return Err(format!("column {number} is out of order; signal numbers ascend"));
        }
        previous = Some(number);
        values_total += values.len();
        if values_total > MAX_VALUES {
            return Err(format!("it has more than {MAX_VALUES} values; split the run"));
        }
        let presence = Bitmap::from_bytes(presence, records)
            .ok_or_else(|| format!("the presence bitmap of column {number} does not fit {records} records"))?;
        if presence.count(records) != values.len() {
            let set = presence.count(records);
            return Err(format!("column {number} has {} values, its presence bitmap says {set}", values.len()));
        }
        let Some(signal) = SignalId::parse(number) else {
            note_dropped(dropped, "unknown_signal", values.len() as u64, || {
                format!("signal number {number} is in no catalogue this service knows; update the service")
            });
            continue;
        };
        undo_differences(&mut values);
        known.push(Column { signal, presence, values });
    }
    Ok(Columns { recorded_at_ms, columns: known })
}

/// Notes values that were left out; beyond [`MAX_DROPPED_VALUES`] entries only the count of the last one grows.
pub(crate) fn note_dropped(
    dropped: &mut Vec<DroppedValue>,
    code: &'static str,
    values: u64,
    detail: impl FnOnce() -> String,
) {
    if values == 0 {
        return;
    }
    if dropped.len() < MAX_DROPPED_VALUES {
        dropped.push(DroppedValue { code, detail: detail(), values });
    } else if let Some(last) = dropped.last_mut() {
        last.values += values;
    }
}

fn undo_differences(values: &mut [i64]) {
    let mut sum = 0i64;
    for value in values {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

fn undo_differences_of_differences(times: &mut [i64]) {
    let Some((first, rest)) = times.split_first_mut() else { return };
    let (mut at, mut step) = (*first, 0i64);
    for time in rest {
        step = step.wrapping_add(*time);
        at = at.wrapping_add(step);
        *time = at;
    }
}

impl From<&Columns> for WireColumns {
    fn from(columns: &Columns) -> Self {
        let mut step = 0i64;
        let times = &columns.recorded_at_ms;
        let recorded_at_ms = (0..times.len())
            .map(|i| match i {
                0 => times[0],
                _ => {
                    let before = step;
                    step = times[i].wrapping_sub(times[i - 1]);
                    step.wrapping_sub(before)
                }
            })
            .collect();
        let columns = columns
            .columns
            .iter()
            .map(|column| {
                let mut before = 0i64;
                WireColumn {
                    signal: column.signal.number(),
                    presence: column.presence.as_bytes().to_vec(),
                    values: column
                        .values
                        .iter()
                        .map(|value| value.wrapping_sub(std::mem::replace(&mut before, *value)))
                        .collect(),
                }
            })
            .collect();
        Self { recorded_at_ms, columns }
    }
}

pub(crate) fn check_report(report: &FaultReport) -> Result<(), String> {
    if report.faults.len() > MAX_FAULTS_PER_REPORT {
        return Err(format!("a report has {} faults; at most {MAX_FAULTS_PER_REPORT} fit", report.faults.len()));
    }
    for fault in &report.faults {
        if fault.spn >= SignalId::SPN_END || fault.fmi > 31 || fault.occurrence_count > 127 {
            return Err(format!(
                "spn = {}, fmi = {}, occurrence_count = {}; they have 19, 5 and 7 bits",
                fault.spn, fault.fmi, fault.occurrence_count
            ));
        }
    }
    Ok(())
}

pub(crate) fn check_task(task: &TaskRecord) -> Result<(), String> {
    for (name, text) in [
        ("task", &task.task),
        ("field", &task.field),
        ("operator", &task.operator),
        ("implement", &task.implement),
        ("operation", &task.operation),
        ("crop", &task.crop),
    ] {
        if text.len() > MAX_TEXT_BYTES || text.contains('\0') {
            return Err(format!(
                "{name} has {} bytes or a NUL; at most {MAX_TEXT_BYTES} bytes are allowed",
                text.len()
            ));
        }
    }
    if task.totals.len() > MAX_TOTALS {
        return Err(format!("a task has {} totals; at most {MAX_TOTALS} are allowed", task.totals.len()));
    }
    Ok(())
}

fn to_bytes<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, config::standard()).expect("writing to a vector does not fail")
}

fn from_bytes<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    let (value, consumed) = bincode::decode_from_slice(bytes, config::standard().with_limit::<DECODE_MEMORY_BYTES>())
        .map_err(|error| error.to_string())?;
    if consumed != bytes.len() {
        return Err(format!("{} bytes follow its end", bytes.len() - consumed));
    }
    Ok(value)
}
