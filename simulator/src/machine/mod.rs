//! What a machine does and what its unit reports of it. Pure: time and randomness come in as arguments.

use std::path::Path;

use wire::{MachineSerial, Sample, catalogue as signal};

use crate::fleet::{FleetConfig, SimulatorError};
use crate::random::Random;
use wire::Record;

/// Why the machine catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No model of that code.
    #[error("machine model {code:?} is in no catalogue; `simulator list` names all")]
    Unknown {
        /// As given.
        code: String,
    },
}

/// Which season's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// August to October.
    Harvest,
}

/// The machine models.
#[derive(Debug)]
pub struct Catalogue;

impl Catalogue {
    /// Loads the built-in models and those of `folder`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn load(_folder: Option<&Path>) -> Result<Self, CatalogueError> {
        Ok(Self)
    }
}

/// A planned fleet.
#[derive(Debug)]
pub struct Fleet {
    config: FleetConfig,
}

impl Fleet {
    /// Plans a fleet.
    ///
    /// # Errors
    /// When a model is unknown.
    pub fn plan(config: &FleetConfig, _catalogue: &Catalogue) -> Result<Self, SimulatorError> {
        Ok(Self { config: config.clone() })
    }

    /// Machine `index`.
    pub fn machine(&self, index: usize) -> (MachineSerial, Machine) {
        let serial = MachineSerial::parse(&format!("{}-{index:05}", self.config.serial_prefix)).expect("fits");
        let random = Random::fork(self.config.seed, serial.as_str());
        let period_ms = i64::from(self.config.sample_period_ms);
        let mut machine = Machine { random, period_ms, next_at_ms: self.config.starts_at.as_millisecond() };
        machine.next_at_ms += (machine.random.unit() * period_ms as f64) as i64;
        (serial, machine)
    }
}

/// A machine.
#[derive(Debug, Clone)]
pub struct Machine {
    random: Random,
    period_ms: i64,
    next_at_ms: i64,
}

impl Machine {
    /// Model code.
    pub fn model_code(&self) -> &str {
        "plain"
    }

    /// When it next records.
    pub fn next_at_ms(&self) -> i64 {
        self.next_at_ms
    }

    /// Goes on to [`Machine::next_at_ms`].
    pub fn advance(&mut self, out: &mut Vec<Record>) {
        let mut sample = Sample::at(self.next_at_ms);
        sample.set(signal::ENGINE_SPEED_RPM, 1_900.0 + 20.0 * self.random.normal());
        sample.set(signal::LATITUDE_DEG, 56.259);
        sample.set(signal::LONGITUDE_DEG, 83.971);
        out.push(sample.into());
        self.next_at_ms += self.period_ms;
    }
}
