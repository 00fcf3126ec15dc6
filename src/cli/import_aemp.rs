//! `polevod import aemp`.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::demo::parse_time;
use crate::config::Config;
use crate::exchange::aemp::fetch::{self, Server, SignIn};
use crate::exchange::aemp::{self, Equipment, Fleet, Imported, MAX_DOCUMENT_BYTES, Metric};
use crate::store::{self, ForeignMachine, Settings};
use crate::time::{display_ms, now_ms};

/// Problems shown one by one; the rest is counted.
const PROBLEMS_SHOWN_MAX: usize = 20;

/// What `import aemp` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A server repeats its last readings until there are newer ones: importing as often as it allows adds each reading once.
Machines are known by their PIN; one that reports to this service too is the same machine.

  polevod import aemp snapshot.xml
  AEMP_CLIENT_SECRET=… polevod import aemp https://api.example/iso15143-3 --token-url https://login.example/token --client-id 7f3a

Exit code 3: something in it could not be read; it is printed.")]
pub(super) struct Arguments {
    /// Address of the server (https://HOST/…, with or without /Fleet/1), or a file.
    source: String,
    /// Token to sign in with.
    #[arg(long, env = "AEMP_TOKEN", hide_env_values = true, value_name = "TOKEN", conflicts_with = "token_url")]
    token: Option<String>,
    /// Where the server gives tokens for client id and secret (OAuth 2 client credentials).
    #[arg(long, value_name = "URL", requires = "client_id")]
    token_url: Option<String>,
    /// Client id for --token-url.
    #[arg(long, value_name = "ID", requires = "client_secret")]
    client_id: Option<String>,
    /// Client secret for --token-url; better set in the environment.
    #[arg(long, env = "AEMP_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    client_secret: Option<String>,
    /// Scope to ask a token for, where the server wants one.
    #[arg(long, default_value = "", value_name = "SCOPE")]
    scope: String,
    /// Longest pause taken when the server asks for one: 90s, 15m.
    #[arg(long, default_value = "5m", value_name = "TIME", value_parser = parse_time)]
    patience: Duration,
    /// Read and report, store nothing.
    #[arg(long)]
    dry_run: bool,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

/// What an import amounts to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    pages: usize,
    machines: usize,
    machines_with_data: usize,
    machines_without_name: usize,
    operating_hours_sum: f64,
    fuel_used_l_sum: f64,
    engines_running: usize,
    readings: usize,
    readings_new: u64,
    readings_known: u64,
    /// Dated before any machine of the fleet existed, or ahead of now.
    readings_misdated: usize,
    /// Sums over a day, which follow from the rest.
    values_not_kept: usize,
    problems: Vec<String>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (pages, problems, ended) = read(&arguments).await?;
    let mut summary = Summary { pages: pages.len(), problems, ..Summary::default() };
    let machines: Vec<Equipment> = pages.into_iter().flat_map(|page| page.equipment).collect();
    let foreign = prepare(config, &machines, &mut summary);
    if !arguments.dry_run {
        let mut session = store::Session::connect(&config.database).await?;
        let settings = settings(config);
        let loaded = store::import_foreign(&mut session, &foreign, &settings, now_ms()).await?;
        summary.readings_new = loaded.stored;
        summary.readings_known = loaded.duplicate;
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print(&summary, &arguments);
    }
    // Pages that came before the error are stored.
    if let Some(error) = ended {
        return Err(error.into());
    }
    let is_whole = summary.problems.is_empty() && summary.readings_misdated == 0 && summary.machines_without_name == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(super::ATTENTION) })
}

/// Pages, problems, and the error that ended the reading after at least one page.
type Pages = (Vec<Fleet>, Vec<String>, Option<fetch::FetchError>);

async fn read(arguments: &Arguments) -> anyhow::Result<Pages> {
    let is_address = arguments.source.get(..8).is_some_and(|start| {
        let start = start.to_ascii_lowercase();
        start.starts_with("http://") || start.starts_with("https://")
    });
    if !is_address {
        let bytes = read_file(Path::new(&arguments.source))?;
        let (fleet, problems) = aemp::fleet(&arguments.source, &bytes);
        return Ok((vec![fleet], problems.iter().map(ToString::to_string).collect(), None));
    }
    let server = Server { url: arguments.source.clone(), sign_in: sign_in(arguments), patience: arguments.patience };
    let reading = tokio::task::spawn_blocking(move || {
        let (mut pages, mut problems) = (Vec::new(), Vec::new());
        let outcome = fetch::fleet(&server, |fleet, of_page| {
            problems.extend(of_page.iter().map(ToString::to_string));
            pages.push(fleet);
        });
        (pages, problems, outcome.err())
    });
    let (pages, problems, ended) = reading.await?;
    match ended {
        Some(error) if pages.is_empty() => Err(error.into()),
        ended => Ok((pages, problems, ended)),
    }
}

