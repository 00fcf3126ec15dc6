//! PEAK's trace, as PCAN-View, PCAN-Explorer and their loggers write it, versions 1.0 to 2.1:
//!
//! ```text
//! ;$FILEVERSION=2.1
//! ;$STARTTIME=43008.920986006946
//! ;$COLUMNS=N,O,T,B,I,d,R,L,D
//!       1      2501.000 DT 2  18FEF100 Rx -  8    09 08 07 06 05 04 03 02
//! ```
//!
//! Up to 1.3 the version fixes the columns, from 2.0 on the head lists them. The start is in days since 1899-12-30 by
//! the clock of the computer; version 1.0 tells it in words alone.

use jiff::tz::TimeZone;

use super::super::At;
use super::buses::Buses;
use super::clock::{self, LATEST_US};
use super::frame::{CLASSIC_BYTES_MAX, FD_BYTES_MAX};
use super::hex;
use super::log::Lines;
use super::{Body, CanId, CanLog, Defect, Frame, Payload};

/// Bytes behind the length codes 9 to 15 of CAN FD.
const FD_LENGTHS: [u8; 7] = [12, 16, 20, 24, 32, 48, 64];
/// Identifier of lines that report the state of the bus in version 1.0.
const STATUS_ID: &[u8] = b"FFFFFFFF";
/// Longer identifiers are extended ones: the tool writes leading zeros.
const STANDARD_DIGITS: usize = 4;

/// Starts reading a trace; `file` names it in problems, its start is local to `zone`.
pub fn read<'a>(file: &str, bytes: &'a [u8], zone: &TimeZone) -> CanLog<'a> {
    let columns = columns_of(b"1.0");
    let trc = Trc { zone: zone.clone(), columns, start_us: None, in_words_us: None, buses: Buses::default() };
    CanLog::of_lines(file, bytes, trc)
}

struct Trc {
    zone: TimeZone,
    columns: Vec<Column>,
    start_us: Option<i64>,
    in_words_us: Option<i64>,
    buses: Buses,
}

/// What stands in a column, by the letter of `$COLUMNS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Number,
    OffsetMs,
    /// `DT`, `FD`, `RR`, …; before version 2 the direction, `Warng` or `Error`.
    Type,
    Bus,
    Id,
    Length,
    LengthCode,
    Data,
    Other,
}

impl Lines for Trc {
    fn line(&mut self, at: At, line: &[u8]) -> Result<Option<Frame>, Defect> {
        match line.strip_prefix(b";") {
            Some(comment) => self.head_line(comment).map(|()| None),
            None => self.message(at, line),
        }
    }
}

impl Trc {
    fn head_line(&mut self, comment: &[u8]) -> Result<(), Defect> {
        let not_understood = |text: &[u8]| Defect::DateNotUnderstood(String::from_utf8_lossy(text).into_owned());
        let comment = comment.trim_ascii();
        if let Some(version) = comment.strip_prefix(b"$FILEVERSION=") {
            self.columns = columns_of(version.trim_ascii());
        } else if let Some(days) = comment.strip_prefix(b"$STARTTIME=") {
            self.start_us = Some(clock::parse_days(days, &self.zone).ok_or_else(|| not_understood(days))?);
        } else if let Some(letters) = comment.strip_prefix(b"$COLUMNS=") {
            self.columns = letters.split(|&b| b == b',').map(|letter| column_of(letter.trim_ascii())).collect();
        } else if let Some(words) = comment.strip_prefix(b"Start time:") {
            let words = words.trim_ascii();
            let told = clock::parse(words, &self.zone).ok_or_else(|| not_understood(words))?;
            // Days are of this computer's zone, or of whatever zone the tool took; words with an offset are certain.
            if told.with_offset {
                self.start_us = Some(told.us);
            }
            self.in_words_us = Some(told.us);
        }
        Ok(())
    }

    fn message(&mut self, at: At, line: &[u8]) -> Result<Option<Frame>, Defect> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (mut offset, mut kind, mut bus, mut id, mut length) = (None, None, &b"1"[..], None, None);
        for column in self.columns.iter().take_while(|column| **column != Column::Data) {
            let word = words.next().ok_or(not_a_line("fewer columns than the head announces"))?;
            match column {
                Column::OffsetMs => offset = hex::micros(word),
                // Lines that are no frames leave columns blank, so nothing behind the type can be told apart.
                Column::Type => {
                    kind = Some(Kind::of(word).ok_or(not_a_line("its type is unknown"))?);
                    if kind == Some(Kind::NoFrame) {
                        return Ok(None);
                    }
                }
                Column::Bus => bus = word,
                Column::Id => id = Some(word),
                Column::Length => length = hex::number(word, 10),
                Column::LengthCode => length = hex::number(word, 10).map(|code| bytes_of_code(code, kind)),
                Column::Number | Column::Other | Column::Data => {}
            }
            if kind == Some(Kind::Error) && offset.is_some() {
                break;
            }
        }
        let kind = kind.unwrap_or(Kind::Classic);
        // Milliseconds with their millionths are nanoseconds.
        let offset_us = offset.ok_or(not_a_line("no time offset such as 1059.900"))? / 1000;
        let start_us = self.start_us.or(self.in_words_us).unwrap_or(0);
        let at_us = start_us.saturating_add(offset_us);
        if at_us > LATEST_US {
            return Err(not_a_line("its time is beyond any calendar"));
        }
        if kind == Kind::Error {
            let bus = self.buses.number(bus)?;
            return Ok(Some(Frame { at, at_us, bus, id: CanId::Extended(0), body: Body::Error }));
        }
        let digits = id.ok_or(not_a_line("no identifier"))?;
        if digits == STATUS_ID {
            return Ok(None);
        }
        let id = hex::number(digits, 16).and_then(|id| CanId::new(id, digits.len() > STANDARD_DIGITS));
        let id = id.ok_or(not_a_line("no identifier"))?;
        let len = length.map(|len| len as usize).filter(|len| *len <= FD_BYTES_MAX);
        let body = body(kind, len.ok_or(not_a_line("no length"))?, words)?;
        Ok(Some(Frame { at, at_us, bus: self.buses.number(bus)?, id, body }))
    }
}

