//! The quick reader of JSON frames: telemetry as machines write it, without escapes, exponents or nesting.
//!
//! It only finds the tokens; what they mean is decided by [`ReadSamples`], as for serde. Whatever it does not take
//! is read again by serde, which then says what is wrong. So meaning and errors have one source each.

use super::JsonFrame;
use super::samples::ReadSamples;
use super::value::JsonValue;
use crate::identity::{BootId, MachineSerial};

/// Powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Every whole number up to here is a double, so that one division gives the double nearest to a decimal.
const MAX_EXACT: u64 = 1 << 53;

/// Reads a frame of samples; none for everything else, right or wrong.
pub(super) fn read(bytes: &[u8]) -> Option<JsonFrame> {
    let mut text = Scanner { bytes, at: 0 };
    let (mut version, mut machine, mut boot, mut first_sequence, mut age_ms, mut samples) =
        (None, None, None, None, None, None);
    text.expect(b'{')?;
    loop {
        let key = text.string()?;
        text.expect(b':')?;
        match key {
            "version" => once(&mut version, u8::try_from(text.whole()?).ok()?)?,
            "machine" => once(&mut machine, MachineSerial::parse(text.string()?).ok()?)?,
            "boot" => once(&mut boot, BootId::new(text.whole()?).ok()?)?,
            "first_sequence" => once(&mut first_sequence, text.whole()?)?,
            "age_ms" => once(&mut age_ms, text.whole()?)?,
            "samples" => once(&mut samples, text.samples()?)?,
            _ => return None,
        }
        if !text.goes_on(b'}')? {
            break;
        }
    }
    text.skip_space();
    (text.at == bytes.len()).then_some(())?;
    Some(JsonFrame {
        version: version?,
        machine: machine?,
        boot: boot?,
        first_sequence: first_sequence?,
        age_ms: age_ms.unwrap_or(0),
        samples: Some(samples?),
        faults: None,
        tasks: None,
    })
}

