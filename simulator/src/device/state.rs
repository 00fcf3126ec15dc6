//! The state of a unit and what changes it: record, seal, restart, a full buffer. Sending is next door.

use std::collections::VecDeque;
use std::path::Path;

use bytes::Bytes;
use wire::{BootId, Encoding, Kind, MachineSerial, limits};

use super::ring::{Ring, RingError};
use super::run::{OpenRun, Packed, Place, Run};
use crate::random::Random;
use wire::Record;

/// A frame closes at this many values even when records are missing to its length.
const MAX_RUN_VALUES: usize = 16_384;
/// What a run takes in memory beside its frame, about.
const RUN_BYTES: usize = 256;

/// An instant by two clocks. On a real unit they are one; a simulated machine's time may pass faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Machine time, true, Unix milliseconds. Decides which records travel together, so that the same machine makes
    /// the same frames whatever the link and the pace.
    pub machine_ms: i64,
    /// The wall clock, Unix milliseconds. Decides when something is sent again.
    pub wall_ms: i64,
}

/// How a unit behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceConfig {
    /// Records of one kind that a frame gathers, 1 to [`limits::MAX_RECORDS`].
    pub frame_records: usize,
    /// Longest time a record waits for its frame to fill, machine time.
    pub frame_wait_ms: i64,
    /// Records that a frame gathers while there is no network, and that a frame of the backlog carries.
    pub backlog_records: usize,
    /// Most records kept; beyond, the oldest go, and are counted.
    pub buffer_records: usize,
    /// Most bytes that records kept in memory may take; beyond, the oldest go.
    pub buffer_bytes: usize,
    /// What is not covered by `stored` this long after sending is sent again; doubles with each attempt.
    pub resend_after_ms: i64,
    /// Longest time between two attempts.
    pub resend_cap_ms: i64,
    /// Form of the frames.
    pub encoding: Encoding,
    /// Whether a record must be in the ledger before it is published.
    pub logged: bool,
}

/// Where a unit keeps its records across restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Size of a new ring.
    pub ring_bytes: u64,
    /// Whether it survives a loss of power, or only the end of the process.
    pub sync: bool,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            frame_records: 20,
            frame_wait_ms: 2_000,
            backlog_records: 200,
            buffer_records: 20_000,
            buffer_bytes: usize::MAX,
            resend_after_ms: 10_000,
            resend_cap_ms: 120_000,
            encoding: Encoding::Binary,
            logged: false,
        }
    }
}

/// A unit.
#[derive(Debug)]
pub struct Device {
    pub(super) serial: MachineSerial,
    pub(super) config: DeviceConfig,
    boot: BootId,
    next_sequence: u64,
    open: OpenRun,
    /// Without network there is no hurry: frames fill.
    offline: bool,
    /// Finished runs, oldest first; the first `sent` of them have been published.
    pub(super) runs: VecDeque<Run>,
    pub(super) sent: usize,
    pub(super) pending: usize,
    pub(super) in_flight: usize,
    bytes: usize,
    dropped: u64,
    storage_errors: u64,
    ring: Option<Ring>,
    /// Not later than the earliest resend.
    pub(super) earliest_due_ms: i64,
    pub(super) last_stored_ms: i64,
    /// Smoothed time from sending to `stored`; none before the first answer.
    pub(super) answer_ms: Option<f64>,
    pub(super) random: Random,
}

impl Device {
    /// A unit that was just switched on and keeps its records in memory. `seed` spreads resends.
    pub fn new(serial: MachineSerial, boot: BootId, seed: u64, config: DeviceConfig) -> Self {
        let frame_records = config.frame_records.clamp(1, limits::MAX_RECORDS);
        let backlog_records = config.backlog_records.clamp(frame_records, limits::MAX_RECORDS);
        let buffer_records = config.buffer_records.max(2 * frame_records);
        Self {
            random: Random::fork(seed, serial.as_str()),
            serial,
            config: DeviceConfig { frame_records, backlog_records, buffer_records, ..config },
            boot,
            next_sequence: 0,
            open: OpenRun::default(),
            offline: false,
            runs: VecDeque::new(),
            sent: 0,
            pending: 0,
            in_flight: 0,
            bytes: 0,
            dropped: 0,
            storage_errors: 0,
            ring: None,
            earliest_due_ms: i64::MAX,
            last_stored_ms: i64::MIN,
            answer_ms: None,
        }
    }

