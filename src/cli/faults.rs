//! `polevod faults`: trouble codes of the fleet, and everything around one of them.

use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;
use tokio_postgres::Client;

use super::catalogue_files;
use super::table::aligned;
use crate::config::Config;
use crate::derive::health::diagnosis::{self, Around, Diagnosis, Doing};
use crate::derive::health::fault::{Code, FaultKey, Known, Lamp, Life, lamps_on};
use crate::derive::health::{Catalogues, Language, Severity, Subject, Text, Texts, Whose};
use crate::store::health::{self as stored, FaultRow, FaultsElsewhere, Moment};
use crate::time::display_ms;
use crate::{recompute, store};

/// Columns of numbers in the table.
const NUMBERS: &[usize] = &[6];
/// Other trouble that is named beside a fault.
const OTHERS_MAX: i64 = 200;
/// Other trouble within this time of the beginning counts as of the same time.
const SAME_TIME_MS: i64 = 300_000;

/// What `faults` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a machine the active faults of the fleet, the most severe first. With a machine and a code, as in
`polevod faults BY-3522-0017 110/16`, everything around that fault, as text for a workshop order.")]
pub(super) struct Arguments {
    /// Only this machine, by serial.
    machine: Option<String>,
    /// Everything around this code, SPN/FMI.
    #[arg(requires = "machine", value_parser = parse_code)]
    code: Option<Code>,
    /// Controller of the code, where several report it: J1939 source address.
    #[arg(long, value_name = "ADDRESS", requires = "code")]
    source: Option<u8>,
    /// Also those that are gone.
    #[arg(long)]
    all: bool,
    /// Most faults shown.
    #[arg(long, default_value_t = 200, value_name = "N")]
    limit: i64,
    /// Language of the texts.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_code(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| format!("{text:?} is no code; write SPN/FMI as 110/16"))
}

/// A fault as JSON.
#[derive(Debug, Serialize)]
pub(super) struct FaultJson {
    machine: String,
    machine_name: Option<String>,
    model: Option<String>,
    source_address: u8,
    controller: String,
    spn: u32,
    fmi: u8,
    legacy_conversion: bool,
    severity: Severity,
    title: String,
    failure_mode: String,
    description: Known,
    causes: Vec<String>,
    checks: Vec<String>,
    life: Life,
    active: bool,
    first_seen_at: String,
    active_since: Option<String>,
    gone_at: Option<String>,
    cleared_at: Option<String>,
    last_seen_at: String,
    activations: u32,
    unseen_activations: u32,
    occurrence_count: Option<u8>,
    lamps: Vec<Lamp>,
    alert: Option<i64>,
    alert_state: Option<String>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let catalogues = catalogue_files(config);
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let machine_id = match &arguments.machine {
        None => None,
        Some(serial) => Some(super::machine::find(&client, serial).await?.machine_id),
    };
    if let (Some(machine_id), Some(code)) = (machine_id, arguments.code) {
        return one(config, &client, &catalogues, machine_id, code, &arguments).await;
    }
    let rows = stored::fault_rows(&client, machine_id, arguments.all, arguments.limit).await?;
    let faults: Vec<_> = rows.iter().map(|row| fault_json(&catalogues, row, arguments.lang)).collect();
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&faults)?);
    } else if faults.is_empty() {
        say!("no {}fault", if arguments.all { "" } else { "active " });
    } else {
        say_text!("{}", table(&faults, arguments.lang));
    }
    Ok(ExitCode::SUCCESS)
}

/// A fault in words and figures.
pub(super) fn fault_json(catalogues: &Catalogues, row: &FaultRow, language: Language) -> FaultJson {
    let fault = &row.fault;
    let words = catalogues.faults.explain(row.key, row.model.as_deref(), fault.lamps.0);
    let at_ms = row.machine_at_ms.unwrap_or(fault.last_seen_ms).max(fault.last_seen_ms);
    let of = |texts: &Texts| texts.get(language).to_vec();
    FaultJson {
        machine: row.serial.clone(),
        machine_name: row.name.clone(),
        model: row.model.clone(),
        source_address: row.key.source_address,
        controller: catalogues.faults.controller(row.key.source_address).get(language).to_owned(),
        spn: row.key.spn,
        fmi: row.key.fmi,
        legacy_conversion: row.key.legacy,
        severity: words.severity,
        title: words.title.get(language).to_owned(),
        failure_mode: words.failure_mode.get(language).to_owned(),
        description: words.known,
        causes: of(&words.causes),
        checks: of(&words.checks),
        life: fault.life(at_ms, row.closed_by_person_ms),
        active: fault.is_active(),
        first_seen_at: display_ms(fault.first_seen_ms),
        active_since: fault.active_since_ms.map(display_ms),
        gone_at: fault.gone_at_ms.map(display_ms),
        cleared_at: fault.cleared_at_ms.map(display_ms),
        last_seen_at: display_ms(fault.last_seen_ms),
        activations: fault.activations,
        unseen_activations: fault.unseen_activations,
        occurrence_count: fault.occurrence_count,
        lamps: lamps_on(fault.lamps.0),
        alert: row.alert_id,
        alert_state: row.alert_state.clone(),
    }
}

