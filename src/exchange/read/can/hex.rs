//! Digits as logs write them.

/// A hexadecimal digit.
pub(super) fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

/// Digits alone in some base; `None` for a sign, another letter, nothing, or more than 32 bits.
pub(super) fn number(digits: &[u8], base: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u32, |number, &digit| number.checked_mul(base)?.checked_add(char::from(digit).to_digit(base)?))
}

/// A decimal number as microseconds of the unit whose millionth it counts: `1.5` s is 1,500,000. Digits beyond the
/// sixth after the point are cut off.
pub(super) fn micros(text: &[u8]) -> Option<i64> {
    let point = text.iter().position(|&b| b == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[..0]),
    };
    if whole.is_empty() || whole.len() > 12 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |value: i64, digit: u8| value * 10 + i64::from(digit - b'0');
    let whole = whole.iter().copied().fold(0, digit);
    let fraction = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6).fold(0, digit);
    Some(whole * 1_000_000 + fraction)
}
