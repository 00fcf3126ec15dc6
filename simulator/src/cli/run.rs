//! `simulator run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulator::settings::{Plan, Settings};
use simulator::{Report, StopSwitch, stop_switch};
use toml::Value;

use super::overrides::{FleetFlags, Override, path_value};
use super::{progress, summary};

/// How long nothing may happen before somebody is told what is probably missing.
const HINT_AFTER: Duration = Duration::from_secs(8);

/// What `run` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  simulator run --machines 10000 --for 60s --accelerate 1     live, at real time
  simulator run --machines 50 --for 10m --accelerate 60       ten hours of work in ten minutes, up to now
  simulator run --from 2026-08-01 --to 2026-10-01             a season, as fast as the service confirms
  simulator run --truth truth --for 1h                        with the true answers beside it

The broker is --broker, else broker.url of the settings, else POLEVOD_MQTT_URL. `polevod run --migrate` confirms.
Ctrl-C ends recording and waits until everything is confirmed; a second one ends at once.")]
pub(super) struct Arguments {
    #[command(flatten)]
    fleet: FleetFlags,
    /// How long to run, by the wall clock: 60s, 10m, 2h. Without it, until Ctrl-C or the simulated end.
    #[arg(long = "for", value_name = "TIME", help_heading = "Run")]
    run_for: Option<String>,
    /// Simulated seconds in a second: 1 is real time, 0 as fast as the service confirms.
    #[arg(long, value_name = "FACTOR", help_heading = "Run")]
    accelerate: Option<f64>,
    /// Where the broker is: mqtt://HOST:PORT, or mqtts:// for TLS.
    #[arg(long, value_name = "URL", help_heading = "Run")]
    broker: Option<String>,
    /// Most connections; machines beyond share them.
    #[arg(long, value_name = "N", help_heading = "Run")]
    connections: Option<i64>,
    /// A new folder for truth files.
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    truth: Option<PathBuf>,
    /// A file that keeps what was recorded and what was confirmed.
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    ledger: Option<PathBuf>,
    /// A folder in which units keep their records across restarts.
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    buffer: Option<PathBuf>,
    /// Print the report as JSON, and nothing else.
    #[arg(long, help_heading = "Run")]
    json: bool,
}

impl Arguments {
    fn overrides(&self) -> Vec<Override> {
        let is_backfill = self.fleet.from.is_some() && self.fleet.to.is_some();
        let accelerate = self.accelerate.or(is_backfill.then_some(0.0));
        let said = [
            ("time.for", self.run_for.clone().map(Value::from)),
            ("time.accelerate", accelerate.map(Value::from)),
            ("broker.url", self.broker.clone().map(Value::from)),
            ("broker.connections", self.connections.map(Value::from)),
            ("output.truth_folder", self.truth.as_deref().map(path_value)),
            ("output.ledger_file", self.ledger.as_deref().map(path_value)),
            ("unit.buffer_folder", self.buffer.as_deref().map(path_value)),
        ];
        said.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // TLS needs a provider; without a choice rustls would refuse to guess.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = arguments.fleet.settings(arguments.overrides())?;
    let Plan { fleet, options } = settings.plan(super::now(), std::env::var("POLEVOD_MQTT_URL").ok())?;
    let (switch, stop) = stop_switch();
    tokio::spawn(stop_on_signals(switch));
    let heading = heading(&settings, &options.broker_url, &fleet);
    let mut view = View::new(Whole::of(&fleet, &options), heading, arguments.json);
    let began = Instant::now();
    let (machines, accelerate, recorded_for) = (fleet.machines, fleet.accelerate, options.run_for);
    let report = simulator::run(fleet, options, |report| view.show(report), stop).await?;
    view.bar.finish_and_clear();
    let took = began.elapsed();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let recorded_for = recorded_for.map_or(took, |planned| planned.min(took));
        summary::print(&report, &summary::Course { machines, accelerate, recorded_for, took });
    }
    let complete = report.pending == 0 && report.dropped_by_full_buffer == 0 && report.truth_agrees();
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(super::ATTENTION) })
}