fn body<'l>(kind: Kind, len: usize, mut words: impl Iterator<Item = &'l [u8]>) -> Result<Body, Defect> {
    if kind == Kind::Remote {
        return Ok(Body::Remote);
    }
    let mut bytes = [0; FD_BYTES_MAX];
    for byte in &mut bytes[..len] {
        let word = words.next().ok_or(not_a_line("fewer bytes than it announces"))?;
        if word == b"RTR" {
            return Ok(Body::Remote);
        }
        let number = hex::number(word, 16).and_then(|number| u8::try_from(number).ok());
        *byte = number.ok_or(not_a_line("fewer bytes than it announces"))?;
    }
    match kind {
        Kind::Fd { flags } => Ok(Body::Fd { len: len as u8, flags }),
        _ if words.next() == Some(b"RTR") => Ok(Body::Remote),
        _ => Payload::new(&bytes[..len]).map(Body::Data).ok_or(not_a_line("more bytes than a frame holds")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Classic,
    Fd { flags: u8 },
    Remote,
    Error,
    NoFrame,
}

impl Kind {
    fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"DT" | b"Rx" | b"Tx" => Self::Classic,
            b"FD" => Self::Fd { flags: 0 },
            b"FB" => Self::Fd { flags: 1 },
            b"FE" => Self::Fd { flags: 2 },
            b"BI" => Self::Fd { flags: 3 },
            b"RR" => Self::Remote,
            b"ER" | b"Error" => Self::Error,
            // Status, error counters, events, warnings.
            b"ST" | b"EC" | b"EV" | b"Warng" => Self::NoFrame,
            _ => return None,
        })
    }
}

fn columns_of(version: &[u8]) -> Vec<Column> {
    let letters: &[u8] = match version {
        b"1.1" => b"NOTILD",
        b"1.2" => b"NOBTILD",
        b"1.3" => b"NOBTIRLD",
        b"2.0" => b"NOTIdlD",
        b"2.1" => b"NOTBIdRLD",
        _ => b"NOILD",
    };
    letters.iter().map(|letter| column_of(&[*letter])).collect()
}

fn column_of(letter: &[u8]) -> Column {
    match letter {
        b"N" => Column::Number,
        b"O" => Column::OffsetMs,
        b"T" => Column::Type,
        b"B" => Column::Bus,
        b"I" => Column::Id,
        b"l" => Column::Length,
        b"L" => Column::LengthCode,
        b"D" => Column::Data,
        // `d` direction, `R` reserved, and what later versions add.
        _ => Column::Other,
    }
}

/// On a classic bus every code above 8 means 8 bytes.
fn bytes_of_code(code: u32, kind: Option<Kind>) -> u32 {
    let above_eight = code.checked_sub(9).and_then(|at| FD_LENGTHS.get(at as usize));
    match (above_eight, kind) {
        (Some(len), Some(Kind::Fd { .. })) => u32::from(*len),
        (Some(_), _) => CLASSIC_BYTES_MAX as u32,
        (None, _) => code,
    }
}

