//! Text as files hold it: lines of bounded length in whatever encoding the maker's tool wrote.

use std::borrow::Cow;

/// How the bytes of a text had to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    /// The Russian code page, by its own declaration.
    Windows1251,
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

/// Decodes XML, which may say of itself that it is in the Russian code page.
pub(crate) fn decode_xml(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    let declaration = bytes[..bytes.len().min(DECLARATION_BYTES)].to_ascii_lowercase();
    let declares = |name: &[u8]| declaration.windows(name.len()).any(|window| window == name);
    if (declares(b"windows-1251") || declares(b"cp1251")) && std::str::from_utf8(bytes).is_err() {
        return (bytes.iter().map(|&byte| windows_1251(byte)).collect::<String>().into(), Encoding::Windows1251);
    }
    decode(bytes)
}

/// Where an XML declaration ends at the latest.
const DECLARATION_BYTES: usize = 100;

/// A letter of the Russian code page; what is no letter, number or usual sign becomes a replacement character.
fn windows_1251(byte: u8) -> char {
    match byte {
        ..0x80 => char::from(byte),
        0xC0.. => char::from_u32(0x0410 + u32::from(byte - 0xC0)).unwrap_or(char::REPLACEMENT_CHARACTER),
        0xA8 => 'Ё',
        0xB8 => 'ё',
        0xA1 => 'Ў',
        0xA2 => 'ў',
        0xB2 => 'І',
        0xB3 => 'і',
        0xAA => 'Є',
        0xBA => 'є',
        0xAF => 'Ї',
        0xBF => 'ї',
        0xA5 => 'Ґ',
        0xB4 => 'ґ',
        0xB9 => '№',
        0x96 => '–',
        0x97 => '—',
        0x84 => '„',
        0x93 => '“',
        0x94 => '”',
        0xA0 | 0xA7 | 0xAB | 0xB0 | 0xB1 | 0xB7 | 0xBB => char::from(byte),
        _ => char::REPLACEMENT_CHARACTER,
    }
}
