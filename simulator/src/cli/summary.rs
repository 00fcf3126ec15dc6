//! What a run did, in words.

use std::time::Duration;

use simulator::Report;

use super::progress::grouped;

/// What the process itself used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Most memory at a time, bytes.
    memory_bytes: u64,
    /// Processor time, seconds.
    cpu_s: f64,
}

impl Usage {
    /// Reads it from the system; none where it does not tell (only Linux does, without unsafe code).
    pub(super) fn now() -> Option<Self> {
        /// Ticks in a second, on every Linux there is.
        const TICKS: f64 = 100.0;
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").trim();
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name in brackets may hold anything; what follows it is numbers.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self { memory_bytes: kib.parse::<u64>().ok()? * 1_024, cpu_s: (ticks(11)? + ticks(12)?) / TICKS })
    }
}

/// What a run was to do, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    pub(super) machines: usize,
    /// Simulated seconds in a second that were asked for; 0 for as fast as the service confirms.
    pub(super) accelerate: f64,
    /// How long machines recorded.
    pub(super) recorded_for: Duration,
    /// How long it was until everything was confirmed, or given up.
    pub(super) took: Duration,
}

/// Prints what a run did.
pub(super) fn print(report: &Report, course: &Course) {
    let seconds = course.recorded_for.as_secs_f64().max(0.001);
    let per_second = |count: u64| format!("{:.0}/s", count as f64 / seconds);
    let line = |name: &str, count: u64, note: &str| println!("{name:<22} {:>12}   {note}", grouped(count));
    println!();
    line("recorded", report.records_recorded, &per_second(report.records_recorded));
    line("  samples", report.samples_recorded, "");
    line("  fault reports", report.faults_recorded, "");
    line("  task records", report.tasks_recorded, "");
    if report.found_in_buffers > 0 {
        line("found in buffers", report.found_in_buffers, "left by an earlier run");
    }
    line(
        "sent in frames",
        report.frames_sent,
        &format!("{}, {} bytes", per_second(report.frames_sent), grouped(report.bytes_sent)),
    );
    line("  sent again", report.records_resent, "records");
    line("confirmed as stored", report.records_stored, "the service has them; machines freed them");
    line(
        "still buffered",
        report.pending,
        if report.pending > 0 { "sent again by the next run with the same unit.buffer_folder, else lost" } else { "" },
    );
    line("in the truth", report.truth_records, verdict(report));
    for (name, count, note) in [
        ("dropped", report.dropped_by_full_buffer, "buffers were full; see unit.buffer_folder"),
        ("lost with power", report.lost_with_power, "as the power conditions want it"),
        ("restarts", report.restarts, ""),
        ("reconnects", report.reconnects, ""),
        ("connections failed", report.connection_failures, ""),
        ("publishes refused", report.refused_publishes, "the broker did not let them through: see its access rules"),
        ("disk errors", report.storage_errors, "in unit.buffer_folder"),
        ("unreadable messages", report.unreadable_messages, "from the service"),
        ("capture requests", report.requests_received, &format!("{} answers", report.answers_sent)),
    ] {
        if count > 0 {
            line(name, count, note);
        }
    }
    println!("{:<22} {}", "pace", pace(report, course));
    let (fresh, late) = (report.stored_latency_ms, report.recorded_late_ms);
    println!(
        "{:<22} p50 {} ms, p99 {} ms, longest {} ms   from sample to its machine knowing it stored",
        "freshness", fresh.p50, fresh.p99, fresh.max
    );
    if late.count > 0 {
        println!(
            "{:<22} p50 {} ms, p99 {} ms, longest {} ms   behind the pace",
            "recorded late", late.p50, late.p99, late.max
        );
    }
    if let Some(usage) = Usage::now() {
        println!(
            "{:<22} {:.0} MiB at the most, {:.2} processors on average",
            "this process",
            usage.memory_bytes as f64 / 1_048_576.0,
            usage.cpu_s / course.took.as_secs_f64().max(0.001)
        );
    }
}

/// What the truth says to the counts of units and service.
fn verdict(report: &Report) -> &'static str {
    if !report.truth_agrees() {
        "DIFFERS from what was recorded and not lost with the power"
    } else if report.found_in_buffers == 0 && report.records_stored == report.truth_records {
        "every one of them recorded once and confirmed once"
    } else {
        "as many as were recorded and not lost; not all are confirmed, or more were found in buffers"
    }
}

/// How fast machines went, beside what was asked for.
fn pace(report: &Report, course: &Course) -> String {
    let machine_s = report.machine_ms as f64 / 1_000.0 / course.machines.max(1) as f64;
    let reached = machine_s / course.recorded_for.as_secs_f64().max(0.001);
    match course.accelerate {
        0.0 => format!("{reached:.1} times real time, as fast as the service confirmed"),
        asked => format!("{reached:.2} times real time on average of all machines, {asked} asked for"),
    }
}

/// One line while it goes on.
pub(super) fn short(report: &Report) -> String {
    let cut_off =
        if report.cut_off > 0 { format!(", {} without network", grouped(report.cut_off)) } else { String::new() };
    format!(
        "{} recorded, {} confirmed, {} pending, freshness p50 {} p99 {} ms{cut_off}",
        grouped(report.records_recorded),
        grouped(report.records_stored),
        grouped(report.pending),
        report.stored_latency_ms.p50,
        report.stored_latency_ms.p99
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        if cfg!(target_os = "linux") {
            let usage = Usage::now().expect("Linux tells");
            assert!(usage.memory_bytes > 100_000 && usage.cpu_s >= 0.0, "{usage:?}");
        }
    }
}
