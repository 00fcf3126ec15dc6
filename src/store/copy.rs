//! Samples as binary COPY: rows are written straight from the columns of the frame.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use tokio_postgres::Transaction;
use wire::{Column, Columns, SequenceSet, SqlType, StoreColumn, catalogue};

use super::StoreError;
use super::load::Run;
use crate::time::postgres_micros;

/// Rows are handed to the connection in pieces of about this size, so that the server reads while we write.
const CHUNK_BYTES: usize = 128 * 1024;
/// Columns of `sample` before the signals.
const FIXED_COLUMNS: &str = "machine_id, boot_id, sequence, recorded_at, recorded_at_raw, time_quality, received_at";
const FIXED_COLUMN_COUNT: usize = 7;
/// "Null" in the binary form.
const NULL: i32 = -1;

/// Rows of `sample` and `signal_sample` under construction.
pub(super) struct SampleWriter {
    samples: CopyBuffer,
    signals: CopyBuffer,
}

/// A table's rows in binary COPY form.
pub(super) struct CopyBuffer {
    chunks: Vec<Bytes>,
    bytes: BytesMut,
}

impl CopyBuffer {
    pub(super) fn new() -> Self {
        let mut bytes = BytesMut::new();
        // Signature, no flags, no header extension.
        bytes.put_slice(b"PGCOPY\n\xff\r\n\0");
        bytes.put_i32(0);
        bytes.put_i32(0);
        Self { chunks: Vec::new(), bytes }
    }

    /// Begins a row of `fields` fields.
    fn row(&mut self, fields: usize) -> &mut BytesMut {
        if self.bytes.len() >= CHUNK_BYTES {
            self.chunks.push(self.bytes.split().freeze());
            self.bytes.reserve(CHUNK_BYTES + CHUNK_BYTES / 8);
        }
        self.bytes.put_i16(fields as i16);
        &mut self.bytes
    }

    fn is_empty(&self) -> bool {
        const HEADER_BYTES: usize = 19;
        self.chunks.is_empty() && self.bytes.len() == HEADER_BYTES
    }

    /// Sends the rows to `statement`, a `COPY … FROM STDIN (FORMAT binary)`.
    async fn send(mut self, transaction: &Transaction<'_>, statement: &str) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        self.bytes.put_i16(-1);
        self.chunks.push(self.bytes.freeze());
        let sink = transaction.copy_in::<_, Bytes>(statement).await?;
        let mut sink = std::pin::pin!(sink);
        for chunk in self.chunks {
            sink.feed(chunk).await?;
        }
        sink.finish().await?;
        Ok(())
    }
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

impl SampleWriter {
    pub(super) fn new() -> Self {
        Self { samples: CopyBuffer::new(), signals: CopyBuffer::new() }
    }

    /// Writes the records of `run` whose sequence numbers are in `new`.
    pub(super) fn push(&mut self, machine_id: i64, run: &Run, columns: &Columns, new: &SequenceSet) {
        let frame = &*run.frame;
        let received_at = postgres_micros(frame.received_at_ms);
        let all_new = new.count() == run.records.len() as u64;
        let (mut wide, mut narrow) = cursors(columns);
        let fields = FIXED_COLUMN_COUNT + wide.len();
        for position in 0..run.records.end {
            let sequence = frame.first_sequence + position as u64;
            // Cursors move over every record, rows are written for the new ones.
            let wanted = position >= run.records.start && (all_new || new.contains(sequence));
            if !wanted {
                for cursor in wide.iter_mut().flatten().chain(&mut narrow) {
                    cursor.take(position);
                }
                continue;
            }
            let recorded_at = postgres_micros(frame.recorded_at_ms[position]);
            let row = self.samples.row(fields);
            put_i64(row, machine_id);
            put_i64(row, frame.boot.as_i64());
            put_i64(row, sequence.cast_signed());
            put_i64(row, recorded_at);
            let correction = frame.corrections.get(position);
            match correction.and_then(|correction| correction.raw_ms) {
                Some(raw_ms) => put_i64(row, postgres_micros(raw_ms)),
                None => row.put_i32(NULL),
            }
            put_i16(row, correction.map_or(0, |correction| correction.quality));
            put_i64(row, received_at);
            for cursor in &mut wide {
                match cursor.as_mut().and_then(|cursor| Some((cursor.take(position)?, cursor.scale))) {
                    None => row.put_i32(NULL),
                    Some((raw, scale)) => put_scaled(row, raw, scale),
                }
            }
            for cursor in &mut narrow {
                let Some(raw) = cursor.take(position) else { continue };
                let value = raw as f64 * cursor.scale.numerator / cursor.scale.denominator;
                let row = self.signals.row(4);
                put_i64(row, machine_id);
                put_i64(row, recorded_at);
                row.put_i32(4);
                row.put_u32(cursor.column.signal.number());
                put_f64(row, value);
            }
        }
    }
}

/// Sends what was written.
pub(super) async fn send(transaction: &Transaction<'_>, writer: SampleWriter) -> Result<(), StoreError> {
    writer.samples.send(transaction, sample_statement()).await?;
    writer
        .signals
        .send(transaction, "copy signal_sample (machine_id, recorded_at, signal_id, value) from stdin (format binary)")
        .await
}

/// The COPY statement of the sample table, its columns taken from the catalogue.
pub(super) fn sample_statement() -> &'static str {
    static STATEMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let signals: Vec<_> = catalogue::wide().map(|signal| signal.name).collect();
        format!("copy sample ({FIXED_COLUMNS}, {}) from stdin (format binary)", signals.join(", "))
    });
    &STATEMENT
}

/// The frame's columns in table order, and those that have no column in the table.
fn cursors(columns: &Columns) -> (Vec<Option<Cursor<'_>>>, Vec<Cursor<'_>>) {
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
    (wide, narrow)
}

fn put_scaled(row: &mut BytesMut, raw: i64, scale: Scale) {
    match scale.sql_type {
        // Validation keeps states within what a smallint holds.
        SqlType::SmallInt => put_i16(row, raw as i16),
        SqlType::Real => {
            row.put_i32(4);
            row.put_f32((raw as f64 * scale.numerator / scale.denominator) as f32);
        }
        SqlType::Double => put_f64(row, raw as f64 * scale.numerator / scale.denominator),
    }
}

fn put_i64(row: &mut BytesMut, value: i64) {
    row.put_i32(8);
    row.put_i64(value);
}

fn put_i16(row: &mut BytesMut, value: i16) {
    row.put_i32(2);
    row.put_i16(value);
}

fn put_f64(row: &mut BytesMut, value: f64) {
    row.put_i32(8);
    row.put_f64(value);
}
