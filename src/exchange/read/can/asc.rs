//! Vector's ASCII log, as CANoe, CANalyzer, CANape and many others write it:
//!
//! ```text
//! date Sam Sep 30 15:06:13.191 2017
//! base hex  timestamps absolute
//! Begin Triggerblock Sam Sep 30 15:06:13.191 2017
//!    3.098426 1  18EBFF00x       Rx   d 8 01 A0 0F A6 60 3B D1 40  Length = 273910 BitCount = 141 ID = 418119424x
//! ```
//!
//! Identifiers and bytes stand in the base that the head tells; an `x` behind an identifier makes it an extended one.
//! Times are seconds since the measurement began, or since the event before. Statistics, chip states, and the long
//! messages that the tool has put together itself (`J1939TP`) are no frames: those messages come again, frame by frame.

use jiff::tz::TimeZone;

use super::super::At;
use super::buses::Buses;
use super::clock::{self, LATEST_US};
use super::frame::{CLASSIC_BYTES_MAX, FD_BYTES_MAX};
use super::hex;
use super::log::Lines;
use super::{Body, CanId, CanLog, Defect, Frame, Payload};

/// Flags of a CANFD event: a remote frame, a CAN FD frame.
const FLAG_REMOTE: u32 = 0x10;
const FLAG_FD: u32 = 0x1000;

/// A block is dated to the second, or to the millisecond.
const SAME_INSTANT_US: u64 = 2_000_000;

/// Starts reading a log; `file` names it in problems, its dates are local to `zone`.
pub fn read<'a>(file: &str, bytes: &'a [u8], zone: &TimeZone) -> CanLog<'a> {
    let asc = Asc {
        zone: zone.clone(),
        base: 16,
        is_relative: false,
        start_us: None,
        block_us: None,
        elapsed_us: 0,
        buses: Buses::default(),
    };
    CanLog::of_lines(file, bytes, asc)
}

struct Asc {
    zone: TimeZone,
    base: u32,
    is_relative: bool,
    /// When the times begin to count.
    start_us: Option<i64>,
    /// What the latest trigger block says of its beginning, until its first event.
    block_us: Option<i64>,
    /// Time of the latest event since then.
    elapsed_us: i64,
    buses: Buses,
}

impl Lines for Asc {
    fn line(&mut self, at: At, line: &[u8]) -> Result<Option<Frame>, Defect> {
        let mut words = Words(line);
        let Some(first) = words.next() else { return Ok(None) };
        if first.starts_with(b"//") {
            return Ok(None);
        }
        if !first[0].is_ascii_digit() {
            return self.head_line(first, words).map(|()| None);
        }
        let time_us = hex::micros(first).ok_or(not_a_line("no time such as 3.098426"))?;
        let at_us = self.event_at_us(time_us).ok_or(not_a_line("its time is beyond any calendar"))?;
        let Some(channel) = words.next() else { return Ok(None) };
        let event = if channel.eq_ignore_ascii_case(b"CANFD") {
            let channel = words.next().ok_or(not_a_line("no channel"))?;
            self.fd(words)?.map(|(id, body)| (channel, id, body))
        } else if channel.iter().all(u8::is_ascii_digit) {
            self.classic(words)?.map(|(id, body)| (channel, id, body))
        } else {
            None
        };
        let Some((channel, id, body)) = event else { return Ok(None) };
        Ok(Some(Frame { at, at_us, bus: self.buses.number(channel)?, id, body }))
    }
}

impl Asc {
    fn head_line(&mut self, first: &[u8], mut words: Words<'_>) -> Result<(), Defect> {
        let is = |word: &[u8], expected: &str| word.eq_ignore_ascii_case(expected.as_bytes());
        if is(first, "date") {
            self.start_us = Some(self.date(words.0)?);
        } else if is(first, "base") {
            self.base = if words.next().is_some_and(|base| is(base, "dec")) { 10 } else { 16 };
            self.is_relative = words.next().is_some() && words.next().is_some_and(|stamps| is(stamps, "relative"));
        } else if is(first, "begin") && words.next().is_some_and(|word| is(word, "triggerblock")) && !words.0.is_empty()
        {
            self.block_us = Some(self.date(words.0)?);
        } else if !["begin", "end", "internal", "no", "previous", "measurement"].iter().any(|word| is(first, word)) {
            return Err(not_a_line("no time such as 3.098426"));
        }
        Ok(())
    }

    fn date(&self, text: &[u8]) -> Result<i64, Defect> {
        clock::parse(text, &self.zone)
            .map(|told| told.us)
            .ok_or_else(|| Defect::DateNotUnderstood(String::from_utf8_lossy(text.trim_ascii()).into_owned()))
    }

