//! `polevod replay`: real recordings, sent through MQTT as a machine would send them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use simulator::{Report, StopSwitch};
use wire::{MachineSerial, Record};

use super::demo::parse_time;
use super::signals::stop_on_signal;
use super::units;
use crate::config::Config;
use crate::exchange::read::{Weigh as _, Weight};
use crate::exchange::{self, Recording, Recordings};

/// Problems printed of one path, unless all are asked for.
const PROBLEMS_SHOWN: usize = 20;

/// What `replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FILE is a folder or zip of ISOXML task data (ISO 11783-10), gpsd JSON lines, yield monitor text (Ag Leader
\"advanced\"), or a J1939 bus log (candump, Vector ASC, PEAK trc, MF4); the format is told by the content. What can be
read of a damaged recording is read; what cannot is named with its place.

`polevod run` must be running against the same broker: replay waits until everything is confirmed as stored.
Replaying the same recording again adds nothing: it is sent under the same identity and recognised.")]
pub(super) struct Arguments {
    /// Recordings.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Machine to take the recordings for, instead of the one that they name.
    #[arg(long, value_name = "SERIAL")]
    machine: Option<MachineSerial>,
    /// Zone of times that are local to the machine, instead of clock.zone.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// When the first record was made, for recordings whose time was made unrecognisable.
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Read and report, send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Give up when nothing is confirmed for this long.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = parse_time)]
    patience: Duration,
    /// Print every problem, not only the first of each recording.
    #[arg(long)]
    all_problems: bool,
    /// Machine-readable summary.
    #[arg(long)]
    json: bool,
}

/// What was read of one recording, and what became of it.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    machine: MachineSerial,
    format: &'static str,
    samples: usize,
    fault_reports: usize,
    task_records: usize,
    /// Records that the service confirmed as stored: new ones, and those it held already.
    confirmed: u64,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options = exchange::Options {
        zone: match &arguments.zone {
            None => config.clock.zone.0.clone(),
            Some(name) => TimeZone::get(name)
                .map_err(|_| anyhow!("--zone {name:?} is no time zone; write a name as Asia/Tomsk"))?,
        },
        machine: arguments.machine.clone(),
        start: arguments.start,
    };
    let mut lines = Vec::new();
    let mut attention = false;
    for path in &arguments.files {
        let found = {
            let (path, options) = (path.clone(), options.clone());
            tokio::task::spawn_blocking(move || exchange::open(&path, &options)).await??
        };
        let shown = path.display().to_string();
        attention |= print_problems(&shown, &found, arguments.all_problems);
        attention |= found.recordings.is_empty();
        for recording in found.recordings {
            let mut line = line_of(&shown, &recording);
            if !arguments.dry_run {
                line.confirmed = send(config, &arguments, recording).await.with_context(|| shown.clone())?;
            }
            lines.push(line);
        }
    }
    print_lines(&lines, &arguments)?;
    Ok(if attention { ExitCode::from(super::ATTENTION) } else { ExitCode::SUCCESS })
}

/// Prints what was wrong; true when something could not be read or used.
fn print_problems(path: &str, found: &Recordings, all: bool) -> bool {
    let shown = if all { usize::MAX } else { PROBLEMS_SHOWN };
    // What was lost goes first: notes may be many.
    let of = |weight| found.problems.iter().filter(move |problem| problem.defect.weight() == weight);
    for problem in of(Weight::Loss).chain(of(Weight::Note)).take(shown) {
        let word = if problem.defect.weight() == Weight::Loss { "warning" } else { "note" };
        eprintln!("{word}: {problem}");
    }
    if found.problems.len() > shown {
        eprintln!("note: {path}: {} more remarks; --all-problems prints them", found.problems.len() - shown);
    }
    if found.recordings.is_empty() {
        eprintln!("warning: {path}: nothing in it can be sent");
    }
    of(Weight::Loss).next().is_some()
}

