//! A run of records with consecutive sequence numbers: the unit of storing, sending and freeing.

use bytes::Bytes;
use wire::{BootId, Compression, Frame, Header, MachineSerial, SequenceSet};

use wire::{Record, body_of, records_of};

/// A finished run in the buffer, packed as a frame without age; what a disk buffer would hold.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) boot: BootId,
    pub(super) first_sequence: u64,
    pub(super) count: u32,
    /// An uncompressed binary frame: a tenth of the memory that rows take.
    pub(super) packed: Bytes,
    /// What of it the store has.
    pub(super) freed: SequenceSet,
    /// Position in the ledger from which on the run is durable and may be published; none until it is written there.
    pub(super) ticket: Option<u64>,
    /// How often it was sent, and when.
    pub(super) sends: u32,
    pub(super) first_sent_ms: i64,
    pub(super) last_sent_ms: i64,
    /// When it is to be sent again.
    pub(super) due_ms: i64,
    /// When each record was recorded by the wall clock, after the first one; for the latency statistics.
    first_recorded_ms: i64,
    recorded_after_ms: Box<[u32]>,
}

/// The run that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenRun {
    pub(super) records: Vec<Record>,
    pub(super) values: usize,
    recorded_ms: Vec<i64>,
}

impl OpenRun {
    pub(super) fn push(&mut self, record: Record, now_ms: i64) {
        self.values += record.values();
        self.records.push(record);
        self.recorded_ms.push(now_ms);
    }

    /// When its first record was recorded, by the wall clock.
    pub(super) fn since_ms(&self) -> Option<i64> {
        self.recorded_ms.first().copied()
    }

    /// Finishes the run; none when it is empty.
    pub(super) fn finish(
        &mut self,
        machine: &MachineSerial,
        boot: BootId,
        first_sequence: u64,
        ticket: Option<u64>,
    ) -> Option<Run> {
        let records = std::mem::take(&mut self.records);
        let recorded_ms = std::mem::take(&mut self.recorded_ms);
        self.values = 0;
        let first_recorded_ms = *recorded_ms.first()?;
        let frame = frame_of(machine, boot, first_sequence, &records)?;
        Some(Run {
            boot,
            first_sequence,
            count: frame.header.count,
            packed: wire::encode(&frame, Compression::None).into(),
            freed: SequenceSet::new(),
            ticket,
            sends: 0,
            first_sent_ms: 0,
            last_sent_ms: 0,
            due_ms: i64::MAX,
            first_recorded_ms,
            recorded_after_ms: recorded_ms
                .iter()
                .map(|at| u32::try_from(at - first_recorded_ms).unwrap_or(u32::MAX))
                .collect(),
        })
    }
}

impl Run {
    /// One past its last sequence.
    pub(super) fn end(&self) -> u64 {
        self.first_sequence + u64::from(self.count)
    }

    /// How many records are not yet freed.
    pub(super) fn left(&self) -> usize {
        self.count as usize - self.freed.count() as usize
    }

    /// When the record with `sequence` was recorded, by the wall clock.
    pub(super) fn recorded_ms(&self, sequence: u64) -> i64 {
        let after = self.recorded_after_ms.get((sequence - self.first_sequence) as usize).copied().unwrap_or(0);
        self.first_recorded_ms + i64::from(after)
    }

    /// The frames to send: one for each stretch that the store does not have.
    pub(super) fn frames(&self) -> Vec<Frame> {
        let Ok(decoded) = wire::decode(&self.packed) else { return Vec::new() };
        let frame = decoded.frame;
        if self.freed.is_empty() {
            return vec![frame];
        }
        let records = records_of(&frame.body);
        SequenceSet::from_range(self.first_sequence..self.end())
            .difference(&self.freed)
            .ranges()
            .iter()
            .filter_map(|left| {
                let from = (left.start - self.first_sequence) as usize;
                let to = (left.end - self.first_sequence) as usize;
                frame_of(&frame.header.machine, self.boot, left.start, records.get(from..to)?)
            })
            .collect()
    }
}

/// A frame of `records`, which are of one kind, with no age; none when there is no record.
pub(super) fn frame_of(
    machine: &MachineSerial,
    boot: BootId,
    first_sequence: u64,
    records: &[Record],
) -> Option<Frame> {
    let count = u32::try_from(records.len()).ok()?;
    let header = Header { machine: machine.clone(), boot, first_sequence, count, age_ms: 0 };
    Some(Frame { header, body: body_of(records)? })
}
