//! Whose records a JSON frame carries, when its body cannot be read: so that they can be counted as refused and
//! the machine need not send them for ever.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::VERSION;
use crate::check::check_run;
use crate::frame::Header;
use crate::identity::{BootId, MachineSerial};

/// Why there is no header.
pub(super) enum NotFound {
    /// The frame is of another version, so its header may mean something else.
    Version(u8),
    /// The text is no JSON, or header keys are missing or wrong.
    NoHeader,
}

#[derive(Deserialize)]
struct JustVersion {
    version: u8,
}

#[derive(Deserialize)]
struct JustHeader {
    machine: MachineSerial,
    boot: BootId,
    first_sequence: u64,
    #[serde(default)]
    age_ms: u64,
    #[serde(default)]
    samples: Count,
    #[serde(default)]
    faults: Count,
    #[serde(default)]
    tasks: Count,
}

/// How many elements a list has, whatever they are.
#[derive(Default)]
struct Count(u64);

/// Finds the header of a frame whose body was refused.
pub(super) fn find(bytes: &[u8]) -> Result<Header, NotFound> {
    match serde_json::from_slice::<JustVersion>(bytes) {
        Ok(JustVersion { version: VERSION }) => {}
        Ok(JustVersion { version }) => return Err(NotFound::Version(version)),
        Err(_) => return Err(NotFound::NoHeader),
    }
    let json: JustHeader = serde_json::from_slice(bytes).map_err(|_| NotFound::NoHeader)?;
    let count = match (json.samples.0, json.faults.0, json.tasks.0) {
        (count, 0, 0) | (0, count, 0) | (0, 0, count) => count,
        _ => return Err(NotFound::NoHeader),
    };
    check_run(json.first_sequence, count).map_err(|_| NotFound::NoHeader)?;
    Ok(Header {
        machine: json.machine,
        boot: json.boot,
        first_sequence: json.first_sequence,
        count: u32::try_from(count).expect("check_run bounds the count"),
        age_ms: json.age_ms,
    })
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }
        deserializer.deserialize_seq(List)
    }
}