    /// When an event happened whose line gives `time_us`; any event, since relative times count from one to the next.
    fn event_at_us(&mut self, time_us: i64) -> Option<i64> {
        if let Some(block_us) = self.block_us.take() {
            // A block that a trigger opened in the course of the measurement: its date is that of its first event, by
            // the second. Otherwise the measurement began with the block, whatever the first line of the file says:
            // that may be when a tool wrote it.
            let elapsed_us = if self.is_relative { self.elapsed_us.saturating_add(time_us) } else { time_us };
            let belongs = |start_us: i64| start_us.saturating_add(elapsed_us).abs_diff(block_us) <= SAME_INSTANT_US;
            if !self.start_us.is_some_and(belongs) {
                self.start_us = Some(block_us);
                self.elapsed_us = 0;
            }
        }
        self.elapsed_us = if self.is_relative { self.elapsed_us.checked_add(time_us)? } else { time_us };
        self.start_us.unwrap_or(0).checked_add(self.elapsed_us).filter(|us| *us <= LATEST_US)
    }

    /// `18EBFF00x Rx d 8 01 A0 …`, `300 Tx r 8 …`, `ErrorFrame …`; `None` for what is no frame.
    fn classic(&self, mut words: Words<'_>) -> Result<Option<(CanId, Body)>, Defect> {
        let Some(name) = words.next() else { return Ok(None) };
        if is_error_frame(name) {
            return Ok(Some(error_frame()));
        }
        let Some(direction) = words.next() else { return Ok(None) };
        let Some(kind) = words.next() else { return Ok(None) };
        // A request to send is followed by the frame itself once it is on the bus.
        if !is_on_bus(direction) {
            return Ok(None);
        }
        let id = self.id(name).or_else(|| trailing_id(words)).ok_or(not_a_line("no identifier"))?;
        let body = match kind {
            b"r" | b"R" => Body::Remote,
            b"d" | b"D" => {
                let len = words.next().and_then(|len| hex::number(len, self.base));
                // A length code above 8 means 8 bytes on a classic bus.
                let len = (len.ok_or(not_a_line("no length"))? as usize).min(CLASSIC_BYTES_MAX);
                let mut bytes = [0; CLASSIC_BYTES_MAX];
                self.bytes(&mut words, &mut bytes[..len])?;
                Body::Data(Payload::new(&bytes[..len]).expect("no more than eight"))
            }
            _ => return Ok(None),
        };
        Ok(Some((id, body)))
    }

    /// `Rx 18FEF100x [name] 0 0 8 8 01 … duration bits flags …`. On channels that could do CAN FD, classic frames are
    /// written in this form too; their flags tell.
    fn fd(&self, mut words: Words<'_>) -> Result<Option<(CanId, Body)>, Defect> {
        let short = || not_a_line("a CANFD line without its fields");
        let mut word = || words.next().ok_or_else(short);
        if !is_on_bus(word()?) {
            return Ok(None);
        }
        let id = word()?;
        if is_error_frame(id) {
            return Ok(Some(error_frame()));
        }
        let id = self.id(id).ok_or(not_a_line("no identifier"))?;
        let is_flag = |word: &[u8]| matches!(word, b"0" | b"1");
        let named_or_brs = word()?;
        let brs = if is_flag(named_or_brs) { named_or_brs } else { word()? };
        let esi = word()?;
        let length_code = hex::number(word()?, 16).ok_or(not_a_line("no length"))?;
        let len = hex::number(word()?, 10).map(|len| len as usize);
        let len = len.filter(|len| *len <= FD_BYTES_MAX).ok_or(not_a_line("no length"))?;
        let mut bytes = [0; FD_BYTES_MAX];
        self.bytes(&mut words, &mut bytes[..len])?;
        let flags = words.nth(2).and_then(|flags| hex::number(flags, 16));
        let is_remote = flags.is_some_and(|flags| flags & FLAG_REMOTE != 0) || (len == 0 && length_code > 0);
        let is_fd = brs == b"1" || len > CLASSIC_BYTES_MAX || flags.is_none_or(|flags| flags & FLAG_FD != 0);
        let body = match Payload::new(&bytes[..len]) {
            _ if is_remote => Body::Remote,
            Some(payload) if !is_fd => Body::Data(payload),
            _ => Body::Fd { len: len as u8, flags: u8::from(brs == b"1") | u8::from(esi == b"1") << 1 },
        };
        Ok(Some((id, body)))
    }

