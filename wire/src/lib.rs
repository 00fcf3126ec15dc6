//! What a machine and the service share: topics, frames, the signal catalogue, acknowledgements.
//!
//! A machine numbers what it records with consecutive **sequence** numbers that start at 0 at each **boot** of
//! its unit; (machine, boot, sequence) is the identity of a record, never its time. A [`Frame`] carries a run of
//! records. [`decode`] accepts the binary and the JSON form; [`encode`] and [`encode_json`] write them.
//! `docs/wire-format.md` specifies the bytes.

mod binary;
mod bitmap;
pub mod catalogue;
mod check;
mod error;
mod frame;
mod identity;
mod json;
pub mod limits;
mod messages;
mod record;
mod sample;
mod sequence_set;
mod signal;
mod topic;

pub use binary::{Compression, encode};
pub use bitmap::Bitmap;
pub use error::{DecodeError, DroppedValue, MessageError};
pub use frame::{
    Body, Column, Columns, Decoded, Fault, FaultReport, Frame, Header, Kind, Lamps, ReportKind, TaskEvent, TaskRecord,
};
pub use identity::{BootId, IdentityError, MachineSerial};
pub use json::encode_json;
pub use messages::{Answer, Captured, Encoding, Gap, Link, Refusal, Request, Status, Stored};
pub use record::{Record, body_of, records_of};
pub use sample::{Sample, columns_of, samples_of};
pub use sequence_set::SequenceSet;
pub use signal::{Behaviour, Column as StoreColumn, MachineKinds, Resolution, Signal, SignalId, Source, SqlType};
pub use topic::{Topic, TopicError, TopicKind};

/// Decodes a frame of either form: JSON when the first byte is `{`, binary otherwise.
///
/// # Errors
/// [`DecodeError`] says what is wrong; it carries the [`Header`] when that part is intact, so that the records
/// can be accounted for as refused and the machine need not send them for ever.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    if bytes.len() > limits::MAX_FRAME_BYTES {
        return Err(DecodeError::TooLong { length: bytes.len() });
    }
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    match Encoding::of(bytes) {
        Encoding::Json => json::decode(bytes),
        Encoding::Binary => binary::decode(bytes),
    }
}
