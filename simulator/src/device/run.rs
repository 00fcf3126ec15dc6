//! A run of records with consecutive sequence numbers: the unit of storing, sending and freeing.

use bytes::Bytes;
use wire::{BootId, Compression, Frame, Header, Kind, MachineSerial, SequenceSet};

use super::state::Moment;
use wire::{Record, body_of, records_of};

/// A finished run in the buffer, packed as a frame without age.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) boot: BootId,
    pub(super) kind: Kind,
    pub(super) first_sequence: u64,
    pub(super) count: u32,
    /// Where the packed frame is.
    pub(super) place: Place,
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
    /// True machine time of the last record; none once a restart has stopped the clock that counts.
    pub(super) last_recorded_at_ms: Option<i64>,
    /// When each record was recorded by the wall clock, after the first one; for the latency statistics. None for
    /// what an earlier process recorded, or a unit without network: how long that took says nothing of the service.
    recorded_wall: Option<(i64, Box<[u32]>)>,
}

/// Where a packed run is: an uncompressed binary frame, a tenth of the memory that rows take.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In memory.
    Memory(Bytes),
    /// In the ring, at this position.
    Ring(u64),
}

/// The run that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenRun {
    pub(super) records: Vec<Record>,
    pub(super) values: usize,
    recorded: Vec<Moment>,
}

/// A finished run and the frame that is to be kept of it.
pub(super) struct Packed {
    pub(super) run: Run,
    pub(super) frame: Bytes,
}

impl OpenRun {
    pub(super) fn push(&mut self, record: Record, now: Moment) {
        self.values += record.values();
        self.records.push(record);
        self.recorded.push(now);
    }

    /// When its first record was recorded, machine time.
    pub(super) fn since_ms(&self) -> Option<i64> {
        self.recorded.first().map(|moment| moment.machine_ms)
    }

    /// Finishes the run; none when it is empty. `is_timed` says whether its latency is to be known.
    pub(super) fn finish(
        &mut self,
        machine: &MachineSerial,
        (boot, first_sequence): (BootId, u64),
        is_timed: bool,
    ) -> Option<Packed> {
        let records = std::mem::take(&mut self.records);
        let recorded = std::mem::take(&mut self.recorded);
        self.values = 0;
        let (first, last) = (*recorded.first()?, *recorded.last()?);
        let frame = frame_of(machine, boot, first_sequence, &records)?;
        let after = |moment: &Moment| u32::try_from(moment.wall_ms - first.wall_ms).unwrap_or(u32::MAX);
        let recorded_wall = is_timed.then(|| (first.wall_ms, recorded.iter().map(after).collect()));
        let packed: Bytes = wire::encode(&frame, Compression::None).into();
        let run = Run {
            recorded_wall,
            last_recorded_at_ms: Some(last.machine_ms),
            ..Run::restored(&frame.header, frame.body.kind(), Place::Memory(packed.clone()))
        };
        Some(Packed { run, frame: packed })
    }
}

impl Run {
    /// A run that was found in the ring, of which only the frame is known.
    pub(super) fn restored(header: &Header, kind: Kind, place: Place) -> Self {
        Self {
            boot: header.boot,
            kind,
            first_sequence: header.first_sequence,
            count: header.count,
            place,
            freed: SequenceSet::new(),
            ticket: None,
            sends: 0,
            first_sent_ms: 0,
            last_sent_ms: 0,
            due_ms: i64::MAX,
            last_recorded_at_ms: None,
            recorded_wall: None,
        }
    }

    /// One past its last sequence.
    pub(super) fn end(&self) -> u64 {
        self.first_sequence + u64::from(self.count)
    }

    /// How many records are not yet freed.
    pub(super) fn left(&self) -> usize {
        self.count as usize - self.freed.count() as usize
    }

    /// When the record with `sequence` was recorded, by the wall clock of this process.
    pub(super) fn recorded_wall_ms(&self, sequence: u64) -> Option<i64> {
        let (first_ms, after) = self.recorded_wall.as_ref()?;
        let after = after.get((sequence - self.first_sequence) as usize).copied().unwrap_or(0);
        Some(first_ms + i64::from(after))
    }

    /// Whether `next` may travel in one frame with this run, which comes before it.
    pub(super) fn is_joined_by(&self, next: &Self) -> bool {
        let adjoins = self.boot == next.boot && self.kind == next.kind && self.end() == next.first_sequence;
        adjoins && self.freed.is_empty() && next.freed.is_empty()
    }

    /// The restart that a loss of power brings: the unit no longer knows what it has sent, and when it was recorded.
    pub(super) fn forget(&mut self) {
        (self.sends, self.due_ms, self.last_recorded_at_ms) = (0, i64::MAX, None);
    }

    /// The frames to send of what was packed as `frame`: one for each stretch that the store does not have.
    pub(super) fn unfreed(&self, frame: Frame) -> Vec<Frame> {
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

/// The frame of adjoining runs, which were packed as `frames`.
pub(super) fn joined(mut frames: Vec<Frame>) -> Option<Frame> {
    if frames.len() == 1 {
        return frames.pop();
    }
    let header = frames.first()?.header.clone();
    let records: Vec<_> = frames.iter().flat_map(|frame| records_of(&frame.body)).collect();
    frame_of(&header.machine, header.boot, header.first_sequence, &records)
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
