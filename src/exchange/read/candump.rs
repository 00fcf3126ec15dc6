//! CAN frames as `candump -l` logs them, one a line: `(1622547830.084000) can0 0CF00400#F0FF7D0000FFFFFF`. Three hex
//! digits are a standard identifier, eight an extended one; `#R` is a remote frame, `##` a CAN FD frame, and bit 29 of
//! the identifier marks an error frame (Linux `can.h`). The form printed on screen, `can0  0CF00400   [8]  F0 FF …`, is
//! read too when it carries absolute times.

use std::sync::Arc;

use super::text::lines;
use super::{At, Problem, Problems, Weigh, Weight};

/// Interfaces in one log; more would be a made-up file.
pub const MAX_INTERFACES: usize = 16;
/// Bytes in a classic CAN frame.
pub const CLASSIC_BYTES_MAX: usize = 8;
/// Bytes in a CAN FD frame.
pub const FD_BYTES_MAX: usize = 64;
/// Longest line taken: an FD frame in screen form has about 250 bytes.
pub const MAX_LINE_BYTES: usize = 512;

const ERROR_FLAG: u32 = 0x2000_0000;
const EXTENDED_ID_MAX: u32 = 0x1FFF_FFFF;
const STANDARD_ID_MAX: u32 = 0x7FF;
/// Longest time before the decimal point, in seconds: year 9999, the last one `jiff` takes.
const SECONDS_MAX: i64 = 253_402_207_200;

/// A frame on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Line in the file, from 1.
    pub line: u64,
    /// UTC, microseconds since 1970.
    pub at_us: i64,
    /// Interface: index into [`CanLog::interfaces`].
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
        /// Flags: bit rate switch, error state.
        flags: u8,
    },
    /// A request to send; carries no data.
    Remote,
    /// The controller reports trouble on the bus; the identifier holds its class.
    Error,
}

/// Up to eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    bytes: [u8; CLASSIC_BYTES_MAX],
    len: u8,
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

/// A log being read: an iterator of frames in file order. Nothing is collected, so a log of gigabytes needs no memory.
#[derive(Debug)]
pub struct CanLog<L> {
    lines: L,
    /// Interface names in the order first met.
    pub interfaces: Vec<Arc<str>>,
    /// Frames read so far, by kind.
    pub counts: FrameCounts,
    /// What could not be read so far.
    pub problems: Problems<Defect>,
}

/// What can be wrong in a candump log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// Not of the form `(time) interface ID#DATA`.
    #[error("not a candump line: {0}; it is skipped")]
    NotALine(&'static str),
    /// The line is longer than [`MAX_LINE_BYTES`].
    #[error("the line has more than {MAX_LINE_BYTES} bytes; it is skipped")]
    LineTooLong,
    /// More interfaces than [`MAX_INTERFACES`].
    #[error("more than {MAX_INTERFACES} interfaces; frames of the others are skipped")]
    TooManyInterfaces,
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        Weight::Loss
    }
}

/// Starts reading a log; `file` names it in problems.
pub fn read<'a>(file: &str, bytes: &'a [u8]) -> CanLog<impl Iterator<Item = (u64, &'a [u8])>> {
    CanLog {
        lines: lines(bytes),
        interfaces: Vec::new(),
        counts: FrameCounts::default(),
        problems: Problems::new(file),
    }
}

impl<L> CanLog<L> {
    /// The problems, once the log is read.
    pub fn into_problems(self) -> Vec<Problem<Defect>> {
        self.problems.into_vec()
    }

    fn frame(&mut self, line: u64, text: &[u8]) -> Result<Frame, Defect> {
        if text.len() > MAX_LINE_BYTES {
            return Err(Defect::LineTooLong);
        }
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let mut word = |what| words.next().ok_or(Defect::NotALine(what));
        let at_us = time_us(word("no time")?).ok_or(Defect::NotALine("no time such as (1622547830.084000)"))?;
        let interface = word("no interface")?;
        let frame = word("no frame")?;
        let (id, body) = match frame.iter().position(|&b| b == b'#') {
            Some(hash) => parse_logged(&frame[..hash], &frame[hash + 1..]),
            None => parse_printed(frame, words),
        }
        .ok_or(Defect::NotALine("no frame such as 0CF00400#F0FF7D0000FFFFFF"))?;
        Ok(Frame { line, at_us, bus: self.bus(interface)?, id, body })
    }

