//! What a run did.

use serde::Serialize;

/// What a run did so far, or in all. Once it has ended, found + recorded = stored + dropped + lost + pending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Records made: samples, fault reports and task records.
    pub records_recorded: u64,
    /// Samples among them.
    pub samples_recorded: u64,
    /// Diagnostic reports among them.
    pub faults_recorded: u64,
    /// Task records among them.
    pub tasks_recorded: u64,
    /// Frames handed to the link, repetitions included.
    pub frames_sent: u64,
    /// Their bytes, topics not counted.
    pub bytes_sent: u64,
    /// Records in frames that were sent again.
    pub records_resent: u64,
    /// Records that `stored` messages confirmed.
    pub records_stored: u64,
    /// Records that full buffers dropped, or that the disk lost.
    pub dropped_by_full_buffer: u64,
    /// Records that an earlier run left in the buffers on the disk.
    pub found_in_buffers: u64,
    /// Records that went with a simulated loss of power, before they were in the buffer for good.
    pub lost_with_power: u64,
    /// Records still kept.
    pub pending: u64,
    /// How often the disk refused a record or a boot number; the records are kept in memory.
    pub storage_errors: u64,
    /// Simulated restarts of units.
    pub restarts: u64,
    /// Simulated time that has passed, summed over all machines, milliseconds.
    pub machine_ms: u64,
    /// Records that the truth accounts for, boot by boot: once the run has ended, all that were recorded and not lost.
    pub truth_records: u64,
    /// Units that have no network now.
    pub cut_off: u64,
    /// From recording to the arrival of `stored`, wall clock, of what was recorded with network.
    pub stored_latency_ms: LatencySummary,
    /// How much later than its pace a machine recorded: whether this process holds the rate.
    pub recorded_late_ms: LatencySummary,
    /// Connections that came to stand.
    pub connects: u64,
    /// Connections beyond the first one of each shard.
    pub reconnects: u64,
    /// Attempts that failed, and connections that broke.
    pub connection_failures: u64,
    /// Publishes that the broker refused with a reason.
    pub refused_publishes: u64,
    /// Messages from the service that could not be read.
    pub unreadable_messages: u64,
    /// Requests for diagnostic captures that arrived.
    pub requests_received: u64,
    /// Answers to them.
    pub answers_sent: u64,
}

impl Report {
    /// Whether the truth of a run that has ended accounts for every record that units kept, no more and no fewer.
    pub fn truth_agrees(&self) -> bool {
        self.truth_records + self.lost_with_power == self.records_recorded
    }
}

/// Quantiles of a duration in milliseconds, exact to 1/32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LatencySummary {
    /// How many durations were counted.
    pub count: u64,
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Longest.
    pub max: u64,
}
