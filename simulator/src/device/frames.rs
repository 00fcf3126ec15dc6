//! Frames ready for the link, within the limits of the wire.

use bytes::Bytes;
use wire::{Compression, Encoding, Frame, Kind, limits};

use super::run::frame_of;
use wire::records_of;

/// A frame ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFrame {
    /// Names the topic.
    pub kind: Kind,
    /// The payload.
    pub bytes: Bytes,
    /// How many records it carries.
    pub records: u32,
    /// Whether its records were sent before.
    pub resent: bool,
}

/// How a frame is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) encoding: Encoding,
    pub(super) resent: bool,
    /// Age of the last record, by a clock that only counts; 0 where it is not known.
    pub(super) age_ms: u64,
}

/// Writes `frame`; one that is too long for the wire is split in halves. The first of them gets the age of the whole:
/// a little too young, which only a unit with a wrong clock would notice.
pub(super) fn write(mut frame: Frame, writing: Writing, out: &mut Vec<OutFrame>) {
    frame.header.age_ms = writing.age_ms;
    let bytes = match writing.encoding {
        Encoding::Binary => wire::encode(&frame, Compression::Zstd),
        Encoding::Json => wire::encode_json(&frame),
    };
    let count = frame.header.count;
    if bytes.len() <= limits::MAX_FRAME_BYTES || count < 2 {
        let kind = frame.body.kind();
        out.push(OutFrame { kind, bytes: bytes.into(), records: count, resent: writing.resent });
        return;
    }
    let records = records_of(&frame.body);
    let (first, second) = records.split_at(records.len() / 2);
    for (part, skipped) in [(first, 0), (second, first.len() as u64)] {
        let header = &frame.header;
        if let Some(half) = frame_of(&header.machine, header.boot, header.first_sequence + skipped, part) {
            write(half, writing, out);
        }
    }
}
