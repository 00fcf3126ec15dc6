//! Asking a machine for a diagnostic capture.

use serde::{Deserialize, Serialize};

use super::from_json;
use crate::check::check_text;
use crate::error::MessageError;
use crate::limits::{MAX_CAPTURE_DURATION_S, MAX_CAPTURE_RATE_HZ, MAX_REQUEST_SIGNALS, MAX_TEXT_BYTES};
use crate::signal::SignalId;

/// A request for a diagnostic capture. JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Identity of the request; the answer names it.
    pub request: String,
    /// Signals wanted, by name.
    pub signals: Vec<String>,
    /// Samples a second, at most [`MAX_CAPTURE_RATE_HZ`].
    pub rate_hz: f32,
    /// How long to record, seconds, at most [`MAX_CAPTURE_DURATION_S`].
    pub duration_s: u32,
}

impl Request {
    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data always serialises")
    }

    /// Reads the message and checks its bounds.
    ///
    /// # Errors
    /// [`MessageError`] says what is malformed or beyond its bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let request: Self = from_json(bytes)?;
        let fail = |text: String| Err(MessageError::Malformed(text));
        check_text("request", &request.request, MAX_TEXT_BYTES).map_err(MessageError::Malformed)?;
        if request.signals.is_empty() || request.signals.len() > MAX_REQUEST_SIGNALS {
            return fail(format!("{} signals; 1 to {MAX_REQUEST_SIGNALS} can be asked for", request.signals.len()));
        }
        if let Some(unknown) = request.signals.iter().find(|name| SignalId::by_name(name).is_none()) {
            return fail(format!("signal {unknown:?} is in no catalogue"));
        }
        let rate_is_possible = request.rate_hz > 0.0 && request.rate_hz <= MAX_CAPTURE_RATE_HZ;
        if !rate_is_possible || !(1..=MAX_CAPTURE_DURATION_S).contains(&request.duration_s) {
            return fail(format!(
                "rate_hz = {}, duration_s = {}; 0 < rate_hz <= {MAX_CAPTURE_RATE_HZ} and 1..={MAX_CAPTURE_DURATION_S} s are possible",
                request.rate_hz, request.duration_s
            ));
        }
        Ok(request)
    }

    /// The identity of a request that [`Request::decode`] refuses, where one can be read: its sender wants to be told.
    pub fn identity(bytes: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Identity {
            request: String,
        }
        let Identity { request } = from_json(bytes).ok()?;
        check_text("request", &request, MAX_TEXT_BYTES).ok().map(|()| request)
    }

    /// Samples that the capture takes: rate by duration, one at least.
    pub fn samples(&self) -> u32 {
        (f64::from(self.rate_hz) * f64::from(self.duration_s)).round().max(1.0) as u32
    }
}
