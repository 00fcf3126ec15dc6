//! Bounds on what a frame may hold. Every one guards memory or time against a hostile or broken sender.

/// Longest frame on the wire, either form. Backlog frames of a thousand samples stay well below.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Longest body after decompression.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Most records in a frame.
pub const MAX_RECORDS: usize = 4_096;
/// Most signals in a frame.
pub const MAX_COLUMNS: usize = 512;
/// Longest machine serial.
pub const MAX_SERIAL_BYTES: usize = 64;
/// Longest text in a record or a request, in bytes of UTF-8: names of tasks, fields, operators.
pub const MAX_TEXT_BYTES: usize = 128;
/// Most trouble codes in one report; J1939-21 transport cannot carry more (1,785 bytes of 4 each).
pub const MAX_FAULTS_PER_REPORT: usize = 446;
/// Most totals in a task record.
pub const MAX_TOTALS: usize = 256;
/// Most gaps listed in a `stored` message; what lies beyond is told in a later one.
pub const MAX_GAPS: usize = 64;
/// Most signals in a capture request.
pub const MAX_REQUEST_SIGNALS: usize = 64;
/// Fastest capture that can be asked for, samples a second.
pub const MAX_CAPTURE_RATE_HZ: f32 = 10.0;
/// Longest capture that can be asked for, seconds.
pub const MAX_CAPTURE_DURATION_S: u32 = 600;
/// Longest `status`, `stored`, `request` or `answer` message.
pub const MAX_MESSAGE_BYTES: usize = 4_096;
/// Longest model code or firmware version in a `status`.
pub const MAX_STATUS_TEXT_BYTES: usize = 64;
/// Most problems of single values reported for one frame; the rest are counted.
pub const MAX_DROPPED_VALUES: usize = 32;
/// Earliest instant that `recorded_at` may name, in Unix milliseconds: 0001-01-01.
pub const MIN_RECORDED_AT_MS: i64 = -62_135_596_800_000;
/// Latest instant that `recorded_at` may name: 9999-12-30T22:00:00Z.
pub const MAX_RECORDED_AT_MS: i64 = 253_402_207_200_000;
/// Most values in a frame: 4,096 samples of 32 signals. Bounds the memory that a small compressed frame unpacks to.
pub const MAX_VALUES: usize = 131_072;
/// One past the greatest sequence number: the database's ranges are 63-bit and half-open.
pub const MAX_SEQUENCE: u64 = 1 << 62;
/// In place of a time that could not be read: outside every believable time, so the service estimates it.
pub const NO_TIME_MS: i64 = i64::MIN;
/// What the decoder may allocate for one body: all values at 8 bytes, times, bitmaps and texts beside them.
pub(crate) const DECODE_MEMORY_BYTES: usize = 2 * 1024 * 1024;
