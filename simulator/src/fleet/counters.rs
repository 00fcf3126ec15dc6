//! What is counted while a fleet runs: shared by all shards, read for progress and report.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::Notify;

use super::report::{LatencySummary, Report};
use crate::onboard::Step;
use crate::truth::Event;
use wire::Record;

/// Buckets of a power of two: a value is known to 1/32.
const BUCKETS_PER_OCTAVE: u64 = 32;
/// Octaves above the first 32 values: milliseconds up to 49 days.
const OCTAVES: u64 = 27;

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) samples_recorded: AtomicU64,
    pub(super) faults_recorded: AtomicU64,
    pub(super) tasks_recorded: AtomicU64,
    pub(super) frames_sent: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) records_resent: AtomicU64,
    pub(super) records_stored: AtomicU64,
    pub(super) dropped_by_full_buffer: AtomicU64,
    pub(super) found_in_buffers: AtomicU64,
    pub(super) lost_with_power: AtomicU64,
    pub(super) storage_errors: AtomicU64,
    pub(super) restarts: AtomicU64,
    pub(super) machine_ms: AtomicU64,
    pub(super) truth_records: AtomicU64,
    pub(super) cut_off: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) connection_failures: AtomicU64,
    pub(super) reconnects: AtomicU64,
    pub(super) refused_publishes: AtomicU64,
    pub(super) unreadable_messages: AtomicU64,
    pub(super) requests_received: AtomicU64,
    pub(super) answers_sent: AtomicU64,
    pub(super) latency: Histogram,
    pub(super) lateness: Histogram,
    /// Told whenever records were confirmed or dropped.
    pub(super) settled: Notify,
}

impl Counters {
    pub(super) fn recorded(&self, record: &Record) {
        let counter = match record {
            Record::Sample(_) => &self.samples_recorded,
            Record::Faults(_) => &self.faults_recorded,
            Record::Task(_) => &self.tasks_recorded,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn stepped(&self, step: &Step) {
        self.samples_recorded.fetch_add(step.samples, Relaxed);
        self.faults_recorded.fetch_add(step.faults, Relaxed);
        self.tasks_recorded.fetch_add(step.tasks, Relaxed);
        self.lost_with_power.fetch_add(step.lost, Relaxed);
        self.restarts.fetch_add(u64::from(step.restarted), Relaxed);
        self.machine_ms.fetch_add(step.passed_ms, Relaxed);
    }

    /// Counts the records that the truth accounts for: it reckons by boots and days, not by what was sent.
    pub(super) fn told(&self, truth: &[Event]) {
        for event in truth {
            if let Event::Recorded(run) = event {
                self.truth_records.fetch_add(run.end_sequence - run.first_sequence, Relaxed);
            }
        }
    }

    pub(super) fn report(&self) -> Report {
        let (samples, faults, tasks) = (
            self.samples_recorded.load(Relaxed),
            self.faults_recorded.load(Relaxed),
            self.tasks_recorded.load(Relaxed),
        );
        let records_recorded = samples + faults + tasks;
        let records_stored = self.records_stored.load(Relaxed);
        let dropped_by_full_buffer = self.dropped_by_full_buffer.load(Relaxed);
        let found_in_buffers = self.found_in_buffers.load(Relaxed);
        let lost_with_power = self.lost_with_power.load(Relaxed);
        Report {
            records_recorded,
            samples_recorded: samples,
            faults_recorded: faults,
            tasks_recorded: tasks,
            frames_sent: self.frames_sent.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
            records_resent: self.records_resent.load(Relaxed),
            records_stored,
            dropped_by_full_buffer,
            found_in_buffers,
            lost_with_power,
            // Read one after the other while shards go on, so the difference may be off by a few.
            pending: (found_in_buffers + records_recorded)
                .saturating_sub(records_stored + dropped_by_full_buffer + lost_with_power),
            storage_errors: self.storage_errors.load(Relaxed),
            restarts: self.restarts.load(Relaxed),
            machine_ms: self.machine_ms.load(Relaxed),
            truth_records: self.truth_records.load(Relaxed),
            cut_off: self.cut_off.load(Relaxed),
            stored_latency_ms: self.latency.summary(),
            recorded_late_ms: self.lateness.summary(),
            connects: self.connects.load(Relaxed),
            reconnects: self.reconnects.load(Relaxed),
            connection_failures: self.connection_failures.load(Relaxed),
            refused_publishes: self.refused_publishes.load(Relaxed),
            unreadable_messages: self.unreadable_messages.load(Relaxed),
            requests_received: self.requests_received.load(Relaxed),
            answers_sent: self.answers_sent.load(Relaxed),
        }
    }
}

/// Counts of durations in milliseconds, log-linear, of fixed size.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Vec<AtomicU64>,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        let count = (OCTAVES + 1) * BUCKETS_PER_OCTAVE;
        Self { buckets: (0..count).map(|_| AtomicU64::new(0)).collect(), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn add(&self, ms: u64) {
        let last = self.buckets.len() - 1;
        self.buckets[bucket_of(ms).min(last)].fetch_add(1, Relaxed);
        self.max.fetch_max(ms, Relaxed);
    }

    pub(super) fn summary(&self) -> LatencySummary {
        let counts: Vec<_> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let max = self.max.load(Relaxed);
        let quantile = |share: f64| {
            let rank = (count as f64 * share).ceil().max(1.0) as u64;
            let mut seen = 0;
            let found = counts.iter().position(|c| {
                seen += c;
                seen >= rank
            });
            found.map_or(0, |bucket| upper_end_of(bucket).min(max))
        };
        LatencySummary { count, p50: quantile(0.50), p99: quantile(0.99), max }
    }
}

fn bucket_of(ms: u64) -> usize {
    if ms < BUCKETS_PER_OCTAVE {
        return ms as usize;
    }
    let octave = u64::from(ms.ilog2()) - u64::from(BUCKETS_PER_OCTAVE.ilog2());
    ((octave + 1) * BUCKETS_PER_OCTAVE + ((ms >> octave) - BUCKETS_PER_OCTAVE)) as usize
}

/// The greatest value that falls into a bucket.
fn upper_end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < BUCKETS_PER_OCTAVE {
        return bucket;
    }
    let octave = bucket / BUCKETS_PER_OCTAVE - 1;
    ((bucket % BUCKETS_PER_OCTAVE + BUCKETS_PER_OCTAVE + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_a_bucket_that_ends_at_most_a_thirtysecond_above_it() {
        let mut previous = 0;
        for ms in (0..100_000u64).chain([1 << 30, (1 << 31) - 1]) {
            let bucket = bucket_of(ms);
            assert!(bucket >= previous, "buckets ascend at {ms}");
            previous = bucket;
            let end = upper_end_of(bucket);
            assert!(end >= ms && end - ms <= ms / BUCKETS_PER_OCTAVE, "{ms} {end}");
        }
    }

    #[test]
    fn quantiles_of_known_values_are_known() {
        let histogram = Histogram::default();
        (1..=1_000).for_each(|ms| histogram.add(ms));
        let summary = histogram.summary();
        assert_eq!((summary.count, summary.p50, summary.p99, summary.max), (1_000, 503, 991, 1_000));
        assert_eq!(Histogram::default().summary(), LatencySummary::default());
    }
}
