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

/// Prints what a run did. `recorded_for` is how long machines recorded, `took` how long the whole run was.
pub(super) fn print(report: &Report, recorded_for: Duration, took: Duration) {
    let seconds = recorded_for.as_secs_f64().max(0.001);
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
    line("confirmed", report.records_stored, "the service has them; machines freed them");
    line(
        "pending",
        report.pending,
        if report.pending > 0 { "sent again by the next run with the same unit.buffer_folder, else lost" } else { "" },
    );
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
            usage.cpu_s / took.as_secs_f64().max(0.001)
        );
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
