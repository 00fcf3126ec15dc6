//! One way to write anything in any format: begin, add each session, finish. The command line and the HTTP API share
//! it.

use std::fmt;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::derive::Readings;
use crate::derive::field::Field;
use crate::derive::fieldwork::Trace;
use crate::locale::Language;

use super::table::{Column, Style};
use super::work::Work;
use super::{Csv, GeoJson, Kml, TaskData, Unsaid, Xlsx, columns};

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum What {
    /// Sessions with their figures; in GeoJSON and KML with the worked area.
    Sessions,
    /// The way, place by place with its state; in GeoJSON and KML as lines.
    Track,
    /// The strips that were covered.
    Swaths,
    /// Yield points, with the reason where cleaning dropped one.
    Yield,
    /// Boundaries that work outside known fields proposes.
    Proposed,
    /// Fields.
    Fields,
    /// Everything of a session, as task data.
    Taskdata,
}

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// Text with separators.
    Csv,
    /// A workbook.
    Xlsx,
    /// GeoJSON.
    Geojson,
    /// KML.
    Kml,
    /// ISOXML task data, zipped.
    Isoxml,
}

impl What {
    /// Every kind, with its name.
    const ALL: [(Self, &str); 7] = [
        (Self::Sessions, "sessions"),
        (Self::Track, "track"),
        (Self::Swaths, "swaths"),
        (Self::Yield, "yield"),
        (Self::Proposed, "proposed"),
        (Self::Fields, "fields"),
        (Self::Taskdata, "taskdata"),
    ];

    /// The formats that can hold it, the usual one first.
    pub fn formats(self) -> &'static [Format] {
        match self {
            Self::Sessions | Self::Track | Self::Yield => &[Format::Csv, Format::Xlsx, Format::Geojson, Format::Kml],
            Self::Swaths | Self::Proposed => &[Format::Geojson],
            Self::Fields => &[Format::Geojson, Format::Kml, Format::Isoxml],
            Self::Taskdata => &[Format::Isoxml],
        }
    }

    /// Whether it needs the samples of each session.
    pub fn needs_samples(self, format: Format) -> bool {
        match self {
            Self::Fields | Self::Proposed => false,
            Self::Sessions => matches!(format, Format::Geojson | Format::Kml),
            Self::Track | Self::Swaths | Self::Yield | Self::Taskdata => true,
        }
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(what, _)| *what == self).map_or("", |(_, name)| name)
    }
}

impl Format {
    const ALL: [Self; 5] = [Self::Csv, Self::Xlsx, Self::Geojson, Self::Kml, Self::Isoxml];

    /// The usual ending of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Geojson => "geojson",
            Self::Kml => "kml",
            Self::Isoxml => "zip",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Geojson => "application/geo+json",
            Self::Kml => "application/vnd.google-earth.kml+xml",
            Self::Isoxml => "application/zip",
        }
    }

    /// The format of a file by its ending.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let extension = extension.to_lowercase();
        let known = Self::ALL.into_iter().find(|format| format.extension() == extension);
        known.or((extension == "json").then_some(Self::Geojson))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Isoxml { "isoxml" } else { self.extension() })
    }
}

/// Why an export cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A format that cannot hold the thing.
    #[error("{what} cannot be written as {format}; possible: {}", what.formats().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NotPossible {
        /// What was asked for.
        what: What,
        /// As what.
        format: Format,
    },
    /// Nothing can be written to.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How an export is written.
#[derive(Debug, Clone)]
pub struct Options {
    /// What it holds.
    pub what: What,
    /// As what.
    pub format: Format,
    /// Headings, numbers and times.
    pub style: Style,
    /// Now, for files that carry a date.
    pub written_at: Timestamp,
}

/// A session with everything behind it. Trace and readings may be empty unless [`What::needs_samples`].
#[derive(Debug, Clone, Copy)]
pub struct Added<'a> {
    /// The session.
    pub work: &'a Work,
    /// Its field.
    pub field: Option<&'a Field>,
    /// What stands behind its figures.
    pub trace: &'a Trace,
    /// What the machine reported in its time.
    pub readings: &'a Readings,
}

/// Writes an export.
pub struct Exporter<W: Write + Send> {
    options: Options,
    sessions: Vec<Column<Work>>,
    target: Target<W>,
}

enum Target<W: Write + Send> {
    Csv(Csv<W>),
    Xlsx(Box<Xlsx>, W),
    GeoJson(GeoJson<W>),
    Kml(Kml<W>),
    TaskData(Box<TaskData<W>>),
}

