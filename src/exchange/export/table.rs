//! Tables as columns of a row type, shared by CSV and XLSX, so that they cannot differ.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::locale::Language;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Not known.
    Empty,
    /// Words.
    Text(String),
    /// A number and how many decimals of it mean something.
    Number(f64, u8),
    /// An instant.
    Time(Timestamp),
    /// A day.
    Day(Date),
}

impl Cell {
    /// A number that may be absent.
    pub(super) fn number(value: Option<f64>, decimals: u8) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Empty, |value| Self::Number(value, decimals))
    }

    /// A count.
    pub(super) fn count(value: u64) -> Self {
        Self::Number(value as f64, 0)
    }

    /// Words that may be absent.
    pub(super) fn text(value: Option<&str>) -> Self {
        value.filter(|text| !text.is_empty()).map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }
}

/// How headings, numbers and times are written.
#[derive(Debug, Clone)]
pub struct Style {
    /// Headings for people in a language; `None`: names with units, as in the HTTP API, for programs.
    pub headings: Option<Language>,
    /// Zone of times for people; programs get UTC.
    pub zone: TimeZone,
}

type CellOf<R> = dyn Fn(&R, &Style) -> Cell + Send + Sync;

/// A column of rows `R`.
pub struct Column<R: ?Sized> {
    /// Name with its unit: `area_ha`.
    pub name: String,
    /// Text key of the heading for people.
    /// The style is given for words that have translations.
    cell: Box<CellOf<R>>,
}

impl<R: ?Sized> Column<R> {
    /// A column whose heading for people stands under `export.<name>`; without one it is the name.
    pub(super) fn new(name: &str, cell: impl Fn(&R, &Style) -> Cell + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), cell: Box::new(cell) }
    }

    /// Its cell of a row.
    pub fn cell(&self, row: &R, style: &Style) -> Cell {
        (self.cell)(row, style)
    }

    /// The heading in a style.
    pub(super) fn title(&self, style: &Style) -> String {
        match style.headings {
            Some(language) => language.word("export", &self.name),
            None => self.name.clone(),
        }
    }
}
