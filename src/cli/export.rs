//! `polevod export`: field work in formats that other programs open.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::Date;

use super::output::{Output, counted};
use super::selection::{Selected, Selection};
use crate::config::Config;
use crate::derive::Readings;
use crate::derive::field::{FieldId, Fields};
use crate::derive::fieldwork::Trace;
use crate::exchange::export::{Added, Csv, Exporter, Format, Options, Style, What, samples};
use crate::locale::Language;
use crate::recompute::{self, Behind, WorkingDays};
use crate::store;
use crate::time::now_ms;

/// Days of samples in one export.
const SAMPLE_DAYS_MAX: usize = 366;

/// What `export` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What, and in which formats:
  sessions   csv, xlsx; geojson and kml with the worked area
  track      csv, xlsx, geojson, kml: the way with its states
  swaths     geojson: the strips that were covered
  yield      csv, xlsx, geojson, kml: yield points; dropped ones carry their reason in csv, xlsx and geojson
  proposed   geojson: boundaries of work outside known fields
  fields     geojson, kml, isoxml
  taskdata   isoxml: ISO 11783-10 version 4.3, zipped, with a time log for each session
  samples    csv: everything one machine reported

Without --lang headings are names with units, times are UTC, decimals have a point: for programs. With --lang ru or en
the file is for people and their spreadsheet.

  polevod export sessions --period 2026-08 --lang ru --out august.xlsx
  polevod export taskdata --field \"Far field\" --period 2026 --out taskdata.zip")]
