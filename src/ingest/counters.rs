//! What ingest counts, and whether it is well.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use serde::Serialize;

use crate::store::Loaded;

/// Counters of one ingest process since its start.
#[derive(Debug, Default)]
pub struct Counters {
    messages: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
    stored: AtomicU64,
    duplicate: AtomicU64,
    refused: AtomicU64,
    values_refused: AtomicU64,
    unaccounted: AtomicU64,
    rejected_messages: AtomicU64,
    dropped_messages: AtomicU64,
    late: AtomicU64,
    batches: AtomicU64,
    sessions: AtomicU64,
    stored_messages: AtomicU64,
    /// Whether the last probe was answered.
    database_answers: AtomicBool,
    /// Lanes that wait for the database with something in hand, one bit each.
    lanes_stuck: AtomicU32,
    broker_up: AtomicBool,
}

/// The counters at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Messages taken from the broker, repeats included.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records in the frames that could be read.
    pub records: u64,
    /// Records that are new in the store.
    pub stored: u64,
    /// Records that were there already.
    pub duplicate: u64,
    /// Records refused for good.
    pub refused: u64,
    /// Single values left out of stored records.
    pub values_refused: u64,
    /// Records that are in quarantine and not in the ledger, so their machine sends them again: it is not
    /// registered, or the database refuses even the refusal.
    pub unaccounted: u64,
    /// Messages refused whole.
    pub rejected_messages: u64,
    /// Messages of QoS 0 that found no room; their machines send them again.
    pub dropped_messages: u64,
    /// Records stored late.
    pub late: u64,
    /// Transactions.
    pub batches: u64,
    /// Connections to the broker.
    pub sessions: u64,
    /// `stored` messages sent.
    pub stored_messages: u64,
    /// Whether the database answers, and no lane waits for it longer than a transaction should take.
    pub database_up: bool,
    /// Whether the broker is connected.
    pub broker_up: bool,
}

impl Totals {
    /// Records received whose fate is not decided yet: received = stored + duplicate + refused + unaccounted + these.
    pub fn in_flight(&self) -> u64 {
        // The counters are read one after another, so while work goes on the difference is off by a batch.
        self.records.saturating_sub(self.stored + self.duplicate + self.refused + self.unaccounted)
    }
}

impl Counters {
    /// The counters now.
    pub fn totals(&self) -> Totals {
        Totals {
            messages: self.messages.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            records: self.records.load(Relaxed),
            stored: self.stored.load(Relaxed),
            duplicate: self.duplicate.load(Relaxed),
            refused: self.refused.load(Relaxed),
            values_refused: self.values_refused.load(Relaxed),
            unaccounted: self.unaccounted.load(Relaxed),
            rejected_messages: self.rejected_messages.load(Relaxed),
            dropped_messages: self.dropped_messages.load(Relaxed),
            late: self.late.load(Relaxed),
            batches: self.batches.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
            stored_messages: self.stored_messages.load(Relaxed),
            database_up: self.database_is_up(),
            broker_up: self.broker_up.load(Relaxed),
        }
    }

    pub(super) fn message(&self, bytes: usize) {
        self.messages.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn records(&self, count: usize) {
        self.records.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn loaded(&self, loaded: &Loaded) {
        self.batches.fetch_add(1, Relaxed);
        self.stored.fetch_add(loaded.stored, Relaxed);
        self.duplicate.fetch_add(loaded.duplicate, Relaxed);
        self.refused.fetch_add(loaded.refused, Relaxed);
        self.values_refused.fetch_add(loaded.values_refused, Relaxed);
        self.unaccounted.fetch_add(loaded.unaccounted, Relaxed);
        self.rejected_messages.fetch_add(loaded.rejected_messages, Relaxed);
        self.late.fetch_add(loaded.late, Relaxed);
    }

    pub(super) fn session(&self) {
        self.sessions.fetch_add(1, Relaxed);
    }

    pub(super) fn stored_message(&self) {
        self.stored_messages.fetch_add(1, Relaxed);
    }

    pub(super) fn dropped_message(&self) {
        self.dropped_messages.fetch_add(1, Relaxed);
    }

    pub(super) fn set_database_answers(&self, answers: bool) {
        self.database_answers.store(answers, Relaxed);
    }

    /// A lane (of at most 32) waits for the database, or does no more.
    pub(super) fn set_lane_stuck(&self, lane: u32, stuck: bool) {
        if stuck {
            self.lanes_stuck.fetch_or(1 << lane, Relaxed);
        } else {
            self.lanes_stuck.fetch_and(!(1 << lane), Relaxed);
        }
    }

    pub(super) fn set_broker_up(&self, up: bool) {
        self.broker_up.store(up, Relaxed);
    }

    pub(super) fn database_is_up(&self) -> bool {
        self.database_answers.load(Relaxed) && self.lanes_stuck.load(Relaxed) == 0
    }
}
