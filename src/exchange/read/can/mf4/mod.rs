//! ASAM MDF 4 with bus logging (`.MF4`), as CSS Electronics' CANedge, Vector's tools and asammdf write it.
//!
//! ```text
//! blocks ─ layout ▶ channel groups of CAN frames ─ data ▶ records ─ frames ▶ merged by time
//! ```
//!
//! Loggers write as long as they have power, so most files off a machine were never put in order ("unfinalised"): record
//! counts are zero, the length of the data is missing, groups and the bytes of variable length are mixed in one stream.
//! The reader therefore trusts no count and reads each stream to its end. Of the rest of MDF, nothing is read that bus
//! logging does not use: `docs/decisions/0010-own-mf4-reader.md` says why the reader is our own.

mod blocks;
mod data;
mod frames;
mod layout;
#[cfg(test)]
mod tests;

use super::super::At;
use super::{CanLog, Defect, Frame};
use frames::Merge;

/// First bytes of a file that was put in order, and of one that was not.
pub const MAGIC: [&[u8; 8]; 2] = [b"MDF     ", b"UnFinMF "];

/// Starts reading a log; `file` names it in problems.
pub fn read<'a>(file: &str, bytes: &'a [u8]) -> CanLog<'a> {
    let mut defects: Vec<(At, Defect)> = Vec::new();
    let frames = match layout::read(bytes, &mut defects) {
        Ok(layout) => {
            if layout.is_unfinished {
                defects.push((At::File, Defect::Unfinished));
            }
            let streams = layout.groups.into_iter().map(|group| group.open(bytes, layout.start_us)).collect();
            Merge::new(streams)
        }
        Err(defect) => {
            defects.push(defect);
            Merge::new(Vec::new())
        }
    };
    CanLog::new(file, defects.into_iter().map(Err::<Frame, _>).chain(frames))
}