    /// A unit that keeps its records in a file at `path` and finds there what it had not freed when it last ran. Should
    /// the file know `boot` or a later one, the unit takes the number behind it: no boot is ever used twice.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(
        serial: MachineSerial,
        boot: BootId,
        seed: u64,
        config: DeviceConfig,
        (path, flash): (&Path, &Flash),
    ) -> Result<Self, RingError> {
        let (mut ring, entries) = Ring::open(path, flash.ring_bytes, flash.sync)?;
        let boot = unused(boot, &ring);
        ring.begin_boot(boot)?;
        let mut device = Self::new(serial, boot, seed, config);
        for (position, packed) in entries {
            // What is no frame of ours came from a ring that was copied from another unit.
            let Ok(decoded) = wire::decode(&packed) else { continue };
            let (header, kind) = (decoded.frame.header, decoded.frame.body.kind());
            if header.machine == device.serial {
                let mut run = Run::restored(&header, kind, Place::Ring(position));
                run.ticket = device.first_ticket();
                device.pending += run.left();
                device.keep(run);
            }
        }
        device.ring = Some(ring);
        Ok(device)
    }

    /// Whose unit it is.
    pub fn serial(&self) -> &MachineSerial {
        &self.serial
    }

    /// The running boot.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Number of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Records kept: all that were recorded less those freed, dropped and lost.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Records that the full buffer dropped, or that the disk lost.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often the disk refused. The records concerned are kept in memory.
    pub fn storage_errors(&self) -> u64 {
        self.storage_errors
    }

    /// Keeps a record and gives its sequence number. Diagnostic reports and task events do not wait for company.
    pub fn record(&mut self, record: Record, now: Moment) -> u64 {
        self.seal_overdue(now.machine_ms);
        let kind = record.kind();
        if self.open.records.first().is_some_and(|first| first.kind() != kind) {
            self.seal();
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.pending += 1;
        self.open.push(record, now);
        let most = if self.offline { self.config.backlog_records } else { self.config.frame_records };
        let full = self.open.records.len() >= most || self.open.values >= MAX_RUN_VALUES;
        if full || kind != Kind::Telemetry {
            self.seal();
        }
        self.keep_to_the_bounds();
        sequence
    }

    /// Finishes the run that is filling.
    pub fn seal(&mut self) {
        let first = self.next_sequence - self.open.records.len() as u64;
        let finished = self.open.finish(&self.serial, (self.boot, first), !self.offline);
        let Some(Packed { mut run, frame }) = finished else { return };
        if self.ring.is_some() {
            run.place = self.write(&frame);
        }
        run.ticket = self.first_ticket();
        self.keep(run);
        self.keep_to_the_bounds();
    }

    /// Finishes the run that is filling when its first record has waited long enough.
    pub fn seal_overdue(&mut self, machine_ms: i64) {
        if self.next_seal_ms() <= machine_ms {
            self.seal();
        }
    }

    /// When [`Device::seal_overdue`] next has work, machine time; `i64::MAX` when nothing is filling.
    pub fn next_seal_ms(&self) -> i64 {
        let wait_ms = if self.offline { i64::MAX } else { self.config.frame_wait_ms };
        self.open.since_ms().map_or(i64::MAX, |since| since.saturating_add(wait_ms))
    }

    /// Whether there is network, as far as the unit can know: without, frames fill up instead of hurrying.
    pub fn set_offline(&mut self, offline: bool) {
        if self.offline && !offline {
            self.seal();
        }
        self.offline = offline;
    }

    /// Hands every run that is not yet in the ledger to `log`, which gives the position it is durable from.
    pub fn log_with(&mut self, mut log: impl FnMut(&Bytes) -> u64) {
        // Runs are logged in order, so the unlogged ones are the last ones.
        let unlogged = self.runs.iter().rev().take_while(|run| run.ticket.is_none()).count();
        for index in self.runs.len() - unlogged..self.runs.len() {
            let packed = self.packed(index);
            // What the disk lost is found out when it is sent.
            self.runs[index].ticket = Some(packed.map_or(0, |packed| log(&packed)));
        }
    }

    /// Hands over the packed frames of all runs and forgets them: for a run without a broker.
    pub fn take_packed(&mut self) -> Vec<Bytes> {
        let packed = (0..self.runs.len()).filter_map(|index| self.packed(index).ok()).collect();
        while self.remove(0).is_some() {}
        self.release();
        packed
    }

    /// Restarts the unit in order: sequence numbers begin again at 0 under `boot`, or a later number where the disk
    /// knows it already; what is kept stays kept.
    pub fn reboot(&mut self, boot: BootId) {
        self.seal();
        self.begin(boot);
    }

    /// The unit loses its power and starts again under `boot`: what had not been finished is gone, which the result
    /// counts; what was sent and not answered is unknown and will be sent again.
    pub fn power_cut(&mut self, boot: BootId) -> u64 {
        let lost = std::mem::take(&mut self.open).records.len();
        self.pending -= lost;
        self.runs.iter_mut().for_each(Run::forget);
        (self.sent, self.in_flight, self.earliest_due_ms, self.answer_ms) = (0, 0, i64::MAX, None);
        self.begin(boot);
        lost as u64
    }

    /// Writes to the disk what a restart should know; without it, some records are sent again.
    pub fn close(&mut self) {
        if let Some(ring) = &mut self.ring {
            self.storage_errors += u64::from(ring.close().is_err());
        }
    }

    /// The packed frame of a run.
    pub(super) fn packed(&self, index: usize) -> Result<Bytes, RingError> {
        match (&self.runs[index].place, &self.ring) {
            (Place::Ring(position), Some(ring)) => ring.read(*position).map(Bytes::from),
            (Place::Memory(bytes), _) => Ok(bytes.clone()),
            (Place::Ring(_), None) => Ok(Bytes::new()),
        }
    }

    /// Takes a run out of the buffer.
    pub(super) fn remove(&mut self, index: usize) -> Option<Run> {
        let run = self.runs.remove(index)?;
        let left = run.left();
        if index < self.sent {
            self.sent -= 1;
            self.in_flight -= left;
        }
        self.pending -= left;
        self.bytes -= memory_bytes(&run);
        Some(run)
    }

    /// Takes a run out of the buffer that will never arrive.
    pub(super) fn lose(&mut self, index: usize) -> bool {
        let lost = self.remove(index);
        self.dropped += lost.as_ref().map_or(0, |run| run.left() as u64);
        lost.is_some()
    }

    /// Tells the ring how much of it is still needed.
    pub(super) fn release(&mut self) {
        if let Some(ring) = &mut self.ring {
            let oldest = self.runs.iter().find_map(|run| match run.place {
                Place::Ring(position) => Some(position),
                Place::Memory(_) => None,
            });
            ring.release(oldest);
        }
    }

    fn begin(&mut self, boot: BootId) {
        self.boot = boot;
        self.next_sequence = 0;
        if let Some(ring) = &mut self.ring {
            self.boot = unused(boot, ring);
            self.storage_errors += u64::from(ring.begin_boot(self.boot).is_err());
        }
    }

    fn keep(&mut self, run: Run) {
        self.bytes += memory_bytes(&run);
        self.runs.push_back(run);
    }

    fn first_ticket(&self) -> Option<u64> {
        if self.config.logged { None } else { Some(0) }
    }

    /// Writes a frame to the ring, making room for it. What the disk does not take is kept in memory.
    fn write(&mut self, frame: &Bytes) -> Place {
        while self.ring.as_ref().is_some_and(|ring| !ring.has_room_for(frame.len())) && self.drop_oldest() {}
        match &mut self.ring {
            Some(ring) if ring.has_room_for(frame.len()) => match ring.append(frame) {
                Ok(position) => Place::Ring(position),
                Err(_) => {
                    self.storage_errors += 1;
                    Place::Memory(frame.clone())
                }
            },
            _ => Place::Memory(frame.clone()),
        }
    }

    fn keep_to_the_bounds(&mut self) {
        let is_full = |own: &Self| own.pending > own.config.buffer_records || own.bytes > own.config.buffer_bytes;
        while is_full(self) && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.lose(0);
        self.release();
        dropped
    }
}

fn memory_bytes(run: &Run) -> usize {
    let frame = if let Place::Memory(bytes) = &run.place { bytes.len() } else { 0 };
    RUN_BYTES + 4 * run.count as usize + frame
}

/// `boot`, or the number behind the last one where the ring knows `boot` or a later one.
fn unused(boot: BootId, ring: &Ring) -> BootId {
    let least = ring.last_boot() + 1;
    BootId::new(boot.as_u64().max(least)).expect("a unit does not start 2^63 times")
}
