//! The state of a unit and its transitions: record, seal, poll, stored, reboot, link.

use std::collections::VecDeque;

use bytes::Bytes;
use wire::{BootId, Encoding, Kind, MachineSerial, SequenceSet, Stored, limits};

use super::frames::{OutFrame, encode_aged};
use super::run::{OpenRun, Run};
use crate::random::Random;
use wire::Record;

/// Records that may be sent and unanswered, in frames: enough to keep a link of 100 ms busy, little enough that a
/// service which is away finds no flood when it is back.
const WINDOW_FRAMES: usize = 64;
/// A frame closes at this many values even when records are missing to its length.
const MAX_RUN_VALUES: usize = 16_384;
/// A gap that `stored` reports is sent again at once, unless it was sent so recently that it may still be on its way.
const GAP_RESEND_AFTER_MS: i64 = 2_000;
/// After a new connection, what is unanswered is sent again within this time.
const RECONNECT_RESEND_WITHIN_MS: f64 = 1_500.0;
/// How a resend time-out grows from one attempt to the next, at most.
const MAX_BACK_OFF_DOUBLINGS: u32 = 6;

/// How a unit behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceConfig {
    /// Records of one kind that a frame gathers, 1 to [`limits::MAX_RECORDS`].
    pub frame_records: usize,
    /// Longest time a record waits for its frame to fill, wall clock.
    pub frame_wait_ms: i64,
    /// Most records kept; beyond, the oldest go, and are counted.
    pub buffer_records: usize,
    /// What is not covered by `stored` this long after sending is sent again; doubles with each attempt.
    pub resend_after_ms: i64,
    /// Longest time between two attempts.
    pub resend_cap_ms: i64,
    /// Form of the frames.
    pub encoding: Encoding,
    /// Whether a record must be in the ledger before it is published.
    pub logged: bool,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            frame_records: 20,
            frame_wait_ms: 2_000,
            buffer_records: 20_000,
            resend_after_ms: 10_000,
            resend_cap_ms: 120_000,
            encoding: Encoding::Binary,
            logged: false,
        }
    }
}

/// A unit. All times are milliseconds of one monotonic clock that starts at Unix time.
#[derive(Debug, Clone)]
pub struct Device {
    serial: MachineSerial,
    config: DeviceConfig,
    boot: BootId,
    next_sequence: u64,
    open: OpenRun,
    /// Finished runs, oldest first; the first `sent` of them have been published.
    runs: VecDeque<Run>,
    sent: usize,
    pending: usize,
    in_flight: usize,
    dropped: u64,
    /// Not later than the earliest resend.
    earliest_due_ms: i64,
    last_stored_ms: i64,
    /// Smoothed time from sending to `stored`; none before the first answer.
    answer_ms: Option<f64>,
    random: Random,
}

impl Device {
    /// A unit that was just switched on. `seed` spreads resends.
    pub fn new(serial: MachineSerial, boot: BootId, seed: u64, config: DeviceConfig) -> Self {
        let frame_records = config.frame_records.clamp(1, limits::MAX_RECORDS);
        let buffer_records = config.buffer_records.max(2 * frame_records);
        Self {
            random: Random::fork(seed, serial.as_str()),
            serial,
            config: DeviceConfig { frame_records, buffer_records, ..config },
            boot,
            next_sequence: 0,
            open: OpenRun::default(),
            runs: VecDeque::new(),
            sent: 0,
            pending: 0,
            in_flight: 0,
            dropped: 0,
            earliest_due_ms: i64::MAX,
            last_stored_ms: i64::MIN,
            answer_ms: None,
        }
    }

    /// Whose unit it is.
    pub fn serial(&self) -> &MachineSerial {
        &self.serial
    }

    /// The running boot.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Records kept: all that were recorded less those freed and dropped.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Records that the full buffer dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Records that may be unanswered at a time.
    pub fn window(&self) -> usize {
        WINDOW_FRAMES * self.config.frame_records
    }

