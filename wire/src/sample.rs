//! Samples row by row: for recorders, tests and people; the service itself works on columns.

use std::collections::BTreeMap;

use crate::bitmap::Bitmap;
use crate::frame::{Column, Columns};
use crate::signal::SignalId;

/// One reading of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// Machine clock, Unix milliseconds UTC.
    pub recorded_at_ms: i64,
    /// Reported values in catalogue resolution; a signal that is absent was not reported.
    pub values: Vec<(SignalId, i64)>,
}

impl Sample {
    /// An empty sample.
    pub fn at(recorded_at_ms: i64) -> Self {
        Self { recorded_at_ms, values: Vec::new() }
    }

    /// Adds a physical value; NaN, infinities and values outside the signal's valid range count as not reported.
    pub fn set(&mut self, signal: SignalId, physical: f64) {
        let raw = match crate::catalogue::find(signal) {
            Some(row) if physical >= row.valid.0 && physical <= row.valid.1 => row.resolution.raw(physical),
            Some(_) => None,
            None => signal.raw(physical),
        };
        if let Some(raw) = raw {
            self.values.push((signal, raw));
        }
    }

    /// The physical value of `signal`, where reported.
    pub fn physical(&self, signal: SignalId) -> Option<f64> {
        self.values.iter().find(|(id, _)| *id == signal).map(|(id, raw)| id.physical(*raw))
    }
}

/// Turns rows into columns; of a signal that a sample names twice the last value counts.
pub fn columns_of(samples: &[Sample]) -> Columns {
    let mut columns: BTreeMap<SignalId, (Vec<usize>, Vec<i64>)> = BTreeMap::new();
    for (position, sample) in samples.iter().enumerate() {
        for (signal, value) in &sample.values {
            let (positions, values) = columns.entry(*signal).or_default();
            if positions.last() == Some(&position) {
                values.pop();
            } else {
                positions.push(position);
            }
            values.push(*value);
        }
    }
    Columns {
        recorded_at_ms: samples.iter().map(|sample| sample.recorded_at_ms).collect(),
        columns: columns
            .into_iter()
            .map(|(signal, (positions, values))| Column {
                signal,
                presence: Bitmap::from_positions(positions, samples.len()),
                values,
            })
            .collect(),
    }
}

/// Turns columns into rows, values in the order of the columns.
pub fn samples_of(columns: &Columns) -> Vec<Sample> {
    let records = columns.recorded_at_ms.len();
    let mut samples: Vec<_> = columns.recorded_at_ms.iter().map(|at| Sample::at(*at)).collect();
    for column in &columns.columns {
        for (position, value) in column.presence.positions(records).zip(&column.values) {
            samples[position].values.push((column.signal, *value));
        }
    }
    samples
}
