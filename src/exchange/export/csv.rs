//! CSV (RFC 4180), row by row. For people it is what their spreadsheet opens without questions: UTF-8 with its mark,
//! and in Russian semicolons and decimal commas. For programs it is plain.

use std::io::{self, Write};

use jiff::Unit;

use crate::locale::Language;

use super::table::{Cell, Column, Style};

/// Writes a table as CSV.
pub struct Csv<W> {
    style: Style,
    out: W,
}

impl<W: Write> Csv<W> {
    /// Writes the headings.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn begin<R: ?Sized>(columns: &[Column<R>], style: &Style, mut out: W) -> io::Result<Self> {
        if style.headings.is_some() {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let mut table = Self { style: style.clone(), out };
        let separator = separator(style);
        table.line(columns.iter().map(|column| quoted(&column.title(style), separator)))?;
        Ok(table)
    }

    /// Writes a row, whose columns are those of the headings.
    ///
    /// # Errors
    /// As [`Csv::begin`].
    pub fn row<R: ?Sized>(&mut self, columns: &[Column<R>], row: &R) -> io::Result<()> {
        let style = self.style.clone();
        self.line(columns.iter().map(|column| written(column.cell(row, &style), &style)))
    }

    /// Hands back what was written to.
    ///
    /// # Errors
    /// As [`Csv::begin`].
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let separator = separator(&self.style);
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.out.write_all(&[separator])?;
            }
            self.out.write_all(cell.as_bytes())?;
        }
        self.out.write_all(b"\r\n")
    }
}

fn separator(style: &Style) -> u8 {
    if style.headings == Some(Language::Ru) { b';' } else { b',' }
}

fn written(cell: Cell, style: &Style) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => quoted(&harmless(&text), separator(style)),
        Cell::Number(value, decimals) => {
            let number = format!("{value:.0$}", usize::from(decimals));
            if style.headings == Some(Language::Ru) { number.replace('.', ",") } else { number }
        }
        Cell::Time(at) => match style.headings {
            None => at.to_string(),
            Some(_) => {
                let local = at.to_zoned(style.zone.clone());
                let local = local.round(Unit::Second).unwrap_or(local);
                local.strftime("%Y-%m-%d %H:%M:%S").to_string()
            }
        },
        Cell::Day(day) => day.to_string(),
    }
}

/// Names come from machines and files. One that begins like a formula would be computed by a spreadsheet.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: &str, separator: u8) -> String {
    let separator = char::from(separator);
    if text.contains([separator, '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
