//! Trouble codes: DM1 (active) and DM2 (previously active), SAE J1939-73.

/// Bytes before the first code.
const LAMP_BYTES: usize = 2;
const CODE_BYTES: usize = 4;

/// A diagnostic message: lamps and the complete list of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosticMessage {
    /// Byte 1: malfunction, red stop, amber warning, protect, two bits each from the top; 3 is "not available".
    pub lamp_state: u8,
    /// Byte 2: flashing of the same lamps; 3 is "does not flash".
    pub lamp_flash: u8,
    /// The codes; empty when there is no fault. Bounded by the longest message: 445.
    pub codes: Vec<TroubleCode>,
}

/// One trouble code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TroubleCode {
    /// Suspect parameter number, 19 bits.
    pub spn: u32,
    /// Failure mode, 5 bits.
    pub fmi: u8,
    /// Times it became active, 7 bits; 127 is "not available".
    pub occurrence_count: u8,
    /// Conversion method bit: the bits of the SPN are in one of three older orders, which nothing in the message tells
    /// apart. The number is then given in the current order and must not be trusted.
    pub legacy_conversion: bool,
}

impl DiagnosticMessage {
    /// Reads DM1 or DM2, from a frame or a long message. `None` when it is too short for lamps and a code.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (&[lamp_state, lamp_flash], codes) = data.split_first_chunk::<LAMP_BYTES>()?;
        if codes.len() < CODE_BYTES {
            return None;
        }
        let codes = codes.chunks_exact(CODE_BYTES).filter_map(|code| TroubleCode::parse(code.try_into().ok()?));
        Some(Self { lamp_state, lamp_flash, codes: codes.collect() })
    }
}

impl TroubleCode {
    /// `None` for the codes that mean "no fault": zeros, or ones as some controllers send, whatever they count.
    fn parse(code: [u8; CODE_BYTES]) -> Option<Self> {
        let [low, mid, high_and_fmi, count] = code;
        if matches!([low, mid, high_and_fmi], [0, 0, 0] | [0xFF, 0xFF, 0xFF]) {
            return None;
        }
        Some(Self {
            spn: u32::from_le_bytes([low, mid, high_and_fmi >> 5, 0]),
            fmi: high_and_fmi & 0x1F,
            occurrence_count: count & 0x7F,
            legacy_conversion: count & 0x80 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(data: &[u8], expected: Expect) {
        let said = DiagnosticMessage::parse(data).map_or("nothing".to_owned(), |m| {
            let codes: Vec<String> = m
                .codes
                .iter()
                .map(|c| {
                    let legacy = if c.legacy_conversion { " legacy" } else { "" };
                    format!("{}/{} x{}{legacy}", c.spn, c.fmi, c.occurrence_count)
                })
                .collect();
            format!("lamps {:02X} {:02X}: {}", m.lamp_state, m.lamp_flash, codes.join(", "))
        });
        expected.assert_eq(&said);
    }

    #[test]
    fn no_fault_is_an_empty_list_in_both_forms() {
        check(&[0x00, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF], expect!["lamps 00 FF: "]);
        check(&[0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], expect!["lamps 00 FF: "]);
        check(&[0x00, 0xFF, 0, 0, 0, 0x7F, 0xFF, 0xFF], expect!["lamps 00 FF: "]);
        check(&[0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0xFF, 0xFF], expect!["lamps 00 FF: "]);
    }

    #[test]
    fn one_code_fits_a_frame_and_its_padding_is_none() {
        check(&[0x04, 0xFF, 110, 0, 0x10, 3, 0xFF, 0xFF], expect!["lamps 04 FF: 110/16 x3"]);
    }

    #[test]
    fn several_codes_come_in_a_long_message_with_all_19_bits() {
        check(
            &[0x10, 0xFF, 100, 0, 0x01, 126, 0x08, 0xF0, 0xFF, 0x7F, 0x6E, 0x00, 0x03, 0x81],
            expect!["lamps 10 FF: 100/1 x126, 520200/31 x127, 110/3 x1 legacy"],
        );
    }

    #[test]
    fn a_message_too_short_says_nothing() {
        check(&[0x00, 0xFF, 0x6E], expect!["nothing"]);
    }

    proptest! {
        #[test]
        fn arbitrary_messages_never_panic(data in prop::collection::vec(any::<u8>(), 0..1785)) {
            if let Some(message) = DiagnosticMessage::parse(&data) {
                prop_assert!(message.codes.iter().all(|c| c.spn < 1 << 19 && c.fmi < 32 && c.occurrence_count < 128));
            }
        }
    }
}
