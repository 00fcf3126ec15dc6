//! Text as files hold it: lines of bounded length in whatever encoding the maker's tool wrote.

use std::borrow::Cow;

/// How the bytes of a text had to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    /// Not valid UTF-8: each byte taken as a Latin-1 letter. Numbers and ids survive; names may not.
    Latin1,
}

/// Decodes a text: byte order marks are honoured and removed; anything that is not UTF is read as Latin-1.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_utf8(rest),
        [0xFF, 0xFE, rest @ ..] => (decode_utf16(rest, u16::from_le_bytes).into(), Encoding::Utf16),
        [0xFE, 0xFF, rest @ ..] => (decode_utf16(rest, u16::from_be_bytes).into(), Encoding::Utf16),
        _ => decode_utf8(bytes),
    }
}

fn decode_utf8(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), Encoding::Utf8),
        Err(_) => {
            let text: String = bytes.iter().map(|&b| char::from(b)).collect();
            (text.into(), Encoding::Latin1)
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The lines of a text as bytes, numbered from 1, without line ends and surrounding blanks; blank lines are left out.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .split(|&b| b == b'\n')
        .zip(1..)
        .map(|(line, number)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}