/// What a run is, before it begins.
fn heading(settings: &Settings, broker_url: &str, fleet: &simulator::FleetConfig) -> String {
    let place = broker_url.rsplit_once('@').map_or(broker_url, |(_, place)| place);
    let pace = match fleet.accelerate {
        0.0 => "as fast as the service confirms".to_string(),
        1.0 => "real time".to_string(),
        factor => format!("{factor} times real time, up to now"),
    };
    let until = fleet.until.map_or_else(String::new, |until| format!(" to {until}"));
    format!(
        "broker    {place}\nfleet     {} machines, seed {}, conditions {}\ntime      from {}{until}, {pace}",
        progress::grouped(fleet.machines as u64),
        fleet.seed,
        settings.conditions.preset,
        fleet.starts_at
    )
}

/// How far a run goes.
#[derive(Debug, Clone, Copy)]
enum Whole {
    /// So long by the wall clock.
    Wall(Duration),
    /// So much simulated time, summed over all machines.
    Simulated { machine_ms: u64 },
    /// Until somebody stops it.
    Endless,
}

impl Whole {
    fn of(fleet: &simulator::FleetConfig, options: &simulator::Options) -> Self {
        match (fleet.until, options.run_for) {
            (_, Some(run_for)) => Self::Wall(run_for),
            (Some(until), None) => {
                let span_ms = until.as_millisecond().abs_diff(fleet.starts_at.as_millisecond());
                Self::Simulated { machine_ms: span_ms.saturating_mul(fleet.machines as u64) }
            }
            (None, None) => Self::Endless,
        }
    }
}

/// The heading once the run has begun, the progress bar, and hints when nothing moves.
struct View {
    heading: Option<String>,
    bar: indicatif::ProgressBar,
    whole: Whole,
    /// When the first word came: putting ten thousand machines together takes seconds in which nothing can happen.
    began: Option<Instant>,
    hinted: bool,
}

impl View {
    fn new(whole: Whole, heading: String, is_hidden: bool) -> Self {
        let bar = match whole {
            _ if is_hidden => indicatif::ProgressBar::hidden(),
            Whole::Wall(time) => progress::bar(Some(time.as_secs()), "s"),
            Whole::Simulated { .. } => progress::bar(Some(100), "%"),
            Whole::Endless => progress::bar(None, ""),
        };
        Self { heading: Some(heading).filter(|_| !is_hidden), bar, whole, began: None, hinted: false }
    }

    fn show(&mut self, report: &Report) {
        if let Some(heading) = self.heading.take() {
            self.bar.suspend(|| println!("{heading}"));
        }
        let elapsed = self.began.get_or_insert_with(Instant::now).elapsed();
        self.bar.set_position(match self.whole {
            Whole::Wall(time) => elapsed.min(time).as_secs(),
            Whole::Simulated { machine_ms } => {
                (u128::from(report.machine_ms) * 100 / u128::from(machine_ms.max(1))).min(100) as u64
            }
            Whole::Endless => 0,
        });
        self.bar.set_message(summary::short(report));
        if !self.hinted && elapsed > HINT_AFTER && report.records_stored == 0 && report.records_recorded > 0 {
            self.hinted = true;
            let hint = if report.connects == 0 {
                "the broker does not answer; machines go on and keep what they record. A private one: \
                 cargo run -p embedded --bin stack -- up"
            } else {
                "the broker takes what is sent, but nothing is confirmed yet: is `polevod run --migrate` running \
                 against the same broker?"
            };
            eprintln!("simulator: {hint}");
        }
    }
}

/// The first signal ends recording, the second one the run.
async fn stop_on_signals(switch: StopSwitch) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers a signal ends the process, as it does without us.
        std::future::pending::<()>().await;
        return;
    };
    for end in [StopSwitch::stop, StopSwitch::end] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        end(&switch);
    }
}