/// Header keys appear once; a repetition is an error, which serde words.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes `byte`, and the space before it.
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes the comma before a further element, or `end`.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_space();
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(true),
            byte if byte == end => Some(false),
            _ => None,
        }
    }

    /// Takes a text of plain ASCII.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))?;
        (rest[end] == b'"').then(|| self.at += end + 1)?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// Takes a whole number of up to 53 bits that is not negative.
    fn whole(&mut self) -> Option<u64> {
        self.skip_space();
        let mut number = 0;
        (self.digits(&mut number)? > 0).then_some(number)
    }

    /// Takes digits into `number`; gives how many there were.
    #[inline]
    fn digits(&mut self, number: &mut u64) -> Option<usize> {
        let first = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            *number = *number * 10 + u64::from(digit - b'0');
            if *number > MAX_EXACT {
                return None;
            }
            self.at += 1;
        }
        // JSON knows no leading zeros. The fraction has its own first digit, which may be one.
        let leading_zero = self.at - first > 1 && self.bytes[first] == b'0' && !self.bytes[..first].ends_with(b".");
        (!leading_zero).then_some(self.at - first)
    }

    #[inline]
    fn number(&mut self) -> Option<f64> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let mut number = 0;
        (self.digits(&mut number)? > 0).then_some(())?;
        let mut value = number as f64;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let decimals = self.digits(&mut number)?;
            (decimals > 0).then_some(())?;
            value = number as f64 / POWERS_OF_TEN.get(decimals)?;
        }
        Some(if negative { -value } else { value })
    }

    #[inline]
    fn value(&mut self) -> Option<JsonValue<'a>> {
        self.skip_space();
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number().map(JsonValue::Number),
            b'"' => self.string().map(|text| JsonValue::Text(text.into())),
            b'n' => self.word(b"null").map(|()| JsonValue::Null),
            b't' => self.word(b"true").map(|()| JsonValue::Number(1.0)),
            b'f' => self.word(b"false").map(|()| JsonValue::Number(0.0)),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn samples(&mut self) -> Option<ReadSamples> {
        let mut read = ReadSamples::default();
        self.expect(b'[')?;
        loop {
            self.sample(&mut read)?;
            if !read.is_within_limits() {
                return None;
            }
            if !self.goes_on(b']')? {
                return Some(read);
            }
        }
    }

    fn sample(&mut self, read: &mut ReadSamples) -> Option<()> {
        self.expect(b'{')?;
        read.begin_sample();
        let mut guess = 0;
        loop {
            self.skip_space();
            let slot = match read.key_of(guess) {
                Some(key) if self.takes_key(key) => guess,
                _ => {
                    let key = self.string()?;
                    self.expect(b':')?;
                    read.slot::<serde_json::Error>(key, guess).ok()?
                }
            };
            let value = self.value()?;
            read.take(slot, &value);
            guess = slot + 1;
            if !self.goes_on(b'}')? {
                return Some(());
            }
        }
    }

    /// Takes `"key":` where it stands here without space.
    #[inline]
    fn takes_key(&mut self, key: &str) -> bool {
        let taken = self.bytes[self.at..]
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_prefix(key.as_bytes()))
            .is_some_and(|rest| rest.starts_with(b"\":"));
        self.at += if taken { key.len() + 3 } else { 0 };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DroppedValue;
    use crate::frame::Columns;
    use proptest::prelude::*;

    type Content = (u8, String, u64, u64, u64, Columns, Vec<DroppedValue>);

    fn content(frame: JsonFrame) -> Option<Content> {
        let (columns, dropped) = frame.samples?.finish();
        let machine = frame.machine.to_string();
        Some((frame.version, machine, frame.boot.as_u64(), frame.first_sequence, frame.age_ms, columns, dropped))
    }

    fn check_same(text: &str) -> bool {
        let quick = read(text.as_bytes()).map(|frame| content(frame).expect("the quick reader gives samples"));
        let taken = quick.is_some();
        if taken {
            let thorough = serde_json::from_str::<JsonFrame>(text).ok().and_then(content);
            assert_eq!(quick, thorough, "{text}");
        }
        taken
    }

    fn frame_of(samples: &str) -> String {
        format!(r#"{{"version":1,"machine":"a","boot":7,"first_sequence":0,"samples":[{samples}]}}"#)
    }

    #[test]
    fn what_machines_write_is_taken() {
        for samples in [
            r#"{"recorded_at":"2026-08-20T05:12:07.000Z","latitude_deg":56.2591234,"engine_load_pct":72}"#,
            r#"{"recorded_at_ms": 1787202727000, "engine_load_pct": -0.5},{"engine_load_pct":null}"#,
            "{\n  \"park_brake\" : true,\n  \"brake_switch\" : false\n}",
            r#"{"misspelt":1,"engine_speed_rpm":"fast","ddi_EA60":5,"ddi_ea60":6}"#,
        ] {
            assert!(check_same(&frame_of(samples)), "{samples}");
        }
    }

    #[test]
    fn what_is_unusual_or_wrong_is_left_to_serde() {
        for samples in [
            r#"{"hdop":1e3}"#,
            r#"{"hdop":01}"#,
            r#"{"hdop":1.}"#,
            r#"{"hdop":.5}"#,
            r#"{"hdop":-}"#,
            r#"{"hdop":+1}"#,
            r#"{"hdop":12345678901234567890}"#,
            r#"{"hdop":0.12345678901234567890123}"#,
            r#"{"hdop":[1]}"#,
            r#"{"hd\u006fp":1}"#,
            r#"{"поле":1}"#,
            r#"{"hdop":nul}"#,
            r#"{"hdop":1,}"#,
            r#"{"hdop" 1}"#,
            "{}",
            "",
            "7",
        ] {
            assert!(!check_same(&frame_of(samples)), "{samples}");
        }
        let good = frame_of(r#"{"hdop":1}"#);
        assert!(check_same(&good));
        for bad in
            [format!("{good}x"), good.replace("boot", "bot"), good.replace("\"boot\":7", "\"boot\":7,\"boot\":7")]
        {
            assert!(!check_same(&bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_the_quick_reader_takes_serde_reads_alike(
            numbers in prop::collection::vec(prop_oneof![
                any::<f64>().prop_map(|n| n.to_string()), any::<i64>().prop_map(|n| n.to_string()),
                "-?[0-9]{1,17}(\\.[0-9]{1,18})?", (-9_999_999..9_999_999i64).prop_map(|n| (n as f64 / 1e4).to_string()),
            ], 1..6),
            at in any::<prop::sample::Index>(), byte in "[ -~]", cut in any::<prop::sample::Index>(),
        ) {
            let samples: Vec<_> = numbers.iter().map(|n| format!(r#"{{"fuel_total_l":{n},"spn_520192":{n}}}"#)).collect();
            let mut text = frame_of(&samples.join(","));
            check_same(&text);
            let at = at.index(text.len());
            text.replace_range(at..=at, &byte);
            check_same(&text);
            text.truncate(cut.index(text.len()));
            check_same(&text);
        }
    }
}