    /// Keeps a record and gives its sequence number. Diagnostic reports and task events do not wait for company.
    pub fn record(&mut self, record: Record, now_ms: i64) -> u64 {
        let kind = record.kind();
        if self.open.records.first().is_some_and(|first| first.kind() != kind) {
            self.seal();
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.pending += 1;
        self.open.push(record, now_ms);
        let full = self.open.records.len() >= self.config.frame_records || self.open.values >= MAX_RUN_VALUES;
        if full || kind != Kind::Telemetry {
            self.seal();
        }
        self.keep_to_the_bound();
        sequence
    }

    /// Finishes the run that is filling.
    pub fn seal(&mut self) {
        let first = self.next_sequence - self.open.records.len() as u64;
        let ticket = if self.config.logged { None } else { Some(0) };
        if let Some(run) = self.open.finish(&self.serial, self.boot, first, ticket) {
            self.runs.push_back(run);
        }
    }

    /// Hands every run that is not yet in the ledger to `log`, which gives the position it is durable from.
    pub fn log_with(&mut self, mut log: impl FnMut(&Bytes) -> u64) {
        // Runs are logged in order, so the unlogged ones are the last ones.
        let unlogged = self.runs.iter().rev().take_while(|run| run.ticket.is_none()).count();
        let from = self.runs.len() - unlogged;
        for run in self.runs.range_mut(from..) {
            run.ticket = Some(log(&run.packed));
        }
    }

    /// The frames of the next run to be sent at `now_ms`, if any: one that is overdue, else the oldest unsent one
    /// that is durable. `durable` is the ledger position that has reached the disk.
    pub fn poll(&mut self, now_ms: i64, durable: u64) -> Option<Vec<OutFrame>> {
        let index = match self.overdue(now_ms) {
            Some(index) => index,
            None => self.next_unsent(durable)?,
        };
        let wait_ms = self.resend_wait_ms(self.runs[index].sends);
        let run = &mut self.runs[index];
        run.sends += 1;
        run.last_sent_ms = now_ms;
        if run.sends == 1 {
            run.first_sent_ms = now_ms;
        }
        run.due_ms = now_ms + wait_ms;
        self.earliest_due_ms = self.earliest_due_ms.min(run.due_ms);
        let resent = run.sends > 1;
        let mut out = Vec::new();
        for frame in run.frames() {
            encode_aged(frame, now_ms, self.config.encoding, resent, &mut out);
        }
        Some(out)
    }

    /// Finishes the run that is filling when its first record has waited long enough.
    pub fn seal_overdue(&mut self, now_ms: i64) {
        if self.next_seal_ms() <= now_ms {
            self.seal();
        }
    }

    /// When [`Device::seal_overdue`] next has work; `i64::MAX` when nothing is filling.
    pub fn next_seal_ms(&self) -> i64 {
        self.open.since_ms().map_or(i64::MAX, |since| since.saturating_add(self.config.frame_wait_ms))
    }

    /// When [`Device::poll`] next has something to send again, at the earliest; `i64::MAX` when nothing is unanswered.
    pub fn next_resend_ms(&self) -> i64 {
        if self.sent > 0 { self.earliest_due_ms } else { i64::MAX }
    }

    /// Whether the next run waits for the ledger alone.
    pub fn waits_for_ledger(&self, durable: u64) -> bool {
        self.runs.get(self.sent).is_some_and(|run| run.ticket.is_none_or(|ticket| ticket > durable))
    }

    /// Frees what `stored` names, of the runs that were sent; gives the number of records freed and tells `waited`
    /// for each how long it took from recording. An answer about records that never left the unit is not believed:
    /// it means that another unit has used the same boot number.
    pub fn on_stored(&mut self, stored: &Stored, now_ms: i64, mut waited: impl FnMut(i64)) -> u64 {
        let silent_ms = now_ms.saturating_sub(self.last_stored_ms);
        self.last_stored_ms = now_ms;
        let accounted = stored.freed();
        let (mut freed_total, mut index) = (0, 0);
        while index < self.sent {
            let run = &mut self.runs[index];
            if run.boot.as_u64() != stored.boot || run.first_sequence >= stored.end {
                index += 1;
                continue;
            }
            let own = SequenceSet::from_range(run.first_sequence..run.end());
            let fresh = own.intersection(&accounted).difference(&run.freed);
            for sequence in fresh.ranges().iter().cloned().flatten() {
                waited(now_ms - run.recorded_ms(sequence));
            }
            let freed = fresh.count();
            freed_total += freed;
            self.pending -= freed as usize;
            self.in_flight -= freed as usize;
            if freed > 0 && run.sends == 1 {
                let took = (now_ms - run.first_sent_ms) as f64;
                self.answer_ms = Some(self.answer_ms.map_or(took, |smooth| smooth + (took - smooth) / 8.0));
            }
            run.freed.extend(&fresh);
            if run.left() == 0 {
                self.runs.remove(index);
                self.sent -= 1;
            } else {
                if run.last_sent_ms + GAP_RESEND_AFTER_MS <= now_ms {
                    run.due_ms = now_ms;
                    self.earliest_due_ms = now_ms;
                }
                index += 1;
            }
        }
        if silent_ms > self.config.resend_after_ms {
            self.end_back_off();
        }
        freed_total
    }

    /// A new connection stands: what is unanswered may have been lost with the old one.
    pub fn link_up(&mut self, now_ms: i64) {
        for run in self.runs.range_mut(..self.sent) {
            let soon_ms = now_ms + self.random.range(0.0, RECONNECT_RESEND_WITHIN_MS) as i64;
            run.due_ms = run.due_ms.min(soon_ms);
            self.earliest_due_ms = self.earliest_due_ms.min(run.due_ms);
        }
    }

    /// Restarts the unit: sequence numbers begin again at 0 under `boot`; what is kept stays kept.
    pub fn reboot(&mut self, boot: BootId) {
        self.seal();
        self.boot = boot;
        self.next_sequence = 0;
    }

    fn overdue(&mut self, now_ms: i64) -> Option<usize> {
        if self.earliest_due_ms > now_ms {
            return None;
        }
        let found = self.runs.range(..self.sent).position(|run| run.due_ms <= now_ms);
        if found.is_none() {
            self.earliest_due_ms = self.runs.range(..self.sent).map(|run| run.due_ms).min().unwrap_or(i64::MAX);
        }
        found
    }

    fn can_send_new(&self, durable: u64) -> bool {
        self.runs.get(self.sent).is_some_and(|run| {
            let fits = self.in_flight == 0 || self.in_flight + run.left() <= self.window();
            fits && run.ticket.is_some_and(|ticket| ticket <= durable)
        })
    }

    fn next_unsent(&mut self, durable: u64) -> Option<usize> {
        if !self.can_send_new(durable) {
            return None;
        }
        let index = self.sent;
        self.sent += 1;
        self.in_flight += self.runs[index].left();
        Some(index)
    }

    /// The first time-out follows the answers seen so far, so that a service under load is not loaded more.
    fn resend_wait_ms(&mut self, attempts: u32) -> i64 {
        let usual = (self.config.resend_after_ms as f64).max(3.0 * self.answer_ms.unwrap_or(0.0));
        let grown = usual * f64::from(1u32 << attempts.min(MAX_BACK_OFF_DOUBLINGS));
        let jitter = self.random.range(0.9, 1.2);
        (grown.min(self.config.resend_cap_ms as f64) * jitter) as i64
    }

    /// The service answers again: long waits that began while it was silent are shortened.
    fn end_back_off(&mut self) {
        let usual = self.config.resend_after_ms;
        for run in self.runs.range_mut(..self.sent) {
            run.due_ms = run.due_ms.min(run.last_sent_ms + usual);
            self.earliest_due_ms = self.earliest_due_ms.min(run.due_ms);
        }
    }

    fn keep_to_the_bound(&mut self) {
        while self.pending > self.config.buffer_records {
            let Some(oldest) = self.runs.pop_front() else { return };
            let left = oldest.left();
            if self.sent > 0 {
                self.sent -= 1;
                self.in_flight -= left;
            }
            self.pending -= left;
            self.dropped += left as u64;
        }
    }
}
