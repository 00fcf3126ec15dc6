//! Loader and ingest against `psql \copy`: the same rows, the same columns, the same index, in turn.

use std::time::Instant;

use anyhow::Context as _;
use indicatif::ProgressBar;
use polevod::ingest::{RawMessage, Rules};
use serde::Serialize;

use crate::report::{Goal, Report, median};
use crate::server::Server;
use crate::service::Service;
use crate::{Arguments, loader, publisher, workload};

/// Samples in a frame as units send them while they have a link.
const USUAL: usize = 20;
/// One sample a frame moves this many times fewer rows: each costs a message.
const SINGLE_SHARE: usize = 8;

/// What one round took, in seconds for `rows` rows, and processor time of the database's backends where it is one
/// connection's.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    rows: usize,
    copy_text_s: f64,
    copy_text_cpu_s: f64,
    copy_binary_s: f64,
    copy_binary_cpu_s: f64,
    loader_s: f64,
    loader_cpu_s: f64,
    /// A backlog of frames in the broker, until all of it is committed; ingest starts at zero.
    drain_s: f64,
    /// The fleet publishes as fast as the broker takes it, until all of it is committed.
    live_s: f64,
    single_rows: usize,
    single_s: f64,
    memory_mib: f64,
}

pub(crate) fn measure(
    server: &mut Server<'_>,
    arguments: &Arguments,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<Round>> {
    progress.set_message("making frames");
    let rules = Rules::of(&server.config.clock);
    let usual = workload::messages(arguments.rows, USUAL);
    let single = workload::messages(arguments.rows / SINGLE_SHARE, 1);
    let batches = loader::batches(usual.clone(), server.config.ingest.batch_samples as usize, &rules)?;
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let files = [("text", folder.path().join("rows.txt")), ("binary", folder.path().join("rows.bin"))];
    server.empty()?;
    // The rows that the loader writes are the ones that psql copies.
    loader::load(server, &batches)?;
    for (format, file) in &files {
        server.export(file, format)?;
    }
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds {
        progress.set_message(format!("round {number} of {}", arguments.rounds));
        let [text, binary] = &files;
        server.empty()?;
        let copy_text = server.copy(&text.1, text.0)?;
        server.empty()?;
        let loader = loader::load(server, &batches)?;
        server.empty()?;
        let copy_binary = server.copy(&binary.1, binary.0)?;
        let (drain_s, _) = drain(server, &usual, USUAL)?;
        let (live_s, memory_mib) = live(server, &usual, USUAL)?;
        let (single_s, _) = drain(server, &single, 1)?;
        rounds.push(Round {
            rows: usual.len() * USUAL,
            copy_text_s: copy_text.took.as_secs_f64(),
            copy_text_cpu_s: copy_text.cpu.as_secs_f64(),
            copy_binary_s: copy_binary.took.as_secs_f64(),
            copy_binary_cpu_s: copy_binary.cpu.as_secs_f64(),
            loader_s: loader.took.as_secs_f64(),
            loader_cpu_s: loader.cpu.as_secs_f64(),
            drain_s,
            live_s,
            single_rows: single.len(),
            single_s,
            memory_mib,
        });
    }
    Ok(rounds)
}

/// Enters the figures; returns what ingest takes in, in samples a second.
pub(crate) fn report(rounds: &[Round], report: &mut Report) -> f64 {
    let ratio = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
    let per_s = |seconds: fn(&Round) -> f64| {
        let rate = median(rounds.iter().map(|round| round.rows as f64 / seconds(round)));
        format!("{:.0} k rows/s", rate / 1e3)
    };
    let against = format!("{}, \\copy {}", per_s(|r| r.loader_s), per_s(|r| r.copy_text_s));
    report.figure("loader core / \\copy", ratio(|r| r.copy_text_s / r.loader_s), "x", Goal::AtLeast(0.9), against);
    let against = format!("\\copy (format binary) {}", per_s(|r| r.copy_binary_s));
    report.remark("loader core / \\copy binary", ratio(|r| r.copy_binary_s / r.loader_s), "x", against);
    let against = format!(
        "{:.2} s against {:.2} s a million rows",
        median(rounds.iter().map(|r| r.loader_cpu_s * 1e6 / r.rows as f64)),
        median(rounds.iter().map(|r| r.copy_text_cpu_s * 1e6 / r.rows as f64))
    );
    let cpu = ratio(|r| r.copy_text_cpu_s / r.loader_cpu_s);
    report.remark("  processor time in the database: \\copy / loader", cpu, "x", against);
    let drain = per_s(|r| r.drain_s);
    let end_to_end = ratio(|r| r.copy_text_s / r.drain_s);
    report.figure("broker to committed, 20 a frame / \\copy", end_to_end, "x", Goal::AtLeast(0.6), drain);
    let live = per_s(|r| r.live_s);
    report.remark("fleet to committed, 20 a frame / \\copy", ratio(|r| r.copy_text_s / r.live_s), "x", live);
    let single = median(rounds.iter().map(|r| r.single_rows as f64 / r.single_s));
    report.remark("broker to committed, 1 a frame", single / 1e3, "k/s", "messages with one sample".into());
    let memory = rounds.iter().map(|r| r.memory_mib).fold(0.0, f64::max);
    report.figure("memory of ingest at full speed", memory, "MiB", Goal::AtMost(64.0), "VmHWM of the process".into());
    report.detail("throughput", rounds);
    median(rounds.iter().map(|r| r.rows as f64 / r.live_s))
}

/// Seconds until a backlog in the broker is committed, and memory of ingest.
fn drain(server: &mut Server<'_>, messages: &[RawMessage], samples_a_frame: usize) -> anyhow::Result<(f64, f64)> {
    server.empty()?;
    let client_id = server.config.mqtt.client_id.clone();
    server.runtime.block_on(async {
        publisher::forget_service(&server.config.mqtt.url, &client_id).await?;
        publisher::subscribe_for_service(&server.config.mqtt.url, &client_id).await?;
        publisher::publish(&server.config.mqtt.url, messages).await
    })?;
    let began = Instant::now();
    let service = Service::start(server)?;
    server.wait_for_stored(messages.len() * samples_a_frame)?;
    Ok((began.elapsed().as_secs_f64(), service.memory_mib_max()?))
}

/// Seconds from the first message of a fleet in a hurry until its last is committed, and memory of ingest.
fn live(server: &mut Server<'_>, messages: &[RawMessage], samples_a_frame: usize) -> anyhow::Result<(f64, f64)> {
    server.empty()?;
    let service = Service::ready(server)?;
    let began = Instant::now();
    server.runtime.block_on(publisher::publish(&server.config.mqtt.url, messages))?;
    server.wait_for_stored(messages.len() * samples_a_frame)?;
    Ok((began.elapsed().as_secs_f64(), service.memory_mib_max()?))
}
