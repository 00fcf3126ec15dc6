//! `polevod machine`: everything known of one machine.

use std::process::ExitCode;

use anyhow::anyhow;
use serde::Serialize;
use tokio_postgres::Client;
use wire::{Behaviour, SignalId, catalogue};

use super::catalogue_files;
use super::faults::{FaultJson, fault_json};
use super::service_due::{DueJson, due_of};
use crate::config::Config;
use crate::derive::completeness::{DayCompleteness, by_day};
use crate::derive::health::Language;
use crate::store::health::{self as stored, AlertFilter, HoursRow};
use crate::store::{MachineStatus, RegisteredMachine};
use crate::time::{display_ms, now_ms};
use crate::{recompute, store};

/// Alerts and faults shown of a machine.
const SHOWN_MAX: i64 = 500;

/// What `machine` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Identification, counters, last values with their age, active faults, open alerts, service, completeness.
    Show {
        /// The machine, by serial.
        serial: String,
        /// Most days of completeness, newest first.
        #[arg(long, default_value_t = 7, value_name = "N")]
        days: usize,
        /// Language of the texts.
        #[arg(long, value_enum, default_value_t)]
        lang: Language,
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Say whose machines they are: a token that is limited to an organisation sees its machines alone.
    Organisation {
        /// The machines, by serial.
        #[arg(required = true, value_name = "SERIAL")]
        serials: Vec<String>,
        /// The organisation; it is entered if it is new.
        #[arg(long, value_name = "NAME", required_unless_present = "none")]
        to: Option<String>,
        /// They are nobody's any more: only unlimited tokens see them.
        #[arg(long, conflicts_with = "to")]
        none: bool,
    },
}

/// Everything known of a machine.
#[derive(Debug, Serialize)]
struct MachineJson {
    identification: Identification,
    link: Option<String>,
    recorded_at: Option<String>,
    received_at: Option<String>,
    /// Engine hours as they are believed.
    engine_hours: Option<HoursRow>,
    counters: Vec<Value>,
    values: Vec<Value>,
    active_faults: Vec<FaultJson>,
    open_alerts: Vec<AlertJson>,
    service: Vec<DueJson>,
    days: Vec<DayCompleteness>,
}

#[derive(Debug, Serialize)]
struct Identification {
    serial: String,
    name: Option<String>,
    maker: Option<String>,
    model: Option<String>,
    model_name: Option<String>,
    kind: Option<String>,
    registered_at: String,
    organisation: Option<String>,
}

/// The newest value of a signal.
#[derive(Debug, Serialize)]
struct Value {
    signal: &'static str,
    value: f64,
    unit: &'static str,
    recorded_at: String,
    age_s: i64,
}

/// An open alert, in short.
#[derive(Debug, Serialize)]
struct AlertJson {
    alert: i64,
    subject: String,
    severity: crate::derive::health::Severity,
    title: String,
    opened_at: String,
    active: bool,
    state: &'static str,
}

