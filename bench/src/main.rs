//! `cargo xtask bench`: what the service does, side by side with plain tools, in one run on the private stack.
//!
//! The machine's mood changes absolute figures by half, so what counts are ratios of measurements taken in turn:
//! each round measures everything once, a ratio is made within a round, and the median of the rounds is reported.
//! fsync, acknowledgement after commit and the ledger are on throughout.

mod decode;
mod fold;
mod freshness;
mod loader;
mod memory;
mod processor;
mod publisher;
mod recompute;
mod report;
mod server;
mod service;
mod throughput;
mod workload;
mod yield_log;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use report::Report;

/// Measures the service on this machine, and prints how it stands against its goals.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Measure only these.
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Rounds of the measurements that are compared with each other.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rows that each of them moves.
    #[arg(long, default_value_t = 400_000)]
    rows: usize,
    /// Where the figures are written.
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    json: PathBuf,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Size on the wire, and speed of decoding.
    Wire,
    /// Speed of field work and health from samples in memory.
    Fold,
    /// Recomputing a stored machine-day against reading it.
    Recompute,
    /// Loader and ingest against `psql \copy`.
    Throughput,
    /// From sample to queryable, at half of the greatest load.
    Freshness,
    /// Memory of ingest, at full speed and while the database is away.
    Memory,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let progress = ProgressBar::new(0).with_style(ProgressStyle::with_template("{elapsed:>4} {spinner} {msg}")?);
    progress.enable_steady_tick(std::time::Duration::from_millis(200));
    let mut report = Report::default();
    if wanted(Part::Wire) {
        progress.set_message("decoding");
        decode::measure(&mut report);
    }
    if wanted(Part::Fold) {
        progress.set_message("field work and health");
        fold::measure(&mut report);
    }
    if [Part::Throughput, Part::Freshness, Part::Memory, Part::Recompute].into_iter().any(wanted) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let mut server = server::Server::start(&runtime, &progress)?;
        let mut samples_per_s = None;
        if wanted(Part::Throughput) {
            let rounds = throughput::measure(&mut server, arguments, &progress)?;
            samples_per_s = Some(throughput::report(&rounds, &mut report));
        }
        if wanted(Part::Recompute) {
            recompute::measure(&server, arguments.rounds, &progress, &mut report)?;
        }
        if wanted(Part::Freshness) {
            freshness::measure(&mut server, samples_per_s, &progress, &mut report)?;
        }
        if wanted(Part::Memory) {
            memory::measure(&mut server, &progress, &mut report)?;
        }
    }
    progress.finish_and_clear();
    report.print();
    report.write(&arguments.json).with_context(|| format!("cannot write {}", arguments.json.display()))
}