    fn id(&self, word: &[u8]) -> Option<CanId> {
        let extended = word.strip_suffix(b"x").or_else(|| word.strip_suffix(b"X"));
        CanId::new(hex::number(extended.unwrap_or(word), self.base)?, extended.is_some())
    }

    fn bytes(&self, words: &mut Words<'_>, into: &mut [u8]) -> Result<(), Defect> {
        for byte in into {
            let number = words.next().and_then(|word| hex::number(word, self.base));
            *byte = number
                .and_then(|number| u8::try_from(number).ok())
                .ok_or(not_a_line("fewer bytes than it announces"))?;
        }
        Ok(())
    }
}

fn not_a_line(reason: &'static str) -> Defect {
    Defect::NotALine { format: "Vector ASC", reason }
}

fn is_on_bus(direction: &[u8]) -> bool {
    direction.eq_ignore_ascii_case(b"Rx") || direction.eq_ignore_ascii_case(b"Tx")
}

fn is_error_frame(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"ErrorFrame")
}

/// An error frame has no identifier.
fn error_frame() -> (CanId, Body) {
    (CanId::Extended(0), Body::Error)
}

/// `… ID = 418119424x`, always decimal: where the log names messages instead of numbering them.
fn trailing_id(words: Words<'_>) -> Option<CanId> {
    let words: Vec<&[u8]> = words.collect();
    let at = words.windows(2).position(|pair| pair[0] == b"ID" && pair[1] == b"=")?;
    let word = words.get(at + 2)?;
    let extended = word.strip_suffix(b"x");
    CanId::new(hex::number(extended.unwrap_or(word), 10)?, extended.is_some())
}

/// The words of a line; what is left of it is at hand.
#[derive(Clone, Copy)]
struct Words<'l>(&'l [u8]);

