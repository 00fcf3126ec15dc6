//! Samples as binary COPY: rows are written straight from the columns of the frame, while the server inserts the ones
//! before them.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use tokio_postgres::{Statement, Transaction};
use wire::{Column, Columns, SequenceSet, SqlType, StoreColumn, catalogue};

use super::StoreError;
use super::load::Run;
use super::session::Statements;
use crate::time::postgres_micros;

/// Rows are handed to the connection in pieces of about this size.
const CHUNK_BYTES: usize = 128 * 1024;
/// Columns of `sample` before the signals.
const FIXED_COLUMNS: &str = "machine_id, boot_id, sequence, recorded_at, recorded_at_raw, time_quality, received_at";
const FIXED_COLUMN_COUNT: usize = 7;
/// "Null" in the binary form.
const NULL: i32 = -1;

/// Samples of one run that are new.
pub(super) struct NewSamples<'a> {
    pub(super) machine_id: i64,
    pub(super) run: &'a Run,
    pub(super) columns: &'a Columns,
    /// Their sequence numbers.
    pub(super) new: SequenceSet,
}

/// Sends samples to `sample`, and what has no column there to `signal_sample`.
pub(super) async fn send(
    transaction: &Transaction<'_>,
    statements: &Statements,
    samples: &[NewSamples<'_>],
) -> Result<(), StoreError> {
    if samples.is_empty() {
        return Ok(());
    }
    copy(transaction, &statements.copy_samples, samples, put_rows).await?;
    if samples.iter().any(|samples| !cursors(samples.columns).narrow.is_empty()) {
        copy(transaction, &statements.copy_signals, samples, put_signals).await?;
    }
    Ok(())
}

/// The COPY statement of the sample table, its columns taken from the catalogue.
pub(super) fn sample_statement() -> String {
    let signals: Vec<_> = catalogue::wide().map(|signal| signal.name).collect();
    format!("copy sample ({FIXED_COLUMNS}, {}) from stdin (format binary)", signals.join(", "))
}

/// The COPY statement of signals that have no column of their own.
pub(super) const SIGNAL_STATEMENT: &str =
    "copy signal_sample (machine_id, recorded_at, signal_id, value) from stdin (format binary)";

/// Runs one COPY with the rows that `put` writes.
async fn copy(
    transaction: &Transaction<'_>,
    statement: &Statement,
    samples: &[NewSamples<'_>],
    put: fn(&NewSamples<'_>, &mut BytesMut),
) -> Result<(), StoreError> {
    let sink = transaction.copy_in::<_, Bytes>(statement).await?;
    let mut sink = std::pin::pin!(sink);
    let mut rows = BytesMut::with_capacity(CHUNK_BYTES);
    // Signature, no flags, no header extension.
    rows.put_slice(b"PGCOPY\n\xff\r\n\0");
    rows.put_i64(0);
    for samples in samples {
        put(samples, &mut rows);
        if rows.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut rows, BytesMut::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4));
            sink.feed(full.freeze()).await?;
        }
    }
    // The end mark.
    rows.put_i16(-1);
    sink.feed(rows.freeze()).await?;
    sink.finish().await?;
    Ok(())
}

/// Where the values of a frame's column stand in the row.
struct Cursor<'a> {
    column: &'a Column,
    /// Next of `column.values`.
    next: usize,
    scale: Scale,
}

#[derive(Clone, Copy)]
struct Scale {
    numerator: f64,
    denominator: f64,
    sql_type: SqlType,
}

impl Cursor<'_> {
    /// The value of record `position`; positions are asked for in order, each once.
    fn take(&mut self, position: usize) -> Option<i64> {
        self.column.presence.contains(position).then(|| {
            let value = self.column.values[self.next];
            self.next += 1;
            value
        })
    }
}

impl NewSamples<'_> {
    /// Positions up to the last one that may be new, each with whether it is.
    fn positions(&self) -> impl Iterator<Item = (usize, bool)> + '_ {
        let records = &self.run.records;
        let all_new = self.new.count() == records.len() as u64;
        let first = self.run.frame.first_sequence;
        let is_new =
            move |position: usize| position >= records.start && (all_new || self.new.contains(first + position as u64));
        (0..records.end).map(move |position| (position, is_new(position)))
    }
}

