//! A log being read, and what can be wrong with one.

use super::super::text::lines;
use super::super::{At, Problem, Problems, Weigh, Weight};
use super::buses::MAX_BUSES;
use super::{Frame, FrameCounts};

/// Longest line taken: an FD frame of 64 bytes with all that tools add has some 400.
pub const MAX_LINE_BYTES: usize = 1024;

/// A log being read: an iterator of frames in file order.
pub struct CanLog<'a> {
    source: Box<dyn Iterator<Item = Result<Frame, (At, Defect)>> + 'a>,
    /// Frames read so far, by kind.
    pub counts: FrameCounts,
    /// What could not be read so far.
    pub problems: Problems<Defect>,
}

/// What can be wrong in a bus log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Defect {
    /// A line of no form known.
    #[error("not a {format} line: {reason}; it is skipped")]
    NotALine {
        /// The format expected.
        format: &'static str,
        /// What is missing or wrong.
        reason: &'static str,
    },
    /// The line is longer than [`MAX_LINE_BYTES`].
    #[error("the line has more than {MAX_LINE_BYTES} bytes; it is skipped")]
    LineTooLong,
    /// More buses than [`MAX_BUSES`].
    #[error("more than {MAX_BUSES} buses; frames of the others are skipped")]
    TooManyBuses,
    /// A head line that should tell the date and does not.
    #[error("the date {0:?} is not understood")]
    DateNotUnderstood(String),
    /// The structure of a binary log is broken.
    #[error("{block} is not sound: {reason}; {consequence}")]
    BadBlock {
        /// Which part.
        block: &'static str,
        /// What is wrong.
        reason: &'static str,
        /// What that means for the rest.
        consequence: &'static str,
    },
    /// A binary log ends in the middle of something.
    #[error("the file ends {missing} bytes early; what was cut off is missing")]
    CutOff {
        /// Bytes that the last record or block lacks.
        missing: u64,
    },
    /// A recording device that was switched off before it could put the file in order.
    #[error("the file was not finished by its recorder; it is read to its end")]
    Unfinished,
    /// A frame whose bytes are missing.
    #[error("a frame without its bytes; it is skipped")]
    FrameWithoutBytes,
    /// No frames in it.
    #[error("it holds no CAN frames: {0}")]
    NoBusLogging(&'static str),
}

impl Weigh for Defect {
    fn weight(&self) -> Weight {
        match self {
            Defect::Unfinished => Weight::Note,
            _ => Weight::Loss,
        }
    }
}

/// A text format, line by line.
pub(super) trait Lines {
    /// Takes a line without its blanks; `None` where it tells something else than a frame.
    ///
    /// # Errors
    /// [`Defect`] when the line cannot be understood.
    fn line(&mut self, at: At, line: &[u8]) -> Result<Option<Frame>, Defect>;
}

impl<'a> CanLog<'a> {
    /// A log from what yields its frames and defects; `file` names it in problems.
    pub(super) fn new(file: &str, source: impl Iterator<Item = Result<Frame, (At, Defect)>> + 'a) -> Self {
        Self { source: Box::new(source), counts: FrameCounts::default(), problems: Problems::new(file) }
    }

    /// A log of a text format.
    pub(super) fn of_lines(file: &str, bytes: &'a [u8], mut format: impl Lines + 'a) -> Self {
        Self::new(
            file,
            lines(bytes).filter_map(move |(number, line)| {
                let at = At::Line(number);
                if line.len() > MAX_LINE_BYTES {
                    return Some(Err((at, Defect::LineTooLong)));
                }
                format.line(at, line).map_err(|defect| (at, defect)).transpose()
            }),
        )
    }

    /// The problems, once the log is read.
    pub fn into_problems(self) -> Vec<Problem<Defect>> {
        self.problems.into_vec()
    }
}

impl Iterator for CanLog<'_> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        loop {
            match self.source.next()? {
                Ok(frame) => {
                    self.counts.count(&frame);
                    return Some(frame);
                }
                Err((at, defect)) => self.problems.push(at, defect),
            }
        }
    }
}

impl std::fmt::Debug for CanLog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CanLog").field("counts", &self.counts).field("problems", &self.problems).finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Body, CanId};
    use super::*;

    /// A log as text: its frames, then its problems.
    pub(in super::super) fn told(mut log: CanLog<'_>) -> String {
        let mut lines: Vec<String> = log.by_ref().map(|frame| one(&frame)).collect();
        lines.extend(log.problems.listed().iter().map(ToString::to_string));
        lines.join("\n")
    }

    fn one(frame: &Frame) -> String {
        let at = jiff::Timestamp::from_microsecond(frame.at_us).expect("readers keep to the calendar");
        let id = match frame.id {
            CanId::Extended(id) => format!("ext {id:X}"),
            CanId::Standard(id) => format!("std {id:X}"),
        };
        let body = match frame.body {
            Body::Data(payload) => format!("{:02X?}", payload.as_slice()),
            Body::Fd { len, flags } => format!("fd {len} flags {flags}"),
            Body::Remote => "remote".to_owned(),
            Body::Error => "error".to_owned(),
        };
        format!("{at} bus {} {id} {body}", frame.bus)
    }
}
