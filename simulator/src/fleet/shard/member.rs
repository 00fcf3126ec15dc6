//! A machine with its unit, as a shard keeps it.

use wire::{BootId, Kind, Link, Record, Status, Topic, TopicKind};

use crate::conditions::Network;
use crate::device::{Device, Impairer, OutFrame};
use crate::onboard::Onboard;

/// Firmware that the units claim to run.
const FIRMWARE: &str = concat!("simulator-", env!("CARGO_PKG_VERSION"));

/// A machine with its unit.
pub(in crate::fleet) struct Member {
    pub(in crate::fleet) device: Device,
    pub(super) source: Source,
    pub(super) impairer: Option<Impairer>,
    pub(super) model: Option<String>,
    /// Its source has no more records.
    pub(super) exhausted: bool,
    /// Earliest entry in the heap; `i64::MAX` for none.
    pub(super) wake_ms: i64,
    pub(super) is_ready: bool,
    /// Whether it had no network when it was last looked at.
    pub(super) cut_off: bool,
    /// Of the unit's drops and disk errors, how many are already counted.
    pub(super) dropped_counted: u64,
    pub(super) errors_counted: u64,
}

/// Where records come from.
pub(in crate::fleet) enum Source {
    /// A machine.
    Machine(Box<Onboard>),
    /// A caller, who hands them in; the network may still have gaps.
    Fed(Option<Box<Network>>),
}

/// What a unit is handed from outside.
pub(in crate::fleet) enum Fed {
    Record(Box<Record>),
    /// Do not wait for company.
    Seal,
    /// The unit restarts.
    Reboot(BootId),
}

impl Member {
    pub(in crate::fleet) fn new(
        device: Device,
        source: Source,
        impairer: Option<Impairer>,
        model: Option<String>,
    ) -> Self {
        Self {
            device,
            source,
            impairer,
            model,
            exhausted: false,
            wake_ms: i64::MAX,
            is_ready: false,
            cut_off: false,
            dropped_counted: 0,
            errors_counted: 0,
        }
    }

    /// Machine time of its next record; none where records are handed in.
    pub(super) fn next_at_ms(&self) -> Option<i64> {
        match &self.source {
            Source::Machine(onboard) => Some(onboard.next_at_ms()),
            Source::Fed(_) => None,
        }
    }

    /// Whether there is no network at `machine_ms`.
    pub(super) fn is_cut_off(&mut self, machine_ms: i64) -> bool {
        match &mut self.source {
            Source::Machine(onboard) => onboard.is_cut_off(machine_ms),
            Source::Fed(Some(network)) => {
                // Nobody has asked for this unit's truth.
                network.step(machine_ms, None, &mut Vec::new());
                network.is_out(machine_ms)
            }
            Source::Fed(None) => false,
        }
    }

    pub(in crate::fleet) fn status(&self, link: Link) -> Status {
        Status { link, boot: Some(self.device.boot()), model: self.model.clone(), firmware: Some(FIRMWARE.into()) }
    }

    pub(in crate::fleet) fn topic(&self, kind: TopicKind) -> String {
        Topic::new(self.device.serial(), kind).to_string()
    }

    pub(super) fn topic_of(&self, frame: &OutFrame) -> String {
        self.topic(match frame.kind {
            Kind::Telemetry => TopicKind::Telemetry,
            Kind::Faults => TopicKind::Faults,
            Kind::Task => TopicKind::Task,
        })
    }
}
