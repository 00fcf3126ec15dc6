//! CAN frames as `candump -l` logs them, one a line: `(1622547830.084000) can0 0CF00400#F0FF7D0000FFFFFF`. Three hex
//! digits are a standard identifier, eight an extended one; `#R` is a remote frame, `##` a CAN FD frame, and bit 29 of
//! the identifier marks an error frame (Linux `can.h`). The form printed on screen, `can0  0CF00400   [8]  F0 FF …`, is
//! read too when it carries absolute times.

use jiff::tz::TimeZone;

use super::super::At;
use super::buses::Buses;
use super::clock::{self, LATEST_US};
use super::frame::{CLASSIC_BYTES_MAX, EXTENDED_ID_MAX, FD_BYTES_MAX, STANDARD_ID_MAX};
use super::hex;
use super::log::Lines;
use super::{Body, CanId, CanLog, Defect, Frame, Payload};

const ERROR_FLAG: u32 = 0x2000_0000;
/// Longest time before the decimal point, in seconds: year 9999, the last one `jiff` takes.
const SECONDS_MAX: i64 = 253_402_207_200;

/// Starts reading a log; `file` names it in problems, dates (`candump -t A`) are local to `zone`.
pub fn read<'a>(file: &str, bytes: &'a [u8], zone: &TimeZone) -> CanLog<'a> {
    CanLog::of_lines(file, bytes, Candump { zone: zone.clone(), buses: Buses::default() })
}

struct Candump {
    zone: TimeZone,
    buses: Buses,
}

impl Lines for Candump {
    fn line(&mut self, at: At, line: &[u8]) -> Result<Option<Frame>, Defect> {
        let not_a_line = |reason| Defect::NotALine { format: "candump", reason };
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let mut word = |reason| words.next().ok_or(not_a_line(reason));
        let time = word("no time")?;
        let is_dated = time.starts_with(b"(") && !time.ends_with(b")");
        let at_us = if is_dated { dated_us(time, word("no time")?, &self.zone) } else { time_us(time) };
        let at_us = at_us.ok_or(not_a_line("no time such as (1622547830.084000)"))?;
        let interface = word("no interface")?;
        let frame = word("no frame")?;
        let (id, body) = match frame.iter().position(|&b| b == b'#') {
            Some(hash) => parse_logged(&frame[..hash], &frame[hash + 1..]),
            None => parse_printed(frame, words),
        }
        .ok_or(not_a_line("no frame such as 0CF00400#F0FF7D0000FFFFFF"))?;
        Ok(Some(Frame { at, at_us, bus: self.buses.number(interface)?, id, body }))
    }
}

/// `(seconds.fraction)` as microseconds; digits beyond the sixth are cut off.
fn time_us(word: &[u8]) -> Option<i64> {
    let seconds = word.strip_prefix(b"(")?.strip_suffix(b")")?;
    hex::micros(seconds).filter(|us| *us / 1_000_000 <= SECONDS_MAX)
}

/// `(2021-06-01 11:43:50.084000)`, the time of `candump -t A`.
fn dated_us(date: &[u8], clock: &[u8], zone: &TimeZone) -> Option<i64> {
    let text = [date.strip_prefix(b"(")?, b" ", clock.strip_suffix(b")")?].concat();
    clock::parse(&text, zone).map(|told| told.us).filter(|us| (0..=LATEST_US).contains(us))
}

/// The form of `candump -l`: identifier and what follows the first `#`.
fn parse_logged(id: &[u8], rest: &[u8]) -> Option<(CanId, Body)> {
    let (id, is_error) = parse_id(id)?;
    let body = match rest {
        [b'R' | b'r', ..] => Body::Remote,
        [b'#', flags, data @ ..] => {
            Body::Fd { len: parse_bytes(data, &mut [0; FD_BYTES_MAX])?, flags: hex::digit(*flags)? }
        }
        data => {
            // A length code above 8 may follow after an underscore; the data is complete without it.
            let data = data.split(|&b| b == b'_').next()?;
            let mut bytes = [0; CLASSIC_BYTES_MAX];
            let len = parse_bytes(data, &mut bytes)?;
            Body::Data(Payload::new(&bytes[..usize::from(len)])?)
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
    let raw = hex::number(digits, 16)?;
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
        *into.get_mut(len)? = hex::digit(high)? << 4 | hex::digit(low)?;
        len += 1;
    }
    Some(len as u8)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expected: Expect) {
        let mut log = read("a.log", input.as_bytes(), &TimeZone::UTC);
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
    fn a_date_is_local_to_the_zone_that_is_told() {
        let line = b" (2021-06-01 18:43:50.084000)  can0  123   [1]  FF\n (2021-06-01)  can0 123 [1] FF";
        let mut log = read("a.log", line, &TimeZone::fixed(jiff::tz::offset(7)));
        assert_eq!(log.by_ref().map(|frame| frame.at_us).collect::<Vec<_>>(), [1_622_547_830_084_000]);
        assert_eq!(log.problems.listed().len(), 1);
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
            let frames = read("x", &bytes, &TimeZone::UTC).count();
            prop_assert!(frames <= bytes.len());
        }

        #[test]
        fn arbitrary_frames_never_panic(text in "\\([0-9.]{1,20}\\) [a-z0-9]{1,5} [0-9A-FR#_.\\[\\] ]{0,200}") {
            prop_assert!(read("x", text.as_bytes(), &TimeZone::UTC).count() <= 1);
        }
    }
}
