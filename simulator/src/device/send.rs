//! Sending, sending again, freeing.

use wire::{Frame, SequenceSet, Stored};

use super::Device;
use super::frames::{OutFrame, Writing, write};
use super::run::joined;

/// Records that may be sent and unanswered, in frames: enough to keep a link of 100 ms busy, little enough that a
/// service which is away finds no flood when it is back.
const WINDOW_FRAMES: usize = 64;
/// A gap that `stored` reports is sent again at once, unless it was sent so recently that it may still be on its way.
const GAP_RESEND_AFTER_MS: i64 = 2_000;
/// After a new connection, what is unanswered is sent again within this time.
const RECONNECT_RESEND_WITHIN_MS: f64 = 1_500.0;
/// How a resend time-out grows from one attempt to the next, at most.
const MAX_BACK_OFF_DOUBLINGS: u32 = 6;

/// All times are milliseconds of the wall clock.
impl Device {
    /// Records that may be unanswered at a time.
    pub fn window(&self) -> usize {
        WINDOW_FRAMES * self.config.frame_records
    }

    /// The frames to be sent next, if any: what is overdue, else the oldest unsent records that are durable. Adjoining
    /// runs travel together. `durable` is the ledger position that has reached the disk.
    ///
    /// Some and empty when the disk has lost what was to be sent.
    pub fn poll(&mut self, now_ms: i64, durable: u64) -> Option<Vec<OutFrame>> {
        let first = match self.overdue(now_ms) {
            Some(index) => index,
            None => self.next_unsent(durable)?,
        };
        let mut frames = Vec::new();
        let mut end = first;
        loop {
            let Some(frame) = self.packed(end).ok().and_then(|packed| wire::decode(&packed).ok()) else {
                // Sending again would not bring it back.
                self.lose(end);
                self.release();
                break;
            };
            frames.push(frame.frame);
            end += 1;
            if !self.is_joined(first, end, now_ms, durable) {
                break;
            }
            self.mark_sent(end);
        }
        let Some(last) = end.checked_sub(1).filter(|last| *last >= first) else { return Some(Vec::new()) };
        let resent = self.runs[first].sends > 0;
        for index in first..end {
            let wait_ms = self.resend_wait_ms(self.runs[index].sends);
            let run = &mut self.runs[index];
            run.sends += 1;
            run.last_sent_ms = now_ms;
            if run.sends == 1 {
                run.first_sent_ms = now_ms;
            }
            run.due_ms = now_ms + wait_ms;
            self.earliest_due_ms = self.earliest_due_ms.min(run.due_ms);
        }
        let age = self.runs[last].last_recorded_at_ms.map(|at| now_ms.saturating_sub(at));
        let age_ms = age.and_then(|age| u64::try_from(age).ok()).unwrap_or(0);
        let writing = Writing { encoding: self.config.encoding, resent, age_ms };
        let mut out = Vec::new();
        for frame in self.stretches(first, frames) {
            write(frame, writing, &mut out);
        }
        Some(out)
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
            for recorded_ms in fresh.ranges().iter().cloned().flatten().filter_map(|s| run.recorded_wall_ms(s)) {
                waited(now_ms - recorded_ms);
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
                self.remove(index);
            } else {
                if run.last_sent_ms + GAP_RESEND_AFTER_MS <= now_ms {
                    run.due_ms = now_ms;
                    self.earliest_due_ms = now_ms;
                }
                index += 1;
            }
        }
        if freed_total > 0 {
            self.release();
        }
        if silent_ms > self.config.resend_after_ms {
            self.end_back_off();
        }
        freed_total
    }

    /// A new connection stands: what is unanswered may have been lost with the old one.
    pub fn link_up(&mut self, now_ms: i64) {
        // One instant for all of it, so that it travels in few frames.
        let soon_ms = now_ms + self.random.range(0.0, RECONNECT_RESEND_WITHIN_MS) as i64;
        for run in self.runs.range_mut(..self.sent) {
            run.due_ms = run.due_ms.min(soon_ms);
            self.earliest_due_ms = self.earliest_due_ms.min(run.due_ms);
        }
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

    fn next_unsent(&mut self, durable: u64) -> Option<usize> {
        let index = self.sent;
        self.can_be_sent(index, durable).then(|| self.mark_sent(index))?;
        Some(index)
    }

    /// Whether a run that was not yet sent may go now.
    fn can_be_sent(&self, index: usize, durable: u64) -> bool {
        self.runs.get(index).is_some_and(|run| {
            let fits = self.in_flight == 0 || self.in_flight + run.left() <= self.window();
            fits && run.ticket.is_some_and(|ticket| ticket <= durable)
        })
    }

    fn mark_sent(&mut self, index: usize) {
        if index == self.sent {
            self.sent += 1;
            self.in_flight += self.runs[index].left();
        }
    }

    /// Whether run `next` travels in one frame with those from `first` to the one before it.
    fn is_joined(&self, first: usize, next: usize, now_ms: i64, durable: u64) -> bool {
        let Some(run) = self.runs.get(next) else { return false };
        let records = self.runs.range(first..=next).map(|run| run.count as usize).sum::<usize>();
        let is_due = if next < self.sent { run.due_ms <= now_ms } else { self.can_be_sent(next, durable) };
        // What was sent and what was not are told apart: the report counts what is sent again.
        let alike = (self.runs[first].sends > 0) == (run.sends > 0);
        is_due && alike && records <= self.config.backlog_records && self.runs[next - 1].is_joined_by(run)
    }

    /// The frames of adjoining runs: one, or one for each stretch that the store does not have.
    fn stretches(&self, first: usize, frames: Vec<Frame>) -> Vec<Frame> {
        match <[Frame; 1]>::try_from(frames) {
            Ok([frame]) => self.runs[first].unfreed(frame),
            Err(frames) => joined(frames).into_iter().collect(),
        }
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
}
