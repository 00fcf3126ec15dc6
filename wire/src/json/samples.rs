//! Samples in JSON: objects of named physical values, read straight into columns.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::time;
use super::value::{JsonValue, shortened};
use crate::bitmap::Bitmap;
use crate::check::note_dropped;
use crate::error::DroppedValue;
use crate::frame::{Column, Columns};
use crate::limits::{MAX_COLUMNS, MAX_RECORDS, MAX_VALUES, NO_TIME_MS};
use crate::sample::samples_of;
use crate::signal::{Resolution, SignalId};

/// Room that a new key gets at once.
const USUAL_SAMPLES: usize = 16;

/// The objects of `columns`, for writing.
pub(super) fn objects(columns: &Columns) -> Vec<BTreeMap<String, serde_json::Value>> {
    samples_of(columns)
        .into_iter()
        .map(|sample| {
            let values = sample.values.iter().map(|(id, raw)| (id.to_string(), id.physical(*raw).into()));
            values.chain([("recorded_at".to_string(), time::format(sample.recorded_at_ms).into())]).collect()
        })
        .collect()
}

/// Columns under construction.
#[derive(Default)]
pub(super) struct ReadSamples {
    recorded_at_ms: Vec<i64>,
    slots: Vec<Slot>,
    values: usize,
}

/// What one key of the objects means, and what it held so far.
struct Slot {
    key: String,
    meaning: Meaning,
    positions: Vec<usize>,
    values: Vec<i64>,
    /// What was wrong with the first value that was left out, and how many were.
    dropped: Option<(String, u64)>,
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
        let mut columns = Vec::with_capacity(self.slots.len());
        let mut dropped = Vec::new();
        for slot in self.slots {
            if let Some((detail, values)) = slot.dropped {
                let code = if matches!(slot.meaning, Meaning::Unknown) { "unknown_signal" } else { "not_a_number" };
                note_dropped(&mut dropped, code, values, || detail);
            }
            if let Meaning::Signal(signal, _) = slot.meaning
                && !slot.values.is_empty()
            {
                let presence = if slot.values.len() == records {
                    Bitmap::ALL
                } else {
                    Bitmap::from_positions(slot.positions, records)
                };
                columns.push(Column { signal, presence, values: slot.values });
            }
        }
        columns.sort_by_key(|column| column.signal);
        (Columns { recorded_at_ms: self.recorded_at_ms, columns }, dropped)
    }

    /// Begins a sample that has no time yet.
    pub(super) fn begin_sample(&mut self) {
        self.recorded_at_ms.push(NO_TIME_MS);
    }

    /// Whether the samples so far are few enough.
    pub(super) fn is_within_limits(&self) -> bool {
        self.recorded_at_ms.len() <= MAX_RECORDS && self.values <= MAX_VALUES
    }

    /// The key of slot `at`.
    pub(super) fn key_of(&self, at: usize) -> Option<&str> {
        self.slots.get(at).map(|slot| slot.key.as_str())
    }

    /// The slot of `key`. Objects of one frame mostly name the same keys in the same order, so the guess is
    /// nearly always right and no table is asked.
    #[inline]
    pub(super) fn slot<E: Error>(&mut self, key: &str, guess: usize) -> Result<usize, E> {
        match self.slots.get(guess) {
            Some(slot) if slot.key == key => Ok(guess),
            _ => self.find_slot(key),
        }
    }

    fn find_slot<E: Error>(&mut self, key: &str) -> Result<usize, E> {
        if let Some(found) = self.slots.iter().position(|slot| slot.key == key) {
            return Ok(found);
        }
        let meaning = match key {
            "recorded_at" => Meaning::RecordedAt,
            "recorded_at_ms" => Meaning::RecordedAtMs,
            name => SignalId::by_name(name).map_or(Meaning::Unknown, |id| Meaning::Signal(id, id.resolution())),
        };
        // A raw signal has several spellings (`ddi_ea60`, `ddi_EA60`), which must not become two columns.
        if let Meaning::Signal(id, _) = meaning
            && let Some(same) =
                self.slots.iter().position(|slot| matches!(slot.meaning, Meaning::Signal(i, _) if i == id))
        {
            return Ok(same);
        }
        if self.slots.len() >= MAX_COLUMNS {
            return Err(E::custom(format_args!("more than {MAX_COLUMNS} different keys in one frame")));
        }
        self.slots.push(Slot {
            key: key.to_string(),
            meaning,
            positions: Vec::with_capacity(USUAL_SAMPLES),
            values: Vec::with_capacity(USUAL_SAMPLES),
            dropped: None,
        });
        Ok(self.slots.len() - 1)
    }

    /// Puts the value of key `at` into the sample that was begun last.
    #[inline]
    pub(super) fn take(&mut self, at: usize, value: &JsonValue<'_>) {
        let position = self.recorded_at_ms.len() - 1;
        let slot = &mut self.slots[at];
        match (value, slot.meaning) {
            (JsonValue::Number(number), Meaning::Signal(_, resolution)) => match resolution.raw(*number) {
                Some(raw) => {
                    slot.put(position, raw);
                    self.values += 1;
                }
                None => slot.drop(position, value),
            },
            (JsonValue::Null, _) => {}
            (JsonValue::Text(text), Meaning::RecordedAt) => {
                self.recorded_at_ms[position] = time::parse(text).unwrap_or(NO_TIME_MS);
            }
            (JsonValue::Number(at_ms), Meaning::RecordedAtMs) => self.recorded_at_ms[position] = *at_ms as i64,
            _ => slot.drop(position, value),
        }
    }
}

impl Slot {
    #[inline]
    fn put(&mut self, position: usize, raw: i64) {
        if self.positions.last() == Some(&position) {
            // The sample names the key twice: the last value counts, as in every JSON reader.
            self.values.pop();
        } else {
            self.positions.push(position);
        }
        self.values.push(raw);
    }

    #[cold]
    fn drop(&mut self, position: usize, value: &JsonValue<'_>) {
        if let Some((_, values)) = &mut self.dropped {
            *values += 1;
            return;
        }
        let key = shortened(&self.key);
        let detail = match self.meaning {
            Meaning::Unknown => format!(
                "{key:?} in sample {position} is no signal of the catalogue; names carry units, as engine_speed_rpm"
            ),
            Meaning::RecordedAt => {
                format!("{key} = {value} in sample {position} is no text; write \"2026-08-20T05:12:07.000Z\"")
            }
            _ => format!(
                "{key} = {value} in sample {position} is not a number that fits; write a number or leave it out"
            ),
        };
        self.dropped = Some((detail, 1));
    }
}

impl<'de> Deserialize<'de> for ReadSamples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SampleList)
    }
}

struct SampleList;

impl<'de> Visitor<'de> for SampleList {
    type Value = ReadSamples;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ReadSamples, A::Error> {
        let mut read = ReadSamples::default();
        while seq.next_element_seed(OneSample(&mut read))?.is_some() {
            if !read.is_within_limits() {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_RECORDS} samples or {MAX_VALUES} values; split the run"
                )));
            }
        }
        Ok(read)
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
        self.0.begin_sample();
        let mut guess = 0;
        while let Some(at) = map.next_key_seed(SlotOfKey { read: self.0, guess })? {
            guess = at + 1;
            let value: JsonValue<'de> = map.next_value()?;
            self.0.take(at, &value);
        }
        Ok(())
    }
}

/// Turns a key into the number of its slot without keeping the text.
struct SlotOfKey<'a> {
    read: &'a mut ReadSamples,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for SlotOfKey<'_> {
    type Value = usize;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for SlotOfKey<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        self.read.slot(key, self.guess)
    }
}
