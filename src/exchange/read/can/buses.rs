//! Names of buses as small numbers.

use super::Defect;

/// Buses in one log; more would be a made-up file.
pub const MAX_BUSES: usize = 16;

/// The buses met so far.
#[derive(Debug, Default)]
pub(super) struct Buses {
    names: Vec<Vec<u8>>,
}

impl Buses {
    /// The number of a bus by whatever the log calls it.
    pub(super) fn number(&mut self, name: &[u8]) -> Result<u8, Defect> {
        if let Some(known) = self.names.iter().position(|n| n == name) {
            return Ok(known as u8);
        }
        if self.names.len() == MAX_BUSES {
            return Err(Defect::TooManyBuses);
        }
        self.names.push(name.to_owned());
        Ok((self.names.len() - 1) as u8)
    }
}
