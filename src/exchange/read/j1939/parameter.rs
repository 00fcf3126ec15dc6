//! Values in a message: raw integers, their scale, and whether they are measurements at all (SAE J1939-71).

use super::table::PARAMETERS;

/// A row of the table: where a parameter stands in its group, and what its raw integer is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Parameter group.
    pub pgn: u32,
    /// Suspect parameter number.
    pub spn: u32,
    /// First bit in the message, from 0; bytes are little-endian.
    pub first_bit: u16,
    /// Length in bits, at most 32.
    pub bits: u8,
    /// Worth of one step.
    pub scale: f64,
    /// Physical value of raw 0.
    pub offset: f64,
}

/// A raw integer that is a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw(pub u32);

/// Why a raw integer is none. Never a number: an engine that does not report its temperature is not at 215 °C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The sender does not have it, or the message is too short for it.
    NotAvailable,
    /// The sensor or its line is broken.
    Error,
    /// Of a meaning that the standard keeps for later or leaves to the parameter.
    Reserved,
}

/// The parameters of a group; empty for one the table does not hold.
pub fn parameters_of(pgn: u32) -> &'static [Parameter] {
    let start = PARAMETERS.partition_point(|p| p.pgn < pgn);
    let len = PARAMETERS[start..].partition_point(|p| p.pgn == pgn);
    &PARAMETERS[start..start + len]
}

impl Parameter {
    /// Reads the parameter from a message of its group.
    ///
    /// # Errors
    /// [`Quality`] where the message holds no measurement.
    pub fn read(&self, data: &[u8]) -> Result<Raw, Quality> {
        let first_byte = usize::from(self.first_bit / 8);
        let shift = self.first_bit % 8;
        let bytes = (usize::from(shift) + usize::from(self.bits)).div_ceil(8);
        let span = data.get(first_byte..first_byte + bytes).ok_or(Quality::NotAvailable)?;
        let all = span.iter().rev().fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
        let raw = (all >> shift & ((1_u64 << self.bits) - 1)) as u32;
        self.judge(raw)
    }

    /// The physical value of a raw integer.
    pub fn physical(&self, raw: Raw) -> f64 {
        f64::from(raw.0) * self.scale + self.offset
    }

    fn judge(&self, raw: u32) -> Result<Raw, Quality> {
        if self.bits < 8 {
            let not_available = (1_u32 << self.bits) - 1;
            return match not_available - raw {
                0 => Err(Quality::NotAvailable),
                1 => Err(Quality::Error),
                _ => Ok(Raw(raw)),
            };
        }
        match raw >> (self.bits - 8) {
            0xFF => Err(Quality::NotAvailable),
            0xFE => Err(Quality::Error),
            0xFB..=0xFD => Err(Quality::Reserved),
            _ => Ok(Raw(raw)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::table::PARAMETERS;
    use super::*;

    fn check(pgn: u32, spn: u32, data: &[u8], expected: Result<f64, Quality>) {
        let parameter = parameters_of(pgn).iter().find(|p| p.spn == spn).expect("the table has it");
        let read = parameter.read(data).map(|raw| parameter.physical(raw));
        match (read, expected) {
            (Ok(value), Ok(expected)) => assert!((value - expected).abs() < 1e-6, "SPN {spn}: {value}"),
            (read, expected) => assert_eq!(read, expected, "SPN {spn}"),
        }
    }

    const NA: [u8; 8] = [0xFF; 8];

    #[test]
    fn values_stand_where_the_standard_puts_them() {
        check(61_444, 190, &[0xF0, 0xFF, 0x7D, 0x80, 0x3E, 0, 0xFF, 0xFF], Ok(2000.0));
        check(61_444, 513, &[0xF0, 0xFF, 0x7D, 0x80, 0x3E, 0, 0xFF, 0xFF], Ok(0.0));
        check(65_253, 247, &[0x20, 0x11, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], Ok(219.2));
        check(65_262, 110, &[0x7E, 0x57, 0x20, 0x2E, 0xFF, 0xFF, 0xFF, 0xFF], Ok(86.0));
        check(65_265, 70, &[0b0000_0100; 8], Ok(1.0));
        check(65_093, 1877, &[0, 0b0100_0000, 0, 0, 0], Ok(1.0));
        check(65_110, 5246, &[0, 0, 0, 0, 0, 0b0110_0000], Ok(3.0));
        let tomsk = [0x80, 0x9F, 0xD7, 0x9E, 0x40, 0x2B, 0xD1, 0xAF];
        check(65_267, 584, &tomsk, Ok(f64::from(0x9ED7_9F80_u32) * 1e-7 - 210.0));
    }

    #[test]
    fn what_is_no_measurement_is_never_a_number() {
        check(61_444, 190, &NA, Err(Quality::NotAvailable));
        check(61_444, 190, &[0, 0, 0, 0, 0xFE, 0, 0, 0], Err(Quality::Error));
        check(61_444, 190, &[0, 0, 0, 0, 0xFB, 0, 0, 0], Err(Quality::Reserved));
        check(61_444, 190, &[0, 0, 0, 0xFF, 0xFA, 0, 0, 0], Ok(8031.875));
        check(65_265, 70, &[0b0000_1000; 8], Err(Quality::Error));
        check(65_265, 70, &[0b0000_1100; 8], Err(Quality::NotAvailable));
        check(61_444, 190, &[0xF0, 0xFF], Err(Quality::NotAvailable));
    }

    #[test]
    fn the_table_is_sorted_and_each_parameter_stands_once() {
        assert!(PARAMETERS.is_sorted_by_key(|p| p.pgn));
        let mut spns: Vec<u32> = PARAMETERS.iter().map(|p| p.spn).collect();
        spns.sort_unstable();
        assert!(spns.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(parameters_of(1).is_empty());
    }

    proptest! {
        #[test]
        fn arbitrary_messages_never_panic(pgn in 61_440_u32..65_536, data in prop::collection::vec(any::<u8>(), 0..40)) {
            for parameter in parameters_of(pgn) {
                if let Ok(raw) = parameter.read(&data) {
                    prop_assert!(parameter.physical(raw).is_finite());
                }
            }
        }
    }
}
