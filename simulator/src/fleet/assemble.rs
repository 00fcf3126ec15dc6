//! Putting machines and units together: for a run against a broker and for a rehearsal without one.

use std::path::PathBuf;

use wire::Encoding;

use super::SimulatorError;
use super::config::{FleetConfig, Pace};
use crate::conditions::Home;
use crate::device::{Device, DeviceConfig, Flash, Impairer, RingError};
use crate::machine::{Catalogue, Fleet};
use crate::onboard::{Onboard, boot_of};
use crate::random::Random;

/// Bytes that the buffers of all units of a process take together in memory.
const FLEET_BUFFER_BYTES: usize = 384 * 1024 * 1024;
/// Bytes that the buffer of one unit takes in memory: at least, and at most, which holds a week of samples.
const UNIT_BUFFER_BYTES: (usize, usize) = (32 * 1024, 8 * 1024 * 1024);
/// Records that one unit keeps, unless told otherwise: a week at one sample in 3 s.
const UNIT_BUFFER_RECORDS: usize = 200_000;

/// Where the units of a fleet keep their records across restarts of the process.
#[derive(Debug, Clone)]
pub struct State {
    /// A folder with one file a unit.
    pub folder: PathBuf,
    /// Size of each file.
    pub flash: Flash,
}

/// One machine with its unit, and what happens to its frames.
pub(super) struct Unit {
    pub(super) device: Device,
    pub(super) onboard: Onboard,
    pub(super) impairer: Option<Impairer>,
    pub(super) model: String,
}

/// What all units of a fleet are made of.
pub(super) struct Assembly<'a> {
    fleet: &'a FleetConfig,
    world: Fleet,
    config: DeviceConfig,
    state: Option<&'a State>,
}

impl<'a> Assembly<'a> {
    /// Plans the fleet. `config` is what the run, rather than the fleet, says of units.
    pub(super) fn plan(
        fleet: &'a FleetConfig,
        config: DeviceConfig,
        state: Option<&'a State>,
    ) -> Result<Self, SimulatorError> {
        fleet.check()?;
        let catalogue = Catalogue::load(fleet.models_folder.as_deref())?;
        let world = Fleet::plan(fleet, &catalogue)?;
        if let Some(state) = state {
            std::fs::create_dir_all(&state.folder)
                .map_err(|source| RingError::Io { path: state.folder.clone(), source })?;
        }
        let (least, most) = UNIT_BUFFER_BYTES;
        let config = DeviceConfig {
            frame_records: fleet.frame_samples,
            frame_wait_ms: frame_wait_ms(fleet),
            buffer_records: fleet.buffer_records.unwrap_or(UNIT_BUFFER_RECORDS),
            buffer_bytes: (FLEET_BUFFER_BYTES / fleet.machines.max(1)).clamp(least, most),
            ..config
        };
        Ok(Self { fleet, world, config, state })
    }

    /// Machine `index` and its unit.
    pub(super) fn unit(&self, index: usize) -> Result<Unit, SimulatorError> {
        let (fleet, info) = (self.fleet, self.world.info(index));
        let (serial, machine) = self.world.machine(index);
        let seed = Random::fork(fleet.seed, serial.as_str()).next_u64();
        let speaks_json = Random::fork(seed, "encoding").chance(fleet.json_share);
        let encoding = if speaks_json { Encoding::Json } else { Encoding::Binary };
        let config = DeviceConfig { encoding, ..self.config.clone() };
        let boot = boot_of(fleet.starts_at.as_millisecond(), seed);
        let device = match self.state {
            Some(state) => {
                let path = state.folder.join(format!("{serial}.ring"));
                Device::open(serial, boot, seed, config, (&path, &state.flash))?
            }
            None => Device::new(serial, boot, seed, config),
        };
        let mut conditions = fleet.conditions;
        if let Some(outages) = fleet.impairments.outages {
            conditions.network = outages.into();
        }
        let home = Home { fleet_seed: fleet.seed, district: &info.district, coverage: info.coverage };
        let model = machine.model_code().to_string();
        Ok(Unit {
            onboard: Onboard::new(machine, &device, &conditions, home, seed, fleet.starts_at.as_millisecond()),
            impairer: (!fleet.impairments.is_none()).then(|| Impairer::new(fleet.impairments, seed)),
            device,
            model,
        })
    }
}

/// The longest wait of a sample for its frame, in machine time: on the wall clock it is as long as the settings say,
/// whatever the pace. A backfill has no hurry.
fn frame_wait_ms(fleet: &FleetConfig) -> i64 {
    match fleet.pace() {
        Pace::Accelerated(factor) => (fleet.frame_wait.as_millis() as f64 * factor) as i64,
        Pace::AsFastAsPossible => i64::MAX / 2,
    }
}