pub(super) struct Arguments {
    /// What to export.
    #[arg(value_enum)]
    what: Exported,
    #[command(flatten)]
    selection: Selection,
    /// As what; without it, as the ending of --out says.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write; without it, standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Headings for people.
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Exported {
    Sessions,
    Track,
    Swaths,
    Yield,
    Proposed,
    Fields,
    Taskdata,
    Samples,
}

impl Exported {
    fn what(self) -> Option<What> {
        Some(match self {
            Self::Sessions => What::Sessions,
            Self::Track => What::Track,
            Self::Swaths => What::Swaths,
            Self::Yield => What::Yield,
            Self::Proposed => What::Proposed,
            Self::Fields => What::Fields,
            Self::Taskdata => What::Taskdata,
            Self::Samples => return None,
        })
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    recompute::catch_up(config).await?;
    let style = Style { headings: arguments.lang, zone: config.clock.zone.0.clone() };
    match arguments.what.what() {
        Some(what) => work(config, what, style, arguments).await?,
        None => every_sample(config, style, arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn work(config: &Config, what: What, style: Style, arguments: Arguments) -> anyhow::Result<()> {
    let ending = arguments.out.as_ref().and_then(|path| path.extension()?.to_str()).and_then(Format::of_extension);
    let format = arguments.format.or(ending).unwrap_or(what.formats()[0]);
    let mut client = store::connect(&config.database).await?;
    // One transaction, so that sessions and what stands behind them are of one moment.
    let transaction = client.build_transaction().read_only(true).isolation_level(REPEATABLE).start().await?;
    let selected = arguments.selection.find(config, &transaction).await?;
    let is_text = !matches!(format, Format::Xlsx | Format::Isoxml);
    let out = Output::open(arguments.out.as_deref(), is_text)?;
    let written_at = Timestamp::from_millisecond(now_ms()).unwrap_or_default();
    let mut exporter = Exporter::begin(Options { what, format, style, written_at }, out)?;
    if what == What::Fields {
        let wanted = selected.field.iter().chain(selected.fields.iter().filter(|_| selected.field.is_none()));
        for row in wanted {
            exporter.add_field(&row.field)?;
        }
    } else {
        let fields = Arc::new(Fields::new(selected.fields.iter().map(|row| row.field.clone())));
        let mut behind = Memory::new(config);
        let (nothing, no_readings) = (Trace::default(), Readings::default());
        let mut left_out = 0;
        for (row, work) in selected.rows.iter().zip(&selected.works) {
            let field = work.field_id().and_then(|id| fields.get(FieldId(id)));
            let (mut trace, mut readings) = (&nothing, &no_readings);
            if what.needs_samples(format) {
                let day = behind.of(&transaction, row.machine_id, row.session.working_day, &fields).await?;
                trace = day.trace_of(&row.session).unwrap_or(&nothing);
                readings = &day.readings;
            }
            left_out += exporter.add(Added { work, field, trace, readings })?.signals;
        }
        if left_out > 0 {
            eprintln!("{left_out} signals had no number left in a time log of 255 and are not in it");
        }
    }
    exporter.finish()?.finish()?;
    said(&arguments.out, &selected, what);
    Ok(())
}

const REPEATABLE: tokio_postgres::IsolationLevel = tokio_postgres::IsolationLevel::RepeatableRead;

fn said(out: &Option<PathBuf>, selected: &Selected, what: What) {
    if let Some(path) = out {
        let count = match what {
            What::Fields => selected.field.as_ref().map_or(selected.fields.len(), |_| 1),
            _ => selected.works.len(),
        };
        let thing = if what == What::Fields { "field" } else { "session" };
        say!("{} in {}", counted(count, thing), path.display());
    }
}

/// The day that was computed last: sessions come machine by machine within a day.
pub(super) struct Memory {
    calendar: WorkingDays,
    last: Option<(i64, Date, Behind)>,
}

impl Memory {
    pub(super) fn new(config: &Config) -> Self {
        Self { calendar: WorkingDays::new(config.clock.zone.0.clone(), config.derive.day_starts_h), last: None }
    }

    /// What stands behind the sessions of a machine's working day.
    pub(super) async fn of(
        &mut self,
        client: &impl tokio_postgres::GenericClient,
        machine_id: i64,
        day: Date,
        fields: &Arc<Fields>,
    ) -> anyhow::Result<&Behind> {
        if self.last.as_ref().is_none_or(|(machine, date, _)| (*machine, *date) != (machine_id, day)) {
            let behind = recompute::behind(client, &self.calendar, machine_id, day, fields.clone()).await?;
            self.last = Some((machine_id, day, behind));
        }
        Ok(&self.last.as_ref().context("it was put there above")?.2)
    }
}

/// Everything that a machine reported, day by day.
async fn every_sample(config: &Config, style: Style, arguments: Arguments) -> anyhow::Result<()> {
    let serial = arguments.selection.machine().context("samples are of one machine: give --machine SERIAL")?;
    let (Some(first), Some(last)) = arguments.selection.days(&config.clock.zone.0) else {
        bail!("samples are of some days: give --period DAYS, or --from and --to");
    };
    if !matches!(arguments.format, None | Some(Format::Csv)) {
        bail!("samples can be written as csv alone");
    }
    let mut client = store::connect(&config.database).await?;
    let transaction = client.build_transaction().read_only(true).isolation_level(REPEATABLE).start().await?;
    let machine = store::machine_by_serial(&transaction, store::Reach::Everything, serial).await?;
    let machine = machine.with_context(|| format!("machine {serial:?} is not known"))?;
    let calendar = WorkingDays::new(config.clock.zone.0.clone(), config.derive.day_starts_h);
    let periods: Vec<_> =
        first.series(jiff::ToSpan::day(1)).take_while(|day| *day <= last).take(SAMPLE_DAYS_MAX + 1).collect();
    if periods.len() > SAMPLE_DAYS_MAX {
        bail!("more than {SAMPLE_DAYS_MAX} days of samples; choose a shorter --period");
    }
    let periods: Vec<_> = periods.into_iter().filter_map(|day| Some(calendar.on(day)?.period)).collect();
    // Headings come first, so the days are gone through twice rather than held.
    let mut signals = std::collections::BTreeSet::new();
    for period in &periods {
        signals.extend(store::readings_and_raw(&transaction, machine.machine_id, period.clone()).await?.signals());
    }
    let out = Output::open(arguments.out.as_deref(), true)?;
    let mut csv = Csv::begin(&samples(signals.iter().copied()), &style, out)?;
    let mut count = 0;
    for period in periods {
        let readings = store::readings_and_raw(&transaction, machine.machine_id, period).await?;
        let columns = samples(signals.iter().copied());
        for index in 0..readings.len() {
            csv.row(&columns, &(&readings, index))?;
        }
        count += readings.len();
    }
    csv.finish()?.finish()?;
    if let Some(path) = &arguments.out {
        say!("{} in {}", counted(count, "sample"), path.display());
    }
    Ok(())
}
