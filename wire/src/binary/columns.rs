//! Telemetry column by column, as differences.
//!
//! The quick reader takes a good body in one pass; whatever it does not take is read again through bincode, which
//! then says what is wrong. So errors have one source, and a test holds the two to the same results.

use bincode::{Decode, Encode};

use super::varint;
use crate::bitmap::Bitmap;
use crate::check::{note_dropped, unknown_signal};
use crate::error::DroppedValue;
use crate::frame::{Column, Columns};
use crate::limits::{MAX_COLUMNS, MAX_VALUES};
use crate::signal::SignalId;

/// Times: the first as it is, the second as difference, every later one as difference of differences.
/// Values: the first as it is, every later one as difference to the one before in the same column.
#[cfg_attr(test, derive(Debug))]
#[derive(Encode, Decode)]
pub(super) struct WireColumns {
    recorded_at_ms: Vec<i64>,
    columns: Vec<WireColumn>,
}

#[cfg_attr(test, derive(Debug))]
#[derive(Encode, Decode)]
struct WireColumn {
    signal: u32,
    presence: Vec<u8>,
    values: Vec<i64>,
}

/// Reads the body of a telemetry frame of `records` samples.
pub(super) fn decode(bytes: &[u8], records: usize, dropped: &mut Vec<DroppedValue>) -> Result<Columns, String> {
    match decode_quickly(bytes, records) {
        Some(columns) => Ok(columns),
        None => decode_thoroughly(bytes, records, dropped),
    }
}

fn decode_quickly(bytes: &[u8], records: usize) -> Option<Columns> {
    let mut rest = bytes;
    if varint::length(&mut rest)? != records {
        return None;
    }
    let mut recorded_at_ms = varint::signed(&mut rest, records)?;
    undo_differences_of_differences(&mut recorded_at_ms);
    let count = varint::length(&mut rest).filter(|count| *count <= MAX_COLUMNS)?;
    let mut columns: Vec<Column> = Vec::with_capacity(count);
    let mut values_total = 0;
    for _ in 0..count {
        let signal = SignalId::parse(varint::unsigned32(&mut rest)?)?;
        if columns.last().is_some_and(|previous| previous.signal >= signal) {
            return None;
        }
        let presence_bytes = varint::length(&mut rest)?;
        let (presence, behind) = rest.split_at_checked(presence_bytes)?;
        rest = behind;
        let presence = Bitmap::from_bytes(presence.to_vec(), records)?;
        let present = varint::length(&mut rest)?;
        values_total += present;
        if present != presence.count(records) || values_total > MAX_VALUES {
            return None;
        }
        let mut values = varint::signed(&mut rest, present)?;
        undo_differences(&mut values);
        columns.push(Column { signal, presence, values });
    }
    rest.is_empty().then_some(Columns { recorded_at_ms, columns })
}

fn decode_thoroughly(bytes: &[u8], records: usize, dropped: &mut Vec<DroppedValue>) -> Result<Columns, String> {
    let WireColumns { mut recorded_at_ms, columns } = super::from_bytes(bytes)?;
    if columns.len() > MAX_COLUMNS {
        return Err(format!("it has {} columns; at most {MAX_COLUMNS} are allowed", columns.len()));
    }
    if recorded_at_ms.len() != records {
        return Err(format!("it has {} times, the header says {records}", recorded_at_ms.len()));
    }
    undo_differences_of_differences(&mut recorded_at_ms);
    let mut known = Vec::with_capacity(columns.len());
    let mut values_total = 0;
    let mut previous = None;
    for WireColumn { signal: number, presence, mut values } in columns {
        if previous.is_some_and(|previous| previous >= number) {
            return Err(format!("column {number} is out of order; signal numbers ascend"));
        }
        previous = Some(number);
        values_total += values.len();
        if values_total > MAX_VALUES {
            return Err(format!("it has more than {MAX_VALUES} values; split the run"));
        }
        let presence = Bitmap::from_bytes(presence, records)
            .ok_or_else(|| format!("the presence bitmap of column {number} does not fit {records} records"))?;
        if presence.count(records) != values.len() {
            let set = presence.count(records);
            return Err(format!("column {number} has {} values, its presence bitmap says {set}", values.len()));
        }
        let Some(signal) = SignalId::parse(number) else {
            note_dropped(dropped, "unknown_signal", values.len() as u64, || unknown_signal(number));
            continue;
        };
        undo_differences(&mut values);
        known.push(Column { signal, presence, values });
    }
    Ok(Columns { recorded_at_ms, columns: known })
}

