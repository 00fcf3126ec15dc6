//! The JSON frame: the same content for people and third parties, physical values with units in the names.

mod samples;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::binary::{check_report, check_run, check_task};
use crate::error::DecodeError;
use crate::frame::{Body, Decoded, FaultReport, Frame, Header, TaskRecord};
use crate::identity::{BootId, MachineSerial};
use crate::messages::Encoding;
use samples::ReadSamples;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonFrame {
    version: u8,
    machine: MachineSerial,
    boot: BootId,
    first_sequence: u64,
    #[serde(default)]
    age_ms: u64,
    samples: Option<ReadSamples>,
    faults: Option<Vec<FaultReport>>,
    tasks: Option<Vec<TaskRecord>>,
}

#[derive(Serialize)]
struct JsonFrameOut<'a> {
    version: u8,
    machine: &'a MachineSerial,
    boot: BootId,
    first_sequence: u64,
    age_ms: u64,
    #[serde(flatten)]
    body: JsonBody<'a>,
}

#[derive(Serialize)]
enum JsonBody<'a> {
    #[serde(rename = "samples")]
    Samples(Vec<BTreeMap<String, serde_json::Value>>),
    #[serde(rename = "faults")]
    Faults(&'a [FaultReport]),
    #[serde(rename = "tasks")]
    Tasks(&'a [TaskRecord]),
}

/// Writes a frame as JSON text.
///
/// # Panics
/// When `frame.header.count` is not the number of records.
pub fn encode_json(frame: &Frame) -> Vec<u8> {
    assert_eq!(frame.header.count as usize, frame.body.len(), "a header counts the records of its body");
    let out = JsonFrameOut {
        version: 1,
        machine: &frame.header.machine,
        boot: frame.header.boot,
        first_sequence: frame.header.first_sequence,
        age_ms: frame.header.age_ms,
        body: match &frame.body {
            Body::Telemetry(columns) => JsonBody::Samples(samples::objects(columns)),
            Body::Faults(reports) => JsonBody::Faults(reports),
            Body::Task(records) => JsonBody::Tasks(records),
        },
    };
    serde_json::to_vec(&out).expect("plain data with text keys always serialises")
}

/// Reads a JSON frame; see [`crate::decode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let json: JsonFrame = serde_json::from_slice(bytes).map_err(|error| DecodeError::Json(error.to_string()))?;
    if json.version != 1 {
        return Err(DecodeError::Version(json.version));
    }
    let mut dropped = Vec::new();
    let body = match (json.samples, json.faults, json.tasks) {
        (Some(samples), None, None) => {
            let (columns, left_out) = samples.finish();
            dropped = left_out;
            Body::Telemetry(columns)
        }
        (None, Some(reports), None) => {
            reports.iter().try_for_each(check_report).map_err(DecodeError::Json)?;
            Body::Faults(reports)
        }
        (None, None, Some(tasks)) => {
            tasks.iter().try_for_each(check_task).map_err(DecodeError::Json)?;
            Body::Task(tasks)
        }
        _ => return Err(DecodeError::Json("exactly one of samples, faults and tasks is needed".into())),
    };
    check_run(json.first_sequence, body.len() as u64).map_err(DecodeError::Json)?;
    let header = Header {
        machine: json.machine,
        boot: json.boot,
        first_sequence: json.first_sequence,
        count: u32::try_from(body.len()).expect("check_run bounds the count"),
        age_ms: json.age_ms,
    };
    Ok(Decoded { frame: Frame { header, body }, dropped, encoding: Encoding::Json })
}

/// Times as RFC 3339 text in JSON, Unix milliseconds in memory.
pub(crate) mod instant {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn parse(text: &str) -> Option<i64> {
        text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    }

    pub(crate) fn format(at_ms: i64) -> String {
        jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.3}"))
    }

    pub(crate) fn serialize<S: Serializer>(at_ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        format(*at_ms).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            D::Error::custom(format!("recorded_at = {text:?} is no time; write 2026-08-20T05:12:07.000Z"))
        })
    }
}

/// Totals as `{"total_area_m2": 48300.0}` in JSON, (signal number, raw integer) in memory.
pub(crate) mod totals {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::signal::SignalId;

    pub(crate) fn serialize<S: Serializer>(totals: &[(u32, i64)], serializer: S) -> Result<S::Ok, S::Error> {
        totals
            .iter()
            .filter_map(|(number, raw)| SignalId::parse(*number).map(|id| (id.to_string(), id.physical(*raw))))
            .collect::<BTreeMap<_, _>>()
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u32, i64)>, D::Error> {
        let mut totals = BTreeMap::<String, f64>::deserialize(deserializer)?
            .into_iter()
            .map(|(name, physical)| {
                let id = SignalId::by_name(&name)
                    .ok_or_else(|| D::Error::custom(format!("total {name:?} is no signal of the catalogue")))?;
                let raw = match crate::catalogue::find(id) {
                    Some(signal) => signal.resolution.raw(physical),
                    None => Some(physical as i64),
                };
                raw.map(|raw| (id.number(), raw))
                    .ok_or_else(|| D::Error::custom(format!("total {name} = {physical} does not fit")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        totals.sort_unstable();
        Ok(totals)
    }
}