    fn bus(&mut self, name: &[u8]) -> Result<u8, Defect> {
        let known = self.interfaces.iter().position(|i| i.as_bytes() == name);
        if known.is_none() {
            if self.interfaces.len() == MAX_INTERFACES {
                return Err(Defect::TooManyInterfaces);
            }
            self.interfaces.push(String::from_utf8_lossy(name).into());
        }
        Ok(known.unwrap_or(self.interfaces.len() - 1) as u8)
    }
}

impl<'a, L: Iterator<Item = (u64, &'a [u8])>> Iterator for CanLog<L> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        loop {
            let (line, text) = self.lines.next()?;
            match self.frame(line, text) {
                Ok(frame) => {
                    let counts = &mut self.counts;
                    *match (frame.body, frame.id) {
                        (Body::Data(_), CanId::Extended(_)) => &mut counts.extended,
                        (Body::Data(_), CanId::Standard(_)) => &mut counts.standard,
                        (Body::Fd { .. }, _) => &mut counts.fd,
                        (Body::Remote, _) => &mut counts.remote,
                        (Body::Error, _) => &mut counts.error,
                    } += 1;
                    return Some(frame);
                }
                Err(defect) => self.problems.push(At::Line(line), defect),
            }
        }
    }
}

/// `(seconds.fraction)` as microseconds; digits beyond the sixth are cut off.
fn time_us(word: &[u8]) -> Option<i64> {
    let inner = std::str::from_utf8(word.strip_prefix(b"(")?.strip_suffix(b")")?).ok()?;
    let (seconds, fraction) = inner.split_once('.').unwrap_or((inner, ""));
    let digits_only = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits_only(seconds) || !digits_only(fraction) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok().filter(|s| *s <= SECONDS_MAX)?;
    let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(seconds * 1_000_000 + micros.fold(0, |us, digit| us * 10 + i64::from(digit - b'0')))
}

/// The form of `candump -l`: identifier and what follows the first `#`.
fn parse_logged(id: &[u8], rest: &[u8]) -> Option<(CanId, Body)> {
    let (id, is_error) = parse_id(id)?;
    let body = match rest {
        [b'R' | b'r', ..] => Body::Remote,
        [b'#', flags, data @ ..] => {
            Body::Fd { len: parse_bytes(data, &mut [0; FD_BYTES_MAX])?, flags: hex_digit(*flags)? }
        }
        data => {
            // A length code above 8 may follow after an underscore; the data is complete without it.
            let data = data.split(|&b| b == b'_').next()?;
            let mut bytes = [0; CLASSIC_BYTES_MAX];
            let len = parse_bytes(data, &mut bytes)?;
            Body::Data(Payload { bytes, len })
        }
    };
    Some((id, if is_error { Body::Error } else { body }))
}

/// The form `candump` prints on screen: `ID [8] F0 FF …`, with two digits in the brackets for CAN FD.
fn parse_printed<'a>(id: &[u8], mut words: impl Iterator<Item = &'a [u8]>) -> Option<(CanId, Body)> {
    let (id, is_error) = parse_id(id)?;
    let digits = words.next()?.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let len: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let mut bytes = [0; FD_BYTES_MAX];
    let mut is_remote = false;
    for byte in bytes.get_mut(..len)? {
        let word = words.next()?;
        if word == b"remote" {
            is_remote = true;
            break;
        }
        let mut one = [0];
        *byte = (parse_bytes(word, &mut one)? == 1).then_some(one[0])?;
    }
    let body = if is_error {
        Body::Error
    } else if is_remote || words.next() == Some(b"remote") {
        Body::Remote
    } else if digits.len() == 2 {
        Body::Fd { len: len as u8, flags: 0 }
    } else {
        Body::Data(Payload::new(&bytes[..len])?)
    };
    Some((id, body))
}

fn parse_id(digits: &[u8]) -> Option<(CanId, bool)> {
    let raw = digits.iter().try_fold(0_u32, |id, &digit| Some(id << 4 | u32::from(hex_digit(digit)?)))?;
    let is_error = raw & ERROR_FLAG != 0;
    match (digits.len(), raw) {
        (8, raw) if is_error => Some((CanId::Extended(raw & EXTENDED_ID_MAX), true)),
        (8, raw) if raw <= EXTENDED_ID_MAX => Some((CanId::Extended(raw), false)),
        (3, raw) if raw <= STANDARD_ID_MAX => Some((CanId::Standard(raw as u16), false)),
        _ => None,
    }
}

