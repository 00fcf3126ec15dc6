//! Small messages: link status, the `stored` acknowledgement, capture requests.

use bincode::{Decode, Encode, config};
use serde::{Deserialize, Serialize};

use crate::binary::describe;
use crate::check::check_text;
use crate::error::MessageError;
use crate::identity::BootId;
use crate::limits::{
    MAX_CAPTURE_DURATION_S, MAX_CAPTURE_RATE_HZ, MAX_GAPS, MAX_MESSAGE_BYTES, MAX_REQUEST_SIGNALS,
    MAX_STATUS_TEXT_BYTES, MAX_TEXT_BYTES,
};
use crate::sequence_set::SequenceSet;
use crate::signal::SignalId;

/// First bytes of a binary `stored` message: magic `PV`, version 1, kind 5.
const STORED_ENVELOPE: [u8; 4] = [b'P', b'V', 1, 5];

/// The two forms of frames and of `stored`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Compact, for units.
    #[default]
    Binary,
    /// For people and third parties.
    Json,
}

impl Encoding {
    /// The form of a frame by its first byte, also where the rest cannot be read.
    pub fn of(frame: &[u8]) -> Self {
        if frame.first() == Some(&b'{') { Self::Json } else { Self::Binary }
    }
}

/// Link state of a machine, published retained and as last will. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// On or off line.
    pub link: Link,
    /// The running boot; absent in a last will that was set before it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<BootId>,
    /// Model code as in the machine catalogue, `mtz-3522`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Firmware version of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
}

/// Whether a machine is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Connected.
    Online,
    /// Gone, cleanly or by last will.
    Offline,
}

/// What the store holds of one boot. Every sequence below `end` that is in no gap is stored, or was refused for
/// good, and may be freed; what is in a gap is to be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// The boot this is about.
    pub boot: u64,
    /// One past the run that begins at sequence 0: a unit that keeps a plain queue needs only this.
    pub contiguous_end: u64,
    /// One past the greatest sequence this message speaks of.
    pub end: u64,
    /// What is missing below `end`, ascending, at most [`MAX_GAPS`].
    pub gaps: Vec<Gap>,
}

/// A run of missing sequence numbers, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// First missing sequence.
    pub start: u64,
    /// One past the last missing sequence.
    pub end: u64,
}

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

impl Stored {
    /// Says what a machine needs to know of the ledger. Where more than [`MAX_GAPS`] runs are missing, `end`
    /// stops before the first gap that does not fit, so that the message stays true.
    pub fn of(boot: BootId, accounted: &SequenceSet) -> Self {
        let gaps = accounted.gaps();
        let listed: Vec<_> =
            gaps.ranges().iter().take(MAX_GAPS).map(|gap| Gap { start: gap.start, end: gap.end }).collect();
        let end = gaps.ranges().get(MAX_GAPS).map_or(accounted.end(), |gap| gap.start);
        Self { boot: boot.as_u64(), contiguous_end: accounted.contiguous_end(), end, gaps: listed }
    }

    /// What may be freed.
    pub fn freed(&self) -> SequenceSet {
        let gaps: SequenceSet = self.gaps.iter().map(|gap| gap.start..gap.end).collect();
        SequenceSet::from_range(0..self.end).difference(&gaps)
    }

    /// Writes the message in the form its machine speaks.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Json => serde_json::to_vec(self).expect("plain numbers always serialise"),
            Encoding::Binary => {
                let mut bytes = STORED_ENVELOPE.to_vec();
                bytes.extend(
                    bincode::encode_to_vec(self, config::standard()).expect("writing to a vector does not fail"),
                );
                bytes
            }
        }
    }

    /// Reads a message of either form.
    ///
    /// # Errors
    /// [`MessageError`] says what is malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let stored: Self = match bytes.strip_prefix(&STORED_ENVELOPE) {
            Some(rest) => from_binary(rest)?,
            None => from_json(bytes)?,
        };
        stored.check().map_err(MessageError::Malformed)?;
        Ok(stored)
    }

    /// A wrong message would free what was never stored, so a machine obeys none that is not sound throughout.
    fn check(&self) -> Result<(), String> {
        let Self { boot, contiguous_end, end, gaps } = self;
        BootId::new(*boot).map_err(|error| error.to_string())?;
        if gaps.len() > MAX_GAPS {
            return Err(format!("{} gaps; at most {MAX_GAPS} are listed", gaps.len()));
        }
        let mut behind = 0;
        for (index, gap) in gaps.iter().enumerate() {
            // Gaps that touch would be one, and the first may begin at 0.
            let apart = index == 0 || gap.start > behind;
            if !apart || gap.start >= gap.end || gap.end > *end {
                return Err(format!("gap {}..{} is empty, out of order or beyond end = {end}", gap.start, gap.end));
            }
            behind = gap.end;
        }
        let first_missing = gaps.first().map_or(*end, |gap| gap.start);
        if *contiguous_end != first_missing {
            return Err(format!("contiguous_end = {contiguous_end}, but the first missing is {first_missing}"));
        }
        Ok(())
    }
}

impl Status {
    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain texts always serialise")
    }

    /// Reads the message.
    ///
    /// # Errors
    /// [`MessageError`] says what is malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let status: Self = from_json(bytes)?;
        for (name, text) in [("model", &status.model), ("firmware", &status.firmware)] {
            check_text(name, text.as_deref().unwrap_or_default(), MAX_STATUS_TEXT_BYTES)
                .map_err(MessageError::Malformed)?;
        }
        Ok(status)
    }
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
}

fn from_binary<T: Decode<()>>(bytes: &[u8]) -> Result<T, MessageError> {
    let (message, consumed) = bincode::decode_from_slice(bytes, config::standard().with_limit::<MAX_MESSAGE_BYTES>())
        .map_err(|error| MessageError::Malformed(describe(&error)))?;
    if consumed != bytes.len() {
        return Err(MessageError::Malformed(format!("{} bytes follow its end", bytes.len() - consumed)));
    }
    Ok(message)
}

fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(MessageError::Malformed(format!("{} bytes; at most {MAX_MESSAGE_BYTES}", bytes.len())));
    }
    serde_json::from_slice(bytes).map_err(|error| MessageError::Malformed(error.to_string()))
}