impl<'l> Iterator for Words<'l> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<&'l [u8]> {
        let rest = self.0.trim_ascii_start();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::super::log::tests::told;
    use super::*;

    fn check(input: &str, expected: Expect) {
        expected.assert_eq(&told(read("a.asc", input.as_bytes(), &TimeZone::UTC)));
    }

    const HEAD: &str = "date Sat Sep 30 10:00:00 am 2017\nbase hex  timestamps absolute\ninternal events logged\n";

    #[test]
    fn frames_of_both_identifier_lengths_remote_and_error_frames_are_read_and_events_are_not() {
        let events = concat!(
            "// version 9.0.0\nBegin Triggerblock Sat Sep 30 10:00:00 am 2017\n   0.000000 Start of measurement\n",
            "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0\n",
            "   1.015991 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%\n",
            "   2.501020 2 ErrorFrame Flags = 0xe CodeExt = 0x20a2 Code = 0x82 ID = 0 DLC = 0 Position = 5\n",
            "   2.584921 2 300 Tx r 8 Length = 1704000 BitCount = 145 ID = 768\n",
            "   3.098426 1  18EBFF00x       Rx d 8 01 A0 0F A6 60 3B D1 40    Length = 273910 BitCount = 141 ID = 418119424x\n",
            "   3.297743 1  J1939TP FEE3p        6    0  0   -   Rx   d 9 A0 0F A6 60 3B D1 40 1F DE\n",
            "   3.4 1  6F8             TxRq d 1 FF\n   3.5 1  6F8             Tx d 1 FF\n",
            "   3.6 1  3FF             Tx   d D 55 AA 01 02 03 04 05 06  Length = 232016\nEnd TriggerBlock\n",
        );
        check(
            &format!("{HEAD}{events}"),
            expect![[r#"
                2017-09-30T10:00:02.50102Z bus 0 ext 0 error
                2017-09-30T10:00:02.584921Z bus 0 std 300 remote
                2017-09-30T10:00:03.098426Z bus 1 ext 18EBFF00 [01, A0, 0F, A6, 60, 3B, D1, 40]
                2017-09-30T10:00:03.5Z bus 1 std 6F8 [FF]
                2017-09-30T10:00:03.6Z bus 1 std 3FF [55, AA, 01, 02, 03, 04, 05, 06]"#]],
        );
    }

    #[test]
    fn can_fd_channels_carry_both_kinds_and_their_flags_tell() {
        let events = concat!(
            "30.1 CANFD   2 Rx        300  Generic_Name_12    1 0 8  8 01 02 03 04 05 06 07 08   102203  133   303000 e0006659 46500250\n",
            "30.2 CANFD   2 Rx   18FEF100x                    0 0 8  8 FF 00 19 FF FF FF FF FF   102203  133   200000 e0006659 46500250\n",
            "30.3 CANFD   3 Tx     50005x                     0 0 5 0 140000 73 200050 7a60 46500250 460a0250 20011736 20010205\n",
            "30.4 CANFD   5 Tx ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca Arb. 556 44 0 0 f 64 00\n",
            "30.5 CANFD   5 Tx 300 1 0\n",
        );
        check(
            &format!("{HEAD}{events}"),
            expect![[r#"
                2017-09-30T10:00:30.1Z bus 0 std 300 fd 8 flags 1
                2017-09-30T10:00:30.2Z bus 0 ext 18FEF100 [FF, 00, 19, FF, FF, FF, FF, FF]
                2017-09-30T10:00:30.3Z bus 1 ext 50005 remote
                2017-09-30T10:00:30.4Z bus 2 ext 0 error
                a.asc, line 8: not a Vector ASC line: a CANFD line without its fields; it is skipped"#]],
        );
    }

    #[test]
    fn decimal_numbers_and_relative_times_are_what_the_head_says() {
        check(
            "date Sat Sep 30 10:00:00 2017\nbase dec  timestamps relative\n1.0 Start of measurement\n0.5 1 419361024x Rx d 2 255 16\n0.5 1 Statistic: D 0\n0.25 1 100 Rx d 1 7\n",
            expect![[r#"
                2017-09-30T10:00:01.5Z bus 0 ext 18FEF100 [FF, 10]
                2017-09-30T10:00:02.25Z bus 0 std 64 [07]"#]],
        );
    }

    #[test]
    fn a_block_whose_times_begin_anew_has_its_own_date_and_a_later_block_of_one_measurement_has_not() {
        let block = |clock: &str, time: &str| {
            format!("Begin Triggerblock Sat Sep 30 {clock} am 2017\n{time} 1 1x Rx d 0\nEnd TriggerBlock\n")
        };
        check(
            &format!("{HEAD}{}{}{}", block("10:00:00", "5.0"), block("10:00:09", "9.5"), block("11:00:00", "2.0")),
            expect![[r#"
                2017-09-30T10:00:05Z bus 0 ext 1 []
                2017-09-30T10:00:09.5Z bus 0 ext 1 []
                2017-09-30T11:00:02Z bus 0 ext 1 []"#]],
        );
    }

    #[test]
    fn the_date_of_a_block_counts_where_the_first_line_tells_when_the_file_was_written() {
        check(
            "date Tue Nov 24 19:09:37.503 2026\nBegin Triggerblock Tue Jun 01 11:43:50.84 2021\n 0.000000 Start of measurement\n 0.5 2  CF00300x Rx d 0\n",
            expect!["2021-06-01T11:43:50.584Z bus 0 ext CF00300 []"],
        );
    }

    #[test]
    fn a_message_called_by_its_name_is_found_by_the_identifier_behind() {
        check(
            "base hex timestamps absolute\n1.0 1 EEC1 Rx d 1 FF Length = 1 BitCount = 2 ID = 217056256x\n2.0 1 EEC1 Rx d 1 FF\n",
            expect![[r#"
                1970-01-01T00:00:01Z bus 0 ext CF00400 [FF]
                a.asc, line 3: not a Vector ASC line: no identifier; it is skipped"#]],
        );
    }

    #[test]
    fn damage_is_named_and_the_next_line_is_read() {
        check(
            "date someday\nbase hex  timestamps absolute\n1.0 1 18FEF100x Rx d 8 01 02\n1.x 1 1 Rx d 0\n1.0 1 FFFFFFFFx Rx d 0\nrubbish\n999999999999 1 1x Rx d 0\n2.0 1 1x Rx d 1 0",
            expect![[r#"
                1970-01-01T00:00:02Z bus 0 ext 1 [00]
                a.asc, line 1: the date "someday" is not understood
                a.asc, line 3: not a Vector ASC line: fewer bytes than it announces; it is skipped
                a.asc, line 4: not a Vector ASC line: no time such as 3.098426; it is skipped (2 times)
                a.asc, line 5: not a Vector ASC line: no identifier; it is skipped
                a.asc, line 7: not a Vector ASC line: its time is beyond any calendar; it is skipped"#]],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
            prop_assert!(read("x", &bytes, &TimeZone::UTC).count() <= bytes.len());
        }

        #[test]
        fn arbitrary_events_never_panic(text in "(base (hex|dec) timestamps (absolute|relative)\n)?([0-9.]{1,14} (CANFD )?[0-9]{1,2} [0-9A-Fx]{1,9} (Rx|Tx) [dr01 ]{0,6}[0-9A-F ]{0,99}\n){0,5}") {
            prop_assert!(read("x", text.as_bytes(), &TimeZone::UTC).count() <= 5);
        }
    }
}
