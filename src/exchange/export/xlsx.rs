//! XLSX, row by row and with bounded memory: rows go to a temporary file until the workbook is closed.

use std::io::{self, Write};

use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::table::{Cell, Column, Style};

/// Rows of one sheet, its heading included; a sheet can hold 1,048,576.
const MAX_ROWS: u32 = 1_000_000;
/// Days between the zero of spreadsheets, 1899-12-30, and the Unix epoch.
const EPOCH_DAYS: f64 = 25_569.0;
const MS_PER_DAY: f64 = 86_400_000.0;
const COLUMN_WIDTH: f64 = 14.0;

/// Writes tables as sheets of one workbook.
pub struct Xlsx {
    workbook: Workbook,
    style: Style,
    sheet: Place,
}

/// Where the next row goes. Rows beyond [`MAX_ROWS`] go on in a sheet of the next number.
#[derive(Default)]
struct Place {
    name: String,
    part: u32,
    current: String,
    next_row: u32,
}

impl Xlsx {
    /// An empty workbook.
    pub fn new(style: &Style) -> Self {
        Self { workbook: Workbook::new(), style: style.clone(), sheet: Place::default() }
    }

    /// Begins a sheet with headings that stay in sight and can be filtered by.
    ///
    /// # Errors
    /// When the temporary file cannot be made.
    pub fn begin<R: ?Sized>(&mut self, name: &str, columns: &[Column<R>]) -> io::Result<()> {
        self.sheet = Place { name: name.to_owned(), part: 0, ..Place::default() };
        self.begin_part(columns)
    }

    /// Writes a row of the sheet begun last.
    ///
    /// # Errors
    /// When the temporary file takes no more.
    pub fn row<R: ?Sized>(&mut self, columns: &[Column<R>], row: &R) -> io::Result<()> {
        if self.sheet.next_row >= MAX_ROWS {
            self.begin_part(columns)?;
        }
        let sheet = self.workbook.worksheet_from_name(&self.sheet.current).map_err(other)?;
        for (number, column) in (0u16..).zip(columns) {
            write(sheet, self.sheet.next_row, number, column.cell(row, &self.style), &self.style).map_err(other)?;
        }
        self.sheet.next_row += 1;
        Ok(())
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// When `out` takes no more, or the workbook is none.
    pub fn finish(mut self, out: impl Write + Send) -> io::Result<()> {
        self.workbook.save_to_writer(out).map_err(other)
    }

    fn begin_part<R: ?Sized>(&mut self, columns: &[Column<R>]) -> io::Result<()> {
        let place = &mut self.sheet;
        place.part += 1;
        place.current = if place.part == 1 { place.name.clone() } else { format!("{} {}", place.name, place.part) };
        place.next_row = 1;
        let titles: Vec<String> = columns.iter().map(|column| column.title(&self.style)).collect();
        let last = u16::try_from(titles.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let sheet = self.workbook.add_worksheet_with_constant_memory().map_err(other)?;
        let bold = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mut begin = || -> Result<(), XlsxError> {
            sheet.set_name(&place.current)?;
            sheet.set_freeze_panes(1, 0)?;
            sheet.set_column_range_width(0, last, COLUMN_WIDTH)?;
            for (column, title) in (0u16..).zip(&titles) {
                sheet.write_string_with_format(0, column, title, &bold)?;
            }
            sheet.autofilter(0, 0, MAX_ROWS - 1, last)?;
            Ok(())
        };
        begin().map_err(other)
    }
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: Cell, style: &Style) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => {
            sheet.write_string(row, column, text)?;
        }
        Cell::Number(value, decimals) => {
            sheet.write_number_with_format(row, column, value, &number_format(decimals))?;
        }
        Cell::Time(at) => {
            // Spreadsheets know no zones: people get local time, programs UTC, as the heading says.
            let offset_s = match style.headings {
                Some(_) => style.zone.to_offset(at).seconds(),
                None => 0,
            };
            let ms = at.as_millisecond() + i64::from(offset_s) * 1000;
            let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
            sheet.write_number_with_format(row, column, ms as f64 / MS_PER_DAY + EPOCH_DAYS, &format)?;
        }
        Cell::Day(day) => {
            let days = f64::from(crate::time::postgres_days(day)) + EPOCH_OF_POSTGRES;
            sheet.write_number_with_format(row, column, days, &Format::new().set_num_format("yyyy-mm-dd"))?;
        }
    }
    Ok(())
}

/// 2000-01-01 in the days of spreadsheets.
const EPOCH_OF_POSTGRES: f64 = 36_526.0;

fn number_format(decimals: u8) -> Format {
    let format = if decimals == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(usize::from(decimals))) };
    Format::new().set_num_format(format)
}

fn other(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
