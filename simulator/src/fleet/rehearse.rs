//! A fleet without a broker: the frames that units would keep and send, and the truth, machine after machine. The same
//! settings give the same bytes.

use bytes::Bytes;
use wire::MachineSerial;

use super::SimulatorError;
use super::assemble::{Assembly, Unit};
use super::config::FleetConfig;
use crate::device::DeviceConfig;
use crate::truth::Event;

/// What a rehearsal made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rehearsed {
    /// Samples.
    pub samples: u64,
    /// Fault reports.
    pub faults: u64,
    /// Task records.
    pub tasks: u64,
    /// Frames that carry them.
    pub frames: u64,
    /// Bytes of the frames, uncompressed.
    pub bytes: u64,
    /// Records that went with a loss of power, not in any frame.
    pub lost: u64,
}

/// What a rehearsal tells as it goes.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A frame as the unit of a machine would keep it: uncompressed, age 0.
    Frame(&'a MachineSerial, &'a Bytes),
    /// What really happened to a machine.
    Truth(&'a MachineSerial, &'a [Event]),
    /// One more machine has reached the end.
    MachineDone,
}

/// Runs the fleet from its start to `until` without a broker, one machine after the other.
///
/// # Errors
/// When a setting is impossible, `until` is not set, or `hear` fails.
pub fn rehearse(
    fleet: &FleetConfig,
    mut hear: impl FnMut(Heard<'_>) -> Result<(), SimulatorError>,
) -> Result<Rehearsed, SimulatorError> {
    let until = fleet.until.ok_or(SimulatorError::Setting {
        key: "until",
        value: "none".into(),
        reason: "a run without a broker needs an end",
    })?;
    let assembly = Assembly::plan(fleet, DeviceConfig::default(), None)?;
    let mut total = Rehearsed::default();
    for index in 0..fleet.machines {
        rehearse_one(assembly.unit(index)?, until.as_millisecond(), &mut hear, &mut total)?;
        hear(Heard::MachineDone)?;
    }
    Ok(total)
}

fn rehearse_one(
    unit: Unit,
    until_ms: i64,
    hear: &mut impl FnMut(Heard<'_>) -> Result<(), SimulatorError>,
    total: &mut Rehearsed,
) -> Result<(), SimulatorError> {
    let Unit { mut device, mut onboard, .. } = unit;
    let serial = device.serial().clone();
    let mut truth = Vec::new();
    loop {
        let at_ms = onboard.next_at_ms();
        let is_over = at_ms > until_ms;
        let step = if is_over {
            let step = onboard.close(until_ms, until_ms, &mut device, &mut truth);
            device.seal();
            step
        } else {
            onboard.advance(&mut device, at_ms, &mut truth)
        };
        total.samples += step.samples;
        total.faults += step.faults;
        total.tasks += step.tasks;
        total.lost += step.lost;
        for frame in device.take_packed() {
            total.frames += 1;
            total.bytes += frame.len() as u64;
            hear(Heard::Frame(&serial, &frame))?;
        }
        if !truth.is_empty() {
            hear(Heard::Truth(&serial, &truth))?;
            truth.clear();
        }
        if is_over {
            return Ok(());
        }
    }
}
