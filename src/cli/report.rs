//! `polevod report`: documents for people.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use jiff::{Timestamp, Zoned};

use super::export::Memory;
use super::output::{Output, counted};
use super::selection::{Selected, Selection};
use crate::config::Config;
use crate::derive::field::{FieldId, Fields};
use crate::locale::Language;
use crate::recompute;
use crate::report::{Correction, Drawn, FieldWork, Performed, Section, correction};
use crate::store::{self, work as stored};
use crate::time::now_ms;

/// What `report` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    report: Report,
}

#[derive(Debug, clap::Subcommand)]
enum Report {
    /// What was done on fields: totals, a table by machine and day, a map, how complete and how sure it is, lines to sign.
    #[command(after_help = "\
The file is one HTML document that needs nothing else; any browser prints it on A4.

  polevod report field-work --field \"Far field\" --period 2026-08 --out report.html")]
    FieldWork(FieldWorkArguments),
}

#[derive(Debug, clap::Args)]
struct FieldWorkArguments {
    #[command(flatten)]
    selection: Selection,
    /// File to write; without it, standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Language of the report.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Whose report it is; without it, the farms of the fields.
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// Address where the same report is kept up to date, for its foot.
    #[arg(long, value_name = "URL")]
    address: Option<String>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Report::FieldWork(arguments) = arguments.report;
    recompute::catch_up(config).await?;
    let client = store::connect(&config.database).await?;
    let selected = arguments.selection.find(config, &client).await?;
    let today = || Zoned::now().with_time_zone(config.clock.zone.0.clone()).date();
    let report = FieldWork {
        organisation: arguments.organisation,
        period: selected.period.unwrap_or_else(|| (today(), today())),
        corrections: corrections(&client, &selected, arguments.lang).await?,
        sections: sections(config, &client, &selected).await?,
        prepared_at: Timestamp::from_millisecond(now_ms()).unwrap_or_default(),
        zone: config.clock.zone.0.clone(),
        address: arguments.address,
    };
    let mut out = Output::open(arguments.out.as_deref(), true)?;
    std::io::Write::write_all(&mut out, report.render(arguments.lang).as_bytes()).context("cannot write the report")?;
    out.finish()?;
    if let Some(path) = &arguments.out {
        say!("{} in {}", counted(selected.works.len(), "session"), path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The sessions by field, those outside known fields last. A field that was asked for has its section without work too.
async fn sections(
    config: &Config,
    client: &impl tokio_postgres::GenericClient,
    selected: &Selected,
) -> anyhow::Result<Vec<Section>> {
    let fields = Arc::new(Fields::new(selected.fields.iter().map(|row| row.field.clone())));
    let mut by_field: BTreeMap<(bool, String, i64), Section> = BTreeMap::new();
    if let Some(row) = &selected.field {
        let section = Section { field: Some(row.field.clone()), performed: Vec::new() };
        by_field.insert((false, row.field.name.clone(), row.field.id.0), section);
    }
    let mut behind = Memory::new(config);
    for (row, work) in selected.rows.iter().zip(&selected.works) {
        let day = behind.of(client, row.machine_id, row.session.working_day, &fields).await?;
        let drawn = day.trace_of(&row.session).map(Drawn::of).unwrap_or_default();
        // A field that was removed since its session was confirmed is known by its name alone.
        let field = work.field_id().and_then(|id| fields.get(FieldId(id)));
        let key = match field {
            Some(field) => (false, field.name.clone(), field.id.0),
            None => (true, String::new(), 0),
        };
        let section = by_field.entry(key).or_insert_with(|| Section { field: field.cloned(), performed: Vec::new() });
        section.performed.push(Performed { work: work.clone(), drawn });
    }
    Ok(by_field.into_values().collect())
}

/// What changed in figures that had stood, oldest first.
async fn corrections(
    client: &impl tokio_postgres::GenericClient,
    selected: &Selected,
    language: Language,
) -> anyhow::Result<Vec<Correction>> {
    let mut corrections = Vec::new();
    for (row, work) in selected.rows.iter().zip(&selected.works) {
        let earlier =
            if row.revision > 1 { stored::session_history(client, row.work_session_id).await? } else { Vec::new() };
        corrections.extend(correction::of(row, &earlier, work, language));
    }
    corrections.sort_by_key(|correction| correction.at);
    Ok(corrections)
}
