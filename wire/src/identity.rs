//! Who sent a record: machine and boot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SERIAL_BYTES;

/// A machine's serial (its PIN): 1 to 64 ASCII letters, digits, `.`, `_` or `-`, so that it fits a topic level,
/// a certificate name and a file name unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachineSerial(Box<str>);

/// Why an identity was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The serial is empty.
    #[error("machine serial is empty; it needs 1 to {MAX_SERIAL_BYTES} characters")]
    Empty,
    /// The serial is too long.
    #[error("machine serial has {0} bytes; at most {MAX_SERIAL_BYTES} are allowed")]
    TooLong(usize),
    /// The serial has a character that a topic or a file name cannot carry.
    #[error("machine serial has the character {0:?}; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed")]
    BadCharacter(char),
    /// The boot number needs more than 63 bits.
    #[error("boot = {0} does not fit 63 bits; use a number below 9223372036854775808")]
    BootTooLarge(u64),
}

impl MachineSerial {
    /// Accepts a serial.
    ///
    /// # Errors
    /// [`IdentityError`] names the offending length or character.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        if text.is_empty() {
            return Err(IdentityError::Empty);
        }
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
            return Err(IdentityError::BadCharacter(bad));
        }
        if text.len() > MAX_SERIAL_BYTES {
            return Err(IdentityError::TooLong(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The serial as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MachineSerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for MachineSerial {
    type Err = IdentityError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for MachineSerial {
    type Error = IdentityError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MachineSerial> for String {
    fn from(serial: MachineSerial) -> Self {
        serial.0.into()
    }
}

/// Number of one run of a unit between power-up and power-down. Any 63-bit number that the unit has not used
/// before: a counter in flash, or a random number where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct BootId(i64);

impl BootId {
    /// Accepts a boot number.
    ///
    /// # Errors
    /// [`IdentityError::BootTooLarge`] above 63 bits.
    pub fn new(number: u64) -> Result<Self, IdentityError> {
        i64::try_from(number).map(Self).map_err(|_| IdentityError::BootTooLarge(number))
    }

    /// The number as the database holds it (never negative).
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// The number as the wire holds it.
    pub const fn as_u64(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for BootId {
    type Error = IdentityError;
    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::new(number)
    }
}

impl From<BootId> for u64 {
    fn from(boot: BootId) -> Self {
        boot.as_u64()
    }
}
