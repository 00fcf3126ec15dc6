//! The JSON frame: the same content for people and third parties, physical values with units in the names.

mod header;
mod quick;
mod samples;
pub(crate) mod time;
pub(crate) mod totals;
mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::{check_report, check_run, check_task, tidy_totals};
use crate::error::{DecodeError, DroppedValue};
use crate::frame::{Body, Decoded, FaultReport, Frame, Header, TaskRecord};
use crate::identity::{BootId, MachineSerial};
use crate::limits::NO_TIME_MS;
use crate::messages::Encoding;
use samples::ReadSamples;

const VERSION: u8 = 1;

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
        version: VERSION,
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
    read(bytes).map_err(|reason| match header::find(bytes) {
        Ok(header) => DecodeError::body(&header, reason),
        Err(header::NotFound::Version(version)) => DecodeError::Version(version),
        Err(header::NotFound::NoHeader) => DecodeError::Json(reason),
    })
}

fn read(bytes: &[u8]) -> Result<Decoded, String> {
    let json = match quick::read(bytes) {
        Some(json) => json,
        None => serde_json::from_slice(bytes).map_err(|error| error.to_string())?,
    };
    if json.version != VERSION {
        return Err(format!("version = {}; this service reads version {VERSION}", json.version));
    }
    let mut dropped = Vec::new();
    let body = match (json.samples, json.faults, json.tasks) {
        (Some(samples), None, None) => {
            let (columns, left_out) = samples.finish();
            dropped = left_out;
            Body::Telemetry(columns)
        }
        (None, Some(reports), None) => {
            reports.iter().try_for_each(check_report)?;
            Body::Faults(reports)
        }
        (None, None, Some(tasks)) => Body::Task(checked(tasks, &mut dropped)?),
        _ => return Err("exactly one of samples, faults and tasks is needed".into()),
    };
    check_run(json.first_sequence, body.len() as u64)?;
    let header = Header {
        machine: json.machine,
        boot: json.boot,
        first_sequence: json.first_sequence,
        count: u32::try_from(body.len()).expect("check_run bounds the count"),
        age_ms: json.age_ms,
    };
    Ok(Decoded { frame: Frame { header, body }, dropped, encoding: Encoding::Json })
}

fn checked(mut tasks: Vec<TaskRecord>, dropped: &mut Vec<DroppedValue>) -> Result<Vec<TaskRecord>, String> {
    for task in &mut tasks {
        check_task(task)?;
        tidy_totals(task, dropped);
    }
    Ok(tasks)
}

/// The time of a record that gives none.
pub(crate) fn no_time() -> i64 {
    NO_TIME_MS
}
