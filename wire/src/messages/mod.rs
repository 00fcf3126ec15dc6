//! Small messages: link status, the `stored` acknowledgement, capture requests and the answers to them.

mod answer;
mod request;
mod status;
mod stored;

use bincode::{Decode, config};

use crate::binary::describe;
use crate::error::MessageError;
use crate::limits::MAX_MESSAGE_BYTES;

pub use answer::{Answer, Captured, Refusal};
pub use request::Request;
pub use status::{Link, Status};
pub use stored::{Gap, Stored};

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