impl<W: Write + Send> Exporter<W> {
    /// Begins an export.
    ///
    /// # Errors
    /// When the format cannot hold what is asked for, or `out` takes no more.
    pub fn begin(options: Options, out: W) -> Result<Self, BeginError> {
        let Options { what, format, style, written_at } = &options;
        if !what.formats().contains(format) {
            return Err(BeginError::NotPossible { what: *what, format: *format });
        }
        let sessions = columns::sessions();
        let title = style.headings.unwrap_or(Language::En).word("export.what", what.name());
        let target = match format {
            Format::Csv => Target::Csv(match what {
                What::Track => Csv::begin(&columns::track(), style, out)?,
                What::Yield => Csv::begin(&columns::yield_points(), style, out)?,
                _ => Csv::begin(&sessions, style, out)?,
            }),
            Format::Xlsx => {
                let mut workbook = Xlsx::new(style);
                match what {
                    What::Track => workbook.begin(&title, &columns::track())?,
                    What::Yield => workbook.begin(&title, &columns::yield_points())?,
                    _ => workbook.begin(&title, &sessions)?,
                }
                Target::Xlsx(Box::new(workbook), out)
            }
            Format::Geojson => Target::GeoJson(GeoJson::begin(out)?),
            Format::Kml => Target::Kml(Kml::begin(out, &title, style)?),
            Format::Isoxml => Target::TaskData(Box::new(TaskData::begin(out, style.zone.clone(), *written_at))),
        };
        Ok(Self { options, sessions, target })
    }

    /// Adds a session.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn add(&mut self, added: Added<'_>) -> io::Result<Unsaid> {
        let Added { work, field, trace, readings } = added;
        let style = &self.options.style;
        match (&mut self.target, self.options.what) {
            (Target::Csv(csv), What::Track) => {
                let columns = columns::track();
                trace.points.iter().try_for_each(|point| csv.row(&columns, &(work, point)))?;
            }
            (Target::Csv(csv), What::Yield) => {
                let columns = columns::yield_points();
                trace.yield_points.iter().try_for_each(|point| csv.row(&columns, &(work, point)))?;
            }
            (Target::Csv(csv), _) => csv.row(&self.sessions, work)?,
            (Target::Xlsx(workbook, _), What::Track) => {
                let columns = columns::track();
                trace.points.iter().try_for_each(|point| workbook.row(&columns, &(work, point)))?;
            }
            (Target::Xlsx(workbook, _), What::Yield) => {
                let columns = columns::yield_points();
                trace.yield_points.iter().try_for_each(|point| workbook.row(&columns, &(work, point)))?;
            }
            (Target::Xlsx(workbook, _), _) => workbook.row(&self.sessions, work)?,
            (Target::GeoJson(json), What::Sessions) => json.coverage(&self.sessions, work, trace, style)?,
            (Target::GeoJson(json), What::Track) => json.track(work, trace)?,
            (Target::GeoJson(json), What::Swaths) => json.swaths(work, trace)?,
            (Target::GeoJson(json), What::Yield) => json.yield_points(work, trace, style)?,
            (Target::GeoJson(json), What::Proposed) => json.proposed_boundary(work)?,
            (Target::Kml(kml), What::Sessions) => kml.coverage(&self.sessions, work, trace, style)?,
            (Target::Kml(kml), What::Track) => kml.track(work, trace)?,
            (Target::Kml(kml), What::Yield) => kml.yield_points(work, trace)?,
            (Target::TaskData(data), What::Taskdata) => return data.add(work, field, readings, trace),
            // Fields are added by themselves; a session adds none.
            (Target::GeoJson(_) | Target::Kml(_) | Target::TaskData(_), _) => {}
        }
        Ok(Unsaid::default())
    }

    /// Adds a field, where fields are exported.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn add_field(&mut self, field: &Field) -> io::Result<()> {
        match &mut self.target {
            Target::GeoJson(json) => json.field(field),
            Target::Kml(kml) => kml.field(field),
            Target::TaskData(data) => {
                data.add_field(field);
                Ok(())
            }
            Target::Csv(_) | Target::Xlsx(..) => Ok(()),
        }
    }

    /// Ends the export and hands back what was written to.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn finish(self) -> io::Result<W> {
        match self.target {
            Target::Csv(csv) => csv.finish(),
            Target::Xlsx(workbook, mut out) => {
                workbook.finish(&mut out)?;
                Ok(out)
            }
            Target::GeoJson(json) => json.finish(),
            Target::Kml(kml) => kml.finish(),
            Target::TaskData(data) => data.finish(),
        }
    }
}
