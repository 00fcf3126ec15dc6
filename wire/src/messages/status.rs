//! Whether a machine is connected.

use serde::{Deserialize, Serialize};

use super::from_json;
use crate::check::check_text;
use crate::error::MessageError;
use crate::identity::BootId;
use crate::limits::MAX_STATUS_TEXT_BYTES;

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