/// One line a fault.
fn table(faults: &[FaultJson], language: Language) -> String {
    let head = ["severity", "machine", "code", "source", "state", "since (UTC)", "times", "what"].map(String::from);
    let mut rows = vec![head];
    rows.extend(faults.iter().map(|fault| {
        let since = fault.active_since.as_deref().unwrap_or(&fault.first_seen_at);
        [
            fault.severity.word(language).to_owned(),
            fault.machine.clone(),
            format!("{}/{}{}", fault.spn, fault.fmi, if fault.legacy_conversion { " CM" } else { "" }),
            fault.controller.clone(),
            fault.life.word(language).to_owned(),
            since[..since.len().min(19)].replace('T', " "),
            (fault.activations + fault.unseen_activations).to_string(),
            fault.title.clone(),
        ]
    }));
    aligned(&rows, NUMBERS)
}

/// Everything around one fault, as JSON.
#[derive(Debug, Serialize)]
struct DiagnosisJson {
    #[serde(flatten)]
    fault: FaultJson,
    engine_hours_at_onset: Option<f64>,
    doing: Doing,
    position: Option<(f64, f64)>,
    others: Vec<Other>,
    elsewhere: FaultsElsewhere,
    freeze_frame_samples: usize,
    signals: Vec<Around>,
    text: String,
}

/// Other trouble at the same time.
#[derive(Debug, Serialize)]
struct Other {
    subject: String,
    title: String,
    opened_at: String,
}

async fn one(
    config: &Config,
    client: &Client,
    catalogues: &Catalogues,
    machine_id: i64,
    code: Code,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let language = arguments.lang;
    let rows = stored::fault_rows(client, Some(machine_id), true, OTHERS_MAX).await?;
    let is_it =
        |key: FaultKey| key.code() == code && arguments.source.is_none_or(|source| source == key.source_address);
    let Some(row) = rows.iter().find(|row| is_it(row.key)) else {
        bail!(
            "the machine has never reported {code}; `polevod faults {} --all` lists what it has",
            arguments.machine.as_deref().unwrap_or_default()
        );
    };
    let subject = Subject::Fault(row.key);
    let episodes = stored::episodes(client, machine_id, Some(&subject), 1).await?;
    let at_ms = row.fault.active_since_ms.unwrap_or(row.fault.first_seen_ms);
    let frame = match episodes.first() {
        None => None,
        Some((id, _)) => stored::freeze_frame(client, *id, Moment::Onset).await?,
    };
    let samples = frame.map(|frame| frame.samples).unwrap_or_default();
    let around = diagnosis::around(&samples, at_ms);
    let others: Vec<_> = stored::episodes(client, machine_id, None, OTHERS_MAX)
        .await?
        .into_iter()
        .map(|(_, episode)| episode)
        .filter(|other| other.subject != subject && other.overlaps(at_ms - SAME_TIME_MS, at_ms + SAME_TIME_MS))
        .collect();
    let title = |episode: &crate::derive::health::Episode| {
        let words = catalogues.words(&episode.subject, row.model.as_deref(), &episode.evidence);
        words.title.get(language).to_owned()
    };
    let named: Vec<_> = others.iter().map(|other| (title(other), other.opened_at_ms)).collect();
    let hours = around.iter().find(|around| around.signal == "engine_hours_h");
    let hours_at_onset = hours.map(|hours| hours.at_moment.unwrap_or(hours.min));
    let words = catalogues.faults.explain(row.key, row.model.as_deref(), row.fault.lamps.0);
    let elsewhere = stored::fault_elsewhere(client, machine_id, code).await?;
    let controller: Text = catalogues.faults.controller(row.key.source_address);
    let fault = fault_json(catalogues, row, language);
    let diagnosis = Diagnosis {
        whose: Whose { serial: &row.serial, name: row.name.as_deref(), model: row.model.as_deref() },
        key: row.key,
        words: &words,
        controller: &controller,
        fault: &row.fault,
        life: fault.life,
        hours_at_onset,
        at_ms,
        around: &around,
        doing: diagnosis::doing(&around),
        position: diagnosis::position(&around),
        others: &named,
        elsewhere: (elsewhere.machines, elsewhere.of_machines),
    };
    let text = diagnosis.text(language, &config.clock.zone.0);
    if !arguments.json {
        say_text!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    let (doing, position) = (diagnosis.doing, diagnosis.position);
    let json = DiagnosisJson {
        fault,
        engine_hours_at_onset: hours_at_onset,
        doing,
        position,
        others: others
            .iter()
            .map(|other| Other {
                subject: other.subject.to_string(),
                title: title(other),
                opened_at: display_ms(other.opened_at_ms),
            })
            .collect(),
        elsewhere,
        freeze_frame_samples: samples.len(),
        signals: around,
        text,
    };
    say!("{}", serde_json::to_string_pretty(&json).context("figures always serialise")?);
    Ok(ExitCode::SUCCESS)
}