/// Parses hex pairs, dots between them allowed. `None` for odd digits, other letters, or too many bytes.
fn parse_bytes(digits: &[u8], into: &mut [u8]) -> Option<u8> {
    let mut len = 0;
    let mut digits = digits.iter().filter(|&&b| b != b'.');
    while let Some(&high) = digits.next() {
        let low = *digits.next()?;
        *into.get_mut(len)? = hex_digit(high)? << 4 | hex_digit(low)?;
        len += 1;
    }
    Some(len as u8)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expected: Expect) {
        let mut log = read("a.log", input.as_bytes());
        let mut said: Vec<String> =
            log.by_ref().map(|f| format!("{} us, bus {}: {:X?} {:X?}", f.at_us, f.bus, f.id, f.body)).collect();
        said.extend(log.problems.listed().iter().map(ToString::to_string));
        expected.assert_eq(&said.join("\n"));
    }

    #[test]
    fn data_frames_of_both_identifier_lengths_are_read() {
        check(
            "(1622547830.084000) can0 0CF00300#FFFE00\n(1622547830.1) can1 123#\n(2.0000019) can0 18FEF100#FF.00 T",
            expect![[r#"
                1622547830084000 us, bus 0: Extended(CF00300) Data(Payload { bytes: [FF, FE, 0, 0, 0, 0, 0, 0], len: 3 })
                1622547830100000 us, bus 1: Standard(123) Data(Payload { bytes: [0, 0, 0, 0, 0, 0, 0, 0], len: 0 })
                2000001 us, bus 0: Extended(18FEF100) Data(Payload { bytes: [FF, 0, 0, 0, 0, 0, 0, 0], len: 2 })"#]],
        );
    }

    #[test]
    fn remote_error_and_fd_frames_are_told_apart() {
        check(
            "(1.0) can0 18EA0000#R3\n(1.0) can0 20000004#0008000000000000\n(1.0) can0 123##1AABB\n(1.0) can0 123#R",
            expect![[r#"
                1000000 us, bus 0: Extended(18EA0000) Remote
                1000000 us, bus 0: Extended(4) Error
                1000000 us, bus 0: Standard(123) Fd { len: 2, flags: 1 }
                1000000 us, bus 0: Standard(123) Remote"#]],
        );
    }

    #[test]
    fn the_form_printed_on_screen_is_read() {
        check(
            " (1.5)  can0  0CF00400   [2]  F0 FF\n (1.5)  can0  123   [0]  remote request\n (1.5) can0 123 [02] 01 02",
            expect![[r#"
                1500000 us, bus 0: Extended(CF00400) Data(Payload { bytes: [F0, FF, 0, 0, 0, 0, 0, 0], len: 2 })
                1500000 us, bus 0: Standard(123) Remote
                1500000 us, bus 0: Standard(123) Fd { len: 2, flags: 0 }"#]],
        );
    }

    #[test]
    fn a_line_that_is_none_is_named_and_the_next_is_read() {
        check(
            "garbage\n(1.0) can0 0CF00400#FFF\n(1.0) can0 0CF00400#FFFFFFFFFFFFFFFFFF\n(-1.0) can0 123#\n(1.0) can0\n(1.0) can0 123#01",
            expect![[r#"
                1000000 us, bus 0: Standard(123) Data(Payload { bytes: [1, 0, 0, 0, 0, 0, 0, 0], len: 1 })
                a.log, line 1: not a candump line: no time such as (1622547830.084000); it is skipped (2 times)
                a.log, line 2: not a candump line: no frame such as 0CF00400#F0FF7D0000FFFFFF; it is skipped (2 times)
                a.log, line 5: not a candump line: no frame; it is skipped"#]],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
            let frames = read("x", &bytes).count();
            prop_assert!(frames <= bytes.len());
        }

        #[test]
        fn arbitrary_frames_never_panic(text in "\\([0-9.]{1,20}\\) [a-z0-9]{1,5} [0-9A-FR#_.\\[\\] ]{0,200}") {
            prop_assert!(read("x", text.as_bytes()).count() <= 1);
        }
    }
}
