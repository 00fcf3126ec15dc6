//! `polevod demo`: everything on this machine, nothing installed.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use simulator::{FleetConfig, Options, Report};
use tokio::sync::watch;

use super::signals::stop_on_signal;
use super::units;
use crate::config::{Config, MqttUrl, Secret};
use crate::ingest::{self, Counters, Sabotage, Totals};
use crate::store;

/// How long the fleet may take to have everything confirmed after it stopped recording.
const DRAIN_PATIENCE: Duration = Duration::from_secs(60);

/// What `demo` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first time, PostgreSQL, TimescaleDB and Mosquitto are downloaded (94 MB of Debian packages, signatures
checked) into a cache folder; nothing is installed on the host, and everything ends with the demo.
Where POLEVOD_DATABASE_URL and POLEVOD_MQTT_URL are both set, those servers are used instead.")]
pub(super) struct Arguments {
    /// How long the fleet works: 60s, 10m, 2h. Without it, until Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    run_for: Option<Duration>,
    /// How many machines.
    #[arg(long, default_value_t = 20, value_name = "N")]
    machines: usize,
    /// How fast time passes for the machines: 1 is real, 60 makes a minute of work out of a second.
    #[arg(long, default_value_t = 10.0, value_name = "FACTOR")]
    accelerate: f64,
    /// The same seed makes the same fleet.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Only run and report: no page to look at, no progress bars.
    #[arg(long)]
    headless: bool,
}

pub(super) async fn run(mut config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let stop = stop_on_signal()?;
    // Kept to the end: dropping the servers stops them.
    let stack = start_stack(arguments.headless).await?;
    if let Some(stack) = &stack {
        let database = stack.postgres.url();
        config.database.url = Secret::new(database);
        config.mqtt.url = MqttUrl::parse(&stack.mosquitto.url())?;
    }
    let mut client = store::connect(&config.database).await?;
    store::migrate(&mut client).await?;
    say!("database  {}", store::probe_edition(&client).await?);
    say!("broker    {}", config.mqtt.url);
    say!("fleet     {} machines near Tomsk, {} × real time", arguments.machines, arguments.accelerate);
    let quarantined_before = quarantined(&client).await?;

    let counters = Arc::new(Counters::default());
    let (ingest_switch, ingest_stop) = watch::channel(false);
    let mut service = {
        let (config, counters) = (config.clone(), counters.clone());
        tokio::spawn(async move { ingest::run(&config, counters, ingest_stop, Sabotage::None).await })
    };
    let fleet = drive_fleet(&config, &arguments, stop, &counters);
    let report = tokio::select! {
        report = fleet => report?,
        ended = &mut service => bail!("ingest ended before the fleet: {:?}", ended.context("ingest task")?),
    };
    ingest_switch.send_replace(true);
    // Before the servers go: ingest would take their end for an outage.
    service.await.context("ingest task")??;

    let quarantined = quarantined(&client).await? - quarantined_before;
    print_report(&report, &counters.totals(), quarantined);
    drop(stack);
    let complete =
        report.pending == 0 && report.dropped_by_full_buffer == 0 && report.records_stored == report.records_recorded;
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(super::ATTENTION) })
}

async fn drive_fleet(
    config: &Config,
    arguments: &Arguments,
    mut stop: watch::Receiver<bool>,
    counters: &Arc<Counters>,
) -> anyhow::Result<Report> {
    let fleet = FleetConfig {
        seed: arguments.seed,
        machines: arguments.machines,
        accelerate: arguments.accelerate,
        ..FleetConfig::default()
    };
    let options =
        Options { run_for: arguments.run_for, drain_timeout: DRAIN_PATIENCE, ..units::options(&config.mqtt)? };
    let bar = progress_bar(arguments);
    let (switch, fleet_stop) = simulator::stop_switch();
    tokio::spawn(async move {
        // An error means that the demo is over.
        if stop.wait_for(|stop| *stop).await.is_ok() {
            switch.stop();
        }
    });
    let began = tokio::time::Instant::now();
    let show = {
        let (bar, counters) = (bar.clone(), counters.clone());
        let whole = arguments.run_for;
        move |report: &Report| {
            bar.set_position(whole.map_or(0, |whole| began.elapsed().min(whole).as_secs()));
            let totals = counters.totals();
            bar.set_message(format!(
                "{} sent, {} stored, {} waiting, p99 {} ms{}",
                report.records_recorded,
                totals.stored,
                report.pending,
                report.stored_latency_ms.p99,
                if totals.database_up { "" } else { ", database away" }
            ));
        }
    };
    let report = simulator::run(fleet, options, show, fleet_stop).await?;
    bar.finish_and_clear();
    Ok(report)
}

fn print_report(report: &Report, totals: &Totals, quarantined: i64) {
    say!();
    say!("records sent         {:>10}", report.records_recorded);
    say!("  samples            {:>10}", report.samples_recorded);
    say!("  fault reports      {:>10}", report.faults_recorded);
    say!("  task records       {:>10}", report.tasks_recorded);
    say!("records stored       {:>10}", totals.stored);
    say!("  confirmed          {:>10}   (machines were told, and freed them)", report.records_stored);
    say!("  came twice         {:>10}   (recognised, stored once)", totals.duplicate);
    say!("records quarantined  {quarantined:>10}");
    say!("values left out      {:>10}", totals.values_refused);
    say!("still with machines  {:>10}", report.pending + report.dropped_by_full_buffer);
    say!("frames               {:>10}   {} bytes", report.frames_sent, report.bytes_sent);
    let latency = report.stored_latency_ms;
    say!(
        "freshness            p50 {} ms, p99 {} ms   (from sample to its machine knowing it stored)",
        latency.p50,
        latency.p99
    );
    let verdict = if totals.stored == report.records_recorded { "sent = stored" } else { "sent and stored differ" };
    say!("{verdict}");
}

async fn quarantined(client: &tokio_postgres::Client) -> anyhow::Result<i64> {
    Ok(store::quarantined_records(client).await?)
}

/// The private servers, unless the environment names others.
async fn start_stack(headless: bool) -> anyhow::Result<Option<embedded::Stack>> {
    if embedded::external_from_env()?.is_some() {
        return Ok(None);
    }
    let bar = if headless { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template("{msg:<48} {wide_bar} {percent:>3} %")?);
    let stack = tokio::task::spawn_blocking(move || {
        let show = |progress: embedded::Progress| {
            bar.set_message(progress.step.title());
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        };
        let stack = embedded::Stack::start(&embedded::StackOptions::default(), &show);
        bar.finish_and_clear();
        stack
    });
    Ok(Some(stack.await??))
}

fn progress_bar(arguments: &Arguments) -> ProgressBar {
    if arguments.headless {
        return ProgressBar::hidden();
    }
    let template = match arguments.run_for {
        Some(_) => "{elapsed_precise} {wide_bar} {msg}",
        None => "{elapsed_precise} {spinner} {msg}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(arguments.run_for.map_or(0, |whole| whole.as_secs())).with_style(style)
}

/// Reads 90, 90s, 10m, 2h.
pub(super) fn parse_time(text: &str) -> anyhow::Result<Duration> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        other => bail!("unit {other:?} is none of s, m, h; write 60s, 10m or 2h"),
    };
    let number: u64 = number.parse().map_err(|_| anyhow!("{number:?} is no whole number; write 60s, 10m or 2h"))?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| anyhow!("{text} is longer than time"))
}