fn line_of(path: &str, recording: &Recording) -> Line {
    let count = |of: fn(&Record) -> bool| recording.records.iter().filter(|record| of(record)).count();
    Line {
        path: path.to_string(),
        machine: recording.machine.clone(),
        format: recording.format.name(),
        samples: count(|record| matches!(record, Record::Sample(_))),
        fault_reports: count(|record| matches!(record, Record::Faults(_))),
        task_records: count(|record| matches!(record, Record::Task(_))),
        confirmed: 0,
    }
}

/// Sends one recording and waits until it is stored; returns how many records were confirmed.
async fn send(config: &Config, arguments: &Arguments, recording: Recording) -> anyhow::Result<u64> {
    let options = units::options(&config.mqtt)?;
    let total = recording.records.len() as u64;
    let bar = if arguments.json { ProgressBar::hidden() } else { ProgressBar::new(total) };
    bar.set_style(ProgressStyle::with_template("{msg:<24} {wide_bar} {pos}/{len} stored {elapsed:>4}")?);
    bar.set_message(recording.machine.to_string());
    let (switch, stop) = simulator::stop_switch();
    let mut asked_to_stop = stop_on_signal()?;
    let mut patience = Patience::new(arguments.patience, &switch);
    let sending = simulator::replay(
        &options,
        recording.machine,
        recording.boot,
        recording.records,
        |report| {
            bar.set_position(report.records_stored);
            patience.look(report);
        },
        stop,
    );
    let report = tokio::select! {
        report = sending => report?,
        _ = asked_to_stop.wait_for(|stop| *stop) => bail!("stopped; replay again to send the rest"),
    };
    bar.finish_and_clear();
    if report.records_stored < total {
        bail!("{}", unconfirmed(config, arguments, &report, total));
    }
    Ok(report.records_stored)
}

/// Ends the sending when nothing moves.
struct Patience<'a> {
    time: Duration,
    switch: &'a StopSwitch,
    stored: u64,
    moved_at: Instant,
}

impl<'a> Patience<'a> {
    fn new(time: Duration, switch: &'a StopSwitch) -> Self {
        Self { time, switch, stored: 0, moved_at: Instant::now() }
    }

    fn look(&mut self, report: &Report) {
        if report.records_stored != self.stored {
            self.stored = report.records_stored;
            self.moved_at = Instant::now();
        } else if self.moved_at.elapsed() >= self.time {
            self.switch.end();
        }
    }
}

fn unconfirmed(config: &Config, arguments: &Arguments, report: &Report, total: u64) -> String {
    let broker = &config.mqtt.url;
    let waited = arguments.patience.as_secs();
    if report.connects == 0 {
        let tries = report.connection_failures;
        return format!("no connection to the broker {broker} in {waited} s ({tries} tries); check mqtt.url");
    }
    format!(
        "{} of {total} records confirmed, then nothing for {waited} s: is `polevod run` running against the broker \
         {broker}? What was sent is kept there or will be sent again; replay again when it runs",
        report.records_stored
    )
}

fn print_lines(lines: &[Line], arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(lines)?);
        return Ok(());
    }
    let mut sums: HashMap<&MachineSerial, [u64; 4]> = HashMap::new();
    let mut order = Vec::new();
    for line in lines {
        let sum = sums.entry(&line.machine).or_insert_with(|| {
            order.push(&line.machine);
            [0; 4]
        });
        for (sum, more) in sum.iter_mut().zip([
            line.samples as u64,
            line.fault_reports as u64,
            line.task_records as u64,
            line.confirmed,
        ]) {
            *sum += more;
        }
    }
    for machine in order {
        let [samples, faults, tasks, confirmed] = sums[machine];
        let fate = if arguments.dry_run { "read, not sent".into() } else { format!("{confirmed} confirmed as stored") };
        say!("{machine}: {samples} samples, {faults} fault reports, {tasks} task records; {fate}");
    }
    Ok(())
}
