//! Samples in JSON: objects of named physical values, read straight into columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::instant;
use crate::binary::note_dropped;
use crate::bitmap::Bitmap;
use crate::error::DroppedValue;
use crate::frame::{Column, Columns};
use crate::limits::{MAX_COLUMNS, MAX_RECORDS, MAX_VALUES, NO_TIME_MS};
use crate::sample::samples_of;
use crate::signal::{Resolution, SignalId};

/// The objects of `columns`, for writing.
pub(super) fn objects(columns: &Columns) -> Vec<BTreeMap<String, serde_json::Value>> {
    samples_of(columns)
        .into_iter()
        .map(|sample| {
            let values = sample.values.iter().map(|(id, raw)| (id.to_string(), id.physical(*raw).into()));
            values.chain([("recorded_at".to_string(), instant::format(sample.recorded_at_ms).into())]).collect()
        })
        .collect()
}

/// Columns under construction.
#[derive(Default)]
pub(super) struct ReadSamples {
    recorded_at_ms: Vec<i64>,
    slots: Vec<Slot>,
    values: usize,
    dropped: Vec<DroppedValue>,
}

/// What one key of the objects means.
struct Slot {
    key: String,
    meaning: Meaning,
    positions: Vec<usize>,
    values: Vec<i64>,
}

#[derive(Clone, Copy)]
enum Meaning {
    RecordedAt,
    RecordedAtMs,
    Signal(SignalId, Resolution),
    Unknown,
}

impl ReadSamples {
    /// The columns, and what was left out of them.
    pub(super) fn finish(self) -> (Columns, Vec<DroppedValue>) {
        let records = self.recorded_at_ms.len();
        let mut columns: Vec<_> = self
            .slots
            .into_iter()
            .filter(|slot| !slot.values.is_empty())
            .filter_map(|slot| match slot.meaning {
                Meaning::Signal(signal, _) => Some(Column {
                    signal,
                    presence: Bitmap::from_positions(slot.positions, records),
                    values: slot.values,
                }),
                _ => None,
            })
            .collect();
        columns.sort_by_key(|column| column.signal);
        (Columns { recorded_at_ms: self.recorded_at_ms, columns }, self.dropped)
    }

    /// The slot of `key`. Objects of one frame mostly name the same keys in the same order, so the guess is
    /// nearly always right and no table is asked.
    fn slot<E: Error>(&mut self, key: &str, guess: usize) -> Result<usize, E> {
        if self.slots.get(guess).is_some_and(|slot| slot.key == key) {
            return Ok(guess);
        }
        if let Some(found) = self.slots.iter().position(|slot| slot.key == key) {
            return Ok(found);
        }
        if self.slots.len() >= MAX_COLUMNS {
            return Err(E::custom(format_args!("more than {MAX_COLUMNS} different keys in one frame")));
        }
        let meaning = match key {
            "recorded_at" => Meaning::RecordedAt,
            "recorded_at_ms" => Meaning::RecordedAtMs,
            name => SignalId::by_name(name).map_or(Meaning::Unknown, |id| {
                let plain = Resolution { numerator: 1, denominator: 1 };
                Meaning::Signal(id, crate::catalogue::find(id).map_or(plain, |signal| signal.resolution))
            }),
        };
        self.slots.push(Slot { key: key.to_string(), meaning, positions: Vec::new(), values: Vec::new() });
        Ok(self.slots.len() - 1)
    }

    fn take(&mut self, at: usize, value: JsonValue<'_>) {
        let position = self.recorded_at_ms.len() - 1;
        let slot = &mut self.slots[at];
        let number = match (&value, slot.meaning) {
            (JsonValue::Null, _) => return,
            (JsonValue::Text(text), Meaning::RecordedAt) => {
                self.recorded_at_ms[position] = instant::parse(text).unwrap_or(NO_TIME_MS);
                return;
            }
            (JsonValue::Number(at_ms), Meaning::RecordedAtMs) if at_ms.is_finite() => {
                self.recorded_at_ms[position] = *at_ms as i64;
                return;
            }
            (JsonValue::Number(number), Meaning::Signal(_, resolution)) => resolution.raw(*number),
            _ => None,
        };
        let Some(raw) = number else {
            let key = &slot.key;
            match slot.meaning {
                Meaning::Unknown => note_dropped(&mut self.dropped, "unknown_signal", 1, || {
                    format!(
                        "{key:?} in sample {position} is no signal of the catalogue; names carry units, as engine_speed_rpm"
                    )
                }),
                _ => note_dropped(&mut self.dropped, "not_a_number", 1, || {
                    format!(
                        "{key} = {value} in sample {position} is not a number that fits; write a number or leave it out"
                    )
                }),
            }
            return;
        };
        if slot.positions.last() == Some(&position) {
            slot.values.pop();
        } else {
            slot.positions.push(position);
        }
        slot.values.push(raw);
        self.values += 1;
    }
}

impl<'de> Deserialize<'de> for ReadSamples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = ReadSamples;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of samples")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ReadSamples, A::Error> {
                let mut read = ReadSamples::default();
                while seq.next_element_seed(OneSample(&mut read))?.is_some() {
                    if read.recorded_at_ms.len() > MAX_RECORDS || read.values > MAX_VALUES {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_RECORDS} samples or {MAX_VALUES} values; split the run"
                        )));
                    }
                }
                Ok(read)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

struct OneSample<'a>(&'a mut ReadSamples);

impl<'de> DeserializeSeed<'de> for OneSample<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneSample<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample: an object of named values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.recorded_at_ms.push(NO_TIME_MS);
        let mut guess = 0;
        while let Some(Key(key)) = map.next_key()? {
            let at = self.0.slot::<A::Error>(&key, guess)?;
            guess = at + 1;
            let value = map.next_value()?;
            self.0.take(at, value);
        }
        Ok(())
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_string())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A value as far as samples need it: lists and objects are refused with the frame, they are no readings.
enum JsonValue<'a> {
    Null,
    Number(f64),
    Text(Cow<'a, str>),
}

impl fmt::Display for JsonValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{:?}", text.chars().take(32).collect::<String>()),
        }
    }
}

impl<'de> Deserialize<'de> for JsonValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = JsonValue<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a switch, a text or null")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(JsonValue::Null)
            }
            fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
                Ok(JsonValue::Number(f64::from(u8::from(on))))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(JsonValue::Number(number as f64))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(JsonValue::Number(number as f64))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(JsonValue::Number(number))
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(JsonValue::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(JsonValue::Text(Cow::Owned(text.to_string())))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