fn sign_in(arguments: &Arguments) -> SignIn {
    match (&arguments.token, &arguments.token_url, &arguments.client_id, &arguments.client_secret) {
        (_, Some(token_url), Some(client_id), Some(client_secret)) => SignIn::ClientCredentials {
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            scope: arguments.scope.clone(),
        },
        (Some(token), ..) => SignIn::Bearer(token.clone()),
        _ => SignIn::None,
    }
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    // One byte more than is taken, so that a longer file is known to be too long.
    file.take(MAX_DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Machines as the store takes them; what they amount to is summed up.
fn prepare(config: &Config, machines: &[Equipment], summary: &mut Summary) -> Vec<ForeignMachine> {
    let latest_ms = now_ms() + i64::from(config.clock.future_tolerance_s) * 1_000;
    let believed = config.clock.earliest.as_millisecond()..=latest_ms;
    let mut foreign = Vec::new();
    for machine in machines {
        summary.machines += 1;
        summary.machines_with_data += usize::from(machine.has_data());
        let sum = |metric| machine.values.get(metric).map_or(0.0, |value| value.value);
        summary.operating_hours_sum += sum(Metric::OperatingHours);
        summary.fuel_used_l_sum += sum(Metric::FuelUsed);
        summary.engines_running += usize::from(machine.engine.as_ref().is_some_and(|engine| engine.value.is_running));
        let Some(Imported { machine: serial, header, mut samples, not_kept }) = aemp::samples(machine) else {
            summary.machines_without_name += 1;
            continue;
        };
        let given = samples.len();
        samples.retain(|sample| believed.contains(&sample.recorded_at_ms));
        summary.readings_misdated += given - samples.len();
        summary.readings += samples.len();
        summary.values_not_kept += not_kept;
        let boot = aemp::boot_of(&serial);
        let (maker, model, name) = (header.oem_name, header.model, header.equipment_id);
        foreign.push(ForeignMachine { machine: serial, maker, model, name, boot, samples });
    }
    // Sums of hundredths, shown as such.
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    summary.operating_hours_sum = hundredths(summary.operating_hours_sum);
    summary.fuel_used_l_sum = hundredths(summary.fuel_used_l_sum);
    foreign
}

fn settings(config: &Config) -> Settings {
    Settings {
        register_unknown_machines: true,
        late_after_ms: i64::from(config.clock.late_after_s) * 1_000,
        zone: config.clock.zone.0.clone(),
        payload_bytes_max: config.quarantine.payload_bytes_max as usize,
        without_ledger: false,
    }
}

fn print(summary: &Summary, arguments: &Arguments) {
    say!("pages             {:>10}", summary.pages);
    let without = summary.machines - summary.machines_with_data;
    say!(
        "machines          {:>10}   ({} with data, {without} with a header alone)",
        summary.machines,
        summary.machines_with_data
    );
    say!("operating hours   {:>10.2}", summary.operating_hours_sum);
    say!("fuel used         {:>10.0} L", summary.fuel_used_l_sum);
    say!("engines running   {:>10}", summary.engines_running);
    say!("readings          {:>10}", summary.readings);
    if arguments.dry_run {
        say!("nothing was stored (--dry-run)");
    } else {
        say!("  new             {:>10}", summary.readings_new);
        say!("  known already   {:>10}", summary.readings_known);
    }
    if summary.readings_misdated > 0 {
        say!(
            "dated impossibly  {:>10}   (before clock.earliest or after {}; left out)",
            summary.readings_misdated,
            display_ms(now_ms())
        );
    }
    if summary.machines_without_name > 0 {
        say!("nameless machines {:>10}   (no PIN, serial number nor id; left out)", summary.machines_without_name);
    }
    for problem in summary.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        say!("! {problem}");
    }
    if summary.problems.len() > PROBLEMS_SHOWN_MAX {
        say!("! and {} more", summary.problems.len() - PROBLEMS_SHOWN_MAX);
    }
}