fn not_a_line(reason: &'static str) -> Defect {
    Defect::NotALine { format: "PEAK trace", reason }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::super::log::tests::told;
    use super::*;

    fn check(input: &str, expected: Expect) {
        expected.assert_eq(&told(read("a.trc", input.as_bytes(), &TimeZone::UTC)));
    }

    #[test]
    fn version_1_0_tells_its_start_in_words() {
        check(
            concat!(
                ";##########\n;   C:\\A.trc\n;    Start time: 18.12.2021 14:28:07.062.0\n;----+-   ---+---\n",
                "     1)     17535  18FEF100  8  00 01 02 03 04 05 06 07\n     2)     17540  FFFFFFFF  4  00 00 00 08 -- -- BUSHEAVY\n",
                "     3)     19295      0123  2  00 FF\n    12)     48937      0704  1  RTR",
            ),
            expect![[r#"
                2021-12-18T14:28:24.597Z bus 0 ext 18FEF100 [00, 01, 02, 03, 04, 05, 06, 07]
                2021-12-18T14:28:26.357Z bus 0 std 123 [00, FF]
                2021-12-18T14:28:55.999Z bus 0 std 704 remote"#]],
        );
    }

    #[test]
    fn versions_1_1_to_1_3_add_direction_bus_and_a_reserved_column() {
        let head = |version: &str| format!(";$FILEVERSION={version}\n;$STARTTIME=44548.5\n");
        check(
            &format!(
                "{}1) 1000.4 Rx 18FEF100 1 FF\n2) 1001.0 Warng FFFFFFFF 4 00 00 00 08 BUSHEAVY\n3) 1002.0 Error 0008 4 00 19 08 08\n",
                head("1.1")
            ),
            expect![[r#"
                2021-12-18T12:00:01.0004Z bus 0 ext 18FEF100 [FF]
                2021-12-18T12:00:01.002Z bus 0 ext 0 error"#]],
        );
        check(
            &format!("{}1) 1000.400 2 Tx 0100 1 FF\n", head("1.2")),
            expect!["2021-12-18T12:00:01.0004Z bus 0 std 100 [FF]"],
        );
        check(
            &format!("{}1) 1000.400 2 Tx 0100 - 1 FF\n2) 1000.500 1 Rx 0704 - 1 RTR\n", head("1.3")),
            expect![[r#"
                2021-12-18T12:00:01.0004Z bus 0 std 100 [FF]
                2021-12-18T12:00:01.0005Z bus 1 std 704 remote"#]],
        );
    }

    #[test]
    fn versions_2_list_their_columns() {
        check(
            concat!(
                ";$FILEVERSION=2.0\n;$STARTTIME=44548.5\n;$COLUMNS=N,O,T,I,d,l,D\n",
                "1 1000.400 DT 18FEF100 Rx 2  00 FF\n2 1000.500 ST          Rx    00 00 00 08\n3 1000.600 RR     0704 Rx 1\n",
                "4 1000.700 FB 18FEF100 Rx 12 00 00 00 00 00 00 00 00 00 00 00 00\n5 1000.800 ER Rx 04 00 02 00 00\n",
            ),
            expect![[r#"
                2021-12-18T12:00:01.0004Z bus 0 ext 18FEF100 [00, FF]
                2021-12-18T12:00:01.0006Z bus 0 std 704 remote
                2021-12-18T12:00:01.0007Z bus 0 ext 18FEF100 fd 12 flags 1
                2021-12-18T12:00:01.0008Z bus 0 ext 0 error"#]],
        );
        check(
            concat!(
                ";$FILEVERSION=2.1\n;$STARTTIME=44548.5\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n",
                "1 1000.400 DT 2      00C8 Tx -  8    09 08 07 06 05 04 03 02\n2 1000.5 ST 1 - Rx -  4    00 00 00 08\n",
                "3 1000.600 FD 1 18FEF100 Rx - 9 00 00 00 00 00 00 00 00 00 00 00 00\n4 1000.7 EV User pressed a key\n",
            ),
            expect![[r#"
                2021-12-18T12:00:01.0004Z bus 0 std C8 [09, 08, 07, 06, 05, 04, 03, 02]
                2021-12-18T12:00:01.0006Z bus 1 ext 18FEF100 fd 12 flags 0"#]],
        );
    }

    #[test]
    fn damage_is_named_and_the_next_line_is_read() {
        check(
            ";$FILEVERSION=1.1\n;$STARTTIME=soon\n1) 1.0 Rx 18FEF100 8 00\n2) 1.0 What 0100 1 FF\n3) x Rx 0100 1 FF\n4)\n5) 1.0 Rx 0100 9 0 0 0 0 0 0 0 0\n6) 7.0 Rx 0100 1 FF",
            expect![[r#"
                1970-01-01T00:00:00.001Z bus 0 std 100 [00, 00, 00, 00, 00, 00, 00, 00]
                1970-01-01T00:00:00.007Z bus 0 std 100 [FF]
                a.trc, line 2: the date "soon" is not understood
                a.trc, line 3: not a PEAK trace line: fewer bytes than it announces; it is skipped
                a.trc, line 4: not a PEAK trace line: its type is unknown; it is skipped
                a.trc, line 5: not a PEAK trace line: no time offset such as 1059.900; it is skipped
                a.trc, line 6: not a PEAK trace line: fewer columns than the head announces; it is skipped"#]],
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
            prop_assert!(read("x", &bytes, &TimeZone::UTC).count() <= bytes.len());
        }

        #[test]
        fn arbitrary_messages_never_panic(
            version in "[12]\\.[0-3]", columns in "[NOTBIdRlLDX](,[NOTBIdRlLDX]){0,9}",
            text in "([0-9]{1,3}\\)? [0-9.]{1,14} (DT|FD|RR|Rx|1) [0-9A-F]{1,9} [0-9 -]{0,6}[0-9A-F ]{0,99}\n){0,5}",
        ) {
            let text = format!(";$FILEVERSION={version}\n;$COLUMNS={columns}\n{text}");
            prop_assert!(read("x", text.as_bytes(), &TimeZone::UTC).count() <= 5);
        }
    }
}