fn undo_differences(values: &mut [i64]) {
    let mut sum = 0i64;
    for value in values {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

fn undo_differences_of_differences(times: &mut [i64]) {
    let Some((first, rest)) = times.split_first_mut() else { return };
    let (mut at, mut step) = (*first, 0i64);
    for time in rest {
        step = step.wrapping_add(*time);
        at = at.wrapping_add(step);
        *time = at;
    }
}

impl From<&Columns> for WireColumns {
    fn from(columns: &Columns) -> Self {
        let mut step = 0i64;
        let times = &columns.recorded_at_ms;
        let recorded_at_ms = (0..times.len())
            .map(|i| match i {
                0 => times[0],
                _ => {
                    let before = step;
                    step = times[i].wrapping_sub(times[i - 1]);
                    step.wrapping_sub(before)
                }
            })
            .collect();
        let columns = columns
            .columns
            .iter()
            .map(|column| {
                let mut before = 0i64;
                WireColumn {
                    signal: column.signal.number(),
                    presence: column.presence.as_bytes().to_vec(),
                    values: column
                        .values
                        .iter()
                        .map(|value| value.wrapping_sub(std::mem::replace(&mut before, *value)))
                        .collect(),
                }
            })
            .collect();
        Self { recorded_at_ms, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug)]
    struct AnyBody {
        records: usize,
        bytes: Vec<u8>,
        all_known: bool,
    }

    fn any_number() -> impl Strategy<Value = i64> + Clone {
        prop_oneof![4 => -100..100i64, 2 => -40_000..40_000i64, 1 => any::<i64>()]
    }

    fn any_column(signal: u32, records: usize) -> impl Strategy<Value = WireColumn> {
        let present = prop_oneof![
            Just(vec![true; records]),
            Just(vec![false; records]),
            prop::collection::vec(any::<bool>(), records)
        ];
        (present, prop::collection::vec(any_number(), records)).prop_map(move |(present, values)| {
            let positions = (0..records).filter(|position| present[*position]);
            WireColumn {
                signal,
                presence: Bitmap::from_positions(positions, records).as_bytes().to_vec(),
                values: values.into_iter().zip(&present).filter(|(_, here)| **here).map(|(value, _)| value).collect(),
            }
        })
    }

    fn any_body() -> impl Strategy<Value = AnyBody> {
        let signals = prop::sample::subsequence((0..460u32).collect::<Vec<_>>(), 0..8);
        (1..20usize, signals).prop_flat_map(|(records, signals)| {
            let all_known = signals.iter().all(|number| SignalId::parse(*number).is_some());
            let times = prop::collection::vec(any_number(), records);
            let columns: Vec<_> = signals.into_iter().map(|signal| any_column(signal, records)).collect();
            (times, columns).prop_map(move |(recorded_at_ms, columns)| {
                let bytes = super::super::to_bytes(&WireColumns { recorded_at_ms, columns });
                AnyBody { records, bytes, all_known }
            })
        })
    }

    fn check_same(bytes: &[u8], records: usize) -> Result<(), TestCaseError> {
        if let Some(quick) = decode_quickly(bytes, records) {
            let mut dropped = Vec::new();
            prop_assert_eq!(decode_thoroughly(bytes, records, &mut dropped), Ok(quick));
            prop_assert_eq!(dropped, vec![]);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn the_quick_reader_takes_every_good_body_and_agrees_with_bincode(body in any_body()) {
            let thorough = decode_thoroughly(&body.bytes, body.records, &mut Vec::new()).expect("a good body");
            let quick = decode_quickly(&body.bytes, body.records);
            prop_assert_eq!(quick.is_some(), body.all_known, "only unknown signals need the thorough reader");
            prop_assert!(quick.is_none_or(|quick| quick == thorough));
        }

        #[test]
        fn the_quick_reader_accepts_nothing_that_bincode_refuses(
            body in any_body(), cut in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(), new in prop_oneof![any::<u8>(), 249..=255u8],
        ) {
            let AnyBody { records, mut bytes, .. } = body;
            let at = at.index(bytes.len());
            bytes[at] = new;
            check_same(&bytes, records)?;
            bytes.insert(at, new);
            check_same(&bytes, records)?;
            bytes.truncate(cut.index(bytes.len()));
            check_same(&bytes, records)?;
        }
    }
}
