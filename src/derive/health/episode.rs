//! What every fold of health finds: something began, and perhaps it ended.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fault::FaultKey;
use super::text::Severity;

/// A time during which something was wrong, by the machine's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// What was wrong.
    pub subject: Subject,
    /// How bad.
    pub severity: Severity,
    /// When it began: the first sample or report that shows it, Unix milliseconds.
    pub opened_at_ms: i64,
    /// When there was enough of it to say so.
    pub fired_at_ms: i64,
    /// When it ended; none: it lasts.
    pub closed_at_ms: Option<i64>,
    /// The record after which nothing earlier can change the end; none: it lasts, or could still go on.
    pub settled_at_ms: Option<i64>,
    /// Figures behind it, by name: `value`, `limit`, `peak`, `litres`.
    pub evidence: Evidence,
}

/// Figures by name.
pub type Evidence = BTreeMap<String, f64>;

/// What an episode is about; unique on a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// A trouble code, written `fault/0/110/16`, with `/legacy` behind it where its number cannot be trusted.
    Fault(FaultKey),
    /// A rule on signals, `rule/coolant_hot`.
    Rule(String),
    /// A slow change, `trend/coolant_over_ambient`.
    Trend(String),
    /// Service that is due, `service/to_1`.
    Service(String),
}

/// What is no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no subject; write fault/SOURCE/SPN/FMI, rule/ID, trend/ID or service/ID")]
pub struct SubjectError(String);

impl Subject {
    /// The kind, as in the database.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fault(_) => "fault",
            Self::Rule(_) => "rule",
            Self::Trend(_) => "trend",
            Self::Service(_) => "service",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(key) => {
                write!(f, "fault/{}/{}/{}", key.source_address, key.spn, key.fmi)?;
                if key.legacy { f.write_str("/legacy") } else { Ok(()) }
            }
            Self::Rule(id) | Self::Trend(id) | Self::Service(id) => write!(f, "{}/{id}", self.kind()),
        }
    }
}

impl FromStr for Subject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let fail = || SubjectError(text.chars().take(80).collect());
        let (kind, rest) = text.split_once('/').ok_or_else(fail)?;
        match kind {
            "fault" => FaultKey::parse(rest).map(Self::Fault).ok_or_else(fail),
            "rule" => Ok(Self::Rule(rest.into())),
            "trend" => Ok(Self::Trend(rest.into())),
            "service" => Ok(Self::Service(rest.into())),
            _ => Err(fail()),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;
    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl Episode {
    /// Whether it lasted at an instant or in a span around it.
    pub fn overlaps(&self, from_ms: i64, to_ms: i64) -> bool {
        self.opened_at_ms <= to_ms && self.closed_at_ms.is_none_or(|closed| closed >= from_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_as_it_was_written() {
        for text in ["fault/0/110/16", "fault/3/520192/31/legacy", "rule/coolant_hot", "trend/x", "service/to_1"] {
            assert_eq!(text.parse::<Subject>().map(|subject| subject.to_string()), Ok(text.into()));
        }
        for text in ["", "fault/0/110", "fault/0/110/16/old", "fault/0/524288/1", "fault/0/1/32", "hint/x"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
