//! Topics: `polevod/v1/{machine}/{kind}`.

use std::fmt;

use crate::identity::{IdentityError, MachineSerial};

const PREFIX: &str = "polevod/v1/";
/// Longest response topic that a unit remembers.
const MAX_TOPIC_BYTES: usize = 256;

/// A topic of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Whose topic it is.
    pub machine: MachineSerial,
    /// What is published there.
    pub kind: TopicKind,
}

/// What is published on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicKind {
    /// Up: runs of samples.
    Telemetry,
    /// Up: J1939 diagnostic reports.
    Faults,
    /// Up: tasks and their totals.
    Task,
    /// Up, retained: link state, also as last will.
    Status,
    /// Down: what the store holds; a machine frees its buffer on this alone.
    Stored,
    /// Down: a request for a diagnostic capture.
    Request,
    /// Up: the answers to requests that name no response topic.
    Answer,
}

/// Why a topic was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Not of the form `polevod/v1/{machine}/{kind}`.
    #[error("topic is not of the form polevod/v1/{{machine}}/{{kind}}")]
    Form,
    /// The last level is none of ours.
    #[error("topic kind {0:?} is unknown; telemetry, faults, task, status, stored, request and answer are known")]
    Kind(String),
    /// The machine level is no serial.
    #[error(transparent)]
    Machine(#[from] IdentityError),
}

impl TopicKind {
    /// Every kind that ingest takes: records and link states. Answers go to whoever has asked.
    pub const UP: [Self; 4] = [Self::Telemetry, Self::Faults, Self::Task, Self::Status];

    /// The last level of the topic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telemetry => "telemetry",
            Self::Faults => "faults",
            Self::Task => "task",
            Self::Status => "status",
            Self::Stored => "stored",
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }

    /// The filter that matches this kind for every machine.
    pub fn filter(self) -> String {
        format!("{PREFIX}+/{}", self.as_str())
    }
}

impl Topic {
    /// The topic of `kind` for `machine`.
    pub fn new(machine: &MachineSerial, kind: TopicKind) -> Self {
        Self { machine: machine.clone(), kind }
    }

    /// Where a machine answers a request of its own: on the response topic that the request names (MQTT 5), when that
    /// lies under `polevod/v1/{machine}/`, where alone a unit may publish; else on `answer`.
    pub fn of_answer(machine: &MachineSerial, response_topic: Option<&str>) -> String {
        let own = format!("{PREFIX}{machine}/");
        let usable = |topic: &&str| {
            let rest = topic.strip_prefix(&own).unwrap_or_default();
            !rest.is_empty() && topic.len() <= MAX_TOPIC_BYTES && !rest.contains(['+', '#', '\0'])
        };
        // A record's topic must not be borrowed: ingest would take the answer for a frame.
        let carries_records = |topic: &str| Self::parse(topic).is_ok_and(|topic| topic.kind != TopicKind::Answer);
        match response_topic.filter(usable) {
            Some(topic) if !carries_records(topic) => topic.to_string(),
            _ => Self::new(machine, TopicKind::Answer).to_string(),
        }
    }

    /// Reads a topic.
    ///
    /// # Errors
    /// [`TopicError`] says which level is wrong.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        let (machine, kind) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).ok_or(TopicError::Form)?;
        let kind = match kind {
            "telemetry" => TopicKind::Telemetry,
            "faults" => TopicKind::Faults,
            "task" => TopicKind::Task,
            "status" => TopicKind::Status,
            "stored" => TopicKind::Stored,
            "request" => TopicKind::Request,
            "answer" => TopicKind::Answer,
            other => return Err(TopicError::Kind(other.chars().take(32).collect())),
        };
        Ok(Self { machine: MachineSerial::parse(machine)?, kind })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}", self.machine, self.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let outcome = match Topic::parse(text) {
            Ok(topic) => {
                assert_eq!(topic.to_string(), text, "a topic reads back as it was written");
                format!("{} {:?}", topic.machine, topic.kind)
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn topics_name_machine_and_kind_or_say_what_is_wrong() {
        check("polevod/v1/BY-3522.0017/telemetry", expect!["BY-3522.0017 Telemetry"]);
        check("polevod/v1/a/stored", expect!["a Stored"]);
        check("polevod/v2/a/telemetry", expect!["topic is not of the form polevod/v1/{machine}/{kind}"]);
        check("polevod/v1/a", expect!["topic is not of the form polevod/v1/{machine}/{kind}"]);
        check("polevod/v1//task", expect!["machine serial is empty; it needs 1 to 64 characters"]);
        check(
            "polevod/v1/поле/task",
            expect!["machine serial has the character 'п'; only A-Z, a-z, 0-9, '.', '_' and '-' are allowed"],
        );
        check(
            "polevod/v1/a/b/task",
            expect![[
                r#"topic kind "b/task" is unknown; telemetry, faults, task, status, stored, request and answer are known"#
            ]],
        );
    }

    #[test]
    fn an_answer_goes_where_the_asker_listens_but_never_to_another_machine_or_among_records() {
        let machine = MachineSerial::parse("M-1").expect("a serial");
        let check = |asked: Option<&str>, expected: &str| assert_eq!(Topic::of_answer(&machine, asked), expected);
        check(Some("polevod/v1/M-1/answer/desk-7"), "polevod/v1/M-1/answer/desk-7");
        check(Some("polevod/v1/M-1/answer"), "polevod/v1/M-1/answer");
        let usual = "polevod/v1/M-1/answer";
        check(None, usual);
        check(Some("polevod/v1/M-2/answer"), usual);
        check(Some("polevod/v1/M-1/"), usual);
        check(Some("polevod/v1/M-1/telemetry"), usual);
        check(Some("polevod/v1/M-1/stored"), usual);
        check(Some("polevod/v1/M-1/answer/#"), usual);
        check(Some(&format!("polevod/v1/M-1/{}", "x".repeat(300))), usual);
    }
}