/// The machine of a serial, or what to do where there is none.
pub(super) async fn find(client: &Client, serial: &str) -> anyhow::Result<RegisteredMachine> {
    let found = store::machine_by_serial(client, store::Reach::Everything, serial).await?;
    found.ok_or_else(|| anyhow!("machine {serial:?} is not known; `polevod status` lists the fleet"))
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (serial, days, lang, json) = match arguments.command {
        Command::Show { serial, days, lang, json } => (serial, days, lang, json),
        Command::Organisation { serials, to, .. } => return assign(config, &serials, to.as_deref()).await,
    };
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let machine = gather(config, &client, &serial, days, lang).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&machine)?);
    } else {
        say_text!("{}", text(&machine, lang));
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives machines to an organisation, or to nobody: all of them, or none where one is unknown.
async fn assign(config: &Config, serials: &[String], to: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut client = store::connect(&config.database).await?;
    let transaction = client.transaction().await?;
    let organisation_id = match to {
        Some(name) => Some(store::enter_organisation(&transaction, name).await?),
        None => None,
    };
    let unknown = store::assign_machines(&transaction, serials, organisation_id).await?;
    if !unknown.is_empty() {
        return Err(anyhow!(
            "machines {unknown:?} are not known; `polevod status` lists the fleet; nothing was changed"
        ));
    }
    transaction.commit().await?;
    say!("{} machines are now of {}", serials.len(), to.unwrap_or("nobody"));
    Ok(ExitCode::SUCCESS)
}

async fn gather(
    config: &Config,
    client: &Client,
    serial: &str,
    days: usize,
    language: Language,
) -> anyhow::Result<MachineJson> {
    let catalogues = catalogue_files(config);
    let machine = find(client, serial).await?;
    let model = machine.model.as_deref();
    let status: Option<MachineStatus> = store::fleet_status(client, Some(serial)).await?.pop();
    let signals: Vec<SignalId> = catalogue::all().map(|signal| signal.id).collect();
    let newest = store::newest_values(client, &[machine.machine_id], &signals).await?;
    let now_ms = now_ms();
    let (counters, values) = newest
        .iter()
        .filter_map(|newest| {
            let row = catalogue::find(newest.signal)?;
            let value = Value {
                signal: row.name,
                value: newest.value,
                unit: row.unit,
                recorded_at: display_ms(newest.recorded_at_ms),
                age_s: (now_ms - newest.recorded_at_ms).div_euclid(1_000),
            };
            Some((row.behaviour == Behaviour::Counter, value))
        })
        .fold((Vec::new(), Vec::new()), |(mut counters, mut values), (is_counter, value)| {
            if is_counter {
                counters.push(value)
            } else {
                values.push(value)
            }
            (counters, values)
        });
    let faults = stored::fault_rows(client, Some(machine.machine_id), false, SHOWN_MAX).await?;
    let filter = AlertFilter { machine_id: Some(machine.machine_id), limit: SHOWN_MAX, ..AlertFilter::default() };
    let alerts = stored::alerts(client, &filter).await?;
    let mut completeness = by_day(&store::machine_days(client, machine.machine_id).await?);
    completeness.reverse();
    completeness.truncate(days);
    let known = model.and_then(|model| catalogues.models.find(model));
    Ok(MachineJson {
        link: status.as_ref().and_then(|status| status.link.clone()),
        recorded_at: status.as_ref().and_then(|status| status.recorded_at.clone()),
        received_at: status.as_ref().and_then(|status| status.received_at.clone()),
        engine_hours: stored::machine_hours(client, machine.machine_id).await?,
        counters,
        values,
        active_faults: faults.iter().map(|row| fault_json(&catalogues, row, language)).collect(),
        open_alerts: alerts
            .iter()
            .map(|alert| AlertJson {
                alert: alert.id,
                subject: alert.subject.to_string(),
                severity: alert.severity,
                title: super::alerts::title(&catalogues, alert, language),
                opened_at: display_ms(alert.opened_at_ms),
                active: alert.active,
                state: alert.state.as_str(),
            })
            .collect(),
        service: due_of(config, client, &catalogues, &machine, language).await?,
        days: completeness,
        identification: Identification {
            serial: machine.serial.clone(),
            name: machine.name.clone(),
            maker: machine.maker.clone(),
            model: machine.model.clone(),
            model_name: known.map(|model| model.name.clone()),
            kind: known.map(|model| model.kind.clone()),
            registered_at: display_ms(machine.registered_at_ms),
            organisation: machine.organisation.clone(),
        },
    })
}

/// The same for people.
fn text(machine: &MachineJson, language: Language) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let id = &machine.identification;
    let named = [Some(&id.serial), id.name.as_ref(), id.maker.as_ref(), id.model_name.as_ref().or(id.model.as_ref())];
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", named.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "));
    let or_never = |at: &Option<String>| at.clone().unwrap_or_else(|| "never".into());
    let _ = writeln!(
        text,
        "newest record {}, last contact {}",
        or_never(&machine.recorded_at),
        or_never(&machine.received_at)
    );
    if let Some(hours) = &machine.engine_hours {
        let _ = writeln!(
            text,
            "engine hours {} (meter {})",
            language.number(hours.total_h, 1),
            language.number(hours.meter_h, 1)
        );
    }
    for value in machine.counters.iter().chain(&machine.values) {
        let _ = writeln!(text, "  {} {} {}  ({})", value.signal, value.value, value.unit, value.recorded_at);
    }
    let _ = writeln!(text, "active faults: {}", machine.active_faults.len());
    let _ = writeln!(text, "open alerts: {}", machine.open_alerts.len());
    for alert in &machine.open_alerts {
        let _ =
            writeln!(text, "  {} {} {} ({})", alert.alert, alert.severity.word(language), alert.title, alert.opened_at);
    }
    for due in machine.service.iter().filter(|due| due.is_due()) {
        let _ = writeln!(text, "service {}: {}", due.name(), due.status_word());
    }
    text
}
