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

/// Encodes `frame` as sent at `now_ms`; a frame that is too long for the wire is split in halves.
///
/// `age_ms` tells how long ago the last record was recorded. A simulated clock is right, so the wall clock says it,
/// also where the fleet lives in an earlier season.
pub(super) fn encode_aged(frame: Frame, now_ms: i64, encoding: Encoding, resent: bool, out: &mut Vec<OutFrame>) {
    let records = records_of(&frame.body);
    let recorded_at_ms = records.last().map_or(now_ms, |record| record.recorded_at_ms());
    let mut frame = frame;
    frame.header.age_ms = u64::try_from(now_ms.saturating_sub(recorded_at_ms)).unwrap_or(0);
    let bytes = match encoding {
        Encoding::Binary => wire::encode(&frame, Compression::Zstd),
        Encoding::Json => wire::encode_json(&frame),
    };
    if bytes.len() <= limits::MAX_FRAME_BYTES || records.len() < 2 {
        let (kind, count) = (frame.body.kind(), frame.header.count);
        out.push(OutFrame { kind, bytes: bytes.into(), records: count, resent });
        return;
    }
    let (first, second) = records.split_at(records.len() / 2);
    for (part, skipped) in [(first, 0), (second, first.len() as u64)] {
        let header = &frame.header;
        if let Some(half) = frame_of(&header.machine, header.boot, header.first_sequence + skipped, part) {
            encode_aged(half, now_ms, encoding, resent, out);
        }
    }
}
