//! What the store holds of a boot: the only message that frees a machine's buffer.

use bincode::{Decode, Encode, config};
use serde::{Deserialize, Serialize};

use super::{Encoding, from_binary, from_json};
use crate::error::MessageError;
use crate::identity::BootId;
use crate::limits::MAX_GAPS;
use crate::sequence_set::SequenceSet;

/// First bytes of a binary `stored` message: magic `PV`, version 1, kind 5.
const STORED_ENVELOPE: [u8; 4] = [b'P', b'V', 1, 5];

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
