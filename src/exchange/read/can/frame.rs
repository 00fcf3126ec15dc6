//! A frame, whatever tool wrote it down.

use super::super::At;

/// Bytes in a classic CAN frame.
pub const CLASSIC_BYTES_MAX: usize = 8;
/// Bytes in a CAN FD frame.
pub const FD_BYTES_MAX: usize = 64;

pub(super) const EXTENDED_ID_MAX: u32 = 0x1FFF_FFFF;
pub(super) const STANDARD_ID_MAX: u32 = 0x7FF;

/// A frame on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where it stands in the file.
    pub at: At,
    /// UTC, microseconds since 1970. Small where the log tells no date: microseconds since its beginning.
    pub at_us: i64,
    /// Bus, numbered in the order first met.
    pub bus: u8,
    /// Identifier.
    pub id: CanId,
    /// What kind of frame, with its bytes.
    pub body: Body,
}

/// A CAN identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanId {
    /// 11 bits.
    Standard(u16),
    /// 29 bits, as J1939 and ISO 11783 use.
    Extended(u32),
}

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A classic data frame.
    Data(Payload),
    /// A CAN FD frame. J1939 as deployed does not use them.
    Fd {
        /// Bytes carried, up to 64; not kept.
        len: u8,
        /// Flags as `candump` gives them: 1 bit rate switch, 2 error state.
        flags: u8,
    },
    /// A request to send; carries no data.
    Remote,
    /// The controller reports trouble on the bus.
    Error,
}

/// Up to eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    bytes: [u8; CLASSIC_BYTES_MAX],
    len: u8,
}

/// How many frames of each kind a log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Data frames with a 29-bit identifier.
    pub extended: u64,
    /// Data frames with an 11-bit identifier.
    pub standard: u64,
    /// CAN FD frames.
    pub fd: u64,
    /// Remote frames.
    pub remote: u64,
    /// Error frames.
    pub error: u64,
}

impl CanId {
    /// Takes a number that is said to be of 11 or 29 bits; `None` when it has more.
    pub(super) fn new(number: u32, is_extended: bool) -> Option<Self> {
        match is_extended {
            true => (number <= EXTENDED_ID_MAX).then_some(Self::Extended(number)),
            false => (number <= STANDARD_ID_MAX).then_some(Self::Standard(number as u16)),
        }
    }
}

impl Payload {
    /// Takes up to eight bytes; `None` for more.
    pub fn new(data: &[u8]) -> Option<Self> {
        let mut bytes = [0; CLASSIC_BYTES_MAX];
        bytes.get_mut(..data.len())?.copy_from_slice(data);
        Some(Self { bytes, len: data.len() as u8 })
    }

    /// The bytes sent.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl FrameCounts {
    pub(super) fn count(&mut self, frame: &Frame) {
        *match (frame.body, frame.id) {
            (Body::Data(_), CanId::Extended(_)) => &mut self.extended,
            (Body::Data(_), CanId::Standard(_)) => &mut self.standard,
            (Body::Fd { .. }, _) => &mut self.fd,
            (Body::Remote, _) => &mut self.remote,
            (Body::Error, _) => &mut self.error,
        } += 1;
    }
}
