//! The identity of a fault.

use serde::{Deserialize, Serialize};
use wire::SignalId;

/// A trouble code: which parameter, and how it fails (SAE J1939-73).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// Suspect parameter number, 19 bits.
    pub spn: u32,
    /// Failure mode, 5 bits.
    pub fmi: u8,
}

/// A fault of one machine: the same code of another controller is another fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaultKey {
    /// J1939 address of the controller.
    pub source_address: u8,
    /// Suspect parameter number, 19 bits.
    pub spn: u32,
    /// Failure mode, 5 bits.
    pub fmi: u8,
    /// The conversion method bit was set: the bits of the number are in one of three older orders, which nothing in
    /// the message tells apart, so the number is shown and not looked up.
    pub legacy: bool,
}

impl Code {
    /// Reads `110/16`.
    pub fn parse(text: &str) -> Option<Self> {
        let (spn, fmi) = text.split_once('/')?;
        let code = Self { spn: spn.parse().ok()?, fmi: fmi.parse().ok()? };
        (code.spn < SignalId::SPN_END && code.fmi < 32).then_some(code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.spn, self.fmi)
    }
}

impl FaultKey {
    /// Its code.
    pub const fn code(self) -> Code {
        Code { spn: self.spn, fmi: self.fmi }
    }

    /// Reads `0/110/16` or `0/110/16/legacy`: source address, SPN, FMI.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        let (text, legacy) = match text.strip_suffix("/legacy") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (source_address, code) = text.split_once('/')?;
        let Code { spn, fmi } = Code::parse(code)?;
        Some(Self { source_address: source_address.parse().ok()?, spn, fmi, legacy })
    }
}
