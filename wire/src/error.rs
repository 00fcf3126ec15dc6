//! Why bytes were refused, and which single values were left out.

use crate::frame::Header;
use crate::identity::IdentityError;
use crate::limits::{MAX_BODY_BYTES, MAX_FRAME_BYTES};

/// Why a frame was refused as a whole.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Nothing was sent.
    #[error("frame is empty")]
    Empty,
    /// More bytes than a frame may have.
    #[error("frame has {length} bytes; at most {MAX_FRAME_BYTES} are allowed, so split the run")]
    TooLong {
        /// Bytes received.
        length: usize,
    },
    /// The first bytes are neither `PV` nor `{`.
    #[error("frame begins with {first:02x?}; a binary frame begins with 50 56, a JSON frame with 7b")]
    Magic {
        /// The first bytes, four at most.
        first: Vec<u8>,
    },
    /// Made for another version of the format.
    #[error("frame version = {0}; this service reads version 1")]
    Version(u8),
    /// The kind is unknown.
    #[error("frame kind = {0}; 1 telemetry, 2 faults and 3 task are known")]
    UnknownKind(u8),
    /// A flag or reserved byte is set that version 1 does not define.
    #[error("frame flags = {flags:#04x}, reserved = {reserved:02x?}; version 1 knows flag 0x01 and reserved zeros")]
    Flags {
        /// Byte 4.
        flags: u8,
        /// Bytes 5 to 7.
        reserved: [u8; 3],
    },
    /// The bytes changed on their way or were cut off.
    #[error("frame checksum is {found:#010x}, computed {computed:#010x}: the bytes changed or were cut off on the way")]
    Checksum {
        /// In the frame.
        found: u32,
        /// Over the frame.
        computed: u32,
    },
    /// The header cannot be read.
    #[error("frame header is malformed: {0}")]
    Header(String),
    /// Machine or boot is not acceptable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The header is intact, the body is not.
    #[error("frame body is malformed: {reason}")]
    Body {
        /// Whose records are lost.
        header: Box<Header>,
        /// What is wrong.
        reason: String,
    },
    /// The JSON text cannot be read, and no header was found in it either.
    #[error("json frame is malformed: {0}")]
    Json(String),
}

impl DecodeError {
    pub(crate) fn body(header: &Header, reason: impl Into<String>) -> Self {
        Self::Body { header: Box::new(header.clone()), reason: reason.into() }
    }

    pub(crate) fn not_unpacked(header: &Header) -> Self {
        Self::body(
            header,
            format!("it is no zstd frame, or unpacks to more than {MAX_BODY_BYTES} bytes; split the run"),
        )
    }

    /// A stable word for counters and the quarantine.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::Magic { .. } => "magic",
            Self::Version(_) => "version",
            Self::UnknownKind(_) => "kind",
            Self::Flags { .. } => "flags",
            Self::Checksum { .. } => "checksum",
            Self::Header(_) => "header",
            Self::Identity(_) => "identity",
            Self::Body { .. } => "body",
            Self::Json(_) => "json",
        }
    }

    /// The header, where it could be read and its checksum holds.
    pub fn header(&self) -> Option<&Header> {
        match self {
            Self::Body { header, .. } => Some(header),
            _ => None,
        }
    }
}

/// Values that were left out of an otherwise good frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedValue {
    /// A stable word for counters and the quarantine: `unknown_signal`, `not_a_number`.
    pub code: &'static str,
    /// What, where and the mend.
    pub detail: String,
    /// How many values the entry stands for.
    pub values: u64,
}

/// Why a `status`, `stored`, `request` or `answer` message was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MessageError {
    /// The text cannot be read.
    #[error("message is malformed: {0}")]
    Malformed(String),
}
