//! A number made from content: the boot of a replay. It need not withstand an attacker, who could as well publish
//! frames under any boot; two recordings of one machine must not meet by accident.

/// FNV-1a over 64 bits (Fowler, Noll, Vo), with a final mix so that the dropped bit costs nothing.
#[derive(Debug, Clone)]
pub(super) struct Digest(u64);

const OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

impl Digest {
    /// Starts with the kind of content, so that equal bytes read as two formats differ.
    pub(super) fn new(kind: &str) -> Self {
        Self(OFFSET_BASIS).with(kind.as_bytes())
    }

    /// Adds a piece; its length keeps neighbouring pieces apart.
    pub(super) fn with(self, piece: &[u8]) -> Self {
        let length = (piece.len() as u64).to_le_bytes();
        let bytes = length.iter().chain(piece);
        Self(bytes.fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
    }

    /// The digest in 63 bits.
    pub(super) fn finish_63(self) -> u64 {
        // The finaliser of MurmurHash3: each bit of the state moves about half of the result.
        let mut hash = self.0;
        hash = (hash ^ hash >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        (hash ^ hash >> 33) >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_kinds_and_order_all_count() {
        let of = |kind: &str, pieces: &[&[u8]]| {
            pieces.iter().fold(Digest::new(kind), |digest, piece| digest.with(piece)).finish_63()
        };
        let all = [
            of("a", &[]),
            of("b", &[]),
            of("a", &[b"x", b"y"]),
            of("a", &[b"y", b"x"]),
            of("a", &[b"xy"]),
            of("a", &[b"xy", b""]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(*one < 1 << 63);
            assert!(!all[i + 1..].contains(one), "{i}");
        }
        assert_eq!(of("a", &[b"x", b"y"]), all[2], "the same every time");
    }
}
