//! One message, from bytes to what the store takes. Pure: the time of arrival comes with the message.

use bytes::Bytes;
use wire::{Body, DecodeError, Encoding, Kind, Status, Topic, TopicKind};

use super::clock::{self, ClockRules};
use super::validate::validate;
use crate::config::Clock;
use crate::store::{Prepared, Records, Refusal, Reject, Run, StatusUpdate};

/// A message as the broker delivered it.
#[derive(Debug, Clone)]
pub struct RawMessage {
    /// Where it was published.
    pub topic: String,
    /// What was published.
    pub payload: Bytes,
    /// When it arrived, Unix milliseconds.
    pub received_at_ms: i64,
}

/// By what messages are judged.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Which clocks are believed.
    pub clock: ClockRules,
}

impl Rules {
    /// The rules of the settings.
    pub fn of(clock: &Clock) -> Self {
        Self { clock: ClockRules::of(clock) }
    }
}

/// What becomes of a message.
#[derive(Debug)]
pub enum Item {
    /// Records to store, or to refuse by their numbers.
    Run(Run),
    /// Nothing the ledger could account for.
    Reject(Reject),
    /// A change of link state.
    Status(StatusUpdate),
}

/// Decodes and validates a message. Every message becomes an item: there is no error, only a refusal.
pub fn prepare(message: RawMessage, rules: &Rules) -> Item {
    let topic = match Topic::parse(&message.topic) {
        Ok(topic) => topic,
        Err(error) => return reject(message, "topic", error.to_string()),
    };
    let expected = match topic.kind {
        TopicKind::Telemetry => Kind::Telemetry,
        TopicKind::Faults => Kind::Faults,
        TopicKind::Task => Kind::Task,
        TopicKind::Status => return status(message, topic),
        TopicKind::Stored | TopicKind::Request => {
            return reject(message, "topic", "stored and request go to machines, never from them".into());
        }
        TopicKind::Answer => return reject(message, "topic", "answers go to whoever has asked".into()),
    };
    let decoded = match wire::decode(&message.payload) {
        Ok(decoded) => decoded,
        Err(error) => return undecodable(message, &topic, error),
    };
    let header = decoded.frame.header;
    if header.machine != topic.machine {
        let detail = format!(
            "the frame is of machine {}, the topic of {}; a unit publishes for itself alone",
            header.machine, topic.machine
        );
        return reject(message, "machine", detail);
    }
    if decoded.frame.body.kind() != expected {
        let detail = format!("a {:?} frame came on a {} topic", decoded.frame.body.kind(), topic.kind.as_str());
        return reject(message, "kind", detail.to_lowercase());
    }
    let mut dropped = decoded.dropped;
    let (mut recorded_at_ms, records) = match decoded.frame.body {
        Body::Telemetry(mut columns) => {
            validate(&mut columns, &mut dropped);
            (std::mem::take(&mut columns.recorded_at_ms), Records::Samples(columns))
        }
        Body::Faults(reports) => {
            (reports.iter().map(|report| report.recorded_at_ms).collect(), Records::Faults(reports))
        }
        Body::Task(tasks) => (tasks.iter().map(|task| task.recorded_at_ms).collect(), Records::Tasks(tasks)),
    };
    let corrections = clock::correct(&mut recorded_at_ms, header.age_ms, message.received_at_ms, &rules.clock);
    Item::Run(Run::whole(Prepared {
        topic: message.topic,
        payload: message.payload,
        received_at_ms: message.received_at_ms,
        encoding: decoded.encoding,
        machine: header.machine,
        boot: header.boot,
        first_sequence: header.first_sequence,
        recorded_at_ms,
        corrections,
        records,
        dropped,
    }))
}

/// A frame that cannot be decoded. Where its header can be trusted, its records are refused by number, so that
/// the machine does not send them for ever; a frame that was damaged on the way comes again by itself.
fn undecodable(message: RawMessage, topic: &Topic, error: DecodeError) -> Item {
    let detail = error.to_string();
    match error.header().filter(|header| header.machine == topic.machine) {
        None => reject(message, error.code(), detail),
        Some(header) => {
            let records = header.count as usize;
            let run = Run::whole(Prepared {
                topic: message.topic,
                payload: message.payload,
                received_at_ms: message.received_at_ms,
                encoding: Encoding::Binary,
                machine: header.machine.clone(),
                boot: header.boot,
                first_sequence: header.first_sequence,
                recorded_at_ms: vec![message.received_at_ms; records],
                corrections: Vec::new(),
                records: Records::Unreadable,
                dropped: Vec::new(),
            });
            Item::Run(Run { refusal: Some(Refusal { reason: error.code(), detail }), ..run })
        }
    }
}

fn status(message: RawMessage, topic: Topic) -> Item {
    match Status::decode(&message.payload) {
        Ok(status) => Item::Status(StatusUpdate {
            machine: topic.machine,
            received_at_ms: message.received_at_ms,
            link: status.link,
            model: status.model,
            firmware: status.firmware,
        }),
        Err(error) => reject(message, "status", error.to_string()),
    }
}

fn reject(message: RawMessage, reason: &'static str, detail: String) -> Item {
    Item::Reject(Reject {
        topic: message.topic,
        payload: message.payload,
        received_at_ms: message.received_at_ms,
        refusal: Refusal { reason, detail },
    })
}
