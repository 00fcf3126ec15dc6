//! The binary frame: 12 bytes of envelope, a header, a body that may be compressed.
//!
//! bincode is unmaintained, so nothing outside this module and the small messages names it, and
//! `docs/wire-format.md` specifies the bytes.

mod columns;
mod envelope;
mod packing;
mod varint;

use bincode::error::DecodeError as BincodeError;
use bincode::{Decode, Encode, config};

use crate::check::{check_report, check_task, tidy_totals};
use crate::error::{DecodeError, DroppedValue};
use crate::frame::{Body, Decoded, FaultReport, Frame, Header, Kind, TaskRecord};
use crate::limits::DECODE_MEMORY_BYTES;
use crate::messages::Encoding;

/// Whether [`encode`] compresses the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is: for units without the memory for zstd.
    None,
    /// zstd, kept only where it makes the body smaller.
    Zstd,
}

/// Writes a binary frame.
///
/// # Panics
/// When `frame.header.count` is not the number of records: the header would lie about the run.
pub fn encode(frame: &Frame, compression: Compression) -> Vec<u8> {
    assert_eq!(frame.header.count as usize, frame.body.len(), "a header counts the records of its body");
    let plain = match &frame.body {
        Body::Telemetry(columns) => to_bytes(&columns::WireColumns::from(columns)),
        Body::Faults(reports) => to_bytes(reports),
        Body::Task(records) => to_bytes(records),
    };
    let packed = match compression {
        Compression::None => None,
        Compression::Zstd => packing::pack(&plain),
    };
    envelope::seal(&frame.header, frame.body.kind(), packed.is_some(), packed.as_ref().unwrap_or(&plain))
}

/// Reads a binary frame; see [`crate::decode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let envelope::Opened { kind, compressed, header, body } = envelope::open(bytes)?;
    let mut dropped = Vec::new();
    let body = if compressed {
        packing::unpack(body, |plain| decode_body(kind, &header, plain, &mut dropped))
            .ok_or_else(|| DecodeError::not_unpacked(&header))?
    } else {
        decode_body(kind, &header, body, &mut dropped)
    }?;
    Ok(Decoded { frame: Frame { header, body }, dropped, encoding: Encoding::Binary })
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
        Kind::Telemetry => Body::Telemetry(columns::decode(bytes, records, dropped).map_err(fail)?),
        Kind::Faults => {
            let reports: Vec<FaultReport> = from_bytes(bytes).map_err(fail)?;
            reports.iter().try_for_each(check_report).map_err(fail)?;
            Body::Faults(reports)
        }
        Kind::Task => {
            let mut tasks: Vec<TaskRecord> = from_bytes(bytes).map_err(fail)?;
            tasks.iter().try_for_each(check_task).map_err(fail)?;
            tasks.iter_mut().for_each(|task| tidy_totals(task, dropped));
            Body::Task(tasks)
        }
    };
    if body.len() != records {
        return Err(fail(format!("it has {} records, the header says {records}", body.len())));
    }
    Ok(body)
}

fn to_bytes<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, config::standard()).expect("writing to a vector does not fail")
}

fn from_bytes<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    let (value, consumed) = bincode::decode_from_slice(bytes, config::standard().with_limit::<DECODE_MEMORY_BYTES>())
        .map_err(|error| describe(&error))?;
    if consumed != bytes.len() {
        return Err(format!("{} bytes follow its end", bytes.len() - consumed));
    }
    Ok(value)
}

/// bincode's errors in words for the person who wrote the sender.
pub(crate) fn describe(error: &BincodeError) -> String {
    match error {
        BincodeError::UnexpectedEnd { additional } => format!("it ends {additional} or more bytes too early"),
        BincodeError::LimitExceeded => "a length in it is beyond every limit; split the run".into(),
        // What it calls "expected" is not always so, hence not told.
        BincodeError::InvalidIntegerType { found, .. } => {
            format!("a number is wider than its place allows ({found:?}); see the variable-length integers")
        }
        BincodeError::UnexpectedVariant { found, .. } => format!("{found} names no variant of an enumeration"),
        BincodeError::InvalidBooleanValue(byte) => format!("{byte} is no switch; write 0 or 1"),
        BincodeError::Utf8 { inner } => format!("a text is not UTF-8 ({inner})"),
        other => format!("{other:?}"),
    }
}
