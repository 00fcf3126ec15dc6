//! What a machine says to a request for a capture.

use serde::{Deserialize, Serialize};

use super::from_json;
use crate::check::check_text;
use crate::error::MessageError;
use crate::identity::BootId;
use crate::limits::{MAX_REQUEST_SIGNALS, MAX_SEQUENCE, MAX_TEXT_BYTES};

/// A unit's word on a request: first accepted or refused, then progress, then done. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The capture has begun.
    Accepted {
        /// Identity of the request.
        request: String,
        /// Samples that it will take: rate by duration.
        samples_expected: u32,
        /// Signals asked for that this machine does not report; the others are captured.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<String>,
    },
    /// There will be no capture.
    Refused {
        /// Identity of the request.
        request: String,
        /// Why, for programs.
        reason: Refusal,
        /// Why, for people; names the value and the mend.
        detail: String,
    },
    /// The capture goes on.
    Progress {
        /// Identity of the request.
        request: String,
        /// What was recorded so far.
        captured: Captured,
    },
    /// The capture is over.
    Done {
        /// Identity of the request.
        request: String,
        /// All that was recorded; fewer samples than expected when the machine was switched off meanwhile.
        captured: Captured,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The request breaks a bound, or asks for a signal that is in no catalogue.
    Malformed,
    /// The machine reports none of the signals.
    NoSignal,
    /// Too many captures run already; ask again when one is done.
    Busy,
}

/// Where the records of a capture are found: they are telemetry of (machine, boot) like any other, with numbers from
/// `first_sequence` up to, not including, `end_sequence`. Usual samples lie between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// The boot that recorded them.
    pub boot: BootId,
    /// Number of the first record since the capture began.
    pub first_sequence: u64,
    /// One past the number of the last record of the capture.
    pub end_sequence: u64,
    /// Samples of the capture among them.
    pub samples: u32,
}

impl Answer {
    /// Identity of the request that this answers.
    pub fn request(&self) -> &str {
        match self {
            Self::Accepted { request, .. }
            | Self::Refused { request, .. }
            | Self::Progress { request, .. }
            | Self::Done { request, .. } => request,
        }
    }

    /// Whether no further answer follows.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Done { .. })
    }

    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data always serialises")
    }

    /// Reads the message and checks its bounds.
    ///
    /// # Errors
    /// [`MessageError`] says what is malformed or beyond its bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let answer: Self = from_json(bytes)?;
        answer.check().map_err(MessageError::Malformed)?;
        Ok(answer)
    }

    fn check(&self) -> Result<(), String> {
        check_text("request", self.request(), MAX_TEXT_BYTES)?;
        match self {
            Self::Accepted { missing, .. } if missing.len() > MAX_REQUEST_SIGNALS => {
                Err(format!("{} signals are missing; at most {MAX_REQUEST_SIGNALS} can be asked for", missing.len()))
            }
            Self::Accepted { missing, .. } => {
                missing.iter().try_for_each(|name| check_text("missing", name, MAX_TEXT_BYTES))
            }
            Self::Refused { detail, .. } => check_text("detail", detail, 4 * MAX_TEXT_BYTES),
            Self::Progress { captured, .. } | Self::Done { captured, .. } => captured.check(),
        }
    }
}

impl Captured {
    fn check(&self) -> Result<(), String> {
        let Self { first_sequence, end_sequence, samples, .. } = *self;
        if first_sequence > end_sequence || end_sequence > MAX_SEQUENCE {
            return Err(format!(
                "first_sequence = {first_sequence}, end_sequence = {end_sequence}; they ascend to {MAX_SEQUENCE} at most"
            ));
        }
        if u64::from(samples) > end_sequence - first_sequence {
            return Err(format!("samples = {samples} do not fit between {first_sequence} and {end_sequence}"));
        }
        Ok(())
    }
}
