//! What a machine does and what its unit reports of it. Pure: time and randomness come in as arguments.

use std::path::Path;

use wire::{MachineSerial, Sample, SignalId, catalogue as signal};

use crate::fleet::{FleetConfig, SimulatorError};
use crate::random::Random;
use crate::truth::{self, State};
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

/// Which season's work is done, whatever the calendar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// May: tillage and sowing.
    Spring,
    /// July: haying, spraying, peat.
    Summer,
    /// August and September: grain, flax, forage, dryers.
    Harvest,
    /// October: ploughing.
    Autumn,
    /// January: timber; the rest stands.
    Winter,
}

/// Which faults a fleet has.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultSettings {
    /// How often faults come by chance: 1 as on real machines, 0 never, 10 for a hard season.
    pub random_rate: f64,
    /// Faults that come for certain.
    pub scripted: Vec<ScriptedFault>,
}

impl Default for FaultSettings {
    fn default() -> Self {
        Self { random_rate: 1.0, scripted: Vec::new() }
    }
}

/// A fault that comes for certain.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// Serial of the machine, or its number in the fleet.
    pub machine: String,
    /// Name of the fault, `radiator_clogged`; `simulator list --faults` names all.
    pub kind: String,
    /// When the cause begins to act.
    pub at: jiff::Timestamp,
    /// When it is mended; none for when people would have noticed and mended it.
    #[serde(default)]
    pub mended_at: Option<jiff::Timestamp>,
}

/// How well a district is covered by mobile networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkCoverage {
    /// Along the Ob and the Tom.
    Good,
    /// Holes in every forest.
    Medium,
    /// Taiga.
    Poor,
}

/// What a fleet knows of one of its machines.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MachineInfo {
    /// Serial.
    pub serial: MachineSerial,
    /// Model code, `gs12`.
    pub model: String,
    /// Model name, `PALESSE GS12`.
    pub name: String,
    /// Kind of machine, `combine`.
    pub kind: String,
    /// Farm or enterprise.
    pub farm: String,
    /// District.
    pub district: String,
    /// Network coverage there.
    pub coverage: NetworkCoverage,
    /// Latitude and longitude of its yard, degrees.
    pub yard: (f64, f64),
}

/// A field of a fleet's farms, for drawing and for registers.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FieldInfo {
    /// Name, unique in the fleet.
    pub name: String,
    /// Farm.
    pub farm: String,
    /// District.
    pub district: String,
    /// Crop in the year in which the fleet starts.
    pub crop: String,
    /// Area without obstacles, hectares.
    pub area_ha: f64,
    /// Boundary as latitude and longitude in degrees, counter-clockwise, not closed.
    pub outline: Vec<(f64, f64)>,
    /// Obstacles, each like the boundary but clockwise.
    pub holes: Vec<Vec<(f64, f64)>>,
}

/// What a machine did in some time, for a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// The fields on which it was.
    pub fields: Vec<FieldInfo>,
    /// Where it was, ascending in time; states change only at points.
    pub track: Vec<TrackPoint>,
    /// Latitude and longitude of its yard, degrees.
    pub yard: (f64, f64),
    /// Width of the widest swath that it worked, metres; 0 where it worked none.
    pub width_m: f64,
}

/// A place of a machine on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackPoint {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Latitude and longitude, degrees: where it truly was.
    pub position: (f64, f64),
    /// What it did from here to the next point.
    pub state: State,
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

    /// What is known of machine `index`.
    pub fn info(&self, index: usize) -> MachineInfo {
        MachineInfo {
            serial: self.machine(index).0,
            model: "plain".into(),
            name: "plain".into(),
            kind: "tractor".into(),
            farm: String::new(),
            district: "Kozhevnikovsky".into(),
            coverage: NetworkCoverage::Good,
            yard: (56.259, 83.971),
        }
    }

    /// All fields of the fleet's farms.
    pub fn fields(&self) -> Vec<FieldInfo> {
        Vec::new()
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

    /// Goes on to [`Machine::next_at_ms`]: adds what its unit records to `out`, and what really happened to `truth`.
    /// `out` may stay empty.
    pub fn advance(&mut self, out: &mut Vec<Record>, _truth: &mut Vec<truth::Event>) {
        let mut sample = Sample::at(self.next_at_ms);
        sample.set(signal::ENGINE_SPEED_RPM, 1_900.0 + 20.0 * self.random.normal());
        sample.set(signal::LATITUDE_DEG, 56.259);
        sample.set(signal::LONGITUDE_DEG, 83.971);
        out.push(sample.into());
        self.next_at_ms += self.period_ms;
    }

    /// What the sensor of `signal` shows at `at_ms`, which lies between the last record and the next; none where the
    /// machine has no such sensor. Answers diagnostic captures; asking changes nothing.
    pub fn read(&self, signal: SignalId, _at_ms: i64) -> Option<f64> {
        (signal == signal::ENGINE_SPEED_RPM).then_some(1_900.0)
    }

    /// Ends the run at `at_ms`: what is still open in the truth is closed there.
    pub fn close(&mut self, _at_ms: i64, _truth: &mut Vec<truth::Event>) {}

    /// Goes on to `from_ms` without recording anything, then to `until_ms`, and draws what it does between.
    pub fn picture(&mut self, _from_ms: i64, _until_ms: i64) -> Picture {
        Picture::default()
    }
}