/// Writes rows of `sample`.
fn put_rows(samples: &NewSamples<'_>, rows: &mut BytesMut) {
    let frame = &*samples.run.frame;
    let mut wide = cursors(samples.columns).wide;
    let fields = (FIXED_COLUMN_COUNT + wide.len()) as i16;
    let received_at = postgres_micros(frame.received_at_ms);
    for (position, is_new) in samples.positions() {
        if !is_new {
            // Cursors move over every record.
            for cursor in wide.iter_mut().flatten() {
                cursor.take(position);
            }
            continue;
        }
        rows.put_i16(fields);
        put_i64(rows, samples.machine_id);
        put_i64(rows, frame.boot.as_i64());
        put_i64(rows, (frame.first_sequence + position as u64).cast_signed());
        put_i64(rows, postgres_micros(frame.recorded_at_ms[position]));
        let correction = frame.corrections.get(position);
        match correction.and_then(|correction| correction.raw_ms) {
            Some(raw_ms) => put_i64(rows, postgres_micros(raw_ms)),
            None => rows.put_i32(NULL),
        }
        put_i16(rows, correction.map_or(0, |correction| correction.quality));
        put_i64(rows, received_at);
        for cursor in &mut wide {
            match cursor.as_mut().and_then(|cursor| Some((cursor.take(position)?, cursor.scale))) {
                None => rows.put_i32(NULL),
                Some((raw, scale)) => put_scaled(rows, raw, scale),
            }
        }
    }
}

/// Writes rows of `signal_sample`.
fn put_signals(samples: &NewSamples<'_>, rows: &mut BytesMut) {
    let mut narrow = cursors(samples.columns).narrow;
    for (position, is_new) in samples.positions() {
        for cursor in &mut narrow {
            let Some(raw) = cursor.take(position).filter(|_| is_new) else { continue };
            rows.put_i16(4);
            put_i64(rows, samples.machine_id);
            put_i64(rows, postgres_micros(samples.run.frame.recorded_at_ms[position]));
            rows.put_i32(4);
            rows.put_u32(cursor.column.signal.number());
            put_f64(rows, cursor.scale.physical(raw));
        }
    }
}

/// The columns of a frame by where they go.
struct Cursors<'a> {
    /// In table order.
    wide: Vec<Option<Cursor<'a>>>,
    /// Those that have no column in the table.
    narrow: Vec<Cursor<'a>>,
}

fn cursors(columns: &Columns) -> Cursors<'_> {
    let cursor = |column, scale| Cursor { column, next: 0, scale };
    let mut of_frame = columns.columns.iter().peekable();
    let mut wide = Vec::with_capacity(32);
    let mut narrow = Vec::new();
    let narrow_scale = |column: &Column| {
        let resolution = catalogue::find(column.signal).map(|signal| signal.resolution);
        Scale {
            numerator: resolution.map_or(1.0, |resolution| resolution.numerator.into()),
            denominator: resolution.map_or(1.0, |resolution| resolution.denominator.into()),
            sql_type: SqlType::Double,
        }
    };
    // Both sides ascend by signal number.
    for signal in catalogue::wide() {
        while let Some(column) = of_frame.next_if(|column| column.signal < signal.id) {
            narrow.push(cursor(column, narrow_scale(column)));
        }
        let StoreColumn::Wide(sql_type) = signal.column else { continue };
        wide.push(of_frame.next_if(|column| column.signal == signal.id).map(|column| {
            let scale = Scale {
                numerator: signal.resolution.numerator.into(),
                denominator: signal.resolution.denominator.into(),
                sql_type,
            };
            cursor(column, scale)
        }));
    }
    narrow.extend(of_frame.map(|column| cursor(column, narrow_scale(column))));
    Cursors { wide, narrow }
}

impl Scale {
    fn physical(self, raw: i64) -> f64 {
        raw as f64 * self.numerator / self.denominator
    }
}

fn put_scaled(row: &mut BytesMut, raw: i64, scale: Scale) {
    match scale.sql_type {
        // Validation keeps states within what a smallint holds.
        SqlType::SmallInt => put_i16(row, raw as i16),
        SqlType::Real => put(row, (scale.physical(raw) as f32).to_be_bytes()),
        SqlType::Double => put_f64(row, scale.physical(raw)),
    }
}

fn put_i64(row: &mut BytesMut, value: i64) {
    put(row, value.to_be_bytes());
}

fn put_i16(row: &mut BytesMut, value: i16) {
    put(row, value.to_be_bytes());
}

fn put_f64(row: &mut BytesMut, value: f64) {
    put(row, value.to_be_bytes());
}

/// Length and value of a field.
fn put<const N: usize>(row: &mut BytesMut, value: [u8; N]) {
    row.put_i32(N as i32);
    row.put_slice(&value);
}
