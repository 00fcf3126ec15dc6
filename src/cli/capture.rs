//! `polevod capture`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use tokio::time::Instant;
use wire::{Captured, MachineSerial, SignalId};

use super::demo::parse_time;
use crate::capture::{self, News, Outcome, Wanted};
use crate::config::Config;
use crate::store::{self, Pool, Reach, Scope, SignalSummary};

/// How often the store is asked whether the records have come in.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What `capture` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The machine records the signals at this rate beside its usual telemetry; the records come in by ingest, so
`polevod run` must be running. Who asked is kept with the capture: a token with the scope capture is needed
(`polevod token create NAME --scope capture`).

  POLEVOD_TOKEN=… polevod capture BY-3522-0017 --signals engine_speed_rpm,rail_pressure_mpa --rate 10 --duration 60s

Exit codes: 0 done; 1 refused, silent or failed; 3 done, but signals or records are missing.")]
pub(super) struct Arguments {
    /// The machine, by serial.
    machine: MachineSerial,
    /// Signals by name, separated by commas; spn_N and ddi_N name raw ones.
    #[arg(long, required = true, value_delimiter = ',', value_name = "NAME,…")]
    signals: Vec<String>,
    /// Samples a second, up to 10.
    #[arg(long, default_value_t = 1.0, value_name = "HZ")]
    rate: f32,
    /// How long: 60s, 10m at most.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = parse_time)]
    duration: Duration,
    /// Who asks.
    #[arg(long, env = "POLEVOD_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: String,
    /// How long to wait for the last records to be stored.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = parse_time)]
    patience: Duration,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

/// What a capture gave.
#[derive(Debug, Serialize)]
struct Report {
    request: String,
    captured: Captured,
    records_stored: i64,
    missing: Vec<String>,
    signals: Vec<SignalSummary>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let pool = Pool::new(config.database.clone());
    let (asked_by, reach) = authorise(&pool, &arguments.token).await?;
    let wanted = Wanted {
        machine: arguments.machine.clone(),
        signals: arguments.signals.clone(),
        rate_hz: arguments.rate,
        duration_s: u32::try_from(arguments.duration.as_secs()).context("--duration is too long")?,
        asked_by,
        reach,
    };
    let entered = capture::enter(&pool, &wanted).await?;
    let mut missing = Vec::new();
    let is_quiet = arguments.json;
    let outcome = capture::run(&pool, &config.mqtt, &entered, |news| {
        let line = match news {
            News::Asked => format!("asked {} (request {})", entered.machine, entered.request.request),
            News::Accepted { samples_expected, missing: not_reported } => {
                let line = format!("accepted: {samples_expected} samples to come");
                missing = not_reported;
                line
            }
            News::Progress(captured) => format!("{} samples recorded", captured.samples),
        };
        if !is_quiet {
            say!("{line}");
        }
    })
    .await?;
    let captured = match outcome {
        Outcome::Done(captured) => captured,
        Outcome::Refused { detail, .. } => bail!("{} refuses: {detail}", entered.machine),
        Outcome::Offline => bail!("{} is offline; it would not hear of the request", entered.machine),
        Outcome::Silent(None) => bail!("{} does not answer; perhaps its unit cannot capture", entered.machine),
        Outcome::Silent(Some(captured)) => {
            bail!("{} fell silent after {} samples; they are stored as they come in", entered.machine, captured.samples)
        }
    };
    let records = (captured.end_sequence - captured.first_sequence).cast_signed();
    let records_stored = wait_for_records(&pool, entered.machine_id, &captured, records, arguments.patience).await?;
    let signals: Vec<SignalId> = entered.request.signals.iter().filter_map(|name| SignalId::by_name(name)).collect();
    let client = pool.get().await?;
    let signals = store::summary_of_capture(&client, entered.machine_id, &captured, &signals).await?;
    let report = Report { request: entered.request.request, captured, records_stored, missing, signals };
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, records);
    }
    let is_whole = report.missing.is_empty() && report.records_stored == records;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(super::ATTENTION) })
}

/// The name behind a token that may ask machines.
async fn authorise(pool: &Pool, token: &str) -> anyhow::Result<(String, Reach)> {
    let client = pool.get().await?;
    let token = store::token_by_bearer(&client, token).await?;
    let token = token.filter(|token| token.may(Scope::Capture));
    let token = token.context("the token is not valid for captures; `polevod token create NAME --scope capture`")?;
    store::note_use(&client, token.api_token_id).await?;
    let reach = token.reach();
    Ok((token.name, reach))
}

/// Waits until the records are in the store; how many are, when patience is over.
async fn wait_for_records(
    pool: &Pool,
    machine_id: i64,
    captured: &Captured,
    records: i64,
    patience: Duration,
) -> anyhow::Result<i64> {
    let until = Instant::now() + patience;
    loop {
        let stored = store::stored_of_capture(&*pool.get().await?, machine_id, captured).await?;
        if stored >= records || Instant::now() >= until {
            return Ok(stored);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn print(report: &Report, records: i64) {
    say!(
        "done: {} samples; {} of {records} records between are stored",
        report.captured.samples,
        report.records_stored
    );
    for name in &report.missing {
        say!("! {name} is not reported by this machine");
    }
    say!("{:<32}{:>8}{:>14}{:>14}{:>14}", "signal", "values", "least", "mean", "greatest");
    for signal in &report.signals {
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.3}"));
        let (min, mean, max) = (number(signal.min), number(signal.mean), number(signal.max));
        say!("{:<32}{:>8}{min:>14}{mean:>14}{max:>14}", signal.signal, signal.values);
    }
}
