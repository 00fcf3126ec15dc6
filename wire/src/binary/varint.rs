//! Reading the variable-length integers of bincode 2's standard configuration: one byte up to 250; behind 251,
//! 252 and 253 come two, four and eight bytes, little-endian. Signed numbers are folded: 0, -1, 1, -2, … are
//! 0, 1, 2, 3, …
//!
//! Each function takes its bytes off the front of `rest` and gives none where bincode would report an error.

/// The length of a list.
pub(super) fn length(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(unsigned(rest)?).ok()
}

/// A number of at most 32 bits; like bincode, the eight-byte form is refused even for a small number.
pub(super) fn unsigned32(rest: &mut &[u8]) -> Option<u32> {
    if rest.first() == Some(&253) {
        return None;
    }
    u32::try_from(unsigned(rest)?).ok()
}

/// `count` signed numbers. Memory is bounded by what is left to read: every number has at least one byte.
pub(super) fn signed(rest: &mut &[u8], count: usize) -> Option<Vec<i64>> {
    if count > rest.len() {
        return None;
    }
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        let folded = unsigned(rest)?;
        numbers.push((folded >> 1) as i64 ^ -((folded & 1) as i64));
    }
    Some(numbers)
}

#[inline]
fn unsigned(rest: &mut &[u8]) -> Option<u64> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    match first {
        0..=250 => Some(u64::from(*first)),
        251 => take(rest).map(|bytes| u64::from(u16::from_le_bytes(bytes))),
        252 => take(rest).map(|bytes| u64::from(u32::from_le_bytes(bytes))),
        253 => take(rest).map(u64::from_le_bytes),
        _ => None,
    }
}

#[inline]
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bincode::config;

    /// Every tag with too few, enough and too many bytes behind it.
    fn any_bytes() -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for tag in 245..=255u8 {
            for length in 0..10usize {
                all.push([vec![tag], (0..length as u8).map(|i| i.wrapping_mul(83) ^ 0x91).collect()].concat());
                all.push([vec![tag], vec![0; length]].concat());
                all.push([vec![tag], vec![255; length]].concat());
            }
        }
        all.extend((0..=250u8).map(|byte| vec![byte, 7]));
        all.push(Vec::new());
        all
    }

    #[test]
    fn every_number_is_read_as_bincode_reads_it() {
        for bytes in any_bytes() {
            let mut rest = bytes.as_slice();
            let ours = signed(&mut rest, 1).map(|numbers| (numbers[0], bytes.len() - rest.len()));
            assert_eq!(ours, bincode::decode_from_slice(&bytes, config::standard()).ok(), "i64 of {bytes:?}");
            let mut rest = bytes.as_slice();
            let ours = unsigned32(&mut rest).map(|number| (number, bytes.len() - rest.len()));
            assert_eq!(ours, bincode::decode_from_slice(&bytes, config::standard()).ok(), "u32 of {bytes:?}");
            let mut rest = bytes.as_slice();
            let ours = length(&mut rest).map(|number| (number, bytes.len() - rest.len()));
            assert_eq!(ours, bincode::decode_from_slice(&bytes, config::standard()).ok(), "usize of {bytes:?}");
        }
    }
}
